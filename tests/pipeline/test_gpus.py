"""Which GPUs a training is given. No GPU is needed: the Engine is only asked who holds which."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.jenkins.steps import docker, host
from infra.jenkins.steps.config import Resources
from infra.jenkins.steps.problem import Exit, Problem
from tests.pipeline.workplace import Workplace
from tests.support.images import BUSYBOX

NOTHING: dict[str, object] = {"Runtimes": {}}
NVIDIA: dict[str, object] = {"Runtimes": {"nvidia": {}}}


def nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name, first on PATH."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's GPUs nor its variables."""
    monkeypatch.delenv("MLOPS_GPUS", raising=False)
    monkeypatch.delenv("GPUS", raising=False)
    nvidia_smi(tmp_path, "exit 127", monkeypatch)


@pytest.mark.parametrize(
    ("said", "there"),
    [("none", []), ("2", ["0", "1"]), ("0,3", ["0", "3"]), (" 1, 2 ", ["1", "2"]), ("0", []), ("all", []), ("", [])],
)
def test_what_trainings_may_use(said: str, there: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_GPUS", said)
    assert host.gpus(NOTHING) == there


def test_nvidia_smi_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, "printf '0\\n1\\n2\\n'", monkeypatch)
    assert host.gpus(NOTHING) == ["0", "1", "2"]
    # What it says without a driver, on stdout.
    nvidia_smi(tmp_path, "echo NVIDIA-SMI has failed because it could not communicate with the driver.; exit 9", monkeypatch)
    assert host.gpus(NVIDIA) == []


def test_an_agent_in_a_container_cannot_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert host.gpus(NVIDIA) is None
    assert host.gpus(NOTHING) == []
    host.check_resources(Resources(gpus=8, memory=1, shm=1, cpus=0, timeout=1), NVIDIA)


def test_a_word_that_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_GPUS", "some")
    with pytest.raises(Problem, match="MLOPS_GPUS is 'some'; expected none, all, a number, or indices"):
        host.gpus(NOTHING)


@pytest.mark.parametrize(
    ("locks", "wanted", "given"),
    [
        ("gpu-0", 1, "0"),
        ("gpu-1,gpu-3", 2, "1,3"),
        ("0,1,2", 2, "0,1"),
        ("gpu-0", 0, "none"),
        ("trainer-2-gpu-0,trainer-2-gpu-1", 2, "0,1"),
        ("trainer-2-gpu-10", 1, "10"),
        ("gpu-7-gpu-3", 1, "3"),
        (" trainer-2-gpu-0, gpu-1 ", 2, "0,1"),
    ],
)
def test_the_locks_of_the_pipeline_decide(locks: str, wanted: int, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUS", locks)
    monkeypatch.setattr(host, "_held", dict)
    assert host.choose_gpus(wanted, NOTHING) == given


def test_fewer_locks_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUS", "gpu-2")
    with pytest.raises(Problem, match="GPUS names 1, and the project asks for 2"):
        host.choose_gpus(2, NOTHING)


@pytest.mark.parametrize("locks", ["trainer-2", "gpu-", "gpu-0,2-gpus", "minigpu-3", "gpu-0;1"])
def test_a_lock_that_names_no_gpu(locks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUS", locks)
    with pytest.raises(Problem, match=r"expected names of locks such as gpu-0,gpu-1 or trainer-2-gpu-0") as raised:
        host.choose_gpus(1, NOTHING)
    assert raised.value.status is Exit.USAGE


def test_what_another_training_holds_is_not_given_again(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", work.engine.host)
    monkeypatch.setenv("PATH", work.engine.environment["PATH"])
    monkeypatch.setenv("MLOPS_GPUS", "3")
    labels = ["--label=mlops.managed=true", "--label=mlops.gpu=0,2"]
    work.engine.docker("run", "--detach", "--network=none", *labels, BUSYBOX, "sleep", "60")
    assert host.choose_gpus(1, docker.info()) == "1"
    with pytest.raises(Problem, match="2 GPUs are needed and 1 are free"):
        host.choose_gpus(2, docker.info())


def test_a_gpu_whose_lock_was_given_back_early_is_waited_for(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that was stopped while its agent was away has no lock any more, and its training still has the GPU."""
    monkeypatch.setenv("DOCKER_HOST", work.engine.host)
    monkeypatch.setenv("PATH", work.engine.environment["PATH"])
    monkeypatch.setenv("GPUS", "trainer-1-gpu-1")
    labels = ["--label=mlops.managed=true", "--label=mlops.gpu=1"]
    holder = work.engine.docker("run", "--detach", "--name=holder", "--network=none", *labels, BUSYBOX, "sleep", "60").strip()
    with pytest.raises(Problem, match="holder still runs on GPU 1, though its build has given the lock back"):
        host.choose_gpus(1, docker.info())
    seen: list[str] = []

    def ends(text: str) -> None:
        seen.append(text)
        work.engine.docker("kill", holder)

    monkeypatch.setattr(host, "say", ends)
    assert host.choose_gpus(1, docker.info(), patience=60) == "1"
    assert seen == ["[start] holder still runs on GPU 1: waiting for it to save its checkpoint"]
