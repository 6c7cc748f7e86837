"""What the host has: memory, cores, GPUs, space on the Engine's disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import docker
from .config import Resources, size
from .problem import Exit, Problem, say

DEFAULT_FREE = "10g"

# Seconds between two looks at who holds a GPU.
_PACE = 1.0


def check_resources(wanted: Resources, info: Mapping[str, Any]) -> None:
    """Raise Problem when a project asks for more than there is. `info` is the Engine's."""
    memory, cores = int(info.get("MemTotal") or 0), int(info.get("NCPU") or 0)
    if memory and wanted.memory > memory:
        raise Problem(f"resources.memory asks for {human(wanted.memory)}, and this host has {human(memory)}.")
    if cores and wanted.cpus > cores:
        raise Problem(f"resources.cpus asks for {wanted.cpus:g}, and this host has {cores}.")
    if wanted.gpus:
        there = gpus(info)
        if there is not None and wanted.gpus > len(there):
            raise Problem(
                f"resources.gpus asks for {wanted.gpus}, and "
                + (f"trainings may use {len(there)} here." if there else "this host has none that trainings may use.")
                + " Ask for fewer, or set MLOPS_GPUS."
            )


def gpus(info: Mapping[str, Any]) -> list[str] | None:
    """Indices of the GPUs that trainings may use; None when nobody here can know how many there are.

    MLOPS_GPUS says it: none, all, a number of GPUs, or indices such as 0,2. Without it nvidia-smi is asked.
    """
    said = os.environ.get("MLOPS_GPUS", "").strip()
    if said == "none":
        return []
    if "," in said:
        return [entry.strip() for entry in said.split(",") if entry.strip()]
    if said.isdigit():
        return [str(index) for index in range(int(said))]
    if said not in {"", "all"}:
        raise Problem(f"MLOPS_GPUS is {said!r}; expected none, all, a number, or indices such as 0,2.", Exit.USAGE)
    counted = _nvidia_smi()
    if counted is not None:
        return counted
    # An agent in a container sees no GPU although the host has some.
    return None if said == "all" or "nvidia" in (info.get("Runtimes") or {}) else []


def choose_gpus(wanted: int, info: Mapping[str, Any], patience: float = 0) -> str:
    """Indices for the label mlops.gpu: "none", "0", "0,1".

    GPUS, set by the pipeline from the locks it holds ("gpu-0,gpu-1", "trainer-2-gpu-0" or "0,1"), decides. Without it: the
    first that no other training holds. A lock says nothing of a container that has outlived its build, so those of the locks
    are waited for, `patience` seconds at most. Raises Problem.
    """
    if wanted == 0:
        return "none"
    locked = _locked(os.environ.get("GPUS", ""))
    if locked:
        if len(locked) < wanted:
            raise Problem(f"GPUS names {len(locked)}, and the project asks for {wanted}.", Exit.USAGE)
        _wait_for(locked[:wanted], patience)
        return ",".join(locked[:wanted])
    there = gpus(info)
    if there is None:
        there = [str(index) for index in range(wanted)]
    held = _held()
    free = [index for index in there if index not in held]
    if len(free) < wanted:
        raise Problem(f"{wanted} GPUs are needed and {len(free)} are free: other trainings hold the rest. Try again later.")
    return ",".join(free[:wanted])


def _wait_for(indices: list[str], patience: float) -> None:
    """Until no container holds one of these GPUs. Raises Problem, which names who does."""
    end = time.monotonic() + patience
    told = False
    while True:
        holders = {name for index, name in _held().items() if index in indices}
        if not holders:
            return
        words = f"{', '.join(sorted(holders))} still runs on GPU {', '.join(indices)}"
        if time.monotonic() >= end:
            why = "`reap` ends it when the build is over, unless it was adopted"
            raise Problem(f"{words}, though its build has given the lock back: {why}.")
        if not told:
            say(f"[start] {words}: waiting for it to save its checkpoint")
            told = True
        time.sleep(_PACE)


def _held() -> dict[str, str]:
    """Index of a GPU -> the container of the platform that has it. One that is about to be started has it already."""
    alive = ("--filter=status=created", "--filter=status=running", "--filter=label=mlops.managed=true")
    held = {}
    for container in docker.call("ps", "--all", "--quiet", *alive).split():
        found = docker.inspect("container", container) or {}
        for index in str(found.get("Config", {}).get("Labels", {}).get("mlops.gpu", "")).split(","):
            held[index] = str(found.get("Name", container)).lstrip("/")
    return held


def _locked(names: str) -> list[str]:
    """Indices of the GPUs whose locks have these names: a further server's name stands before its own, digits and all."""
    locks = [name for name in re.split(r"[,\s]+", names) if name]
    found = [re.fullmatch(r"(?:.*\bgpu-)?([0-9]+)", name) for name in locks]
    if None in found:
        raise Problem(f"GPUS is {names!r}; expected names of locks such as gpu-0,gpu-1 or trainer-2-gpu-0.", Exit.USAGE)
    return [match[1] for match in found if match is not None]


def check_disk(info: Mapping[str, Any]) -> None:
    """Raise Problem when the Engine's disk has less than MLOPS_MIN_FREE (10g) left. A remote disk is not looked at."""
    said = os.environ.get("MLOPS_MIN_FREE") or DEFAULT_FREE
    try:
        least = size(said)
    except (ValueError, KeyError) as error:
        raise Problem(f"MLOPS_MIN_FREE is {said!r}; expected a size such as 10g.", Exit.USAGE) from error
    folder = _disk(info)
    if folder is None:
        return
    free = shutil.disk_usage(folder).free
    if free < least:
        raise Problem(
            f"The disk of the Docker Engine has {human(free)} left, and a build wants {human(least)}. "
            "`docker system df` shows what takes it; prune images and build cache, or set MLOPS_MIN_FREE."
        )


def human(count: int) -> str:
    """A size for people."""
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def _disk(info: Mapping[str, Any]) -> Path | None:
    """A folder on the Engine's disk. In a container on the same Engine the root is one: its layers are on that disk."""
    if not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        return None
    root = Path(str(info.get("DockerRootDir") or "/var/lib/docker"))
    return root if root.is_dir() else Path("/")


def _nvidia_smi() -> list[str] | None:
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Without a driver it ends with an error and says so on stdout.
    return re.findall(r"^\d+$", done.stdout, re.MULTILINE) if done.returncode == 0 else []
