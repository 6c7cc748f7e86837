"""Commands called in process, on sources in the test's hands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.actions.audit import AuditRecorder
from console.cli import run
from console.cli.options import split
from console.doctor.instruments import Instruments
from console.feeds.history_feed import HistoryFeed
from console.feeds.outlook import Outlook
from console.model.past import Past
from console.model.source import SourceError, SourceState, SourceStatus
from console.settings import Loaded, Overrides, load
from console.settings.keyfacts import KeyFact
from console.sources.auditfile import AuditFile
from console.sources.journal import Journal
from console.sources.protocols import ActingJenkins, Gpus, Machine
from console.sources.reach import Hands, Reach
from console.sources.trail import Trail
from console.text import Clean
from console.ui.ownkeys import checked, facts
from tests.console.fakes import FakeCompose, FakeEngine

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


@dataclass
class FakeBackend:
    engine: FakeEngine
    compose: FakeCompose
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    config: Path | None = None
    host: Clean = field(default_factory=lambda: Clean("train-01"))
    demo: bool = False

    @property
    def loaded(self) -> Loaded:
        env = {"HOME": str(self.folder), **self.env}
        return load(argv=Overrides(config=self.config), env=env, cwd=self.folder, etc=self.folder / "etc.toml")

    ci: ActingJenkins | SourceStatus = field(
        default_factory=lambda: SourceStatus(SourceState.OFF, Clean("Jenkins is not configured."))
    )

    def sources(self) -> tuple[FakeEngine, FakeCompose]:
        return self.engine, self.compose

    def jenkins(self) -> ActingJenkins | SourceStatus:
        return self.ci

    cards: Gpus | SourceStatus = field(
        default_factory=lambda: SourceStatus(SourceState.OFF, Clean("No NVIDIA driver here. Trainings use the CPU."))
    )
    server: Machine | SourceStatus = field(
        default_factory=lambda: SourceStatus(SourceState.OFF, Clean("Not available from here. Use --host train-01."))
    )

    def gpus(self) -> Gpus | SourceStatus:
        return self.cards

    def machine(self, *, foresees: bool = True) -> Machine | SourceStatus:
        return self.server

    history: Path | None = None

    def outlook(self) -> Outlook:
        return Outlook(lambda: self.history or self.folder / "no-history.db")

    def past(self) -> Past:
        return HistoryFeed(self.history)

    def reach(self) -> Reach:
        """What acts on containers and services is tried on a real Engine, not here."""
        raise SourceError(SourceState.OFF, Clean("Docker is not here."))

    def hands(self) -> Hands:
        raise SourceError(SourceState.OFF, Clean("Docker is not here."))

    def for_doctor(self) -> FakeBackend:
        return self

    def instruments(self) -> Instruments:
        """What the doctor looks with is tried on a whole platform, not here."""
        raise SourceError(SourceState.OFF, Clean("Docker is not here."))

    def keys(self) -> Sequence[KeyFact]:
        return facts(checked(self.loaded))

    def recorder(self) -> AuditRecorder:
        """Writes below the test's folder; no journal listens there."""
        places = Trail({}, file=AuditFile(self.folder / "state"), journal=Journal(self.folder / "journal"))
        return AuditRecorder(places, self.host)


def call(backend: FakeBackend, *argv: str) -> int:
    options, rest = split(argv)
    return run(rest, options, backend)


def answer(backend: FakeBackend, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    status = call(backend, *argv, "--json")
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    document = json.loads(out)
    schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return status, document
