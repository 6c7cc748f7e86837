"""The tests' own Engine with networks like a server's, and the namespace that it has them in."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import leftovers, skips
from tests.support.engine import Engine, NoEngineError
from tests.support.images import BUSYBOX, carry
from tests.support.namespace import Namespace
from tests.support.pythonbase import PYTHON, import_python
from tests.support.waiting import until_sync

SERVER = ("python3", "-m", "http.server", "--directory", "/etc", "8000")
ISOLATED = "com.docker.network.bridge.enable_icc=false"


@pytest.fixture
def namespace(engine: Engine) -> Iterator[Namespace]:
    """A network namespace, where an Engine can be started at all."""
    made = Namespace()
    yield made
    made.close()


@pytest.fixture
def own(networked_engine: Engine) -> Engine:
    """An Engine with networks and an image that can speak over them, for one test alone."""
    try:
        import_python(networked_engine)
    except NoEngineError as error:
        pytest.skip(skips.NO_ENGINE.format(why=error))
    return networked_engine


@pytest.fixture(scope="module")
def shared_or_reason() -> Iterator[Engine | str]:
    """The same for all tests here, or why there is none."""
    try:
        engine = Engine(networks=True)
    except NoEngineError as error:
        yield skips.NO_NETWORKS.format(why=error)
        return
    try:
        import_python(engine)
        yield engine
    except NoEngineError as error:
        yield skips.NO_ENGINE.format(why=error)
    finally:
        engine.close()


@pytest.fixture
def networked(engine: Engine, shared_or_reason: Engine | str) -> Iterator[Engine]:
    """The shared one; what a test made in it is removed."""
    if isinstance(shared_or_reason, str):
        pytest.skip(shared_or_reason)
    yield shared_or_reason
    for container in shared_or_reason.docker("ps", "--all", "--quiet").split():
        shared_or_reason.docker("rm", "--force", container)
    shared_or_reason.docker("network", "prune", "--force")


def _serve(engine: Engine, name: str, *options: str) -> str:
    """Start a web server's container; its address."""
    engine.docker("run", "--detach", "--init", f"--name={name}", *options, PYTHON, *SERVER)
    until_sync(lambda: _asks(engine, f"container:{name}", "127.0.0.1") == "served", "the server to answer itself")
    (network,) = engine.inspect(name)["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def _asks(engine: Engine, network: str, host: str) -> str:
    """What a container in `network` finds at the server of `host`: served, refused, silent, or unknown."""
    program = (
        "import socket, sys, urllib.request\n"
        "try:\n"
        "    urllib.request.urlopen(f'http://{sys.argv[1]}:8000/passwd', timeout=2).read()\n"
        "    print('served')\n"
        "except urllib.error.URLError as error:\n"
        "    reasons = {TimeoutError: 'silent', ConnectionRefusedError: 'refused', socket.gaierror: 'unknown'}\n"
        "    print(reasons.get(type(error.reason), repr(error.reason)))\n"
    )
    return engine.docker("run", "--rm", f"--network={network}", PYTHON, "python3", "-c", program, host).strip()


def test_containers_of_one_network_find_each_other_by_name_and_those_of_another_do_not(networked: Engine) -> None:
    for name in ("front", "back"):
        networked.docker("network", "create", name)
    address = _serve(networked, "web", "--network=front")
    assert _asks(networked, "front", "web") == "served"
    assert _asks(networked, "back", "web") == "unknown"
    assert _asks(networked, "back", address) == "silent"


def test_in_a_network_without_talk_between_containers_there_is_none(networked: Engine) -> None:
    networked.docker("network", "create", f"--opt={ISOLATED}", "lonely")
    address = _serve(networked, "web", "--network=lonely")
    assert _asks(networked, "lonely", address) == "silent"


def test_a_published_port_is_on_the_loopback_in_there_and_forwarded_out_here(networked: Engine) -> None:
    address = _serve(networked, "web", "--publish=127.0.0.1:8000:8000")
    with socket.socket() as out_here, pytest.raises(ConnectionRefusedError):
        out_here.connect(("127.0.0.1", 8000))

    port = networked.network.forward(8000)
    for _ in range(2):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/passwd", timeout=10) as answer:
            assert answer.read().startswith(b"root:")
    with networked.network.connect(8000, address) as direct:
        assert direct.getpeername() == (address, 8000)


def test_a_server_of_the_tests_answers_containers(networked: Engine) -> None:
    networked.docker("network", "create", "front")
    (settings,) = networked.api("GET", "/networks/front")["IPAM"]["Config"]
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing: it is no news."""

    server = networked.network.call(lambda: http.server.ThreadingHTTPServer((settings["Gateway"], 8000), Handler))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        assert _asks(networked, "front", settings["Gateway"]) == "served"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == ["/passwd"]


def test_stopped_and_started_again_it_is_in_the_same_network(own: Engine) -> None:
    _serve(own, "web", "--restart=always", "--publish=127.0.0.1:8000:8000")
    port = own.network.forward(8000)
    own.stop()
    own.start()
    until_sync(lambda: own.inspect("web")["State"]["Running"], "the container to come back")

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/passwd", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    until_sync(answers, "the published port to answer again")


def test_it_changes_nothing_out_here_and_leaves_nothing(own: Engine) -> None:
    own.docker("network", "create", "front")
    _serve(own, "web", "--network=front", "--publish=127.0.0.1:8000:8000")
    in_there = subprocess.run(own.network.command("cat", "/proc/net/dev"), capture_output=True, text=True, check=True).stdout
    bridges = {line.split(":")[0].strip() for line in in_there.splitlines() if line.lstrip().startswith(("br-", "docker"))}
    assert len(bridges) == 2
    out_here = Path("/proc/net/dev").read_text()
    assert [bridge for bridge in bridges if bridge in out_here] == []

    own.close()
    assert leftovers.find(own.folder) == []


def test_images_are_carried_from_one_engine_to_another(engine: Engine, networked_engine: Engine) -> None:
    carry(engine, networked_engine, BUSYBOX)
    assert networked_engine.docker("run", "--rm", BUSYBOX, "echo", "here") == "here\n"
    with pytest.raises(AssertionError, match="nothing:here: docker save: exit 1"):
        carry(engine, networked_engine, "nothing:here")


def test_without_networks_there_is_no_namespace(engine: Engine) -> None:
    with pytest.raises(RuntimeError, match=r"Engine\(networks=True\)"):
        _ = engine.network


def test_a_namespace_has_a_loopback_of_its_own(namespace: Namespace) -> None:
    with namespace.call(lambda: socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with namespace.connect(port) as inside:
            assert inside.getpeername() == ("127.0.0.1", port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10).close()


def test_what_fails_inside_fails_outside(namespace: Namespace) -> None:
    with pytest.raises(ConnectionRefusedError):
        namespace.connect(1)
    with pytest.raises(ZeroDivisionError):
        namespace.call(lambda: 1 / 0)


def test_a_forwarded_connection_carries_both_ways_until_either_end_is_done(namespace: Namespace) -> None:
    with namespace.call(lambda: socket.create_server(("127.0.0.1", 0))) as server:
        port = namespace.forward(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            end, _ = server.accept()
            with end:
                client.sendall(b"ask")
                client.shutdown(socket.SHUT_WR)
                assert end.makefile("rb").read() == b"ask"
                end.sendall(b"answer")
            assert client.makefile("rb").read() == b"answer"


def test_a_refusal_inside_ends_the_connection_outside(namespace: Namespace) -> None:
    port = namespace.forward(1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        assert client.recv(1) == b""


def test_closed_it_ends_what_is_open(namespace: Namespace) -> None:
    with namespace.call(lambda: socket.create_server(("127.0.0.1", 0))) as server:
        port = namespace.forward(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            end, _ = server.accept()
            with end:
                namespace.close()
                assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    namespace.close()


def test_only_root_makes_one_and_the_engine_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Namespace:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr("tests.support.engine.Namespace", refuse)
    with pytest.raises(NoEngineError, match="no network of its own can be made here: Operation not permitted"):
        Engine(networks=True)
