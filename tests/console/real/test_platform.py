"""The platform's five services with what their probes say, on a real Engine, in commands and in a real terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.console.real.program import ROOT, answer, environment, run, screen_command
from tests.support.platformfleet import PlatformFleet
from tests.support.terminal import Tmux

SCHEMAS = ROOT / "docs" / "schemas"
HELD = "secret agent-host-key is readable by everybody (0644): run make secrets, then docker compose up -d agent"
FAILED = (
    "its configuration failed, nobody can log in: read docker compose logs jenkins, mend infra/jenkins/casc, "
    "then docker compose restart jenkins"
)
CLOCK = r"\d\d:\d\d:\d\d"


@pytest.fixture
def env(platform: PlatformFleet, tmp_path: Path) -> dict[str, str]:
    return environment(platform.engine, tmp_path, MLOPS_COMPOSE_FILE=str(platform.file))


def items(env: dict[str, str], *words: str) -> dict[str, Any]:
    """Services by name, as JSON that keeps its promise."""
    _, document = answer(env, "services", *words)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "services.schema.json").read_text())).validate(document)
    return {item["name"]: item for item in document["items"]}


def test_the_newest_sentence_is_why(platform: PlatformFleet, env: dict[str, str]) -> None:
    found = items(env)
    assert {name: item["state"] for name, item in found.items()} == dict(platform.expected)
    assert {name: item["why"] for name, item in found.items()} == {
        "agent": HELD,
        "jenkins": FAILED,
        "portainer": "its probe timed out after 1s",
        "frp_client": "not logged in yet, the server has not answered",
        "gate": None,
    }


def test_json_holds_everything_that_the_probes_said(env: dict[str, str]) -> None:
    probes = {name: item["containers"][0]["probe"] for name, item in items(env).items()}
    newest = {name: probe["results"][0] for name, probe in probes.items()}
    assert {name: one["exit_code"] for name, one in newest.items()} == {
        "jenkins": 1,
        "agent": 1,
        "portainer": None,
        "frp_client": 1,
        "gate": 0,
    }
    assert [name for name, one in newest.items() if one["timed_out"]] == ["portainer"]
    assert newest["portainer"]["output"].startswith("Health check exceeded timeout (1s)")
    told = newest["jenkins"]["output"].split("\n")
    assert (told[0], len(told)) == (f"jenkins: {FAILED}", 11)
    assert newest["gate"]["output"] == "gate: ready, the newest delivery came 5h ago and Jenkins took it"
    assert probes["agent"]["failing_streak"] >= 5
    assert probes["frp_client"]["failing_streak"] == 0, "nothing counts while it starts"
    assert (probes["agent"]["interval"], probes["agent"]["retries"], probes["agent"]["timeout"]) == (1.0, 1, None)
    for probe in probes.values():
        moments = [one["ended_at"] for one in probe["results"]]
        assert moments == sorted(moments, reverse=True)


def test_a_service_that_is_asked_for_shows_its_probe(env: dict[str, str]) -> None:
    done = run(env, "services", "jenkins", "gate", "frp_client")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("platform-jenkins-1  every 1s, the last "))
    assert re.fullmatch(rf"  {CLOCK}  jenkins: {re.escape(FAILED)} \(exit 1\)", lines[at + 1])
    assert lines[at + 2].strip().startswith("io.jenkins.plugins.casc.UnknownAttributesException: ")
    assert sum("Available attributes" in line for line in lines) == 9
    assert re.fullmatch(rf" +the same 4 times since {CLOCK}", lines[at + 12])
    assert "platform-gate-1  every 1s, the last one passed" in lines
    assert "platform-frp_client-1  every 1s, the last 5 failed, which does not count while it starts" in lines


def test_the_list_of_all_has_one_line_for_each(env: dict[str, str]) -> None:
    assert len(run(env, "services").stdout.splitlines()) == 6


@pytest.mark.usefixtures("tmux")
def test_the_screen_tells_all_of_it(env: dict[str, str]) -> None:
    with Tmux(screen_command(), 80, 24, env) as terminal:
        terminal.wait_for(lambda text: re.search(r"agent unhealthy for .*: secret agent-host-key is", text) is not None)
        for row in (
            r"agent +✗ unhealthy +\d+\w secret agent-host-key is r",
            r"jenkins +✗ unhealthy +\d+\w its configuration failed",
            r"portainer +✗ unhealthy +\d+\w its probe timed out after",
            r"frp_client +▸ starting +\d+\w not logged in yet",
            r"gate +✓ healthy",
        ):
            screen = terminal.wait_for(lambda text, row=row: re.search(row, text) is not None)  # type: ignore[misc]
        # The lower pane has the whole sentence: its end says what to do.
        below = " ".join(screen[screen.index(" 3 agent") :].split())
        assert re.search(rf"Probe every 1s, the last \d+ failed {CLOCK} E agent: {re.escape(HELD)} \(exit 1\)", below)
        terminal.keys("j", "Enter")
        screen = terminal.wait_for(lambda text: "› jenkins" in text and "Available attributes 4" in text)
        assert f"{FAILED} (exit 1)" in " ".join(screen.split())
        terminal.keys("]")
        screen = terminal.wait_for(lambda text: "› portainer" in text)
        assert "Health check exceeded timeout (1s)\n" in screen
        terminal.keys("]")
        terminal.wait_for("the last 5 failed, which does not count while it starts")
        terminal.keys("]")
        terminal.wait_for("gate: ready, the newest delivery came 5h ago and Jenkins took it")
        terminal.keys("Q")
        assert terminal.wait() == 0
