"""The Compose file as Compose itself reads it: which services are declared, and what a container of each would be labelled.

`docker compose config` resolves variables, includes, extends and profiles; no reading of the YAML by ourselves would say the
same. `config --hash` gives what `up` writes into the label com.docker.compose.config-hash, so a difference is drift.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from console.model.service import ComposeProject, Declared
from console.model.source import SourceError, SourceState
from console.sources._process import Children, Finished
from console.text import Clean, clean

DEFAULT_FILE = Path("infra") / "docker-compose.yml"
PLUGIN = "docker-compose"
_PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
# Only what Compose needs to run. The caller's other variables would change what the file says, differently for everyone.
_KEPT_VARIABLES = ("PATH", "HOME", "DOCKER_CONFIG", "TMPDIR", "XDG_CACHE_HOME")
_UNSET = re.compile(r'The \\?"(?P<name>[^"\\]+)\\?" variable is not set')
_LOG_MESSAGE = re.compile(r'level=(?P<level>\w+) msg="(?P<text>(?:[^"\\]|\\.)*)"')
_YAML_LINE = re.compile(
    r"yaml: (?:[^:]+: )*?line (?P<line>\d+)(?:, column \d+)?: (?P<what>.*)|line (?P<line2>\d+): (?P<what2>.*)"
)


class Images(Protocol):
    """What answers which image a name stands for on the Engine."""

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]: ...


class ComposeCli:
    """One Compose file, read through Compose v2. See `sources.protocols.Compose`."""

    def __init__(
        self,
        *,
        file: Path | None,
        project: str | None,
        profiles: Sequence[str],
        engine: Images | None,
        env: Mapping[str, str],
        root: Path,
        timeout: float = 10.0,
    ) -> None:
        self._configured = file is not None
        self._file = file if file is not None else root / DEFAULT_FILE
        self._project = project
        self._profiles = tuple(profiles)
        self._engine = engine
        self._env = env
        self._timeout = timeout
        self._children = Children()
        self._seen: Mapping[Path, tuple[int, int, int] | None] = {}

    async def project(self) -> ComposeProject | None:
        self._seen = _marks({self._file, self._file.parent / ".env"})
        if not self._file.is_file():
            if not self._configured:
                return None
            raise SourceError(SourceState.UNREACHABLE, clean(f"The compose file {self._file} is not there."))
        program = find_compose(self._env)
        if program is None:
            raise SourceError(SourceState.OFF, clean("Compose v2 is not installed, so the file cannot be read."))
        config, hashes = await asyncio.gather(
            self._run(program, ["config", "--format", "json"]), self._run(program, ["config", "--hash", "*"])
        )
        if config.status != 0:
            raise SourceError(SourceState.STALE, self._complaint(config.err))
        return await self._declared(config, hashes)

    def changed(self) -> bool:
        return _marks(self._seen) != self._seen

    async def aclose(self) -> None:
        self._children.end_all()

    async def _run(self, program: Sequence[str], words: Sequence[str]) -> Finished:
        command = [*program, "--ansi", "never", "-f", str(self._file)]
        if self._project:
            command += ["-p", self._project]
        for profile in self._profiles:
            command += ["--profile", profile]
        env = {name: self._env[name] for name in _KEPT_VARIABLES if name in self._env}
        # A file must not make the console fetch other files from somewhere.
        env |= {
            "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false",
            "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false",
            "LANG": "C.UTF-8",
        }
        try:
            return await self._children.run([*command, *words], env=env, cwd=self._file.parent, deadline=self._timeout)
        except TimeoutError:
            reason = f"Compose has not read {self._file} within {self._timeout:g}s."
            raise SourceError(SourceState.UNREACHABLE, clean(reason)) from None
        except OSError as failed:
            raise SourceError(SourceState.OFF, clean(f"Compose cannot be run: {failed.strerror}")) from None

    async def _declared(self, config: Finished, hashes: Finished) -> ComposeProject:
        import json

        try:
            raw = json.loads(config.out)
            services: dict[str, dict[str, Any]] = dict(raw.get("services") or {})
        except (ValueError, AttributeError, TypeError):
            raise SourceError(SourceState.STALE, clean(f"Compose gives no JSON for {self._file}.")) from None
        labels = dict(line.split(" ", 1) for line in hashes.out.decode(errors="replace").splitlines() if " " in line)
        name = str(raw.get("name", ""))
        images = {one: str(spec.get("image") or f"{name}-{one}") for one, spec in services.items()}
        ids: Mapping[Clean, Clean] = {}
        if self._engine is not None:
            try:
                ids = await self._engine.image_ids(set(images.values()))
            except SourceError:
                ids = {}  # the Engine's own state is told elsewhere; the file can be read without it
        self._seen = _marks(set(self._seen) | _inputs(services, self._file.parent))
        declared = tuple(
            Declared(
                name=clean(one),
                image=clean(images[one]),
                scale=_scale(spec),
                config_hash=clean(labels.get(one, "").strip()),
                image_id=ids.get(clean(images[one])),
            )
            for one, spec in sorted(services.items())
        )
        return ComposeProject(clean(name), clean(str(self._file)), declared, self._warnings(config.err))

    def _complaint(self, err: bytes) -> Clean:
        """Compose's last words as one sentence that begins with the file and, where it tells one, the line."""
        lines = [clean(line).strip() for line in err.decode(errors="replace").splitlines()]
        lines = [line for line in lines if line and "level=warning" not in line]
        said = " ".join(lines) or "Compose gives no reason"
        said = said.replace(str(self._file), self._file.name)
        said = said.removeprefix("validating ").removeprefix(f"{self._file.name}: ")
        place = _YAML_LINE.search(said)
        if place is not None:
            line, what = place["line"] or place["line2"], place["what"] or place["what2"]
            return clean(f"{self._file} line {line}: {what}")
        return clean(f"{self._file}: {said}")

    def _warnings(self, err: bytes) -> tuple[Clean, ...]:
        found: dict[Clean, None] = {}
        for line in err.decode(errors="replace").splitlines():
            unset = _UNSET.search(line)
            message = _LOG_MESSAGE.search(line)
            if unset is not None:
                found[clean(f"{self._file.name}: variable {unset['name']} is not set, it counts as empty")] = None
            elif message is not None and message["level"] == "warning":
                found[clean(f"{self._file.name}: {message['text']}")] = None
        return tuple(found)


