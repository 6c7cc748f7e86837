"""Models out, data in: the real client in the real containers, against a Hub on this machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline.conftest import READ, WRITE
from tests.pipeline.workplace import CONFIG, Workplace
from tests.projects.kit import SCHEMA
from tests.support.hub import Hub

pytestmark = pytest.mark.usefixtures("python")

PUBLISHES = CONFIG + "publish:\n  repo: small\n"
TRAINS = """
mkdir $OUT_DIR/model && echo weights >$OUT_DIR/model/weights && echo '# A card' >$OUT_DIR/README.md
echo '{}' >$OUT_DIR/metrics.json
echo '{"event":"end","ts":2,"status":"ok","best":null,"seconds":1}' | tee $OUT_DIR/events.jsonl
"""


def trained(work: Workplace, build: str = "48", script: str = TRAINS, config: str = PUBLISHES) -> None:
    # The publisher is made from the same base image; small projects have one of their own.
    work.started("small", work.project("small", script, config_dot_yaml=config), build)
    work.good("follow", BUILD_NUMBER=build)
    work.good("finish", BUILD_NUMBER=build)


def test_a_model_is_published_with_its_card_log_and_events(work: Workplace, hub: Hub) -> None:
    trained(work)
    published = work.good("publish", BUILD_NUMBER="48")
    event = json.loads(published.stdout)
    files = hub.files("model", "ann/small", "build-48")
    assert sorted(files) == ["README.md", "logs/events.jsonl", "logs/train.log", "metrics.json", "run.json", "weights"]
    assert files["weights"] == b"weights\n"
    assert b'"event":"end"' in files["logs/train.log"]
    assert hub.tags("model", "ann/small") == {"build-48": event["revision"]}
    assert hub.repositories["model", "ann/small"].private
    assert event["event"] == "published"
    SCHEMA.validate(event)
    assert "ann/small build-48 is published: " in published.stderr
    assert re.search(r"\[publish\] [\d.]+ k?B in 6 files to small\n", published.stderr)
    assert json.loads(work.file("48", "out/events.jsonl").read_text().splitlines()[-1]) == event
    assert work.containers() == []


def test_publishing_twice_is_safe(work: Workplace, hub: Hub) -> None:
    trained(work)
    work.good("publish", BUILD_NUMBER="48")
    revisions = hub.revisions("model", "ann/small")
    again = work.good("publish", RUN="train-48")
    assert "ann/small build-48 was published already" in again.stderr
    SCHEMA.validate(json.loads(again.stdout))
    assert hub.revisions("model", "ann/small") == revisions


def test_a_tag_of_another_training_is_left_alone(work: Workplace, hub: Hub) -> None:
    """The same job and number once more, with another folder of runs."""
    trained(work)
    work.good("publish", BUILD_NUMBER="48")
    revisions = hub.revisions("model", "ann/small")
    record = work.file("48", "run.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "run": "another"}))
    refused = work.step("publish", BUILD_NUMBER="48")
    assert refused.returncode == 1
    assert "The tag build-48 of ann/small belongs to another training, so nothing was uploaded" in refused.stderr
    assert hub.revisions("model", "ann/small") == revisions


def test_a_file_of_an_older_model_is_no_part_of_a_newer_one(work: Workplace, hub: Hub) -> None:
    trained(work, "48", TRAINS.replace("weights >$OUT_DIR/model/weights", "old >$OUT_DIR/model/old-weights"))
    work.good("publish", BUILD_NUMBER="48")
    trained(work, "49")
    work.good("publish", BUILD_NUMBER="49")
    assert "old-weights" in hub.files("model", "ann/small", "build-48")
    assert "old-weights" not in hub.files("model", "ann/small", "build-49")


def test_large_files_go_their_own_way(work: Workplace, hub: Hub) -> None:
    hub.large = 4
    trained(work)
    work.good("publish", BUILD_NUMBER="48")
    assert hub.files("model", "ann/small", "build-48")["weights"] == b"weights\n"
    assert b"weights\n" in hub.objects.values()


def test_every_build_has_a_tag_of_its_own(work: Workplace, hub: Hub) -> None:
    for build in ("48", "49"):
        trained(work, build, TRAINS.replace("weights >", f"weights of {build} >"))
        work.good("publish", BUILD_NUMBER=build)
    assert sorted(hub.tags("model", "ann/small")) == ["build-48", "build-49"]
    assert hub.files("model", "ann/small", "build-48")["weights"] == b"weights of 48\n"
    assert hub.files("model", "ann/small")["weights"] == b"weights of 49\n"


@pytest.mark.parametrize("after", [0, 3, 5, 7])
def test_the_hub_dies_in_the_middle(work: Workplace, hub: Hub, after: int) -> None:
    trained(work)
    # Of the requests: the first, the list of files, the commit, the tag.
    hub.die_after(after, "/api/")
    died = work.step("publish", BUILD_NUMBER="48")
    assert died.returncode == 1
    last = died.stderr.strip().splitlines()[-1]
    assert "Traceback" not in died.stderr
    assert f"The artifact is kept in {work.file('48', 'out')}; publish it later: make publish RUN=train-48" in last
    assert work.containers() == []
    hub.heal()
    work.good("publish", RUN="train-48")
    assert hub.files("model", "ann/small", "build-48")["weights"] == b"weights\n"


def test_neither_token_is_seen_anywhere(work: Workplace, hub: Hub) -> None:
    """Not in what the Engine tells of a container, not on a command line, not in an environment, not in the log."""
    script = 'test "$(cat $HF_TOKEN_PATH)" = hf_secretread && echo the read token is there; env; ls -l $HF_TOKEN_PATH;' + TRAINS
    commit = work.project("small", script, config_dot_yaml=PUBLISHES)
    container = work.started("small", commit, "48")
    said = json.dumps(work.engine.inspect(container))
    log = work.good("follow", BUILD_NUMBER="48").stdout
    work.good("finish", BUILD_NUMBER="48")
    waiting, free = hub.hold("/api/repos/create")
    publishing = work.begin("publish", BUILD_NUMBER="48")
    assert waiting.wait(60)
    name = work.containers()[0]
    said += json.dumps(work.engine.inspect(name)) + processes(work, name)
    free.set()
    assert publishing.wait(60) == 0
    assert "the read token is there" in log
    for secret in (WRITE, READ):
        assert secret not in said
        assert secret not in log.replace("the read token is there", "")
        assert secret not in work.output(publishing)
    # And the training never had the one that writes.
    assert "publisher.py" in said
    assert {WRITE, READ} >= hub.tokens_seen
    for path in work.runs.rglob("*"):
        assert not path.is_file() or WRITE not in path.read_text(errors="replace")


def test_a_read_token_that_nobody_gave_is_none(work: Workplace, hub: Hub) -> None:
    commit = work.project("small", "echo path ${HF_TOKEN_PATH-unset}; ls /run/mlops")
    variables = {"HF_READ_TOKEN_FILE": str(work.secret("read", "none")), "PUBLISH": "no"}
    work.started("small", commit, "48", **variables)
    assert work.good("follow", BUILD_NUMBER="48").stdout == "path unset\n"
    revision = hub.add_repo("dataset", "ann/data", {"a.csv": b"1"})
    pinned = CONFIG + f"data:\n  repo: ann/data\n  revision: {revision}\n"
    assert "is private and there is no read token" in refused(work, pinned, **variables)
    assert hub.tokens_seen == set()


def processes(work: Workplace, container: str) -> str:
    """Command lines and environments of a container's processes."""
    top: dict[str, Any] = work.engine.api("GET", f"/containers/{container}/top?ps_args=-eo%20pid,args")
    texts = []
    for pid, *_ in top["Processes"]:
        parts = [Path(f"/proc/{pid}/{file}").read_bytes() for file in ("cmdline", "environ")]
        texts.append(b" ".join(parts).replace(b"\0", b" ").decode(errors="replace"))
    return " ".join(texts)


