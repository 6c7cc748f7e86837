"""Reading the settings: five places, lowest first, every value with where it came from, every mistake with its line."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from console.settings.description import SettingInfo, Settings, describe
from console.settings.plainfile import read_plain
from console.settings.secret import OpenSecretError, Secret, check_secret_file
from console.text import Clean, clean
from console.text.near import did_you_mean, nearest

ADMINISTRATOR = Path("/etc/mlops-console/config.toml")
REPOSITORY_NAME = ".mlops-console.toml"
KEY_NAME = "key.pem"
LARGEST = 256 * 1024
"""Bytes of one file of settings: what is larger was put there by mistake, or to keep us busy."""

_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """Something in the settings is wrong. `problems` holds one sentence for each mistake, `secret_files` the files with
    secrets that are named all the same."""

    def __init__(self, problems: Collection[Clean], secret_files: Collection[Path] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        self.secret_files = tuple(secret_files)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from. `kind` is `default`, `file`, `environment` or `command line`, `where` names it."""

    kind: str
    where: Clean


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A place where settings are looked for. `role` is `administrator`, `user`, `given` or `repository`."""

    path: Path
    role: str
    found: bool


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line sets."""

    config: Path | None = None
    read_only: bool | None = None
    no_color: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the origin of each by its dotted key, and the files that were looked for, in the order they count."""

    settings: Settings
    origins: Mapping[str, Origin]
    files: tuple[SettingsFile, ...]

    @property
    def projects(self) -> Path:
        """The folder of the training projects: that of the repository one is in, where the settings name no other."""
        return next(one.path.parent for one in self.files if one.role == "repository") / self.settings.projects.dir

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """Files with secrets that the settings name, there or not."""
        named = self.settings
        return _secret_files(named.jenkins.token_file, named.notify.secret_file, named.docker.cert_path)

    @property
    def read_only(self) -> Clean | None:
        """What has switched every act off: `--read-only`, `MLOPS_READ_ONLY`, or a file and its line. None where acts are on."""
        return self.origins["read_only"].where if self.settings.read_only else None


def _secret_files(token: Path | None, notify: Path | None, certificates: Path | None) -> tuple[Path, ...]:
    key = certificates / KEY_NAME if certificates is not None else None
    return tuple(one for one in (token, notify, key) if one is not None)


@dataclass(slots=True)
class _Found:
    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[Clean] = field(default_factory=list)
    forced: dict[str, tuple[Any, Origin]] = field(default_factory=dict)
    """What the administrator has decided: nothing that is read later changes it."""

    def set(self, key: str, value: Any, origin: Origin) -> None:
        self.values[key] = value
        self.origins[key] = origin


def load(
    *, argv: Overrides, env: Mapping[str, str], cwd: Path, etc: Path = ADMINISTRATOR, open_secrets: bool = False
) -> Loaded:
    """The settings for this call. SettingsError with every mistake of every place.

    With `open_secrets` a secret that others can read is none: for who tells it in another way, and mends it. Whoever then
    reads it is still refused.
    """
    files = places(argv, env, cwd, etc)
    found = _Found()
    for place in files:
        if place.found or place.role == "given":
            _read_file(place, found)
    _read_environment(env, cwd, found)
    if argv.read_only is not None:
        found.set("read_only", argv.read_only, Origin("command line", clean("--read-only")))
    if argv.no_color:
        found.set("screen.color", "never", Origin("command line", clean("--no-color")))
    for key, (value, origin) in found.forced.items():
        found.set(key, value, origin)
    _check_secrets(found, open_secrets=open_secrets)
    if found.problems:
        named = (found.values.get(key) for key in ("jenkins.token_file", "notify.secret_file", "docker.cert_path"))
        raise SettingsError(found.problems, _secret_files(*named))
    return Loaded(_build(found), _origins(found), files)


def places(argv: Overrides, env: Mapping[str, str], cwd: Path, etc: Path = ADMINISTRATOR) -> tuple[SettingsFile, ...]:
    """The files that count, lowest first. A file given by name takes the place of the user's own."""
    given = argv.config or (Path(env["MLOPS_CONFIG"]) if env.get("MLOPS_CONFIG") else None)
    found = [SettingsFile(etc, "administrator", _is_there(etc))]
    if given is not None:
        found.append(SettingsFile(cwd / expanded(given), "given", True))
    else:
        user = user_file(env)
        found.append(SettingsFile(user, "user", _is_there(user)))
    repository = _repository(cwd) / REPOSITORY_NAME
    found.append(SettingsFile(repository, "repository", _is_there(repository)))
    return tuple(found)


