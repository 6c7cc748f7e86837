"""The hashes that are told are those that `up` labels containers with: a file that nobody touched shows no drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.sources.compose import ComposeCli
from console.sources.compose.inputs import needs_resolving
from tests.support import scratch
from tests.support.engine import Engine

PROJECT = "hashes"
# What one service each has of what changes on its way from the file to the container.
SERVICES: dict[str, dict[str, object]] = {
    "plain": {},
    "built": {"build": ".", "image": None},
    "env-file": {"env_file": ["a.env"]},
    "secret": {"secrets": [{"source": "s", "target": "t", "mode": "0440"}], "configs": ["c"]},
    "volumes": {"volumes": ["./a.env:/a:ro", "data:/data", "/anonymous", {"type": "tmpfs", "target": "/t"}]},
    "escaped": {"environment": {"A": "x$$y ${TAG} 学習 <&>", "N": 5, "T": True, "E": ""}, "labels": {"z": "a$$b"}},
    "limits": {"mem_limit": "64m", "memswap_limit": -1, "shm_size": "64m", "cpus": 0.5, "pids_limit": 50},
    "deployed": {"deploy": {"replicas": 2, "resources": {"limits": {"memory": "64m"}}}, "restart": "unless-stopped"},
    "probed": {"healthcheck": {"test": "exit 0", "interval": "1m", "retries": 3}, "depends_on": ["plain"], "init": True},
    "profiled": {"profiles": ["ops"], "extra_hosts": ["a:127.0.0.1"], "stop_grace_period": "1m30s", "user": "1000:1000"},
}


@pytest.fixture(params=[True, False], ids=["with other files", "alone"])
def file(composing: Engine, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A Compose file of which a container was created for each replica, and nothing started.

    Alone it names no environment file, includes and extends nothing: its hashes are asked for in another way.
    """
    with scratch.folder("hashes") as folder:
        path = folder / "docker-compose.yml"
        common: dict[str, object] = {
            "image": "busybox:test",
            "command": "sleep 1000",
            "network_mode": "none",
            "pull_policy": "never",
        }
        services = {
            name: {key: value for key, value in (common | own).items() if value is not None} for name, own in SERVICES.items()
        }
        (folder / "a.env").write_text("A=1\nB='5$X'\nC=${TAG}\n")
        (folder / ".env").write_text("TAG=test\n")
        (folder / "more.yml").write_text(json.dumps({"services": {"included": common | {"env_file": "a.env"}}}))
        (folder / "base.yml").write_text(json.dumps({"services": {"b": common | {"env_file": "a.env"}}}))
        model = {
            "name": PROJECT,
            "include": ["more.yml"],
            "services": services | {"extended": {"extends": {"file": "base.yml", "service": "b"}}},
            "secrets": {"s": {"file": "./a.env"}},
            "configs": {"c": {"file": "./a.env"}},
            "volumes": {"data": {}},
        }
        if not request.param:
            del model["include"]
            model["services"] = {name: service for name, service in services.items() if name != "env-file"}
        path.write_text(json.dumps(model))
        assert needs_resolving(path) is request.param
        compose = ("compose", "--progress=quiet", "-f", str(path), "--profile=ops")
        composing.docker("tag", "busybox:test", f"{PROJECT}-built")
        try:
            composing.docker(*compose, "create", "--no-build")
            yield path
        finally:
            composing.docker(*compose, "down", "--volumes")
            composing.docker("rmi", f"{PROJECT}-built")


async def test_what_was_created_from_the_file_is_as_the_file_says(engine: Engine, file: Path) -> None:
    source = ComposeCli(
        file=file, project=None, profiles=["ops"], engine=None, env=engine.environment, root=file.parent, timeout=60.0
    )
    found = await source.project()
    await source.aclose()
    assert found is not None
    told = {str(one.name): (str(one.config_hash), str(one.image)) for one in found.services}

    one_line = '{{.Label "com.docker.compose.service"}} {{.Label "com.docker.compose.config-hash"}} {{.Image}}'
    filtered = f"--filter=label=com.docker.compose.project={PROJECT}"
    labelled = {}
    for line in engine.docker("ps", "--all", "--no-trunc", filtered, f"--format={one_line}").splitlines():
        service, config_hash, image = line.split()
        labelled[service] = (config_hash, image)
    assert told == labelled
    everything = {*SERVICES, "included", "extended"}
    assert set(labelled) in (everything, everything - {"env-file", "included", "extended"})
