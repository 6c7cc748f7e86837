"""start: the training's container, created, given its inputs and started. It runs on whatever becomes of us."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import docker, host, hub, inputs
from .docker import DockerError
from .problem import Exit, Problem, parameter, say
from .record import TIMEOUT, Folder, Record, current, runs

OUT, INPUTS, CACHE = "/out", "/run/mlops", "/hf"
GRACE = "120"

# Enough for data loaders and their helpers; a fork bomb ends here.
_PROCESSES = 4096
# Large enough that nothing is rotated away while somebody follows, small enough that a mad training does not fill the disk.
_LOG = ("--log-driver=json-file", "--log-opt=max-size=512m", "--log-opt=max-file=2")
_CAPS = ("--cap-drop=ALL", "--security-opt=no-new-privileges")


def step() -> int:
    """The program: starts what `build` has built and writes the container's id into run.json."""
    folder = current()
    container = run(folder)
    record = folder.record()
    say(f"[start] {record.title} runs as {record.name} ({container[:12]}), GPU {record.gpus}")
    return Exit.OK


def run(folder: Folder) -> str:
    """Start the training and return the container's id. Called again it finds the one it has started. Raises Problem."""
    record = folder.record()
    if not record.image:
        raise Problem("There is no image yet: build comes before start.", Exit.USAGE)
    there = docker.containers(record.identity)
    if there:
        found = docker.inspect("container", there[0]) or {}
        if (found.get("State") or {}).get("Status") != "created":
            record.container = there[0]
            folder.keep(record)
            return there[0]
        docker.remove(there[0])  # a start that was killed before its inputs were in
    folder.forget()
    try:
        with inputs.volumes(record.image, record.labels, _mounts(record), _inputs(record)) as helper, _one_at_a_time():
            record.gpus = host.choose_gpus(int(record.resources["gpus"]), docker.info(), patience=grace() + 60)
            container = _create(record, helper)
        try:
            docker.call("start", container)
        except BaseException:
            docker.remove(container)
            raise
    except DockerError as error:
        record.could_not_start = _why(error.said)
        folder.keep(record)
        raise Problem(f"The container could not be started: {record.could_not_start}") from error
    record.container, record.could_not_start = container, ""
    folder.keep(record)
    return container


def grace() -> int:
    """Seconds that a training has for its last checkpoint: MLOPS_STOP_GRACE, 120."""
    said = parameter("MLOPS_STOP_GRACE", default=GRACE)
    if not said.isdigit():
        raise Problem(f"MLOPS_STOP_GRACE is {said!r}; expected seconds.", Exit.USAGE)
    return int(said)


def network() -> str:
    """The network that trainings and uploads are in: MLOPS_NETWORK, or the Engine's own bridge."""
    return os.environ.get("MLOPS_NETWORK") or "bridge"


def hub_variables() -> dict[str, str]:
    """What containers are told of the Hub. No token: those are files."""
    names = ("HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_XET")
    known = {name: os.environ[name] for name in names if os.environ.get(name)}
    return {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", **known}


def environment(record: Record) -> dict[str, str]:
    """What a training finds in its environment: docs/projects.md."""
    known = {
        "MLOPS_PROJECT": record.project,
        "MLOPS_JOB": record.job,
        "MLOPS_BUILD": str(record.build),
        "MLOPS_COMMIT": record.commit,
        "MLOPS_OVERRIDES": record.overrides,
        "OUT_DIR": OUT,
        "HOME": "/tmp",  # noqa: S108  # the only place besides /out that can be written to
        "HF_HOME": CACHE,
        **hub_variables(),
    }
    if hub.token(hub.READ) is not None:
        known["HF_TOKEN_PATH"] = f"{INPUTS}/hf_token"
    if record.resume_from:
        known["RESUME_DIR"] = f"{INPUTS}/resume"
    if record.resources["cpus"]:
        # Libraries count the host's cores and would start a thread for each.
        known["OMP_NUM_THREADS"] = str(max(1, int(record.resources["cpus"])))
    return known


def _create(record: Record, helper: str) -> str:
    wanted = record.resources
    # The one fact of the run folder that a training cannot be brought to its end without, should the folder be lost.
    labels = {**record.labels, TIMEOUT: str(int(wanted["timeout"]))}
    arguments = [
        "--init",
        f"--user={inputs.USER}:{inputs.USER}",
        "--read-only",
        "--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777,size=1g",
        f"--volumes-from={helper}",
        f"--memory={wanted['memory']}",
        f"--memory-swap={wanted['memory']}",
        f"--shm-size={wanted['shm']}",
        f"--pids-limit={_PROCESSES}",
        f"--stop-timeout={grace()}",
        f"--network={network()}",
        *_CAPS,
        *_LOG,
        *docker.options("--label", (f"{name}={value}" for name, value in labels.items())),
        *docker.options("--env", (f"{name}={value}" for name, value in environment(record).items())),
    ]
    if wanted["cpus"]:
        arguments.append(f"--cpus={wanted['cpus']}")
    if record.gpus != "none":
        arguments.append(f'--gpus="device={record.gpus}"')
    # A run by hand, another job or another clone may have the same number. Everybody finds containers by their labels.
    names = [record.name, f"{record.name}-{''.join(letter if letter.isalnum() else '-' for letter in record.job)}"]
    for name in names:
        try:
            return docker.call("create", f"--name={name}", *arguments, record.image).strip()
        except DockerError as error:
            if "already in use" not in error.said:
                raise
    return docker.call("create", f"--name={names[-1]}-{record.run}", *arguments, record.image).strip()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two that start at once must not choose the same GPU."""
    with (runs() / ".start").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mounts(record: Record) -> dict[str, str]:
    return {OUT: "", INPUTS: "", CACHE: f"mlops-hub-{record.project}"}


def _inputs(record: Record) -> dict[str, bytes | Path]:
    files: dict[str, bytes | Path] = {}
    token = hub.token(hub.READ)
    if token is not None:
        files[f"{INPUTS}/hf_token"] = token.encode()
    if record.resume_from:
        files[f"{INPUTS}/resume"] = runs() / record.resume_from / "out" / "checkpoint"
    return files


def _why(said: str) -> str:
    if "could not select device driver" in said and "gpu" in said:
        return "a GPU was asked for, and this host's Docker has no driver for one (nvidia-container-toolkit)."
    if "executable file not found" in said or "no such file or directory" in said:
        return f"its command cannot be run: {said}"
    return said or "docker gave no reason."