def _is_there(path: Path) -> bool:
    """True also for what cannot be looked at: reading it then says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def expanded(path: Path) -> Path:
    """`~` and `~user` replaced; a user that nobody knows stays as it is written, and is then not found."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def user_file(env: Mapping[str, str]) -> Path:
    """The person's own file: `$XDG_CONFIG_HOME/mlops-console/config.toml`, usually below ~/.config."""
    home = env.get("XDG_CONFIG_HOME") or str(Path(env.get("HOME") or "/") / ".config")
    return Path(home) / "mlops-console" / "config.toml"


def _repository(cwd: Path) -> Path:
    """The nearest folder from here up that holds a `.git`; here, when none does."""
    return next((folder for folder in (cwd, *cwd.parents) if (folder / ".git").exists()), cwd)


def _read_file(place: SettingsFile, found: _Found) -> None:
    import tomllib

    from console.settings.lines import LineFinder

    name = clean(str(place.path))
    try:
        text = read_plain(place.path, LARGEST).decode()
        values = tomllib.loads(text)
        lines = LineFinder(text)
    except OSError as failed:
        found.problems.append(clean(f"{name}: cannot be read: {failed.strerror}"))
        return
    except UnicodeDecodeError:
        found.problems.append(clean(f"{name}: is not UTF-8 text"))
        return
    except RecursionError:
        found.problems.append(clean(f"{name}: is no file of settings: lists within lists without end"))
        return
    except tomllib.TOMLDecodeError as broken:
        line, what = _place_in(text, str(broken))
        found.problems.append(clean(f"{name} line {line}: is no TOML: {what}"))
        return
    _Reader(place, name, lines, found).read(values)


def _place_in(text: str, said: str) -> tuple[int, str]:
    """The line of which the standard library's reader complains at the end of its sentence, and the sentence without it."""
    if (found := _AT.search(said)) is not None:
        return int(found[1]), f"{said[: found.start()]}, in column {found[2]}"
    return max(1, len(text.splitlines())), said.replace(" (at end of document)", ", at the end of the file")


