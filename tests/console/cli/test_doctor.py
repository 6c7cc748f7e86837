"""`doctor` and `support` as they are typed: in the demo, on a narrow terminal, and used wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from console.actions.jenkins.switching import SetOffline
from console.backend import Backend
from console.cli.options import GlobalOptions
from console.cli.output import Printer
from console.doctor.findings import Mends
from console.doctor.walk import walk
from console.main import main
from console.model.cells import width
from console.model.source import SourceStatus
from console.model.state import StateClass
from console.text import clean
from tests.console.cli.calling import SCHEMAS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MLOPS_READ_ONLY", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo", "doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == " 1 ✓ settings   all at their defaults"
    assert any(line.startswith(" 8 ✓ tunnel     frps.example.org: logged in for ") for line in lines)
    assert lines[-1].startswith("Broken at 3 compose: a part of the platform does not do its work.   (")
    assert lines[-1].endswith("s, exit 1)")
    assert main(["--demo", "doctor", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "hops.schema.json").read_text())).validate(document)
    assert document["demo"]
    assert [one["number"] for one in document["items"]] == list(range(1, 14))


async def test_what_is_done_to_the_demo_is_seen_by_its_doctor() -> None:
    backend = Backend(GlobalOptions(demo=True))
    jenkins = backend.jenkins()
    assert not isinstance(jenkins, SourceStatus)
    act = SetOffline(jenkins, ["trainer-1"], clean("a new disk"))
    plan = await act.plan()
    for target in plan.targets:
        await act.perform(plan, target, lambda _words: None)
    found = (await walk(backend.instruments())).found["job"]
    assert "node trainer-1 was taken off line: a new disk" in found.seen
    assert found.mends == Mends(nodes=(clean("trainer-1"),))
    assert (found.about, found.command) == ("trainer-1", "mlops-console node online trainer-1")


@pytest.mark.parametrize("words", [["--yes"], ["--dry-run"], ["--confirm", "x"]])
def test_consent_without_anything_to_agree_to_is_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo", "doctor", *words]) == 2
    assert "are for --fix" in capsys.readouterr().err


def test_read_only_looks_and_does_not_mend(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo", "--read-only", "doctor"]) == 1
    assert main(["--demo", "--read-only", "doctor", "--fix"]) == 2
    assert "Read-only: acts are off (--read-only)" in capsys.readouterr().err


def test_a_long_line_goes_on_below_itself(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(color=False, glyphs="unicode", env={})
    printer.columns = 40
    printer.hanging(" 2 ", StateClass.ATTENTION, "docker   ", "logs grow for ever: one, two, three and four more")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(" 2 ! docker     logs grow")
    assert len(lines) > 1
    assert all(line.startswith(" " * 16) for line in lines[1:])
    assert all(width(line) <= 40 for line in lines)


def test_a_report_of_the_demo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--demo", "support"]) == 0
    (file,) = tmp_path.glob("mlops-support-demo-01-*.tar.gz")
    out = capsys.readouterr().out
    assert "  README.txt\n" in out
    assert file.name in out
