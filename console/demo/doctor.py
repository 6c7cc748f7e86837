"""What the doctor looks with in the demo: its own server, on which a few things are not as they should be."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from console.doctor.answers import MARK, PATH, PING
from console.doctor.instruments import DockerSide, Instruments
from console.model.daemon import Daemon
from console.model.filefacts import FileFacts
from console.model.source import NotThereError, SourceState, SourceStatus
from console.model.unit import Unit
from console.settings import Loaded, SettingsError
from console.sources.protocols import Gpus, Machine
from console.sources.reach import Reach
from console.sources.web import WebAnswer
from console.text import Clean, clean


def instruments(
    loaded: Loaded | SettingsError, host: Clean, reach: Reach, gpus: Gpus | SourceStatus, machine: Machine | SourceStatus
) -> Instruments:
    """The demo's. Nothing of the machine that it runs on is looked at."""
    daemon = DemoDaemon()
    return Instruments(
        host=host,
        demo=True,
        loaded=loaded,
        own=(),
        keys=(),
        user=Clean("you"),
        uid=os.getuid(),
        files=DemoFiles(),
        units=DemoUnits(),
        web=DemoWeb(),
        docker=DockerSide(reach.engine, daemon, reach.compose, None, daemon),
        jenkins=reach.jenkins,
        admin=None,
        gpus=gpus,
        machine=machine,
        history=None,
    )


class DemoFiles:
    """See `sources.protocols.Files`: there are none."""

    async def facts(self, path: Path) -> FileFacts:
        raise self._none(path)

    async def text(self, path: Path) -> bytes:
        raise self._none(path)

    async def held_by(self, path: Path) -> Clean | None:
        return None

    async def set_rights(self, path: Path, was: FileFacts, rights: int, uid: int | None) -> None:
        raise self._none(path)

    async def aclose(self) -> None:
        """Nothing is open."""

    @staticmethod
    def _none(path: Path) -> NotThereError:
        return NotThereError(SourceState.OK, clean(f"The demo has no files, and so no {path}."))


class DemoUnits:
    """See `sources.protocols.Units`: there are none."""

    async def unit(self, name: str) -> Unit | None:
        return None

    async def may_start(self) -> bool:
        return False

    async def start(self, name: str) -> None:
        raise NotThereError(SourceState.OK, clean(f"The demo has no systemd, and so no {name}."))

    async def aclose(self) -> None:
        """Nothing is open."""


class DemoWeb:
    """See `sources.protocols.Knocks`: a gate that refuses, and a Hub that wants a token."""

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit: float = 5.0,
    ) -> WebAnswer:
        told = {"date": format_datetime(datetime.now(UTC), usegmt=True)}
        if not url.endswith(PATH):
            return WebAnswer(401, told, b"", 0.12)
        if body == PING:
            return WebAnswer(200, told | {MARK: "1"}, json.dumps({"jobs": {"train": {"triggered": False}}}).encode(), 0.09)
        return WebAnswer(403, told | {MARK: "1"}, b"refused\n", 0.08)

    async def aclose(self) -> None:
        """Nothing is open."""


class DemoDaemon:
    """See `sources.protocols.EngineDaemon` and `GpuTrial`."""

    async def daemon(self) -> Daemon:
        return Daemon(live_restore=True, runtimes=(Clean("nvidia"), Clean("runc")), root=Clean("/var/lib/docker"))

    async def sees(self, image: str) -> tuple[Clean, ...]:
        return (Clean("GPU 0: demo"), Clean("GPU 1: demo"))

    async def aclose(self) -> None:
        """Nothing is open."""
