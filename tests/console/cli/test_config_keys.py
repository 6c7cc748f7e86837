"""`config keys`: the table of keys as a person has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.ui.keymap import TABLE
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.fakes import FakeCompose, FakeEngine


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    return FakeBackend(FakeEngine(), FakeCompose(), tmp_path)


def own(backend: FakeBackend, text: str) -> Path:
    place = backend.folder / ".config" / "mlops-console" / "config.toml"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    return place


def test_the_whole_table_is_there_as_a_person_has_it(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    own(backend, '[keys]\nfilter = "f, F3"\nhelp = "?"\n')
    status, document = answer(backend, capsys, "config", "keys")
    items = {item["id"]: item for item in document["items"]}
    assert (status, document["kind"]) == (0, "config-keys")
    assert list(items) == [key.id for key in TABLE]
    assert items["filter"]["keys"] == ["f", "f3"]
    assert items["filter"]["default"] == ["/"]
    assert [name for name, item in items.items() if item["changed"]] == ["filter"], "what is written as it is, is not changed"
    assert items["stop"]["acts"]


def test_what_was_changed_says_what_it_replaces(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    own(backend, '[keys]\nfilter = "f"\n')
    assert call(backend, "config", "keys") == 0
    lines = capsys.readouterr().out.split("\n")
    (line,) = [line for line in lines if " filter " in f"{line} " and "show only" in line]
    assert line.split()[0] == "f"
    assert line.split()[-1] == "/"
    (line,) = [line for line in lines if "the main screen" in line]
    assert line.split()[-1] == "dashboard", "nothing is replaced there"


def test_keys_that_cannot_be_are_all_told_with_their_lines(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    place = own(backend, '[keys]\nfilter = "x"\nquit = "ctrl+s"\nhlp = "f1"\n')
    assert call(backend, "config", "keys") == 2
    told = capsys.readouterr().err
    assert f'{place}:2: keys.filter = "x": x already stands for stop ("stop, cancel") in the main screen.' in told
    assert f'{place}:3: keys.quit = "ctrl+s": ctrl+s does not arrive everywhere' in told
    assert f"{place}:4: keys.hlp names nothing there is to do. Did you mean help?" in told