class _Reader:
    """Takes the values of one file over, or says what is wrong with them and on which line."""

    def __init__(self, place: SettingsFile, name: Clean, lines: Any, found: _Found) -> None:
        self._place = place
        self._name = name
        self._lines = lines
        self._found = found
        self._known = {info.key: info for info in describe()}
        self._groups = {key.partition(".")[0] for key in self._known if "." in key}

    def read(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name == "keys":
                self._keys(value)
            elif name in self._groups and isinstance(value, dict):
                for inner, deep in value.items():
                    self._one(f"{name}.{inner}", (name, inner), deep)
            elif name in self._groups:
                self._wrong((name,), f"{name} is a table: write [{name}] and its settings below")
            elif isinstance(value, dict) and value and nearest(name, self._groups, alike=0.6):
                # A table whose name is mistyped: what was meant is told by its settings.
                for inner, deep in value.items():
                    self._one(f"{name}.{inner}", (name, inner), deep)
            else:
                self._one(name, (name,), value)

    def _keys(self, value: Any) -> None:
        if self._place.role == "repository":
            self._refused("keys", ("keys",))
            return
        if not isinstance(value, dict):
            self._wrong(("keys",), 'keys is a table: write [keys] and lines such as filter = "f"')
            return
        for name, key in value.items():
            if isinstance(key, str) and key.strip():
                self._found.keys[name] = key
                self._found.origins[f"keys.{name}"] = self._origin(("keys", name))
            else:
                self._wrong(("keys", name), f"keys.{name} wants the name of a key as a text, found {key!r}")

    def _one(self, key: str, path: tuple[str, ...], value: Any) -> None:
        info = self._known.get(key)
        if info is None:
            hint = did_you_mean(key, [*self._known, "keys"], alike=0.6, otherwise=" All settings: docs/settings.md")
            self._wrong(path, f"there is no setting {key}.{hint}")
        elif self._place.role == "repository" and not info.repository:
            self._refused(key, path)
        elif info.secret:
            self._wrong(path, f"{key} is a secret and does not belong into a file like this. Use {info.env} or {key}_file")
        else:
            self._take(info, path, value)

    def _take(self, info: SettingInfo, path: tuple[str, ...], value: Any) -> None:
        try:
            taken = converted(info, value)
        except ValueError as wrong:
            self._wrong(path, str(wrong))
            return
        if isinstance(taken, Path):
            taken = self._place.path.parent / expanded(taken)
            if self._place.role == "repository" and not taken.resolve().is_relative_to(self._place.path.parent.resolve()):
                self._wrong(path, f"{info.key} of a repository must stay inside of it, {value!r} does not")
                return
        self._found.set(info.key, taken, self._origin(path))
        if info.forced and taken is True and self._place.role == "administrator":
            self._found.forced[info.key] = (taken, self._origin(path))

    def _origin(self, path: tuple[str, ...]) -> Origin:
        return Origin("file", clean(f"{self._name}:{self._lines.line(path)}"))

    def _refused(self, key: str, path: tuple[str, ...]) -> None:
        self._wrong(
            path,
            f"{key} cannot be set by a repository, so that a clone can neither run commands nor redirect a token. "
            f"Set it in {user_file(os.environ)}",
        )

    def _wrong(self, path: tuple[str, ...], what: str) -> None:
        self._found.problems.append(clean(f"{self._name} line {self._lines.line(path)}: {what}"))


_MOST = 10_000


def converted(info: SettingInfo, value: Any) -> Any:
    """`value` as the setting's type; ValueError with a sentence when it is something else."""
    import msgspec

    try:
        taken = msgspec.convert(value, info.kind, strict=True, dec_hook=_paths)
    except (msgspec.ValidationError, TypeError):
        taken = None
    usable = taken is not None and taken != Path() and (not isinstance(taken, float) or 0 < taken < 86_400)
    if info.kind is int:
        usable = isinstance(taken, int) and 0 < taken <= _MOST
    if not usable:
        shown = "a table" if isinstance(value, dict) else repr(value)
        unit = f" of {info.unit}" if info.unit else ""
        unit += f" from 1 to {_MOST}" if info.kind is int else " above 0" if info.unit else ""
        raise ValueError(f"{info.key} wants {info.expected}{unit}, found {shown[:80]}")
    return taken


def _paths(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(kind)


def _read_environment(env: Mapping[str, str], cwd: Path, found: _Found) -> None:
    for info in describe():
        text = env.get(info.env, "") if info.env else ""
        if not text:
            continue
        origin = Origin("environment", clean(info.env))
        if info.kind is bool:
            word = text.strip().lower()
            if word not in _TRUE | _FALSE:
                found.problems.append(clean(f"{info.env} wants 1 or 0, true or false, found {text!r}"))
                continue
            found.set(info.key, word in _TRUE, origin)
        elif info.secret:
            found.set(info.key, Secret(text), origin)
        elif Path in get_args(info.kind) or info.kind is Path:
            found.set(info.key, cwd / expanded(Path(text)), origin)
        else:
            found.set(info.key, text, origin)
    if env.get("NO_COLOR"):
        found.set("screen.color", "never", Origin("environment", clean("NO_COLOR")))


def _check_secrets(found: _Found, *, open_secrets: bool) -> None:
    """A secret that others can read is told at once, not when it is first used in the middle of something."""
    path = found.values.get("jenkins.token_file")
    if path is not None:
        try:
            check_secret_file(path)
        except OSError as refused:
            if open_secrets and isinstance(refused, OpenSecretError):
                return
            found.problems.append(clean(f"{found.origins['jenkins.token_file'].where}: {refused.strerror}"))


def _build(found: _Found) -> Settings:
    settings = Settings(keys=dict(found.keys))
    for key, value in found.values.items():
        group, _, name = key.rpartition(".")
        if group:
            changed = replace(getattr(settings, group), **{name: value})
            settings = replace(settings, **{group: changed})
        else:
            settings = replace(settings, **{name: value})
    return settings


def _origins(found: _Found) -> Mapping[str, Origin]:
    default = Origin("default", clean("default"))
    known = {info.key: found.origins.get(info.key, default) for info in describe()}
    return known | {key: origin for key, origin in found.origins.items() if key.startswith("keys.")}


def check_keys(loaded: Loaded, known: Collection[str], wrong: Mapping[str, str]) -> None:
    """SettingsError for every entry of `[keys]` that names nothing there is to do, or whose key is `wrong`: by id, why."""
    problems = []
    for name, key in loaded.settings.keys.items():
        if name in known:
            if name in wrong:
                problems.append(clean(f'{loaded.origins[f"keys.{name}"].where}: keys.{name} = "{key}": {wrong[name]}'))
            continue
        hint = did_you_mean(name, known, otherwise=" All names: docs/keys.md")
        where = loaded.origins[f"keys.{name}"].where
        problems.append(clean(f"{where}: keys.{name} names nothing there is to do.{hint}"))
    if problems:
        raise SettingsError(problems)
