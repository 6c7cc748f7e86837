"""A real training, from the clone to the result, by the sessions of a controller: also while the agent is replaced."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import tarfile
from collections.abc import Iterator

import pytest

from tests.infra.agenthouse import House, step
from tests.pipeline.workplace import Workplace
from tests.repository.clone import ROOT
from tests.support import skips
from tests.support.engine import Engine, NoEngineError
from tests.support.hub import Hub
from tests.support.images import carry
from tests.support.pythonbase import PYTHON, import_python
from tests.support.waiting import until_sync

WORKSPACE = "/home/jenkins/agent/workspace/train"
RUN = "/home/jenkins/agent/runs/train-1"
BASE = "python-with-packages:test"
DATA = "ann/diamonds"
ROWS, EPOCHS = 1000, 6


@pytest.fixture
def base(engine: Engine, agent_engine: Engine) -> None:
    """The image that project-b is made from, with its packages in it: this Engine has no way out to fetch them by."""
    try:
        if not engine.docker("images", "--quiet", PYTHON):
            import_python(engine)
    except NoEngineError as error:
        pytest.skip(skips.NO_ENGINE.format(why=error))
    if not agent_engine.docker("images", "--quiet", BASE):
        dockerfile = f"FROM {PYTHON}\nCOPY requirements.txt .\nRUN pip install --require-hashes -r requirements.txt\n"
        files = {
            "requirements.txt": (ROOT / "projects" / "project-b" / "requirements.txt").read_bytes(),
            "Dockerfile": dockerfile.encode(),
        }
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        engine.docker("build", f"--tag={BASE}", "--network=host", "-", stdin=context.getvalue(), limit=600)
        carry(engine, agent_engine, BASE)
        engine.docker("rmi", BASE)


@pytest.fixture
def repository(house: House) -> Iterator[Workplace]:
    """A repository with project-b, which the agent clones."""
    work = Workplace(house.folder / "work", house.engine)
    yield work
    work.close()


@pytest.fixture
def hub(house: House) -> Iterator[Hub]:
    """A Hub that containers reach, with a data set for project-b."""
    (settings,) = house.engine.api("GET", "/networks/control")["IPAM"]["Config"]
    server = house.engine.network.call(lambda: Hub(address=settings["Gateway"]))
    with server:
        server.add_repo("dataset", DATA, {"diamonds.csv": _diamonds()}, private=False)
        yield server


def _diamonds() -> bytes:
    """Stones whose cut shows in their measures, among noise."""
    draw = random.Random(7)  # noqa: S311 - data, no secret
    cuts = ("Fair", "Good", "Very Good", "Premium", "Ideal")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("carat", "cut", "color", "clarity", "depth", "table", "price", "x", "y", "z"))
    for _ in range(ROWS):
        grade = draw.randrange(len(cuts))
        measures = [f"{draw.gauss(mean, 1.0):.2f}" for mean in (60 + grade, 57 - grade)]
        sides = [f"{draw.uniform(3, 9):.2f}" for _ in range(3)]
        price = draw.randrange(300, 19000)
        writer.writerow((f"{draw.uniform(0.2, 3):.2f}", cuts[grade], draw.choice("DEFGHIJ"), "VS1", *measures, price, *sides))
    return text.getvalue().encode()


def _pinned(work: Workplace, hub: Hub) -> str:
    """A commit of project-b that names the data set."""
    work.copy("project-b")
    config = work.repository / "projects" / "project-b" / "config.yaml"
    text = config.read_text().replace("repo: null", f"repo: {DATA}")
    config.write_text(text.replace("revision: null", f"revision: {hub.revisions('dataset', DATA)[-1]}"))
    return work.commit("pinned")


def _give(house: House, work: Workplace) -> None:
    """Put the repository where a session can clone it; it belongs to the user who does."""
    packed = subprocess.run(
        ["tar", "--owner=1000", "--group=1000", "-C", str(work.repository), "-c", "--transform=s,^.,origin,", "."],
        capture_output=True,
        check=True,
    ).stdout
    house.engine.docker("cp", "-", "agent:/home/jenkins/agent", stdin=packed)
    done = house.ssh(f"git clone --quiet /home/jenkins/agent/origin {WORKSPACE}")
    assert done.returncode == 0, done.stderr


def test_a_training_goes_on_while_the_agent_is_replaced(house: House, repository: Workplace, hub: Hub, base: None) -> None:
    commit = _pinned(repository, hub)
    house.start()
    house.ready()
    _give(house, repository)
    named = {
        "PROJECT": "project-b",
        "COMMIT": commit,
        "OVERRIDES": f"epochs={EPOCHS}\npatience=0",
        "JOB_NAME": "train",
        "BUILD_NUMBER": "1",
        "BUILD_URL": "http://jenkins.test/job/train/1/",
        "HF_ENDPOINT": hub.endpoint,
        # The stand-in knows no Xet.
        "HF_HUB_DISABLE_XET": "1",
        "RUNS_DIR": "/home/jenkins/agent/runs",
        "MLOPS_BASE_IMAGE": BASE,
        "MLOPS_GPUS": "none",
        "MLOPS_MIN_FREE": "1m",
        "MLOPS_NETWORK": "mlops-train",
        "PUBLISH": "no",
    }
    for name in ("check", "build", "start"):
        done = house.ssh(step(name, **named))
        assert done.returncode == 0, f"{name}: {done.stdout[-3000:]}{done.stderr}"
    assert list(house.engine.inspect("mlops-project-b-1")["NetworkSettings"]["Networks"]) == ["mlops-train"]

    output = house.folder / "follow"
    follower = house.begin(step("follow", **named), output)
    until_sync(lambda: '"event":"epoch"' in output.read_text(), "the first epoch", 120)
    # It stands still meanwhile: a fast machine would be through before the new agent is there.
    house.engine.docker("pause", "mlops-project-b-1")
    house.remove_agent()
    assert follower.wait(20) == 255
    house.start()
    house.ready()
    output = house.folder / "follow-again"
    follower = house.begin(step("follow", **named), output)
    house.engine.docker("unpause", "mlops-project-b-1")
    assert follower.wait(240) == 0, output.read_text()
    assert '"event":"end"' in output.read_text()
    assert house.ssh(step("finish", **named)).returncode == 0

    events = [json.loads(line) for line in house.ssh(f"cat {RUN}/train.log").stdout.splitlines() if line.startswith("{")]
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == list(range(1, EPOCHS + 1))
    assert json.loads(house.ssh(f"cat {RUN}/result.json").stdout)["exit_code"] == 0
    assert "metrics.json" in house.ssh(f"ls {RUN}/out").stdout
    assert repository.containers() == []
