"""A repository with a Compose file that the real Compose reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState
from console.sources.compose import ComposeCli
from console.text import Clean, clean

FILE = "infra/docker-compose.yml"


class Place:
    """A repository with a Compose file, and a home with a Compose."""

    def __init__(self, folder: Path, compose: Path) -> None:
        self.compose = compose
        self.root = folder / "repository"
        self.file = self.root / FILE
        self.file.parent.mkdir(parents=True)
        self.plugin = folder / "home" / ".docker" / "cli-plugins" / "docker-compose"
        self.plugin.parent.mkdir(parents=True)
        self.plugin.symlink_to(compose)
        self.env = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}

    def write(self, **files: str) -> None:
        """Files beside the Compose file; `_` in a name is a dot."""
        for name, text in files.items():
            (self.file.parent / name.replace("_", ".")).write_text(text)

    def fake(self, script: str) -> None:
        """Another Compose; `$REAL` is the real one."""
        self.plugin.unlink()
        self.plugin.write_text(f"#!/bin/sh\nREAL={self.compose}\n{script}\n")
        self.plugin.chmod(0o755)

    def source(
        self,
        *,
        file: Path | None = None,
        project: str | None = None,
        profiles: Collection[str] = (),
        engine: Engine | None = None,
        timeout: float = 60.0,
    ) -> ComposeCli:
        return ComposeCli(
            file=file,
            project=project,
            profiles=tuple(profiles),
            engine=engine,
            env=self.env,
            root=self.root,
            timeout=timeout,
        )

    async def read(self, text: str, **files: str) -> ComposeProject:
        self.file.write_text(text)
        self.write(**files)
        found = await self.source().project()
        assert found is not None
        return found

    async def refusal(self, source: ComposeCli | None = None) -> tuple[SourceState, str]:
        with pytest.raises(SourceError) as caught:
            await (source or self.source()).project()
        assert type(caught.value.reason) is Clean
        return caught.value.state, str(caught.value.reason)


class Engine:
    """Knows one image."""

    def __init__(self, failure: SourceError | None = None) -> None:
        self.failure = failure
        self.asked: set[str] = set()

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        self.asked.update(names)
        if self.failure is not None:
            raise self.failure
        return {clean("busybox"): clean("sha256:aa")}
