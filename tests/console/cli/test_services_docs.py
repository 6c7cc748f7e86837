"""Every example of docs/services-and-disk.md, as a shell runs it, on the invented server."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest

from tests.console.real.program import PROGRAM, environment, run
from tests.support.terminal import Pty

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs" / "schemas"
EXAMPLES = re.findall(r"^    (mlops-console .+)$", (ROOT / "docs" / "services-and-disk.md").read_text(), re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize("example", [one for one in EXAMPLES if " shell " not in one])
def test_it_does_what_the_page_says(example: str, tmp_path: Path) -> None:
    example, _, note = example.partition("  # ")
    status = re.match(r"ends with (\d)\b", note)
    assert status or not note, "a note that nothing is held to"
    command, _, piped = example.partition(" | ")
    words = shlex.split(command)[1:]
    done = run(environment(None, tmp_path), "--demo", *words)
    assert done.returncode == (int(status[1]) if status else 0), (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    if "--json" in words:
        document = json.loads(done.stdout)
        schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document["demo"] is True
    else:
        assert done.stdout.strip()
        assert not piped or piped == "tail"


@pytest.mark.parametrize("example", [one for one in EXAMPLES if " shell " in one])
def test_a_shell_as_the_page_has_it(example: str, tmp_path: Path) -> None:
    command = [*PROGRAM, "--demo", *shlex.split(example)[1:]]
    with Pty(command, environment=environment(None, tmp_path)) as terminal:
        terminal.wait_for(b"nothing in it is real")
        terminal.write(b"\x04")
        assert terminal.wait() == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["service", "restart", "portainer"], 2, "without a terminal it wants --yes"),
        (["service", "restart"], 2, "name the services, or say --all"),
        (["service", "fly", "portainer"], 2, "'fly' is not one of"),
        (["service", "stop", "portaner", "--yes"], 2, "the file declares no service portaner. Did you mean portainer?"),
        (["service", "down", "gate"], 2, "down is for all services together"),
        (["service", "up", "gate", "--grace", "5"], 2, "--grace is for what ends something"),
        (["service", "stop", "gate", "--grace", "-1"], 2, "no number of seconds"),
        (["service", "recreate", "cache", "metrics", "--yes"], 0, ""),
        (["service", "stop", "gate", "--yes"], 2, "--confirm gate"),
        (["service", "stop", "gate", "--confirm", "jenkins"], 2, "does not fit this plan"),
        (["container", "stop", "nobody", "--yes"], 2, "there is no container nobody"),
        (["container", "kill", "mlops-cache-1", "--yes"], 2, "--confirm mlops-cache-1"),
        (["container", "fly", "mlops-cache-1"], 2, "No such command 'fly'"),
        (["container", "start", "mlops-cache-1", "--grace", "5"], 2, "there is no option --grace"),
        (["container", "top", "nobody"], 2, "there is no container nobody"),
        (["container", "inspect", "mlops-cach-1"], 2, "Did you mean mlops-cache-1?"),
        (["container", "copy", "mlops-cache-1", "."], 2, "NAME:PATH"),
        (["container", "copy", "mlops-cache-1:/", "."], 1, "name a file or folder in it"),
        (["container", "copy", "mlops-cache-1:/a", "no/where"], 1, "There is no folder no."),
        (["container", "copy", "mlops-cache-1:/a", "-", "--json"], 2, "leave out --json, or name a TARGET"),
        (["container", "copy", "nobody:/a", "x"], 2, "there is no container nobody"),
        (["container", "shell", "mlops-cache-1"], 2, "a shell needs a terminal"),
        (["--read-only", "container", "shell", "mlops-cache-1"], 2, "acts are off"),
        (["--read-only", "container", "stop", "mlops-cache-1", "--yes"], 2, "acts are off"),
        (["--read-only", "container", "top", "mlops-cache-1"], 0, ""),
        (["--read-only", "container", "inspect", "mlops-cache-1"], 0, ""),
        (["--read-only", "container", "copy", "mlops-cache-1:/a", "."], 0, ""),
        (["prune"], 2, "without a terminal it wants --yes"),
        (["prune", "--keep", "9" * 5000], 2, "is no number from 1"),
        (["container", "stop", "mlops-cache-1", "--grace", "9" * 5000], 2, "no number of seconds"),
        (["prune", "--volume", "a", "--volume", "b"], 2, "one --volume at a time"),
        (["prune", "--spare", "nobody", "--yes"], 2, "there is nothing called nobody that could stay"),
        (["prune", "--keep", "0"], 2, "--keep 0 is no number from 1"),
        (["prune", "--older-than", "soon"], 2, "no span of time"),
        (["prune", "--volume", "mlops_hf_cache", "--yes"], 1, "Nothing can go"),
        (["prune", "--volume", "mlops_hf_cache", "--volumes", "--older-than", "0", "--yes"], 0, ""),
        (["--read-only", "prune", "--yes"], 2, "acts are off"),
        (["--read-only", "service", "stop", "gate", "--yes"], 2, "acts are off"),
        (["--read-only", "df"], 0, ""),
    ],
)
def test_wrong_use_is_told_what_to_do(words: list[str], status: int, said: str, tmp_path: Path) -> None:
    done = run(environment(None, tmp_path), "--demo", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), (done.stdout, done.stderr)
    assert said in done.stderr


def test_a_volume_that_the_file_declares_is_not_even_offered_by_name(tmp_path: Path) -> None:
    done = run(environment(None, tmp_path), "--demo", "prune", "--volume", "mlops_hf_cache", "--dry-run", "--json")
    document = json.loads(done.stdout)
    kept = {one["id"]: one["reason"] for one in document["keep"]}
    assert kept["volume/mlops_hf_cache"] == "declared in compose"
    assert (done.returncode, document["remove"], document["bytes"]) == (1, [], 0)
    assert document["refused"] == "Nothing can go: everything is needed, or the rule keeps it."


def test_copying_over_something_is_asked_about(tmp_path: Path) -> None:
    env = environment(None, tmp_path)
    (tmp_path / "a").write_text("mine")
    copy = ("--demo", "container", "copy", "mlops-cache-1:/x/a", str(tmp_path / "a"))
    done = run(env, *copy)
    assert (done.returncode, "is there already: --overwrite" in done.stderr) == (2, True)
    for typed, status, content in ((b"\n", 2, "mine"), (b"y\n", 0, "This file comes from the demo: nothing of it is real.\n")):
        with Pty([*PROGRAM, *copy], environment=env) as terminal:
            terminal.wait_for(b"Put this in its place? [y/N] ")
            terminal.write(typed)
            assert terminal.wait() == status
        assert (tmp_path / "a").read_text() == content
    with Pty([*PROGRAM, *copy[:-1], "-"], environment=env) as terminal:
        assert terminal.wait() == 2
        assert b"could do anything to this terminal" in terminal.data


def test_what_acts_on_containers_is_gone_when_read_only(tmp_path: Path) -> None:
    done = run(environment(None, tmp_path), "--read-only", "container", "--help")
    assert done.returncode == 0
    listed = done.stdout.partition("Commands:")[2].split()
    assert {"top", "inspect", "copy"} <= set(listed)
    assert not {"shell", "stop", "remove"} & set(listed)