def refused(work: Workplace, config: str = PUBLISHES, **variables: str) -> str:
    commit = work.project("small", TRAINS, config_dot_yaml=config)
    done = work.step("check", PROJECT="small", COMMIT=commit, BUILD_NUMBER="1", **variables)
    assert done.returncode == 1 or done.returncode in {2, 3}
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert WRITE not in lines[0]
    return lines[0]


def test_tokens_that_are_no_good(work: Workplace, hub: Hub) -> None:
    assert "No Hub token to publish small with" in refused(work, HF_WRITE_TOKEN_FILE="")
    assert "cannot be read: No such file" in refused(work, HF_WRITE_TOKEN_FILE="/nowhere")
    assert "does not accept the token" in refused(work, HF_WRITE_TOKEN_FILE=str(work.secret("wrong", "hf_wrong")))
    assert "may only read" in refused(work, HF_WRITE_TOKEN_FILE=str(work.secret("weak", READ)))
    work.secret("write", WRITE).chmod(0o644)
    assert "is open to everybody on this host" in refused(work)
    # Where a secret that nobody gave has its file all the same, however it is closed.
    nobodys = work.secret("nobodys", "none")
    nobodys.chmod(0o444)
    assert "No Hub token to publish small with" in refused(work, HF_WRITE_TOKEN_FILE=str(nobodys))
    # Nobody asks for a token who publishes nothing.
    work.good("check", PROJECT="small", COMMIT=work.commit("x"), BUILD_NUMBER="2", HF_WRITE_TOKEN_FILE="", PUBLISH="no")


