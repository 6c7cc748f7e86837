"""The settings themselves. Everything else about them (manual, example, checks, variables) is made from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from console.settings.secret import Secret

Theme = Literal["auto", "ansi", "dark", "light", "contrast"]
GlyphSet = Literal["auto", "unicode", "ascii"]
ColorUse = Literal["auto", "never"]
MotionUse = Literal["auto", "reduced"]
TerminalNotice = Literal["off", "bell", "osc9", "osc777"]
NotifyEvent = Literal["ended", "failed", "unhealthy"]


def _setting(
    words: str,
    default: Any,
    *,
    env: str = "",
    repository: bool = False,
    secret: bool = False,
    unit: str = "",
    forced: bool = False,
) -> Any:
    return field(
        default=default,
        metadata={"words": words, "env": env, "repository": repository, "secret": secret, "unit": unit, "forced": forced},
    )


@dataclass(frozen=True, slots=True)
class Docker:
    host: str = _setting(
        "Address of the Docker Engine: unix://PATH, tcp://HOST:PORT or ssh://USER@HOST. Empty: as `docker` finds it.",
        "",
        env="DOCKER_HOST",
    )
    context: str = _setting("Docker context to use when no address is given.", "", env="DOCKER_CONTEXT")
    timeout: float = _setting("How long one request may take.", 5.0, unit="seconds")
    tls_verify: bool = _setting("Verify the Engine's certificate on tcp.", False, env="DOCKER_TLS_VERIFY")
    cert_path: Path | None = _setting("Folder with ca.pem, cert.pem and key.pem for tcp.", None, env="DOCKER_CERT_PATH")


@dataclass(frozen=True, slots=True)
class Compose:
    file: Path | None = _setting(
        "Compose file of the platform. Empty: infra/docker-compose.yml of the current folder if it is there.",
        None,
        env="MLOPS_COMPOSE_FILE",
        repository=True,
    )
    project: str = _setting(
        "Name of the Compose project. Empty: what the file says.",
        "",
        env="MLOPS_COMPOSE_PROJECT",
        repository=True,
    )
    profiles: tuple[str, ...] = _setting("Compose profiles that are switched on.", (), repository=True)


@dataclass(frozen=True, slots=True)
class Projects:
    dir: Path = _setting(
        "Folder with one training project in each subfolder: they complete `runs --project`.",
        Path("projects"),
        repository=True,
    )


@dataclass(frozen=True, slots=True)
class Jenkins:
    url: str = _setting("Address of Jenkins. Empty: the one that `mlops-console login` was told.", "", env="MLOPS_JENKINS_URL")
    user: str = _setting("User at Jenkins. Empty: the one that `mlops-console login` was told.", "", env="MLOPS_JENKINS_USER")
    token: Secret | None = _setting(
        "API token of that user. Only in the variable; in a file it is refused: name a file with jenkins.token_file.",
        None,
        env="MLOPS_JENKINS_TOKEN",
        secret=True,
    )
    token_file: Path | None = _setting(
        "File that holds the API token and that only its owner may read.", None, env="MLOPS_JENKINS_TOKEN_FILE"
    )
    ca_file: Path | None = _setting("File with certificates (PEM) to trust besides the system's.", None)
    timeout: float = _setting("How long one request may take.", 5.0, unit="seconds")
    insecure_http: bool = _setting("Allow plain http to a Jenkins that is not on this machine.", False)


@dataclass(frozen=True, slots=True)
class Prune:
    keep_images: int = _setting("Images of each project that a prune leaves: the newest.", 3)
    keep_builds: int = _setting("Successful builds of each project whose images a prune leaves: the newest.", 10)
    unused_days: int = _setting("What is younger, or was used since, a prune leaves.", 30, unit="days")


@dataclass(frozen=True, slots=True)
class History:
    path: Path | None = _setting(
        "The file that runs and curves are recorded in and read from. Empty: $XDG_STATE_HOME/mlops-console/history.db.",
        None,
        env="MLOPS_HISTORY",
    )
    size: int = _setting("How large it may get: beyond that the oldest curves go.", 1024, unit="MiB")
    interval: float = _setting("How often `record` looks at trainings, cards and machine.", 10.0, unit="seconds")
    jenkins_interval: float = _setting("How often `record` asks Jenkins.", 30.0, unit="seconds")
    run_folders: tuple[str, ...] = _setting(
        "Folders with run folders (`runs/train-41`), by absolute paths: what `record` missed is read there too."
        " Empty: `runs` of the current folder.",
        (),
    )


@dataclass(frozen=True, slots=True)
class Notify:
    terminal: TerminalNotice = _setting(
        "What the terminal gets when a run that is followed ends or is in trouble; osc9 and osc777 are notices on the desktop.",
        "off",
    )
    events: tuple[NotifyEvent, ...] = _setting(
        "What `record` tells about: ended, failed, unhealthy. Empty: nothing. See docs/notifications.md.", ()
    )
    projects: tuple[str, ...] = _setting("Only runs of these projects. Empty: of all.", ())
    webhook: str = _setting("Address that each event is posted to as JSON: https, or http on this machine.", "")
    header: str = _setting("Header that carries the content of notify.secret_file.", "Authorization")
    secret_file: Path | None = _setting("File with what the webhook wants in that header; only its owner may read it.", None)
    command: tuple[str, ...] = _setting(
        "Program and arguments that get each event as JSON on their input: no shell, an absolute path.", ()
    )
    timeout: float = _setting("How long one post, or the command, may take.", 10.0, unit="seconds")


@dataclass(frozen=True, slots=True)
class Screen:
    theme: Theme = _setting(
        "Colours: auto looks at the terminal, ansi uses its own 16, contrast is for tired eyes.",
        "auto",
        repository=True,
    )
    glyphs: GlyphSet = _setting("Characters of states and curves.", "auto", repository=True)
    color: ColorUse = _setting("Whether colours are used at all. NO_COLOR means never.", "auto", repository=True)
    mouse: bool = _setting("Whether the mouse does what the keys do.", True, repository=True)
    motion: MotionUse = _setting(
        "How much moves: reduced paints figures anew every 10 s unless a key is pressed, and logs every second.",
        "auto",
        repository=True,
    )
    tour: bool = _setting("Whether the demo shows its tour to who has not seen it.", True, env="MLOPS_TOUR", repository=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `keys` maps the names in docs/keys.md to keys."""

    docker: Docker = field(default_factory=Docker)
    compose: Compose = field(default_factory=Compose)
    projects: Projects = field(default_factory=Projects)
    jenkins: Jenkins = field(default_factory=Jenkins)
    prune: Prune = field(default_factory=Prune)
    history: History = field(default_factory=History)
    notify: Notify = field(default_factory=Notify)
    screen: Screen = field(default_factory=Screen)
    read_only: bool = _setting(
        "Switch every act off. True in the administrator's file it holds: nothing else can switch them on again.",
        False,
        env="MLOPS_READ_ONLY",
        forced=True,
    )
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting for people and for checks. `key` is dotted, `kind` its Python type, `expected` that type in words.

    `forced`: once it is true in the administrator's file it stays true, whatever is read later.
    """

    key: str
    kind: Any
    expected: str
    default: Any
    env: str
    secret: bool
    repository: bool
    words: str
    unit: str
    forced: bool


@cache
def describe() -> tuple[SettingInfo, ...]:
    """Every setting but the `keys` table, in the order of the manual."""
    found: list[SettingInfo] = []
    hints = get_type_hints(Settings)
    for group in fields(Settings):
        if group.name == "keys":
            continue
        if group.metadata:
            found.append(_info(group.name, hints[group.name], group.default, group.metadata))
            continue
        inner = get_type_hints(hints[group.name])
        found += [
            _info(f"{group.name}.{one.name}", inner[one.name], one.default, one.metadata) for one in fields(hints[group.name])
        ]
    return tuple(found)


def _info(key: str, kind: Any, default: Any, metadata: Mapping[str, Any]) -> SettingInfo:
    return SettingInfo(
        key=key,
        kind=kind,
        expected=_expected(kind),
        default=default,
        env=metadata["env"],
        secret=metadata["secret"],
        repository=metadata["repository"],
        words=metadata["words"],
        unit=metadata["unit"],
        forced=metadata["forced"],
    )


def _expected(kind: Any) -> str:
    """A type in the words of a message."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    names = {
        str: "a text",
        bool: "true or false",
        float: "a number",
        int: "a whole number",
        tuple[str, ...]: "a list of texts",
        tuple[NotifyEvent, ...]: f"a list of: {', '.join(get_args(NotifyEvent))}",
    }
    if kind in names:
        return names[kind]
    return "a secret" if Secret in get_args(kind) else "a path"
