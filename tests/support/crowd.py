"""A server that is full: three hundred containers, thirty services among them, on a real Engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support import scratch
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

CONTAINERS, SERVICES, REPLICAS, TRAININGS = 300, 30, 4, 20
PROJECT = "crowd"
# A little CPU every two seconds, never the same: figures move and three hundred of them leave the machine alone.
_MOVING = """\
n=$$
while :; do
    n=$(( (n * 1103515245 + 12345) % 2147483648 )); i=$(( n % 400 ))
    while [ $i -gt 0 ]; do i=$(( i - 1 )); done
    sleep 2 || exit
done"""
_STILL = "exec sleep 1000000"


@dataclass(frozen=True, slots=True)
class Crowd:
    """`file` declares the services."""

    engine: Engine
    file: Path
    names: Sequence[str]

    def close(self) -> None:
        """Kill them all. An Engine that is closed with so many alive takes longer than it is given."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self.engine.request("POST", f"/containers/{name}/kill", b"", "text/plain"), self.names))


def gather(
    engine: Engine,
    *,
    containers: int = CONTAINERS,
    services: int = SERVICES,
    replicas: int = REPLICAS,
    trainings: int = TRAININGS,
    moving: bool = True,
) -> Crowd:
    """Start that many containers, `services` times `replicas` of them a Compose project's. `busybox:test` must be there.

    Three hundred take a minute on two cores, and 4 GB. They stay until the Engine is closed.
    """
    file = scratch.new_folder("crowd") / "compose.yaml"
    names = [f"svc-{number:02}" for number in range(services)]
    file.write_text(_compose_file(names, replicas))
    hashes = dict(
        line.split() for line in engine.docker("compose", "-f", str(file), "config", "--hash", "*").splitlines() if line.strip()
    )

    def start(one: tuple[str, dict[str, str], str]) -> None:
        name, labels, script = one
        body = {
            "Image": BUSYBOX,
            "Cmd": ["sh", "-c", script],
            "Labels": labels,
            "Env": [f"SETTING_{n}=value-{n}" for n in range(20)],
            "StopTimeout": 1,
            "HostConfig": {"NetworkMode": "none"},
        }
        engine.api("POST", f"/containers/create?name={name}", body)
        engine.api("POST", f"/containers/{name}/start")

    rest = containers - services * replicas
    wanted: list[tuple[str, dict[str, str], str]] = [
        (f"{PROJECT}-{name}-{number}", _labels(name, number, hashes[name]), _MOVING if moving else _STILL)
        for name in names
        for number in range(1, replicas + 1)
    ]
    wanted += [(f"other-{n:03}", dict[str, str](), _STILL) for n in range(rest - trainings)]
    wanted += [(f"train-{n:03}", {"mlops.managed": "true"}, _STILL) for n in range(trainings)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, wanted))
    return Crowd(engine, file, [name for name, _, _ in wanted])


def _compose_file(names: list[str], replicas: int) -> str:
    lines = [f"name: {PROJECT}", "services:"]
    for name in names:
        lines += [f"  {name}:", f"    image: {BUSYBOX}", "    network_mode: none", f"    scale: {replicas}"]
    return "\n".join([*lines, ""])


def _labels(name: str, number: int, config_hash: str) -> dict[str, str]:
    return {
        "com.docker.compose.project": PROJECT,
        "com.docker.compose.service": name,
        "com.docker.compose.container-number": str(number),
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": config_hash,
    }
