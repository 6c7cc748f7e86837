"""Whether a container gets the GPUs: one is made, started, listened to and removed (ContainerCreate, ContainerStart, ...)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from console.model.source import SourceError, SourceState
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.sources.docker_acts.library import Library

PURPOSE = "doctor"
_COMMAND = ["nvidia-smi", "-L"]


def cards(library: Library, image: str) -> tuple[Clean, ...]:
    """See `sources.protocols.GpuTrial`. Its network is none, it has no rights, and it is gone when this returns."""
    from docker.errors import DockerException  # type: ignore[import-untyped]

    wanted = [{"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu", "utility"]], "Options": {}}]
    made = library.create_container(
        image,
        entrypoint=_COMMAND[:1],
        command=_COMMAND[1:],
        environment={"NVIDIA_DRIVER_CAPABILITIES": "utility"},
        labels={"mlops.purpose": PURPOSE},
        network_disabled=True,
        # What a project's own image would have probed is of no interest here.
        healthcheck={"test": ["NONE"]},
        host_config=library.create_host_config(
            network_mode="none",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            device_requests=wanted,
            log_config={"Type": "json-file", "Config": {}},
        ),
    )
    try:
        library.start(made["Id"])
        status = library.wait(made["Id"])["StatusCode"]
        said = clean(library.logs(made["Id"], stdout=True, stderr=True), lines=True).splitlines()
    finally:
        with suppress(DockerException):
            library.remove_container(made["Id"], v=True, force=True)
    found = tuple(clean(line) for line in said if line.startswith("GPU "))
    if status != 0 or not found:
        words = next((line for line in reversed(said) if line.strip()), f"nvidia-smi ended with {status}")
        raise SourceError(SourceState.OK, clean(words, limit=200))
    return found
