"""Requests that cannot be met: one sentence each, before anything is built."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.pipeline.workplace import CONFIG, Workplace

SCHEMA = json.dumps(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "epochs": {"type": "integer", "minimum": 1},
            "rate": {"type": "number"},
            "device": {"enum": ["cpu", "cuda"]},
        },
    }
)

# Twenty lines that stand for a million entries.
BOMB = "a0: &a0 {x: 1, y: 2}\n" + "".join(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}\n" for n in range(1, 20))


def refused(work: Workplace, **variables: str) -> str:
    """What check says; it must not build anything, and not leave a record."""
    done = work.step("check", **{"BUILD_NUMBER": "1", **variables})
    assert done.returncode in {1, 2}, done
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert not work.file("1", "run.json").exists()
    return lines[0].removeprefix("check: ")


def test_an_unknown_project_and_commit(work: Workplace) -> None:
    commit = work.project("small")
    other = "0" * 40
    ask = {"PROJECT": "small", "COMMIT": commit}
    assert refused(work, **{**ask, "PROJECT": "smal"}).startswith(
        f"There is no project smal at commit {commit[:12]}; there are small."
    )
    assert "is not in this repository; was it pushed" in refused(work, **{**ask, "COMMIT": other})
    assert "40 hexadecimal digits" in refused(work, **{**ask, "COMMIT": commit[:12]})
    assert "COMMIT 'missing' is no full commit" in refused(work, PROJECT="small")
    for name in ("../small", "Small", "small; id", "-x", "a" * 64):
        assert "is no project's name" in refused(work, **{**ask, "PROJECT": name})


def test_a_commit_that_was_not_merged(work: Workplace) -> None:
    merged = work.project("small")
    work.git("checkout", "--quiet", "-b", "feature")
    commit = work.project("small", "echo more")
    assert "only what was merged is trained" in refused(work, PROJECT="small", COMMIT=commit, RELEASE_BRANCH="main")
    work.good("check", PROJECT="small", COMMIT=merged, RELEASE_BRANCH="main", BUILD_NUMBER="2")


@pytest.mark.parametrize("file", ["Dockerfile", "config.yaml", "requirements.txt", "run.sh"])
def test_a_project_without(work: Workplace, file: str) -> None:
    work.project("small")
    (work.repository / "projects" / "small" / file).unlink()
    work.repository.joinpath("projects/small/keep").touch()
    if file == "requirements.txt":
        work.repository.joinpath("projects/small/requirements.in").touch()
    assert f"projects/small has no {file}" in refused(work, PROJECT="small", COMMIT=work.commit("less"))


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("run.sh", "#!/bin/sh\nsh src/main.sh\n", "projects/small/run.sh does not end in exec"),
        ("run.sh", "exec sh src/main.sh\n", "projects/small/run.sh does not begin with #!/bin/sh"),
        ("Dockerfile", "FROM busybox:test\nUSER root\n", "projects/small/Dockerfile does not end as a user other than root"),
        ("Dockerfile", "FROM busybox:test\nUSER 1000\nCMD sh\n", "projects/small/Dockerfile does not start run.sh"),
        ("requirements.txt", "numpy\n", "projects/small/requirements.txt: numpy is not pinned with a hash (entry 1)"),
        ("requirements.txt", "numpy==2.4.6\n", "is not pinned with a hash"),
        ("requirements.txt", "--index-url http://x\n", "--index-url is not wanted here"),
        ("config.yaml", "[1]", "projects/small/config.yaml holds no keys with values"),
        ("config.yaml", BOMB, "projects/small/config.yaml has more than 10,000 entries."),
        ("config.yaml", "a: &a\n  - *a\n", "projects/small/config.yaml"),
        ("config.yaml", "a: [", "projects/small/config.yaml, line 1: this is no YAML"),
        (
            "config.yaml",
            CONFIG.replace("gpus: 0", "gpus: two"),
            'projects/small/config.yaml, line 2: resources.gpus is "two"; expected a whole number.',
        ),
        (
            "config.yaml",
            CONFIG.replace("256m", "lots"),
            'line 3: resources.memory is "lots"; expected a size: a whole number with b, k, m, g or t, such as 512m or 2g.',
        ),
        ("config.yaml", CONFIG.replace("memory: 256m", "memory: 256"), "line 3: resources.memory is 256; expected a size"),
        ("config.yaml", CONFIG.replace("memory:", "memroy:"), "line 3: there is no key resources.memroy; did you mean memory?"),
        ("config.yaml", CONFIG.replace("  timeout: 5m\n", ""), "line 1: resources.timeout is missing: a time"),
        ("config.yaml", CONFIG + "  epochs: 4\n", "line 9: train.epochs stands in line 8 already."),
        (
            "config.yaml",
            CONFIG.replace("epochs: 3", "epochs: many"),
            'line 8: train.epochs is "many"; expected a whole number.',
        ),
        ("config.yaml", CONFIG.replace("epochs: 3", "epochs: 0"), "line 8: train.epochs is 0; expected at least 1."),
        ("config.yaml", CONFIG.replace("epochs: 3", "epohcs: 3"), "line 8: there is no key train.epohcs; did you mean epochs?"),
        ("config.yaml", CONFIG + "  rate: 1e-3\n", "YAML takes this for text: write 1.0e-3"),
        ("config.yaml", CONFIG + "  device: gpu\n", 'line 9: train.device is "gpu"; expected one of cpu, cuda.'),
        (
            "config.yaml",
            CONFIG + "data:\n  repo: a/b\n  revision: main\n",
            'line 11: data.revision is "main"; expected a pinned',
        ),
        ("config.yaml", CONFIG.replace("shm: 16m", "shm: 1g"), "resources.shm is 1g, more than resources.memory, 256m."),
        ("config.yaml", CONFIG.replace("256m", "900t"), "resources.memory asks for"),
        ("config.yaml", CONFIG.replace("cpus: 1", "cpus: 1000"), "resources.cpus asks for 1000, and this host has"),
        ("config.yaml", CONFIG.replace("gpus: 0", "gpus: 2"), "resources.gpus asks for 2, and this host has none"),
    ],
)
def test_a_project_that_breaks_the_contract(work: Workplace, file: str, text: str, sentence: str) -> None:
    work.project("small", config_dot_schema_dot_json=SCHEMA)
    place = work.repository / "projects" / "small" / file
    place.write_text(text, encoding="utf-8")
    assert sentence in refused(work, PROJECT="small", COMMIT=work.commit("worse"))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ("epochs", "OVERRIDES: 'epochs' is no key=value"),
        ("epochs=many", 'OVERRIDES: epochs=many: train.epochs is "many"; expected a whole number.'),
        ("epochs=2\nepcohs=3", "OVERRIDES: epcohs=3: there is no key train.epcohs; did you mean epochs?"),
        ("resources.memory=900t", "resources.memory asks for"),
        ("data.repo=a/b data.revision=1234567", "data.revision is 1234567; expected a pinned revision: a commit of 40"),
        ("trian.epochs=2", "there is no key trian; did you mean train?"),
        ("a.b.c=1", "is no key=value"),
        ("epochs=[", "this is no value that YAML knows"),
    ],
)
def test_overrides_that_are_no_good(work: Workplace, overrides: str, sentence: str) -> None:
    commit = work.project("small", config_dot_schema_dot_json=SCHEMA)
    assert sentence in refused(work, PROJECT="small", COMMIT=commit, OVERRIDES=overrides)


def test_overrides_reach_the_training(work: Workplace) -> None:
    commit = work.project("small", 'echo "$MLOPS_OVERRIDES"', config_dot_schema_dot_json=SCHEMA)
    container = work.started("small", commit, "1", OVERRIDES="epochs=2 resources.memory=128m")
    assert work.good("follow", BUILD_NUMBER="1").stdout == "epochs=2\nresources.memory=128m\n"
    assert work.engine.inspect(container)["HostConfig"]["Memory"] == 128 << 20


def test_a_disk_that_is_nearly_full(work: Workplace) -> None:
    commit = work.project("small")
    images = set(work.engine.docker("images", "--quiet", "--all").split())
    said = refused(work, PROJECT="small", COMMIT=commit, MLOPS_MIN_FREE="900t")
    assert said.startswith("The disk of the Docker Engine has ")
    assert "docker system df" in said
    assert set(work.engine.docker("images", "--quiet", "--all").split()) == images


def test_there_is_no_engine(work: Workplace) -> None:
    commit = work.project("small")
    done = work.step("check", PROJECT="small", COMMIT=commit, BUILD_NUMBER="1", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 3
    assert "The Docker Engine cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("resume", ["7", "local-7", "../x", "a/b"])
def test_a_checkpoint_that_is_not_there(work: Workplace, resume: str) -> None:
    assert "there is no run" in refused(work, PROJECT="small", COMMIT=work.project("small"), RESUME_FROM=resume)


def test_a_checkpoint_of_another_project_or_of_nobody(work: Workplace) -> None:
    work.started("other", work.project("other", "mkdir $OUT_DIR/checkpoint; echo epoch-1 >$OUT_DIR/checkpoint/latest"), "3")
    work.good("follow", BUILD_NUMBER="3")
    work.good("finish", BUILD_NUMBER="3")
    commit = work.project("small", "true")
    work.started("small", commit, "4")
    work.good("follow", BUILD_NUMBER="4")
    work.good("finish", BUILD_NUMBER="4")
    assert "train-3 trained other, not small" in refused(work, PROJECT="small", COMMIT=commit, RESUME_FROM="3")
    assert "train-4 has left no checkpoint" in refused(work, PROJECT="small", COMMIT=commit, RESUME_FROM="4")


@pytest.mark.parametrize("step", ["build", "start", "follow", "finish", "publish"])
def test_a_step_before_its_time(work: Workplace, step: str) -> None:
    done = work.step(step, BUILD_NUMBER="1")
    assert done.returncode == 2
    assert "check comes first" in done.stderr or "RUN" in done.stderr


def test_a_build_that_fails_says_what_the_builder_said(work: Workplace) -> None:
    dockerfile = "FROM busybox:test\nRUN echo 'ERROR: no matching distribution for numpy' && false\nUSER 1000\nCMD ./run.sh\n"
    commit = work.project("small", Dockerfile=dockerfile)
    named = {"PROJECT": "small", "COMMIT": commit, "BUILD_NUMBER": "1"}
    work.good("check", **named)
    done = work.step("build", **named)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "build: The image of small could not be built: ERROR: no matching distribution for numpy"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("FROM registry.invalid/python:3.11", "registry.invalid"),
        ("FROM busybox:test\nRUN echo 'touch: permission denied: socket' && false", "returned a non-zero code: 1"),
    ],
)
def test_a_build_that_fails_is_not_blamed_on_the_engine(work: Workplace, line: str, reason: str) -> None:
    commit = work.project("small", Dockerfile=f"{line}\nUSER 1000\nCMD ./run.sh\n")
    named = {"PROJECT": "small", "COMMIT": commit, "BUILD_NUMBER": "1"}
    work.good("check", **named)
    done = work.step("build", **named)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("build: The image of small could not be built: ")
    assert reason in last


def test_wrong_numbers_and_names(work: Workplace) -> None:
    for variables in ({"BUILD_NUMBER": "one"}, {"RUN": "../x"}, {"RUN": "train-99"}, {}):
        done = subprocess.run(
            [str(work.bin / "finish")],
            env={**work.environment, **variables},
            cwd=work.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done
        assert "Traceback" not in done.stderr
