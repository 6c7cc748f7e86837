"""Everything else: refused before it is at Jenkins, in at the front and straight at frps, as if the front were not there."""

from __future__ import annotations

import socket
import ssl
import subprocess

import pytest

from infra.release.request import signature
from tests.infra.way.test_release import release, signed
from tests.support.frps import read_reply
from tests.support.waiting import until_sync
from tests.support.way import DOMAIN, PATH, Way

# Method, target; status at the front; status straight at frps. frps answers for itself, with its own 404, what is not below its
# prefix, and the gate the rest.
FORMS = {
    "query": ("POST", f"{PATH}?token=x", 404, 404),
    "empty-query": ("POST", f"{PATH}?", 404, 404),
    "longer": ("POST", f"{PATH}X", 404, 404),
    "slash": ("POST", f"{PATH}/", 404, 404),
    "parameter": ("POST", f"{PATH};a=b", 404, 404),
    "encoded": ("POST", "/%67eneric-webhook-trigger/invoke", 404, 404),
    "up": ("POST", f"{PATH}/../../login", 404, 404),
    "up-get": ("GET", f"{PATH}/../../login", 404, 404),
    "up-and-back": ("POST", f"{PATH}/../invoke", 404, 404),
    "encoded-up": ("POST", f"{PATH}/%2e%2e/%2e%2e/login", 404, 404),
    "encoded-slash": ("POST", f"{PATH}/..%2f..%2flogin", 404, 404),
    "parameter-up": ("POST", f"{PATH}/..;/..;/login", 404, 404),
    "backslash": ("POST", f"{PATH}\\..\\..\\login", 404, 404),
    "zero": ("POST", f"{PATH}%00", 400, 400),
    "encoded-end-of-line": ("POST", f"{PATH}%0d%0aX:y", 404, 404),
    "up-and-down": ("POST", "/x/../generic-webhook-trigger/invoke", 404, 404),
    "two-slashes": ("POST", f"/{PATH}", 404, 404),
    "two-slashes-inside": ("POST", "/generic-webhook-trigger//invoke", 404, 404),
    "upper-case": ("POST", PATH.upper(), 404, 404),
    "root": ("GET", "/", 404, 404),
    "login": ("GET", "/login", 404, 404),
    "gates-health": ("GET", "/healthy", 404, 404),
    "gates-page": ("GET", "/refused", 404, 404),
    "other-host-in-target": ("POST", f"http://other.example.test{PATH}", 421, 404),
    "get": ("GET", PATH, 403, 403),
    "put": ("PUT", PATH, 403, 403),
    "patch": ("PATCH", PATH, 403, 403),
    "head": ("HEAD", PATH, 403, 403),
    "delete": ("DELETE", PATH, 403, 403),
    "options": ("OPTIONS", PATH, 403, 403),
    "invented": ("TRAIN", PATH, 403, 403),
    "trace": ("TRACE", PATH, 405, 405),
    "connect": ("CONNECT", PATH, 405, 405),
    "lower-case": ("post", PATH, 400, 400),
}


def _nothing_arrived(way: Way) -> None:
    assert [arrived.line for arrived in way.jenkins.arrived] == []


@pytest.mark.parametrize("at", ["front", "vhost"])
@pytest.mark.parametrize("name", FORMS)
def test_nothing_but_a_post_to_the_exact_path(way: Way, name: str, at: str) -> None:
    method, target, *statuses = FORMS[name]
    body = release()
    reply = way.ask(method, target, body, signed(way, body), at=at)
    assert reply.status == statuses[at == "vhost"]
    _nothing_arrived(way)
    assert way.token not in reply.body


@pytest.mark.parametrize("at", ["front", "vhost"])
@pytest.mark.parametrize(
    "host", ["other.example.test", f"{DOMAIN}.other.example.test", "jenkins:8080", "203.0.113.10", "localhost"]
)
def test_another_host(way: Way, host: str, at: str) -> None:
    body = release()
    reply = way.ask("POST", PATH, body, signed(way, body), at=at, host=host)
    assert (reply.status, reply.by_gate) == (421 if at == "front" else 404, False)
    _nothing_arrived(way)


