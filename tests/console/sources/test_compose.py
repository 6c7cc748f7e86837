"""Compose files read by the real Compose: what is declared, every way a file can be wrong, and when to read it again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState
from console.sources.compose import program
from console.sources.compose.inputs import inputs
from console.text import clean
from tests.console.sources.composing import FILE, Engine, Place
from tests.support import skips
from tests.support.engine import compose_program
from tests.support.waiting import until

ONE = "services: {web: {image: busybox}}\n"
NOBODY = 65534


@pytest.fixture
def place(tmp_path: Path) -> Place:
    compose = compose_program()
    if compose is None:
        pytest.skip(skips.NO_COMPOSE)
    return Place(tmp_path, compose)


async def test_what_is_declared(place: Place) -> None:
    found = await place.read("""
        name: mlops
        services:
          web: {image: "busybox:1", scale: 2}
          app: {build: .}
          both: {build: ., image: "mlops/both:2"}
          many: {image: busybox, deploy: {replicas: 3}}
          none: {image: busybox, deploy: {replicas: 0}}
          tool: {image: busybox, profiles: [ops]}
          model: {provider: {type: model, options: {model: x}}}
    """)
    assert (found.name, found.file, found.warnings) == ("mlops", str(place.file), ())
    assert [(one.name, one.image, one.scale, one.image_id) for one in found.services] == [
        ("app", "mlops-app", 1, None),
        ("both", "mlops/both:2", 1, None),
        ("many", "busybox", 3, None),
        ("none", "busybox", 0, None),
        ("web", "busybox:1", 2, None),
    ]
    assert all(len(one.config_hash) == 64 for one in found.services)


async def test_project_name_and_profiles_can_be_given(place: Place) -> None:
    place.file.write_text("services: {web: {image: x}, tool: {build: ., profiles: [ops]}}")
    found = await place.source(project="other", profiles=["ops"]).project()
    assert found is not None
    assert (found.name, [(one.name, one.image) for one in found.services]) == ("other", [("tool", "other-tool"), ("web", "x")])
    plain = await place.source().project()
    assert plain is not None
    assert (plain.name, [one.name for one in plain.services]) == ("infra", ["web"])


async def test_a_hash_tells_configurations_apart_and_nothing_else(place: Place) -> None:
    async def hashed(service: str, **files: str) -> str:
        return (await place.read(f"services: {{web: {service}}}", **files)).services[0].config_hash

    first = await hashed("{image: busybox}")
    assert await hashed("{image: busybox, scale: 4, profiles: []}") == first
    assert await hashed("{image: busybox, command: top}") != first
    assert await hashed("{image: busybox, memswap_limit: -1, mem_limit: 1g}") not in ("", first)
    by_file = await hashed("{image: busybox, env_file: [a.env]}", a_env="A=1\nPRICE='5$X'\n")
    assert by_file == await hashed("{image: busybox, environment: {A: 1, PRICE: '5$$X'}}")
    assert by_file != await hashed("{image: busybox, env_file: [a.env]}", a_env="A=2\n")


@pytest.mark.parametrize(
    "space", ["network_mode: 'service:web'", "pid: 'service:web'", "ipc: 'service:web'", "volumes_from: [web]"]
)
async def test_no_hash_where_a_container_s_id_goes_into_it(place: Place, space: str) -> None:
    found = await place.read(f"services: {{web: {{image: x, ipc: shareable}}, two: {{image: x, {space}}}}}")
    assert [(one.name, bool(one.config_hash)) for one in found.services] == [("two", False), ("web", True)]


async def test_images_of_the_engine(place: Place) -> None:
    place.file.write_text("services: {web: {image: busybox}, app: {build: .}}")
    engine = Engine()
    found = await place.source(engine=engine).project()
    assert found is not None
    assert engine.asked == {"busybox", "infra-app"}
    assert [(one.name, one.image_id) for one in found.services] == [("app", None), ("web", "sha256:aa")]


async def test_without_an_answer_of_the_engine_the_file_is_read_all_the_same(place: Place) -> None:
    place.file.write_text(ONE)
    found = await place.source(engine=Engine(SourceError(SourceState.UNREACHABLE, clean("away")))).project()
    assert found is not None
    assert [one.image_id for one in found.services] == [None]


async def test_the_env_beside_the_file_counts_and_the_caller_s_variables_do_not(place: Place) -> None:
    place.env |= {"TAG": "theirs", "COMPOSE_PROJECT_NAME": "theirs", "COMPOSE_FILE": "/none", "COMPOSE_PROFILES": "ops"}
    (place.root / ".env").write_text("TAG=elsewhere\n")
    text = "services: {web: {image: 'x:${TAG}'}, tool: {image: x, profiles: [ops]}}"
    unset = await place.read(text)
    assert [one.image for one in unset.services] == ["x:"]
    assert unset.warnings == ("docker-compose.yml: variable TAG is not set, it counts as empty",)
    assert unset.name == "infra"
    ours = await place.read(text, _env="TAG=ours\nCOMPOSE_PROJECT_NAME=named\nCOMPOSE_PROFILES=ops\n")
    assert [one.image for one in ours.services] == ["x", "x:ours"]
    assert (ours.name, ours.warnings) == ("named", ())


async def test_warnings_are_told_once_and_without_folders(place: Place) -> None:
    found = await place.read("version: '3'\nservices: {web: {image: '${A}-${B}-${A}'}}")
    assert found.warnings == (
        "docker-compose.yml: variable A is not set, it counts as empty",
        "docker-compose.yml: variable B is not set, it counts as empty",
        "docker-compose.yml: the attribute `version` is obsolete, it will be ignored, "
        "please remove it to avoid potential confusion",
    )


BROKEN = {
    "services:\n\tweb: {}\n": " line 2: found character that cannot start any token",
    "services:\n  a: {image: x}\n  a: {image: y}\n": ' line 3: mapping key "a" already defined at line 2',
    "services: {web: *nope}": ": unknown anchor 'nope' referenced",
    "hello s3cret": " line 1: a mapping is expected",
    "- s3cret": " line 1: a mapping is expected",
    "": ": empty compose file",
    "services: {web: {image: x, imagee: y}}": ": services.web additional properties 'imagee' not allowed",
    "servicess: {}\nservices: {web: {image: x}}": ": additional properties 'servicess' not allowed",
    "services: {web: {image: x, environment: {PASS: [s3cret]}}}": (
        ": services.web.environment.PASS must be a boolean, null, number or string"
    ),
    "services: {web: {command: x}}": ': service "web" has neither an image nor a build context specified',
    "services: {web: {image: '${X:?set X in .env}'}}": (
        ": services.web.image: required variable X is missing a value: set X in .env"
    ),
    "services: {web: {image: x, environment: {PASS: 's3cret${'}}}": (
        ": services.web.environment.PASS: a $ that is no variable must be written $$"
    ),
    "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}": ": dependency cycle detected: a -> b -> a",
    "services: {a: {image: x, depends_on: [nope]}}": ': service "a" depends on undefined service "nope"',
    "services: {a: {image: x, networks: [nope]}}": ': service "a" refers to undefined network nope',
    "services: {a: {image: x, env_file: [nope.env]}}": ": env file nope.env not found",
    "services: {a: {image: x, healthcheck: {interval: fast}}}": (
        ": 'services[a].healthcheck.interval' time: invalid duration \"fast\""
    ),
    "services: {a: {extends: {file: base.yml, service: b}}}": ": open base.yml: no such file or directory",
    "include: [docker-compose.yml]": ": include cycle detected: docker-compose.yml include docker-compose.yml",
}


@pytest.mark.parametrize("text", BROKEN)
async def test_a_broken_file_is_one_sentence_that_begins_with_where(place: Place, text: str) -> None:
    place.file.write_text(text)
    state, reason = await place.refusal()
    assert (state, reason) == (SourceState.STALE, f"{FILE}{BROKEN[text]}")
    assert "s3cret" not in reason


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (".env", 'A=1\nTOKEN="s3cret\nB=s3cret\n', "infra/.env line 4: unterminated quoted value"),
        (".env", "A b=s3cret\n", "infra/.env line 1: key cannot contain a space"),
        ("a.env", "A=1\nfo+o=s3cret\n", 'infra/a.env line 2: unexpected character "+" in the name of a variable'),
        ("more.yml", "services:\n  b:\n    image: [x\n", "infra/more.yml line 2: did not find expected ',' or ']'"),
        ("more.yml", "services: {b: {imagee: x}}", "infra/more.yml: services.b additional properties 'imagee' not allowed"),
    ],
)
async def test_the_file_that_is_wrong_is_named(place: Place, name: str, text: str, reason: str) -> None:
    place.file.write_text("include: [more.yml]\nservices: {web: {image: 'x:${TAG}', env_file: [a.env]}}")
    place.write(a_env="", more_yml="services: {b: {image: x}}")
    (place.file.parent / name).write_text(text)
    assert await place.refusal() == (SourceState.STALE, reason)


async def test_what_compose_says_passes_the_gate(place: Place) -> None:
    place.fake('cat said >&2; case "$*" in *--profile=bad*) exit 1;; esac; exec $REAL "$@"')
    place.write(said='time=x level=warning msg="a\x1b]52;c;eA==\x07b"\nno\x1b[31mpe\n')
    assert (await place.read(ONE)).warnings == ("docker-compose.yml: ab",)
    assert await place.refusal(place.source(profiles=["bad"])) == (SourceState.STALE, f"{FILE}: nope")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("https://192.0.2.1/x/y.git", "a Git repository"),
        ("git@192.0.2.1:x/y.git", "a Git repository"),
        ("ssh://192.0.2.1/x.git", "a Git repository"),
        ("oci://192.0.2.1/x", "a registry's file"),
    ],
)
async def test_nothing_is_fetched(place: Place, address: str, what: str) -> None:
    place.file.write_text(f"include: ['{address}']\n{ONE}")
    place.write(_env="COMPOSE_EXPERIMENTAL_GIT_REMOTE=true\nCOMPOSE_EXPERIMENTAL_OCI_REMOTE=true\n")
    refused = f"{FILE}: it includes {what}, the console reads only files of this machine"
    assert await place.refusal() == (SourceState.STALE, refused)


async def test_no_file(place: Place) -> None:
    source = place.source()
    assert await source.project() is None
    assert not source.changed()
    place.file.write_text(ONE)
    assert source.changed()
    assert await source.project() is not None


async def test_a_configured_file_that_is_not_there_is_told(place: Place) -> None:
    for file in (Path("deploy/compose.yml"), place.root / "deploy/compose.yml"):
        reason = "No compose file at deploy/compose.yml. Set compose.file."
        assert await place.refusal(place.source(file=file)) == (SourceState.UNREACHABLE, reason)
    (place.root / "file").write_text("")
    assert (await place.refusal(place.source(file=Path("file/compose.yml"))))[0] is SourceState.UNREACHABLE
    assert (await place.refusal(place.source(file=Path("infra"))))[0] is SourceState.STALE


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """As somebody who may not look into `folder`."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(NOBODY)
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)


