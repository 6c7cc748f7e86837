"""The instruments on a real server, made of what the console has for it anyway."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from console.doctor.instruments import DockerSide, Instruments
from console.history.place import usual_place
from console.model.source import SourceError, SourceState, SourceStatus
from console.settings import Loaded, Overrides, SettingsError
from console.settings.loading import places, user_file
from console.sources.ownfiles import OwnFiles
from console.sources.systemd import Systemd
from console.sources.web import Web
from console.sources.whoami import person
from console.text import Clean

if TYPE_CHECKING:
    from console.sources.docker_engine.endpoint import Endpoint
    from console.sources.docker_engine.source import DockerEngine
    from console.sources.jenkins.client import Access
    from console.sources.protocols import ActingJenkins, Compose, Gpus, JenkinsAdmin, Machine

_UNSURE = SourceStatus(SourceState.OFF, Clean("The settings cannot be read."))


class Parts(Protocol):
    """What `console.backend` makes sources with."""

    @property
    def loaded(self) -> Loaded: ...

    @property
    def host(self) -> Clean: ...

    @property
    def endpoint(self) -> Endpoint: ...

    def engine(self) -> DockerEngine: ...

    def compose(self, engine: DockerEngine) -> Compose: ...

    def access(self) -> Access | SourceStatus: ...

    def jenkins(self) -> ActingJenkins | SourceStatus: ...

    def gpus(self) -> Gpus | SourceStatus: ...

    def machine(self) -> Machine | SourceStatus: ...


def instruments(parts: Parts, overrides: Overrides, env: Mapping[str, str], cwd: Path, etc: Path | None = None) -> Instruments:
    """For one event loop. Raises nothing: what cannot be made is told by the hop that would use it."""
    try:
        loaded: Loaded | SettingsError = parts.loaded
    except SettingsError as wrong:
        loaded = wrong
    sure = not isinstance(loaded, SettingsError)
    looked = loaded.files if not isinstance(loaded, SettingsError) else places(overrides, env, cwd, *([etc] if etc else []))
    who = person(env)
    return Instruments(
        host=parts.host,
        demo=False,
        loaded=loaded,
        own=tuple(one.path for one in looked if one.found and one.role != "repository"),
        keys=_keys(parts, loaded, env),
        user=who.user,
        uid=os.geteuid(),
        files=OwnFiles(),
        units=Systemd(env, os.geteuid()),
        web=Web(),
        docker=_docker(parts, loaded),
        jenkins=parts.jenkins() if sure else _UNSURE,
        admin=_admin(parts, loaded),
        gpus=parts.gpus() if sure else _UNSURE,
        machine=parts.machine() if sure else _UNSURE,
        history=usual_place(None if isinstance(loaded, SettingsError) else loaded.settings.history.path, env),
        away=_away(parts) if sure else None,
    )


def _keys(parts: Parts, loaded: Loaded | SettingsError, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Files with secrets of this person's. A link counts as what it leads to: that is read, and may be open."""
    from console.settings.loading import KEY_NAME
    from console.sources.jenkins.login import login_file

    named = [login_file(user_file(env).parent), *loaded.secret_files]
    if not isinstance(loaded, SettingsError):
        with suppress(SourceError):
            # Also where the Docker context, and no setting, names its folder.
            tls = parts.endpoint.tls
            named += [tls.folder / KEY_NAME] if tls is not None else []
    return tuple(dict.fromkeys(Path(os.path.realpath(one)) for one in named))


def _away(parts: Parts) -> Clean | None:
    try:
        endpoint = parts.endpoint
    except SourceError:
        return None
    return Clean(endpoint.there.advice) if not endpoint.local else None


def _docker(parts: Parts, loaded: Loaded | SettingsError) -> DockerSide | SourceStatus:
    if isinstance(loaded, SettingsError):
        return _UNSURE
    try:
        engine = parts.engine()
    except SourceError as error:
        return SourceStatus(error.state, error.reason)
    from console.sources.docker_acts import DockerActs

    acts = DockerActs(parts.endpoint) if loaded.read_only is None else None
    return DockerSide(engine, engine, parts.compose(engine), acts, acts)


def _admin(parts: Parts, loaded: Loaded | SettingsError) -> JenkinsAdmin | None:
    """None where Jenkins cannot be asked at all: its own hop says why."""
    if isinstance(loaded, SettingsError):
        return None
    found = parts.access()
    if isinstance(found, SourceStatus):
        return None
    from console.sources.jenkins.admin import JenkinsAdmin

    return JenkinsAdmin(found)
