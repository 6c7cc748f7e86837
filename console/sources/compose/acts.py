"""`ComposeDoer`: what is done to the services of one Compose file, by running Compose v2.

What each verb leaves alone is as much of a promise as what it does:

* `up` and `recreate` start what is on the Engine. They neither build (`--no-build`) nor fetch an image (`--pull never`): where
  one is missing Compose (2.40) would ask a registry for it first, also for one that is built here, and the name that it has
  here may be somebody else's there.
* `pull` fetches images and leaves containers as they are. Images that are built here are left out (`--ignore-buildable`).
* Named services are acted on alone (`--no-deps`). Only `start` cannot do that: what a service depends on is started before it.
* Nobody answers Compose's questions, and the answer is then no: a volume that differs from the file stays as it is.
* `down` removes containers and networks, never volumes, images, or what the file does not name.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.model.container import ProbePlan
from console.model.probes import patience
from console.model.source import NotThereError, SourceError, SourceState
from console.sources._process import Children
from console.sources.compose import program
from console.sources.compose.environment import for_acting, for_reading, typed
from console.sources.compose.place import Place
from console.sources.compose.progress import Progress
from console.sources.compose.reading import Reading
from console.sources.docker_engine.endpoint import Endpoint
from console.text import Clean, clean

# What follows the verb; for named services; whether it takes the seconds of a grace.
_VERBS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "up": (("up", "-d", "--no-build", "--pull", "never"), ("--no-deps",), True),
    "start": (("start",), (), False),
    "stop": (("stop",), (), True),
    "restart": (("restart",), ("--no-deps",), True),
    "recreate": (("up", "-d", "--no-build", "--pull", "never", "--force-recreate"), ("--no-deps",), True),
    "pull": (("pull", "--ignore-buildable"), (), False),
    "down": (("down",), (), True),
}
_WAITING = frozenset({"up", "start", "recreate"})
"""These wait until what a service depends on is healthy, without a word."""

_DEFAULT_GRACE = 10.0
_UNKNOWN_OPTION = re.compile(r"unknown flag: --progress\b|unsupported --progress value")
_DENIED = re.compile(r"permission denied while trying to connect to the .*(?:daemon|API)", re.IGNORECASE)
_AWAY = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API|unexpected EOF$"
)
_BY_DAEMON = "Error response from daemon"
_MISSING = re.compile(r"No such image: (?P<image>\S+)")
_MAY_GO_ON = "What it had begun may go on."
_INTERRUPTED = 130
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Model:
    """What an act needs to know of the file: its services, which of them own containers under another name, and for how many
    seconds they may take to end and to become healthy."""

    project: str
    services: frozenset[str]
    containers: Mapping[str, str]
    grace: float
    probing: float


class ComposeDoer:
    """See `sources.protocols.ComposeActs`.

    `file`, `project`, `profiles`, `env` and `root` are those that `ComposeCli` has, and the file means the same: of `env` only
    what Compose needs to run is passed on. It acts on the Engine at `endpoint`, whichever docker would choose.

    An act has no deadline. It is ended when Compose has said nothing for the longest grace (and the time that a probe may
    take) and `margin` seconds more. `last_words` are seconds that a Compose has which is told to end.

    The states of what `act` raises: those of `ComposeCli.project` while the file is read; DENIED, no rights to the Engine;
    UNREACHABLE, the Engine is away or Compose was ended; OK, the Engine has refused something, or there is no such service.
    A cancelled task stays cancelled: Compose was told to end, and nobody knows what has become of what it had begun.
    """

    def __init__(
        self,
        *,
        file: Path | None,
        project: str | None,
        profiles: Sequence[str],
        endpoint: Endpoint,
        env: Mapping[str, str],
        root: Path,
        margin: float = 60.0,
        last_words: float = 5.0,
        timeout: float = 10.0,
    ) -> None:
        self._place = Place.of(file, root)
        self._options = [*(["-p", project] if project else []), *(f"--profile={profile}" for profile in profiles)]
        self._endpoint = endpoint
        self._env = env
        self._reading = Reading(self._place, for_reading(env), timeout)
        self._children = Children()
        self._margin = margin
        self._last_words = last_words

    async def act(self, verb: str, services: Sequence[str], grace: int | None, tell: Callable[[Clean], None]) -> None:
        """Raises ValueError for a verb that is none, a grace below zero, and services of a `down`."""
        words = _words(verb, services, grace)
        if not self._place.is_there():
            raise SourceError(SourceState.OFF, clean(f"No compose file at {self._place.short}."))
        compose = await program.find(self._env, self._reading.run, "nothing can be done to its services")
        model = await self._model(compose)
        for service in services:
            if service not in model.services:
                # Compose itself does not mind a service whose profile is off: it does nothing, and says that all went well.
                raise NotThereError(SourceState.OK, clean(f"{self._place.short}: no such service: {service}"))
        quiet = self._margin + (model.grace if grace is None else max(grace, model.grace))
        if verb in _WAITING:
            quiet += model.probing
        command = [*self._options, "-f", str(self._place.file), *words]
        progress = Progress(model.project, model.containers, tell)
        status = await self._follow([*compose, "--progress", "json", *command], quiet, progress)
        if status and any(_UNKNOWN_OPTION.search(one) for one in progress.raw):
            progress = Progress(model.project, model.containers, tell)
            status = await self._follow([*compose, *command], quiet, progress)
        if status:
            raise self._failure(status, progress)
        if not progress.begun:
            tell(clean("there was nothing to do"))

    def command(self, verb: str, services: Sequence[str], grace: int | None) -> Clean:
        """Fit for a shell at `root`. Names the Engine where docker would choose another one there; ValueError as for `act`."""
        where = self._place.short
        set_before = [f"{name}={shlex.quote(value)}" for name, value in typed(self._env, self._endpoint).items()]
        words = ["docker", "compose", *self._options, "-f", f"./{where}" if where.startswith("-") else where]
        return clean(" ".join([*set_before, shlex.join([*words, *_words(verb, services, grace)])]))

    async def aclose(self) -> None:
        """End what runs; whoever waits for it gets a SourceError that is unsure."""
        await self._children.aclose()
        await self._reading.aclose()

    async def _model(self, compose: Sequence[str]) -> _Model:
        """The file as it is now: one that is wrong is refused before anything is done."""
        config = await self._reading.run([*compose, *self._options, "-f", str(self._place.file), "config", "--format", "json"])
        if config.status != 0:
            raise self._reading.refusal(config)
        model = self._reading.model(config)
        specs = {str(name): spec for name, spec in model["services"].items() if isinstance(spec, dict)}
        return _Model(
            project=str(model["name"]),
            services=frozenset(specs),
            containers={str(spec["container_name"]): name for name, spec in specs.items() if spec.get("container_name")},
            grace=max((_seconds(spec.get("stop_grace_period")) or _DEFAULT_GRACE for spec in specs.values()), default=0.0),
            probing=max((patience(_probe(spec)) for spec in specs.values()), default=0.0),
        )

    async def _follow(self, command: Sequence[str], quiet: float, progress: Progress) -> int:
        try:
            return await self._children.follow(
                command,
                env=for_acting(self._env, self._endpoint),
                cwd=self._place.file.parent,
                quiet=quiet,
                hear=progress.hear,
                last_words=self._last_words,
            )
        except TimeoutError:
            raise _unsure(f"Compose has said nothing for {quiet:.0f}s and was ended. {_MAY_GO_ON}") from None
        except OSError as failed:
            reason = f"Compose cannot be run: {command[0]}: {failed.strerror}."
            raise SourceError(SourceState.OFF, clean(reason)) from None

    def _failure(self, status: int, progress: Progress) -> SourceError:
        own = [one for one in progress.raw if not one.startswith(_BY_DAEMON)]
        if status < 0 or (status == _INTERRUPTED and not own):
            return _unsure(f"Compose was ended by signal {-status if status < 0 else 2}. {_MAY_GO_ON}")
        if any(_DENIED.search(one) for one in own):
            reason = f"No permission for {self._endpoint}. Join group docker, then log in again."
            return SourceError(SourceState.DENIED, clean(reason))
        if any(_AWAY.search(one) for one in own):
            if progress.begun:
                return _unsure(f"Docker on {self._endpoint} went away. {_MAY_GO_ON}")
            return SourceError(SourceState.UNREACHABLE, clean(f"Docker on {self._endpoint} cannot be reached."))
        missing = _MISSING.search(progress.complaint)
        if missing is not None:
            reason = f"{missing['image']} is not on this Engine: pull or build it first."
            return SourceError(SourceState.OK, clean(reason))
        return SourceError(SourceState.OK, progress.complaint or clean(f"Compose ended with {status} and gives no reason."))


def _unsure(reason: str) -> SourceError:
    error = SourceError(SourceState.UNREACHABLE, clean(reason))
    error.unsure = True
    return error


def _words(verb: str, services: Sequence[str], grace: int | None) -> list[str]:
    """The command behind the options that all share."""
    if verb not in _VERBS:
        raise ValueError(f"not a verb of Compose's: {verb!r}")
    if grace is not None and grace < 0:
        raise ValueError(f"a grace of {grace} seconds")
    if verb == "down" and services:
        raise ValueError("down takes the whole project")
    words, named, graceful = _VERBS[verb]
    timeout = ["-t", str(grace)] if graceful and grace is not None else []
    # A service may be called like an option.
    end = ["--"] if any(service.startswith("-") for service in services) else []
    return [*words, *(named if services else ()), *timeout, *end, *services]


def _probe(spec: Spec) -> ProbePlan | None:
    check = spec.get("healthcheck")
    if not isinstance(check, Mapping) or check.get("disable"):
        return None
    retries = check.get("retries")
    return ProbePlan(
        command=clean(""),
        interval=_seconds(check.get("interval")),
        timeout=_seconds(check.get("timeout")),
        retries=retries if isinstance(retries, int) else 0,
        start_period=_seconds(check.get("start_period")),
    )


def _seconds(told: object) -> float:
    """Of a duration as Compose writes it: `1m30s`. 0 for what is none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(told)) if isinstance(told, str) else 0.0
