"""Which Engine to talk to: the rules of the docker command line, so that both see the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.model.source import SourceError, SourceState
from console.text import Clean, clean

DEFAULT_SOCKET = Path("/var/run/docker.sock")
_SOCKET_FOLDERS = (DEFAULT_SOCKET.parent, Path("/run"))
_ROOTLESS = Path("/run/user")
_TCP_PORT, _TLS_PORT = 2375, 2376


@dataclass(frozen=True, slots=True)
class Tls:
    """Client TLS: a folder with ca.pem, cert.pem and key.pem (each optional), and whether the server is verified."""

    folder: Path
    verify: bool


@dataclass(frozen=True, slots=True)
class There:
    """A machine that another one's Engine is asked on, as its address names it."""

    host: Clean
    user: Clean

    @property
    def short(self) -> Clean:
        """Its name without its domain; an address stays whole."""
        first = self.host.partition(".")[0]
        return self.host if first.isdigit() or ":" in self.host else clean(first)

    @property
    def advice(self) -> Clean:
        """How to see what can only be seen there. A port that was forwarded to this machine does not tell where it leads."""
        if self.host in ("localhost", "::1") or self.host.startswith("127."):
            return Clean("Use --host with the name of the Engine's machine.")
        return clean(f"Use --host {self.user}@{self.host}." if self.user else f"Use --host {self.host}.")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the Engine listens. `kind` is `unix`, `tcp` or `ssh`; `automatic` when nobody asked for this one by name."""

    kind: str
    path: Path | None = None
    host: str = ""
    port: int = 0
    user: str = ""
    tls: Tls | None = None
    automatic: bool = False

    @property
    def local(self) -> bool:
        """True when the Engine's processes and cgroups can be on this machine."""
        return self.kind == "unix"

    @property
    def usual(self) -> bool:
        """True for a socket that Docker itself makes when it starts: where it is missing the address is right all the same."""
        if self.automatic:
            return True
        folder = self.path.parent if self.path is not None and self.path.name == DEFAULT_SOCKET.name else None
        return folder is not None and (folder in _SOCKET_FOLDERS or folder.parent == _ROOTLESS)

    @property
    def there(self) -> There:
        """The other machine. Only where this is not `local`."""
        return There(clean(self.host), clean(self.user))

    def __str__(self) -> str:
        if self.kind == "unix":
            return str(self.path)
        address = f"{self.user}@{self.host}" if self.user else self.host
        return f"{self.kind}://{address}:{self.port}" if self.port else f"{self.kind}://{address}"


def find_endpoint(
    host: str,
    context: str,
    env: Mapping[str, str],
    *,
    tls_verify: bool = False,
    cert_path: Path | None = None,
) -> Endpoint:
    """The Engine that `docker` would use: `host` (DOCKER_HOST), else `context`, else the current context, else the socket.

    Raises SourceError when the address or the context cannot be understood. `env` gives HOME, DOCKER_CONFIG and
    XDG_RUNTIME_DIR.
    """
    if host:
        folder = cert_path or _config_folder(env)
        tls = Tls(folder, tls_verify) if tls_verify or cert_path else None
        return parse_address(host, tls)
    name = context or _current_context(env)
    if name and name != "default":
        return _from_context(name, env)
    return Endpoint("unix", path=_default_socket(env), automatic=True)


def parse_address(address: str, tls: Tls | None = None) -> Endpoint:
    """An Endpoint out of `unix://PATH`, `tcp://HOST[:PORT]`, `https://...` or `ssh://[USER@]HOST[:PORT]`."""
    kind, separator, rest = address.partition("://")
    if not separator:
        raise _wrong(address, "it begins with unix://, tcp:// or ssh://")
    if kind == "unix":
        if not rest.startswith("/"):
            raise _wrong(address, "unix:// wants a full path, as in unix:///var/run/docker.sock")
        return Endpoint("unix", path=Path(rest))
    if kind not in ("tcp", "http", "https", "ssh"):
        raise _wrong(address, "it begins with unix://, tcp:// or ssh://")
    rest = rest.split("/", 1)[0]
    user, _, where = rest.rpartition("@")
    host, port = _host_and_port(address, where)
    if kind == "ssh":
        if host.startswith("-") or user.startswith("-"):
            raise _wrong(address, "a host or user cannot begin with '-'")
        return Endpoint("ssh", host=host, port=port or 0, user=user)
    if kind == "https" and tls is None:
        tls = Tls(Path("/nonexistent"), True)
    return Endpoint("tcp", host=host, port=port or (_TLS_PORT if tls else _TCP_PORT), tls=tls)


def _host_and_port(address: str, where: str) -> tuple[str, int | None]:
    if where.startswith("["):
        host, bracket, tail = where[1:].partition("]")
        if not bracket:
            raise _wrong(address, "an IPv6 address stands in brackets")
        port = tail.removeprefix(":")
    else:
        host, _, port = where.partition(":")
    if not host:
        raise _wrong(address, "a host is missing")
    if port and (not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536):
        raise _wrong(address, f"the port {port!r} is not a number from 1 to 65535")
    return host, int(port) if port else None


def _wrong(address: str, why: str) -> SourceError:
    return SourceError(SourceState.UNREACHABLE, clean(f"docker.host {address!r} is not understood: {why}."))


def _config_folder(env: Mapping[str, str]) -> Path:
    return Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or "/") / ".docker")


def _read_json(path: Path) -> object:
    import json

    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _current_context(env: Mapping[str, str]) -> str:
    config = _read_json(_config_folder(env) / "config.json")
    name = config.get("currentContext") if isinstance(config, dict) else None
    return name if isinstance(name, str) else ""


def _from_context(name: str, env: Mapping[str, str]) -> Endpoint:
    """Docker keeps a context in contexts/meta/<sha256 of the name>/meta.json and its keys in contexts/tls/<the same>."""
    import hashlib

    folder = _config_folder(env) / "contexts"
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _read_json(folder / "meta" / digest / "meta.json")
    try:
        docker = meta["Endpoints"]["docker"]  # type: ignore[index]  # any wrong shape ends in the except below
        host = docker["Host"]
        verify = not docker.get("SkipTLSVerify", False)
    except (KeyError, TypeError, AttributeError):
        host, verify = None, True
    if not isinstance(host, str):
        reason = f"Docker context {name!r} is not there or not readable. See: docker context ls"
        raise SourceError(SourceState.UNREACHABLE, clean(reason))
    keys = folder / "tls" / digest / "docker"
    return parse_address(host, Tls(keys, verify) if keys.is_dir() else None)


def _default_socket(env: Mapping[str, str]) -> Path:
    runtime = env.get("XDG_RUNTIME_DIR")
    if runtime and not DEFAULT_SOCKET.exists():
        rootless = Path(runtime) / "docker.sock"
        if rootless.exists():
            return rootless
    return DEFAULT_SOCKET