def find_compose(env: Mapping[str, str]) -> list[str] | None:
    """How to call Compose v2: the plugin's own binary (starting `docker` first costs as much again), else `docker compose`."""
    config = Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or "/") / ".docker")
    for folder in (config / "cli-plugins", *map(Path, _PLUGIN_FOLDERS)):
        if os.access(folder / PLUGIN, os.X_OK):
            return [str(folder / PLUGIN)]
    from shutil import which

    # Called by this name the plugin and nothing older is on any current system; version 1 ended in 2023.
    found = which(PLUGIN, path=env.get("PATH"))
    return [found] if found else None


def _scale(spec: Mapping[str, Any]) -> int:
    deploy = spec.get("deploy")
    replicas = deploy.get("replicas") if isinstance(deploy, dict) else None
    value = replicas if replicas is not None else spec.get("scale", 1)
    return value if isinstance(value, int) else 1


def _inputs(services: Mapping[str, Mapping[str, Any]], folder: Path) -> set[Path]:
    """Files besides the main one that the answer depends on, as far as it names them."""
    found = set()
    for spec in services.values():
        for entry in spec.get("env_file") or ():
            path = entry.get("path") if isinstance(entry, dict) else entry
            if isinstance(path, str):
                found.add(folder / path)
    return found


def _marks(paths: Collection[Path]) -> Mapping[Path, tuple[int, int, int] | None]:
    """What tells whether a file is another one than before; None when it is not there."""
    marks: dict[Path, tuple[int, int, int] | None] = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            marks[path] = None
        else:
            marks[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return marks