@pytest.mark.parametrize("name", ["other.example.test", "203.0.113.10", ""])
def test_another_name_in_tls_sees_no_certificate(way: Way, name: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with way.world.connect(443, "203.0.113.10") as plain, pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        context.wrap_socket(plain, server_hostname=name or None)
    _nothing_arrived(way)


def test_old_tls(way: Way) -> None:
    context = ssl.create_default_context(cafile=str(way.folder / "front.pem"))
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with way.world.connect(443, "203.0.113.10") as plain, pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|ALERT"):
        context.wrap_socket(plain, server_hostname=DOMAIN)


@pytest.mark.parametrize("port", [80, 443])
def test_plain_http(way: Way, port: int) -> None:
    body = release()
    head = f"POST {PATH} HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with way.world.connect(port, "203.0.113.10") as connection:
        connection.sendall(head.encode() + body)
        reply = read_reply(connection)
    assert (reply.status, reply.by_gate, reply.body) == (403 if port == 80 else 400, False, "refused\n")
    assert "location" not in reply.headers
    _nothing_arrived(way)


@pytest.mark.parametrize("port", [7080, 7400, 8080, 7500])
def test_no_other_port_of_the_public_server_leads_anywhere(way: Way, port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        way.world.connect(port, "203.0.113.10")


def _raw(*lines: str, body: str = "") -> bytes:
    return "\r\n".join((*lines, "", body)).encode()


POST, HOST = f"POST {PATH} HTTP/1.1", f"Host: {DOMAIN}"
HIDDEN = f"0\r\n\r\nGET /login HTTP/1.1\r\n{HOST}\r\n\r\n"
MALFORMED = {
    "old": (_raw(f"POST {PATH} HTTP/1.0", HOST, "Content-Length: 0"), 426, 403),
    "old-without-host": (_raw(f"POST {PATH} HTTP/1.0", "Content-Length: 0"), 421, 404),
    "new": (_raw(f"POST {PATH} HTTP/2.0", HOST, "Content-Length: 0"), 505, 505),
    "no-host": (_raw(POST, "Content-Length: 0", "Connection: close"), 400, 400),
    "two-hosts": (_raw(POST, HOST, "Host: other.example.test", "Content-Length: 0"), 400, 400),
    "two-lengths": (_raw(POST, HOST, "Content-Length: 2", "Content-Length: 3", body="ab"), 400, 400),
    "negative-length": (_raw(POST, HOST, "Content-Length: -1"), 400, 400),
    "signed-length": (_raw(POST, HOST, "Content-Length: +2", body="ab"), 400, 400),
    "length-and-chunks": (
        _raw(POST, HOST, f"Content-Length: {len(HIDDEN)}", "Transfer-Encoding: chunked", body=HIDDEN),
        400,
        411,
    ),
    "chunks-and-length": (
        _raw(POST, HOST, "Transfer-Encoding: chunked", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
        400,
        411,
    ),
    "chunks": (_raw(POST, HOST, "Transfer-Encoding: chunked", "Connection: close", body="2\r\nab\r\n0\r\n\r\n"), 411, 411),
    "strange-chunks": (_raw(POST, HOST, "Transfer-Encoding: xchunked", "Connection: close", body="ab"), 501, 501),
    "chunks-behind-a-blank": (_raw(POST, HOST, "Transfer-Encoding : chunked", body="0\r\n\r\n"), 400, 400),
    "folded-header": (_raw(POST, HOST, "X-A: b", " Transfer-Encoding: chunked", "Content-Length: 0"), 400, 403),
}


@pytest.mark.parametrize("at", ["front", "vhost"])
@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_good_request(way: Way, name: str, at: str) -> None:
    raw, *statuses = MALFORMED[name]
    assert way.send(raw, at=at).status == statuses[at == "vhost"]
    # frps makes 1.1 of 1.0, and one header of a folded one: then it is a request like any other, here without a signature.
    assert len(way.jenkins.arrived) == (at == "vhost" and name in {"old", "folded-header"})


def test_the_gate_itself_takes_what_comes_through_the_tunnel_alone(way: Way) -> None:
    """From a neighbour in its networks, without frp."""
    for raw, status in ((_raw(f"POST {PATH} HTTP/1.0", HOST, "Content-Length: 0"), 426), (MALFORMED["chunks"][0], 411)):
        with way.home.connect(8080) as connection:
            connection.sendall(raw)
            reply = read_reply(connection)
        assert (reply.status, reply.by_gate, reply.body) == (status, True, "refused\n")
    _nothing_arrived(way)


@pytest.mark.parametrize("at", ["front", "vhost"])
def test_a_second_request_behind_the_first_is_a_request_of_its_own(way: Way, at: str) -> None:
    """On one connection: the one is let in, the other is looked at like any other."""
    body = release().decode()
    good = _raw(
        POST,
        HOST,
        f"Content-Length: {len(body)}",
        f"X-Hub-Signature-256: {signature(way.hmac.encode(), body.encode())}",
        body=body,
    )
    bad = _raw(f"POST {PATH}/../../login HTTP/1.1", HOST, "Content-Length: 0", "Connection: close")
    with way.connect(at) as connection:
        connection.sendall(good + bad)
        said = b""
        while data := connection.recv(65536):
            said += data
    assert said.count(b"HTTP/1.1 200") == said.count(b"HTTP/1.1 404") == 1
    assert len(way.jenkins.arrived) == 1


@pytest.mark.parametrize("at", ["front", "vhost"])
def test_a_large_body(way: Way, at: str) -> None:
    body = b"x" * (1 << 20)
    reply = way.ask("POST", PATH, body, signed(way, body), at=at)
    assert (reply.status, reply.body) == (413, "refused\n")
    assert reply.by_gate == (at == "vhost")
    _nothing_arrived(way)
    most = b"x" * (64 << 10)
    assert way.ask("POST", PATH, most, signed(way, most), at=at).status == 200
    assert len(way.jenkins.arrived) == 1


@pytest.mark.parametrize("at", ["front", "vhost"])
def test_what_a_sender_writes_is_in_no_log(way: Way, at: str) -> None:
    """Nor in what nginx says of errors, where it would repeat the request's first line, Host and Referer."""
    lines = [f"POST {PATH}?written-by=a-sender HTTP/1.1", HOST, "Referer: https://written-by.a-sender.example.test"]
    assert way.send(_raw(*lines, "Content-Length: 1048576", "Connection: close"), at=at).status == 413
    for program in (way.front, way.gate):
        assert "a-sender" not in program.log


@pytest.mark.parametrize("at", ["front", "vhost"])
def test_large_headers(way: Way, at: str) -> None:
    raw = _raw(POST, HOST, "Content-Length: 0", "Connection: close", f"X-A: {'b' * (64 << 10)}")
    assert way.send(raw, at=at).status == 400
    _nothing_arrived(way)


@pytest.mark.parametrize("at", ["front", "vhost"])
def test_a_body_that_does_not_come_is_not_waited_for(way: Way, at: str) -> None:
    """Half of it is sent: it is dropped where it is read, and Jenkins has not heard of it."""
    body, reader = release(), way.front if at == "front" else way.gate
    raw = _raw(POST, HOST, *(f"{name}: {value}" for name, value in signed(way, body).items()), f"Content-Length: {len(body)}")
    _all_is_written_down(way)
    before, behind = reader.log.count(f" 408 POST {PATH} "), len(way.gate.log)
    with way.connect(at) as connection:
        connection.sendall(raw + body[:10])
        until_sync(lambda: reader.log.count(f" 408 POST {PATH} ") > before, "the request to be dropped")
    # The front has read the whole of a request before it says anything of it.
    assert at == "vhost" or len(way.gate.log) == behind
    _nothing_arrived(way)


def _all_is_written_down(way: Way) -> None:
    """The gate writes a line after its answer: wait for the one of a last request."""
    before = way.gate.log.count(f" 403 PUT {PATH} ")
    way.ask("PUT", PATH, at="vhost")
    until_sync(lambda: way.gate.log.count(f" 403 PUT {PATH} ") > before, "the gate's log to be written")


def test_headers_that_do_not_come_are_not_waited_for(way: Way) -> None:
    with way.connect() as connection:
        connection.settimeout(20.0)
        connection.sendall(f"{POST}\r\n{HOST}\r\n".encode())
        with pytest.raises((AssertionError, OSError)):
            read_reply(connection)
    _nothing_arrived(way)


def test_a_flood_is_held_back_at_the_front(way: Way) -> None:
    """Of one address: others come in as before."""
    try:
        replies = [way.ask("GET", PATH) for _ in range(120)]
        assert {reply.status for reply in replies} == {403, 429}
        assert {reply.by_gate for reply in replies} == {False}
        body = release()
        # As if from elsewhere: frps and gate have not heard of it.
        assert way.ask("POST", PATH, body, signed(way, body), at="vhost").status == 200
    finally:
        _anew(way)


def test_a_flood_of_many_addresses_of_one_line_is_held_back_too(way: Way) -> None:
    """Whoever has IPv6 has more addresses than can be counted: a line's 64 bits are one sender."""
    for machine, device, addresses in (
        (way.public, "internet", ["2001:db8:0:1::1"]),
        (way.world, "outside", [f"2001:db8:0:1:{number:x}::a" for number in range(2, 122)] + ["2001:db8:0:2::a"]),
    ):
        for address in addresses:
            command = ["ip", "address", "add", f"{address}/48", "dev", device, "nodad"]
            subprocess.run(machine.command(*command), check=True, capture_output=True)
    try:
        statuses = {_ask_from(way, f"2001:db8:0:1:{number:x}::a") for number in range(2, 122)}
        assert statuses == {403, 429}
        assert _ask_from(way, "2001:db8:0:2::a") == 403
    finally:
        for machine, device in ((way.public, "internet"), (way.world, "outside")):
            subprocess.run(machine.command("ip", "-6", "address", "flush", "dev", device, "scope", "global"), check=True)
        _anew(way)


def _ask_from(way: Way, address: str) -> int:
    there = ("2001:db8:0:1::1", 443)
    plain = way.world.call(lambda: socket.create_connection(there, timeout=10.0, source_address=(address, 0)))
    with plain, way.context.wrap_socket(plain, server_hostname=DOMAIN) as connection:
        connection.sendall(_raw(f"GET {PATH} HTTP/1.1", HOST, "Connection: close"))
        return read_reply(connection).status


def test_connections_that_are_only_held(way: Way) -> None:
    """Twenty of one address; the next one is told, or ended."""
    held = [way.connect() for _ in range(20)]
    try:
        for connection in held:
            connection.sendall(f"{POST}\r\n{HOST}\r\nContent-Length: 5\r\n\r\n".encode())
        statuses: list[int] = []
        # The rate alone would let sixty in.

        def refused() -> bool:
            statuses.append(way.ask("GET", PATH).status)
            return statuses[-1] == 429

        until_sync(refused, "the next one to be refused")
        assert len(statuses) < 30
    finally:
        for connection in held:
            connection.close()
        _anew(way)


def _anew(way: Way) -> None:
    """Its memory of addresses ends with it."""
    way.front.restart()
    way.until_open()
    until_sync(lambda: _greets(way), "the front to be back")


def _greets(way: Way) -> bool:
    try:
        way.connect().close()
    except OSError:
        return False
    return True
