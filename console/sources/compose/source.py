"""`ComposeCli`: one Compose file, read by running Compose v2.

`docker compose config` resolves variables, includes, extends and profiles; no reading of the YAML by ourselves would say the
same. `config --hash` gives what `up` writes into the label com.docker.compose.config-hash, so a difference is drift. It has
to be asked about the resolved model: of the file itself it leaves out what env_file brings, and `up` does not (2.40).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from console.model.service import ComposeProject, Declared
from console.model.source import SourceError, SourceState
from console.sources._process import Finished
from console.sources.compose import program
from console.sources.compose.environment import for_reading
from console.sources.compose.inputs import Marks, inputs, marks, needs_resolving
from console.sources.compose.messages import complaint, warnings
from console.sources.compose.place import Place
from console.sources.compose.reading import Reading
from console.text import Clean, clean

_NAMESPACES = ("network_mode", "pid", "ipc")

Spec = Mapping[str, Any]


class Images(Protocol):
    """What answers which image a name stands for on the Engine."""

    async def image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]: ...


class ComposeCli:
    """See `sources.protocols.Compose`.

    `file` None means infra/docker-compose.yml under `root`, if there is one. Without `engine` no image ids are told. Of
    `env` only what Compose needs to run is passed on. `timeout` is seconds for each call of Compose.

    The states of what `project` raises: UNREACHABLE, the configured file is not there (NotThereError), there is a file and no
    Compose v2 to read it (NotInstalledError), or Compose does not finish; DENIED, no permission to read it; STALE, it is there
    and Compose refuses it; OFF, Compose cannot be run.
    """

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
        self._place = Place.of(file, root)
        self._root = root
        self._file = self._place.file
        self._options = [*(["-p", project] if project else []), *(f"--profile={profile}" for profile in profiles)]
        self._engine = engine
        self._env = env
        self._reading = Reading(self._place, for_reading(env), timeout)
        self._seen: Marks = {}

    async def project(self) -> ComposeProject | None:
        self._seen = marks(inputs(self._file))
        if not self._place.is_there():
            return None
        # A file that is there is wanted: that nothing can read it is no state in which all is well.
        compose = await program.find(self._env, self._reading.run, "the file cannot be read", SourceState.UNREACHABLE)
        direct = [*compose, *self._options, "-f", str(self._file), "config"]
        reading = self._reading.run([*direct, "--format", "json"])
        hashes: Finished | None = None
        if needs_resolving(self._file):
            config = await reading
        else:
            config, hashes = await asyncio.gather(reading, self._reading.run([*direct, "--hash", "*"]))
        if config.status != 0:
            raise self._reading.refusal(config)
        model = self._reading.model(config)
        name, specs = str(model["name"]), _with_containers(model["services"])
        names = {one: str(spec.get("image") or f"{name}-{one}") for one, spec in specs.items()}
        asking = asyncio.ensure_future(self._image_ids(set(names.values())))
        try:
            if hashes is None:
                hashes = await self._reading.run(
                    [*compose, "--project-directory", str(self._file.parent), "-f", "-", "config", "--hash", "*"],
                    given=_for_hashing(model),
                )
            ids = await asking
        finally:
            asking.cancel()
        notes = warnings(config.err, self._file)
        if hashes.status != 0:
            notes += (clean(f"Configurations cannot be compared: {complaint(hashes.err, self._file, self._root)}"),)
        labels = _by_service(hashes.out)
        declared = tuple(
            Declared(
                name=clean(one),
                image=clean(names[one]),
                scale=_scale(spec),
                config_hash=clean("" if _joins_another(spec) else labels.get(one, "")),
                image_id=ids.get(clean(names[one])),
                built="build" in spec,
            )
            for one, spec in sorted(specs.items())
        )
        return ComposeProject(clean(name), clean(str(self._file)), declared, notes, _volumes(model, name), _secrets(model))

    def changed(self) -> bool:
        return marks(self._seen) != self._seen

    async def aclose(self) -> None:
        await self._reading.aclose()

    async def _image_ids(self, names: Collection[str]) -> Mapping[Clean, Clean]:
        if self._engine is None:
            return {}
        try:
            return await self._engine.image_ids(names)
        except SourceError:
            return {}  # the Engine's own state is told elsewhere; the file can be read without it


def _volumes(model: Mapping[str, Any], project: str) -> tuple[Clean, ...]:
    """Their names on the Engine: Compose writes them out, with the project's in front where the file gives none."""
    declared = model.get("volumes")
    found = declared.items() if isinstance(declared, Mapping) else ()
    named = (spec.get("name") if isinstance(spec, Mapping) else None for _, spec in found)
    return tuple(clean(str(name or f"{project}_{key}")) for (key, _), name in zip(found, named, strict=True))


def _with_containers(services: Mapping[str, Spec]) -> dict[str, Spec]:
    """Those that a container runs: one with a `provider` is something else's, which Compose only starts."""
    return {name: spec for name, spec in services.items() if "provider" not in spec}


def _secrets(model: Mapping[str, Any]) -> tuple[tuple[Clean, Clean], ...]:
    """Those that are files; others come out of the environment, or out of a swarm."""
    declared = model.get("secrets")
    found = declared.items() if isinstance(declared, Mapping) else ()
    return tuple(
        (clean(name), clean(one["file"]))
        for name, one in found
        if isinstance(one, Mapping) and isinstance(one.get("file"), str)
    )


def _for_hashing(model: Mapping[str, Any]) -> bytes:
    """The model as Compose takes it back: profiles are decided by now, and it does not read its own `"-1"`."""
    import json

    services = {}
    for name, spec in model["services"].items():
        services[name] = {key: value for key, value in spec.items() if key != "profiles"}
        if spec.get("memswap_limit") == "-1":
            services[name]["memswap_limit"] = -1
    return json.dumps({**model, "services": services}).encode()


def _by_service(out: bytes) -> dict[str, str]:
    """`NAME HASH` lines."""
    lines = (line.split() for line in out.decode(errors="replace").splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2}


def _joins_another(spec: Spec) -> bool:
    """Whether `up` writes a container's id into what it hashes, which no reading of the file can know."""
    spaces = any(str(spec.get(key, "")).startswith("service:") for key in _NAMESPACES)
    return spaces or any(not str(one).startswith("container:") for one in spec.get("volumes_from") or ())


def _scale(spec: Spec) -> int:
    deploy = spec.get("deploy")
    replicas = deploy.get("replicas") if isinstance(deploy, Mapping) else None
    value = replicas if replicas is not None else spec.get("scale", 1)
    return value if isinstance(value, int) else 1
