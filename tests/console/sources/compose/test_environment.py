"""Which Engine Compose acts on, and the command that a person would type for the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from console.sources.compose.acts import ComposeDoer
from console.sources.compose.environment import engine_variables, for_acting, for_reading
from console.sources.docker_engine import endpoint as endpoint_module
from console.sources.docker_engine.endpoint import Endpoint, Tls, find_endpoint, parse_address

FOLDER = Path("/keys of mine")


@pytest.mark.parametrize(
    ("address", "tls", "variables"),
    [
        ("unix:///run/a b.sock", None, {"DOCKER_HOST": "unix:///run/a b.sock"}),
        ("tcp://host", None, {"DOCKER_HOST": "tcp://host:2375"}),
        ("tcp://[::1]:99", None, {"DOCKER_HOST": "tcp://[::1]:99"}),
        ("ssh://me@host:22", None, {"DOCKER_HOST": "ssh://me@host:22"}),
        ("ssh://host", None, {"DOCKER_HOST": "ssh://host"}),
        (
            "tcp://host",
            Tls(FOLDER, True),
            {"DOCKER_HOST": "tcp://host:2376", "DOCKER_CERT_PATH": str(FOLDER), "DOCKER_TLS_VERIFY": "1"},
        ),
        (
            "tcp://host",
            Tls(FOLDER, False),
            {"DOCKER_HOST": "tcp://host:2376", "DOCKER_CERT_PATH": str(FOLDER), "DOCKER_TLS": "1"},
        ),
    ],
)
def test_variables_that_name_an_engine(address: str, tls: Tls | None, variables: dict[str, str]) -> None:
    endpoint = parse_address(address, tls)
    assert engine_variables(endpoint) == variables
    assert parse_address(variables["DOCKER_HOST"], tls) == endpoint


def test_what_is_handed_on() -> None:
    env = {
        "PATH": "/bin",
        "HOME": "/root",
        "TAG": "theirs",
        "DOCKER_HOST": "tcp://theirs",
        "DOCKER_CONTEXT": "theirs",
        "COMPOSE_PROFILES": "theirs",
        "SSH_AUTH_SOCK": "/s",
    }
    endpoint = Endpoint("unix", path=Path("/run/docker.sock"))
    acting = for_acting(env, endpoint)
    assert not [value for value in acting.values() if "theirs" in value]
    assert acting["DOCKER_HOST"] == "unix:///run/docker.sock"
    assert set(for_reading(env).items()) < set(acting.items())
    assert not {"SSH_AUTH_SOCK", "DOCKER_HOST"} & set(for_reading(env))
    assert "SSH_AUTH_SOCK" not in acting
    assert for_acting(env, parse_address("ssh://host"))["SSH_AUTH_SOCK"] == "/s"


def doer(
    root: Path,
    env: dict[str, str],
    *,
    file: Path | None = None,
    project: str | None = None,
    profiles: Sequence[str] = (),
    endpoint: Endpoint | None = None,
) -> ComposeDoer:
    found = endpoint or find_endpoint(env.get("DOCKER_HOST", ""), env.get("DOCKER_CONTEXT", ""), env)
    return ComposeDoer(file=file, project=project, profiles=profiles, endpoint=found, env=env, root=root)


COMPOSE = "docker compose -f infra/docker-compose.yml"


@pytest.mark.parametrize(
    ("verb", "services", "grace", "command"),
    [
        ("up", ["jenkins"], None, f"{COMPOSE} up -d --no-build --pull never --no-deps jenkins"),
        ("up", [], None, f"{COMPOSE} up -d --no-build --pull never"),
        ("start", ["jenkins", "gate"], 5, f"{COMPOSE} start jenkins gate"),
        ("stop", ["jenkins"], 60, f"{COMPOSE} stop -t 60 jenkins"),
        ("stop", [], 0, f"{COMPOSE} stop -t 0"),
        ("restart", ["jenkins"], 60, f"{COMPOSE} restart --no-deps -t 60 jenkins"),
        ("restart", [], None, f"{COMPOSE} restart"),
        ("recreate", ["a"], 7, f"{COMPOSE} up -d --no-build --pull never --force-recreate --no-deps -t 7 a"),
        ("pull", ["a"], 7, f"{COMPOSE} pull --ignore-buildable a"),
        ("down", [], 7, f"{COMPOSE} down -t 7"),
        ("stop", ["-x", "a b", "$(reboot)"], None, f"{COMPOSE} stop -- -x 'a b' '$(reboot)'"),
    ],
)
def test_the_command_that_does_the_same(
    tmp_path: Path, verb: str, services: list[str], grace: int | None, command: str
) -> None:
    assert doer(tmp_path, {"HOME": str(tmp_path)}).command(verb, services, grace) == command


def test_the_command_has_all_that_the_settings_say(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    other = doer(tmp_path, env, file=Path("/a b/c.yml"), project="p", profiles=["x", "y"])
    assert other.command("stop", [], None) == "docker compose -p p --profile=x --profile=y -f '/a b/c.yml' stop"
    inside = doer(tmp_path, env, file=tmp_path / "-c.yml")
    assert inside.command("stop", [], None) == "docker compose -f ./-c.yml stop"


def context(home: Path, name: str, host: str) -> None:
    import hashlib

    folder = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))


def test_the_command_names_the_engine_only_where_a_shell_would_choose_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the machine has no socket of all, the console looks for the person's own.
    monkeypatch.setattr(endpoint_module, "DEFAULT_SOCKET", tmp_path / "none")

    def told(env: dict[str, str], endpoint: Endpoint | None = None) -> str:
        return doer(tmp_path, {"HOME": str(tmp_path), **env}, endpoint=endpoint).command("stop", [], None)

    plain = f"{COMPOSE} stop"
    context(tmp_path, "there", "tcp://there:99")
    there = parse_address("tcp://there:99")
    assert told({}) == told({"DOCKER_HOST": "tcp://x"}) == told({"DOCKER_CONTEXT": "there"}, there) == plain
    assert told({}, there) == told({"DOCKER_CONTEXT": "gone"}, there) == f"DOCKER_HOST=tcp://there:99 {plain}"
    odd = parse_address("unix:///a b/s")
    assert told({"DOCKER_HOST": "tcp://x"}, odd) == f"DOCKER_HOST='unix:///a b/s' {plain}"
    (tmp_path / "docker.sock").touch()
    rootless = Endpoint("unix", path=tmp_path / "docker.sock", automatic=True)
    assert told({"XDG_RUNTIME_DIR": str(tmp_path)}, rootless) == f"DOCKER_HOST=unix://{tmp_path}/docker.sock {plain}"
    tls = parse_address("tcp://x", Tls(FOLDER, True))
    theirs = {"DOCKER_HOST": "tcp://x", "DOCKER_CERT_PATH": str(FOLDER)}
    assert told({**theirs, "DOCKER_TLS_VERIFY": "1"}, tls) == plain
    assert told(theirs, tls).startswith("DOCKER_HOST=tcp://x:2376 DOCKER_CERT_PATH='/keys of mine' DOCKER_TLS_VERIFY=1 docker")


def test_a_shell_reads_the_command_as_it_was_meant(tmp_path: Path) -> None:
    hostile = ["a'b", 'c"d', "$HOME", "`id`", "-f", ";reboot", "学習"]
    told = doer(tmp_path, {"HOME": str(tmp_path)}, file=Path("it's here.yml")).command("stop", hostile, None)
    script = f"docker() {{ printf '%s\\n' \"$@\"; }}; {told}"
    read = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert read.splitlines() == ["compose", "-f", "it's here.yml", "stop", "--", *hostile]
