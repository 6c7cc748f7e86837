"""The docker package, held to the rules of this console. It and requests take long to load: only threads do.

Left to itself it reads ~/.docker/config.json and fails on an odd one, takes proxies out of the environment, speaks whatever
version the Engine likes, lets ssh ask for passwords on the screen, and does not say what it had sent when something went wrong.
So its session and its connections are ours; what is asked for, and how, is the package's.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import docker  # type: ignore[import-untyped]
import requests
from docker.auth import AuthConfig  # type: ignore[import-untyped]
from docker.utils.proxy import ProxyConfig  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Retry
from urllib3.connection import HTTPConnection

from console.model.source import SourceError
from console.sources.docker_acts.call import Call, CalledOffError, NotReachedError
from console.sources.docker_acts.errors import explained
from console.sources.docker_engine.api import settled
from console.sources.docker_engine.client import tls_context
from console.sources.docker_engine.endpoint import Endpoint

LARGEST_ANSWER = 64 * 1024 * 1024
_CONNECT = 10.0
_WHO = 30.0
_PIECE = 64 * 1024
_URL = "http+docker://localhost"
_READS = frozenset({"GET", "HEAD"})
T = TypeVar("T")


class _Connection(HTTPConnection):
    def __init__(self, endpoint: Endpoint, call: Call) -> None:
        super().__init__("localhost")
        self._endpoint = endpoint
        self._call = call
        self._changes = False

    def connect(self) -> None:
        asked, self._call.limit = self._call.limit, min(self._call.limit, _CONNECT)
        try:
            self.sock = dial(self._endpoint, self._call, self._call.limit)
        except OSError as failed:
            raise NotReachedError from failed
        self._call.limit = asked

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        self._changes = method not in _READS
        super().putrequest(method, url, skip_host=skip_host, skip_accept_encoding=skip_accept_encoding)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._call.sending(changes=self._changes)
        super().send(data)


class _Pool(HTTPConnectionPool):
    def __init__(self, endpoint: Endpoint, call: Call) -> None:
        super().__init__("localhost", maxsize=1)
        self._endpoint = endpoint
        self._call = call

    def _new_conn(self) -> _Connection:
        return _Connection(self._endpoint, self._call)


class _Adapter(HTTPAdapter):
    """Every request goes to the Engine, whatever its address says, and none goes twice."""

    def __init__(self, endpoint: Endpoint, call: Call) -> None:
        self._pool = _Pool(endpoint, call)
        super().__init__(max_retries=Retry(0, read=False, redirect=False, respect_retry_after_header=False))

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> _Pool:
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return request.path_url

    def close(self) -> None:
        self._pool.close()
        super().close()


class Library(docker.APIClient):  # type: ignore[misc]
    """One Engine, for one act in one thread. `status` is the newest answer's: the package does not tell 204 from 304."""

    def __init__(self, endpoint: Endpoint, call: Call, timeout: float) -> None:
        # The package's own beginning reads files and asks for the version; this is the rest of it.
        requests.Session.__init__(self)
        self.trust_env = False
        self.headers["User-Agent"] = "mlops-console"
        self.base_url = _URL
        # One that hangs is noticed before anything is asked of it, however long that may take.
        self.timeout = call.limit = min(timeout, _WHO)
        self.credstore_env = None
        self._general_configs: dict[str, object] = {}
        self._proxy_configs = ProxyConfig()
        self._auth_configs = AuthConfig({})
        self._custom_adapter = _Adapter(endpoint, call)
        self.adapters.clear()
        self.mount("http+docker://", self._custom_adapter)
        self.status = 0
        used = settled(self.version(api_version=False), str(endpoint))
        self._version = f"{used[0]}.{used[1]}"
        self.timeout = call.limit = timeout

    def send(self, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        streams = named.pop("stream", False)
        # A redirect would send a request to another place, and as another kind.
        response: requests.Response = super().send(request, **{**named, "stream": True, "allow_redirects": False})
        self.status = response.status_code
        if not streams or self.status >= 300:
            body = bytearray()
            for piece in response.iter_content(_PIECE):
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise ValueError(f"an answer of more than {LARGEST_ANSWER >> 20} MiB")
            response._content = bytes(body)  # what its own reading would keep, which knows no bound
        if 300 <= self.status < 400 and self.status != 304:
            raise ValueError("an answer that leads elsewhere")
        return response

    def exec_output(self, exec_id: str) -> Iterator[bytes]:
        """Begin what `exec_create` has made, and what it says, in pieces as they come. The package would have the connection
        become a raw one, and read it past all limits; without that it is an answer like any other."""
        data = {"Detach": False, "Tty": False}
        answer = self._post_json(self._url("/exec/{0}/start", exec_id), data=data, stream=True)
        self._raise_for_status(answer)
        pieces: Iterator[bytes] = answer.iter_content(_PIECE)
        return pieces


def perform(endpoint: Endpoint, call: Call, timeout: float, work: Callable[[Library], T]) -> T:
    """What `work` makes of the Engine. `timeout` are seconds for each answer.

    Raises SourceError, and CalledOffError when nobody waits any more.
    """
    library: Library | None = None
    try:
        library = Library(endpoint, call, timeout)
        return work(library)
    except (SourceError, CalledOffError):
        raise
    except Exception as error:
        raise explained(error, endpoint, call) from None
    finally:
        if library is not None:
            library.close()
        call.close()


def dial(endpoint: Endpoint, call: Call, limit: float) -> socket.socket:
    if endpoint.kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        call.opened(connection)
        connection.settimeout(limit)
        connection.connect(str(endpoint.path))
        return connection
    if endpoint.kind == "ssh":
        return _dial_ssh(endpoint, call)
    context = tls_context(endpoint.tls) if endpoint.tls else None
    connection = socket.create_connection((endpoint.host, endpoint.port), limit)
    try:
        if context is not None:
            connection = context.wrap_socket(connection, server_hostname=endpoint.host)
        call.opened(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _dial_ssh(endpoint: Endpoint, call: Call) -> socket.socket:
    """As `DockerEngine` does. The package's own way has no time limits and lets ssh ask the person at the terminal."""
    where = f"{endpoint.user}@{endpoint.host}" if endpoint.user else endpoint.host
    port = ["-p", str(endpoint.port)] if endpoint.port else []
    command = ["ssh", "-o", "BatchMode=yes", "-T", *port, "--", where, "docker system dial-stdio"]
    ours, theirs = socket.socketpair()
    with theirs:
        call.opened(ours)
        end = theirs.fileno()
        child = subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.PIPE, start_new_session=True)  # noqa: S603
    call.opened(ours, child)
    return ours