async def test_a_folder_that_may_not_be_read(place: Place) -> None:
    place.file.write_text(ONE)
    with without_rights(place.root):
        assert await place.refusal() == (SourceState.DENIED, f"No permission to read {FILE}.")


async def test_an_included_file_that_may_not_be_read(place: Place) -> None:
    place.file.write_text(ONE)
    place.fake(f"echo 'open {place.file.parent}/more.yml: permission denied' >&2; exit 1")
    assert await place.refusal() == (SourceState.DENIED, f"{FILE}: open more.yml: permission denied")


@pytest.fixture
def no_plugin(place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Only the search path, a folder, can lead to Compose."""
    place.plugin.unlink()
    monkeypatch.setattr(program, "_PLUGIN_FOLDERS", ())
    folder = place.root.parent / "bin"
    folder.mkdir()
    place.env["PATH"] = f"{folder}:{place.env['PATH']}"
    monkeypatch.setenv("PATH", place.env["PATH"])
    return folder


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_no_compose(place: Place, no_plugin: Path) -> None:
    place.file.write_text(ONE)
    place.env["PATH"] = str(no_plugin)
    reason = "Compose v2 is not installed, so the file cannot be read. Install docker-compose-plugin."
    assert await place.refusal() == (SourceState.UNREACHABLE, reason)
    executable(no_plugin / "docker-compose", "echo 1.29.2")
    executable(no_plugin / "docker", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1")
    assert await place.refusal() == (SourceState.UNREACHABLE, reason)


@pytest.mark.parametrize("name", ["docker-compose", "docker"])
async def test_compose_on_the_search_path(place: Place, no_plugin: Path, name: str) -> None:
    executable(no_plugin / "docker-compose", "echo 1.29.2")
    executable(no_plugin / name, f'[ "$1" = compose ] && shift\nexec {place.compose} "$@"')
    assert [one.name for one in (await place.read(ONE)).services] == ["web"]


async def test_the_folder_of_docker_s_settings_comes_first(place: Place) -> None:
    place.fake("exit 1")
    elsewhere = place.root / "settings" / "cli-plugins"
    elsewhere.mkdir(parents=True)
    (elsewhere / "docker-compose").symlink_to(place.compose)
    place.env["DOCKER_CONFIG"] = str(elsewhere.parent)
    assert [one.name for one in (await place.read(ONE)).services] == ["web"]


async def test_a_compose_that_cannot_be_run(place: Place) -> None:
    place.file.write_text(ONE)
    place.plugin.unlink()
    place.plugin.write_bytes(b"\x7fELF nonsense")
    place.plugin.chmod(0o755)
    reason = f"Compose cannot be run: {place.plugin}: Exec format error."
    assert await place.refusal() == (SourceState.OFF, reason)


async def test_a_compose_that_hangs(place: Place) -> None:
    place.file.write_text(ONE)
    place.fake("sleep 1000")
    reason = f"Compose has not read {FILE} within 0.2s."
    assert await place.refusal(place.source(timeout=0.2)) == (SourceState.UNREACHABLE, reason)


async def test_leaving_while_compose_reads(place: Place) -> None:
    place.file.write_text(ONE)
    place.fake(f"touch {place.root}/started; sleep 1000")
    source = place.source()
    reading = asyncio.ensure_future(place.refusal(source))
    await until((place.root / "started").exists, "Compose to have begun")
    await source.aclose()
    reason = f"Compose was ended by signal 9 while it read {FILE}."
    assert await reading == (SourceState.UNREACHABLE, reason)


@pytest.mark.parametrize("answer", ["nonsense", "[]", '{"services": 5}', ""])
async def test_an_answer_that_is_none(place: Place, answer: str) -> None:
    place.file.write_text(ONE)
    place.fake(f"echo '{answer}'")
    assert await place.refusal() == (SourceState.STALE, f"{FILE}: Compose answers with no JSON.")


async def test_without_hashes_the_rest_is_known(place: Place) -> None:
    place.fake('case "$*" in *--hash*) echo "invalid size: -1" >&2; exit 1;; esac; exec $REAL "$@"')
    found = await place.read(ONE)
    assert [(one.name, one.config_hash) for one in found.services] == [("web", "")]
    assert found.warnings == (f"Configurations cannot be compared: {FILE}: invalid size: -1",)


async def test_when_to_read_again(place: Place) -> None:
    place.write(
        a_env="A=1\n",
        base_yml="services: {b: {image: x, env_file: deep.env}}",
        more_yaml="include: [{path: ./last.yml}]\n",
        last_yml="services: {c: {image: x}}",
        deep_env="",
        data="",
    )
    place.file.write_text("""
        include: [more.yaml]
        services:
          web: {image: x, env_file: [./a.env], volumes: ["./data:/data"]}
          b: {extends: {file: "base.yml", service: b}}
    """)
    source = place.source()
    assert [one.name for one in (await source.project() or ComposeProject(clean(""), clean(""), ())).services] == [
        "b",
        "c",
        "web",
    ]
    for name in ("docker-compose.yml", "a.env", "base.yml", "more.yaml", "last.yml", "deep.env", ".env"):
        assert not source.changed(), name
        path = place.file.parent / name
        with path.open("a") as file:
            file.write("\n")
        assert source.changed(), name
        await source.project()
    (place.file.parent / "data").write_text("something that runs writes here")
    assert not source.changed()
    (place.file.parent / "a.env").unlink()
    assert source.changed()


def test_a_file_full_of_one_word_is_looked_through(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("x" * 2_000_000 + ".yml")
    assert inputs(file) == {file, tmp_path / ".env"}
    file.write_text(" ".join(f"{number}.yml" for number in range(500)))
    for number in range(500):
        (tmp_path / f"{number}.yml").write_text("compose.yml")
    assert len(inputs(file)) == 100
