"""The console talks to the Engine that `docker` would talk to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from console.model.source import SourceError
from console.sources.docker_engine import endpoint as module
from console.sources.docker_engine.endpoint import Endpoint, find_endpoint, parse_address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix:///run/d.sock", Endpoint("unix", path=Path("/run/d.sock"))),
        ("tcp://train-01", Endpoint("tcp", host="train-01", port=2375)),
        ("tcp://10.0.0.5:99", Endpoint("tcp", host="10.0.0.5", port=99)),
        ("tcp://[::1]:99/", Endpoint("tcp", host="::1", port=99)),
        ("ssh://ops@train-01:2222", Endpoint("ssh", host="train-01", port=2222, user="ops")),
        ("ssh://train-01", Endpoint("ssh", host="train-01")),
    ],
)
def test_addresses(address: str, expected: Endpoint) -> None:
    assert parse_address(address) == expected


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("train-01:2375", "begins with unix://"),
        ("npipe:////./pipe/docker", "begins with unix://"),
        ("unix://run/d.sock", "full path"),
        ("tcp://", "a host is missing"),
        ("tcp://host:70000", "not a number from 1 to 65535"),
        ("tcp://[::1", "in brackets"),
        ("ssh://-oProxyCommand=reboot", "cannot begin with '-'"),
    ],
)
def test_an_address_that_makes_no_sense_says_why(address: str, says: str) -> None:
    with pytest.raises(SourceError, match=r"docker\.host") as caught:
        parse_address(address)
    assert says in caught.value.reason


def make_context(folder: Path, name: str, host: str, *, tls: bool = False) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    if tls:
        (folder / "contexts" / "tls" / digest / "docker").mkdir(parents=True)


def test_a_named_context_is_used(tmp_path: Path) -> None:
    make_context(tmp_path, "far", "tcp://far:2376", tls=True)
    found = find_endpoint("", "far", {"DOCKER_CONFIG": str(tmp_path)})
    assert (found.host, found.port) == ("far", 2376)
    assert found.tls is not None
    assert found.tls.verify
    assert not found.automatic


def test_the_current_context_is_used_and_docker_host_wins_over_it(tmp_path: Path) -> None:
    make_context(tmp_path, "near", "unix:///run/near.sock")
    (tmp_path / "config.json").write_text('{"currentContext": "near"}')
    env = {"DOCKER_CONFIG": str(tmp_path)}
    assert find_endpoint("", "", env).path == Path("/run/near.sock")
    assert find_endpoint("unix:///run/other.sock", "", env).path == Path("/run/other.sock")


@pytest.mark.parametrize("content", [None, "no json", "[]", '{"Endpoints": {}}', '{"Endpoints": {"docker": {"Host": 5}}}'])
def test_a_context_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        make_context(tmp_path, "broken", "")
        next(tmp_path.rglob("meta.json")).write_text(content)
    with pytest.raises(SourceError, match="'broken'") as caught:
        find_endpoint("", "broken", {"DOCKER_CONFIG": str(tmp_path)})
    assert "docker context ls" in caught.value.reason


def test_without_any_wish_it_is_the_usual_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEFAULT_SOCKET", tmp_path / "docker.sock")
    env = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    found = find_endpoint("", "", env)
    assert (found.path, found.automatic) == (tmp_path / "docker.sock", True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker.sock").touch()
    assert find_endpoint("", "", env).path == tmp_path / "run" / "docker.sock"


def test_keys_and_certificates_make_it_tls(tmp_path: Path) -> None:
    found = find_endpoint("tcp://far", "", {}, tls_verify=True, cert_path=tmp_path)
    assert found.port == 2376
    assert found.tls is not None
    assert found.tls.folder == tmp_path