def test_the_hub_is_away(work: Workplace, hub: Hub) -> None:
    hub.close()
    assert "cannot be reached" in refused(work)
    work.good("check", PROJECT="small", COMMIT=work.commit("x"), BUILD_NUMBER="2", HF_HUB_OFFLINE="1")


def test_pinned_data_that_is_not_there(work: Workplace, hub: Hub) -> None:
    revision = hub.add_repo("dataset", "ann/data", {"a.csv": b"1"})
    pinned = PUBLISHES + f"data:\n  repo: ann/data\n  revision: {revision}\n"
    work.good("check", PROJECT="small", COMMIT=work.project("small", config_dot_yaml=pinned), BUILD_NUMBER="2")
    assert "is private and there is no read token" in refused(work, pinned, HF_READ_TOKEN_FILE="")
    hub.add_repo("dataset", "ann/data", {"a.csv": b"2"})
    assert f"The dataset ann/data has no revision {revision} (any more)" in refused(work, pinned)
    assert "shows no dataset ann/other" in refused(work, pinned.replace("ann/data", "ann/other"))


def test_a_training_that_failed_is_not_published(work: Workplace, hub: Hub) -> None:
    work.started("small", work.project("small", "exit 3", config_dot_yaml=PUBLISHES), "48")
    work.good("follow", BUILD_NUMBER="48")
    work.step("finish", BUILD_NUMBER="48")
    done = work.step("publish", BUILD_NUMBER="48")
    assert done.returncode == 1
    assert "small #48 is not published: exit 3" in done.stderr
    assert ("model", "ann/small") not in hub.repositories


def test_project_b_from_a_clone_to_a_published_model(work: Workplace, hub: Hub) -> None:
    work.copy("project-b")
    uploaded = work.good("dataset", PROJECT="project-b")
    config = yaml.safe_load((work.repository / "projects/project-b/config.yaml").read_text())
    assert config["data"] == {"repo": "ann/project-b-data", "revision": hub.revisions("dataset", "ann/project-b-data")[-1]}
    assert "Commit that, then: make train PROJECT=project-b" in uploaded.stderr
    work.commit("pinned")
    trained = work.good("train", PROJECT="project-b", OVERRIDES="epochs=3")
    assert "epoch 3/3  train_loss " in trained.stdout
    assert "project-b local-1" in trained.stderr
    files = hub.files("model", "ann/project-b", "local-1")
    metrics = json.loads(files["metrics.json"])["test"]
    assert set(metrics) == {"boosted trees", "majority class", "logistic regression"}
    accuracy = {name: figures["accuracy"] for name, figures in metrics.items()}
    assert accuracy["boosted trees"] > accuracy["logistic regression"] > accuracy["majority class"]
    assert b"| boosted trees |" in files["README.md"]
    # Again: the revision is in the cache, so nobody is asked for the data any more.
    asked = len([path for _, path in hub.requests if "diamonds.csv" in path])
    work.good("train", PROJECT="project-b", OVERRIDES="epochs=2")
    assert len([path for _, path in hub.requests if "diamonds.csv" in path]) == asked
    assert sorted(hub.tags("model", "ann/project-b")) == ["local-1", "local-2"]
    # And without any Hub at all.
    before = len(hub.requests)
    work.good("train", PROJECT="project-b", OVERRIDES="epochs=1", HF_HUB_OFFLINE="1", PUBLISH="no")
    assert len(hub.requests) == before
