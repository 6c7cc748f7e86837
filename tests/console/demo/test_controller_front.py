"""The HTTP front of the model controller: what goes over the wire, faults, restarts, prefixes, counters."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from console.demo.controller import ADMIN, OPERATOR, VIEWER, Controller, Parameter, Phase, Pipeline, Sh, Stage
from tests.support.jenkins import Fault, JenkinsServer
from tests.support.jenkins.beans import Bean, Field, TreeSyntaxError, bean, cut_by_depth, cut_by_tree, parse_tree
from tests.support.waiting import until_sync

START = 1_795_394_700_000


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


class Client:
    """One kept connection with the rights of an account."""

    def __init__(self, server: JenkinsServer, user: str = "admin", secret: str = "11" + "a" * 32) -> None:
        address = urlsplit(server.url)
        self.prefix = address.path.rstrip("/")
        self.connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
        self.headers = {"Authorization": "Basic " + b64encode(f"{user}:{secret}".encode()).decode()} if user else {}

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        self.connection.request(method, self.prefix + path, headers={**self.headers, **headers})
        answer = self.connection.getresponse()
        body = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def controller(clock: Clock) -> Controller:
    made = Controller(clock)
    made.add_user("admin", ADMIN, password="pass", tokens={"t": "11" + "a" * 32})
    made.add_user("operator", OPERATOR, tokens={"t": "11" + "b" * 32})
    made.add_user("viewer", VIEWER, tokens={"t": "11" + "c" * 32})
    steps = (Stage("Train", (Sh("train", tuple(part for n in range(60) for part in (f"epoch {n}", 1.0))),)),)
    made.add_job("train", Pipeline(steps, agent=""), parameters=(Parameter("N"),))
    return made


@pytest.fixture
def server(controller: Controller) -> Iterator[JenkinsServer]:
    with JenkinsServer(controller) as made:
        yield made


def test_a_connection_is_kept_and_everything_is_counted(server: JenkinsServer) -> None:
    client = Client(server)
    for _ in range(3):
        assert client.ask("/api/json?tree=jobs[name]")[0] == 200
    assert server.requests == ["GET /api/json?tree=jobs[name]"] * 3
    assert server.bytes_in > 300
    assert server.bytes_out > 600
    server.forget()
    assert (server.requests, server.bytes_in, server.bytes_out) == ([], 0, 0)


def test_gzip_only_where_the_server_compresses(server: JenkinsServer, controller: Controller, clock: Clock) -> None:
    controller.trigger("train", {}, by="admin", delay=0)
    clock.at += 5000
    client = Client(server)
    wants = {"Accept-Encoding": "gzip"}
    status, headers, body = client.ask("/api/json", **wants)
    assert (status, headers["content-encoding"], headers["transfer-encoding"]) == (200, "gzip", "chunked")
    assert json.loads(gzip.decompress(body))["_class"] == "hudson.model.Hudson"
    for path in ("/job/train/1/logText/progressiveText?start=0", "/job/train/1/consoleText"):
        assert client.ask(path, **wants)[1]["content-encoding"] == "gzip"
    assert "content-encoding" not in client.ask("/job/train/1/wfapi/describe", **wants)[1]
    assert "content-encoding" not in client.ask("/api/json")[1]


def test_the_log_can_be_followed_to_its_end(server: JenkinsServer, controller: Controller, clock: Clock) -> None:
    controller.trigger("train", {}, by="admin", delay=0)
    client, start, whole = Client(server), "0", ""
    clock.at += 1000
    for _ in range(40):
        _, headers, body = client.ask(f"/job/train/1/logText/progressiveText?start={start}")
        whole += body.decode()
        start = headers["x-text-size"]
        if "x-more-data" not in headers:
            break
        assert headers["x-more-data"] == "true"
        clock.at += 3000
    assert whole.endswith("Finished: SUCCESS\r\n")
    assert whole.replace("\r\n", "\n") == client.ask("/job/train/1/consoleText")[2].decode()
    assert client.ask("/job/train/1/logText/progressiveText?start=99999999")[2].decode() == whole
    assert [client.ask(f"/job/train/1/logText/progressiveText?start={bad}")[0] for bad in ("-5", "abc")] == [500, 500]
    status, headers, body = client.ask("/job/train/1/logText/progressiveText?start=0", "HEAD")
    assert (status, headers["x-text-size"], body) == (200, start, b"")


def test_a_request_sees_the_way_through_a_restart(server: JenkinsServer, controller: Controller, clock: Clock) -> None:
    client = Client(server)
    session = client.ask("/api/json")[1]["x-jenkins-session"]
    controller.restart(stopping=2, down=5, starting=10)
    status, headers, body = client.ask("/api/json")
    assert status == 503
    assert b"<title>Restarting Jenkins</title>" in body
    assert not {"x-jenkins", "retry-after"} & headers.keys()
    clock.at += 3000
    with pytest.raises(OSError, match=r"."):
        _ask_until_it_fails(server)
    clock.at += 5000
    until_sync(lambda: _status(server) == 503, "the controller starts")
    assert b"<title>Starting Jenkins</title>" in Client(server).ask("/api/json")[2]
    clock.at += 20_000
    status, headers, _ = Client(server).ask("/api/json")
    assert status == 200
    assert headers["x-jenkins-session"] != session


def _ask_until_it_fails(server: JenkinsServer) -> None:
    for _ in range(500):
        Client(server).ask("/login")
        time.sleep(0.01)


def _status(server: JenkinsServer) -> int:
    try:
        return Client(server).ask("/login")[0]
    except OSError:
        return 0


def test_a_broken_configuration_shows_an_exception_and_calls_good_tokens_bad(
    server: JenkinsServer, controller: Controller
) -> None:
    controller.phase = Phase.BROKEN
    assert Client(server, user="").ask("/login")[0] == 500
    status, headers, _ = Client(server).ask("/api/json")
    assert (status, "x-jenkins" in headers) == (401, False)


def test_a_prefix_is_in_every_address(controller: Controller) -> None:
    with JenkinsServer(controller, prefix="/jenkins") as server:
        assert server.url.endswith("/jenkins/")
        client = Client(server)
        (job,) = json.loads(client.ask("/api/json?tree=jobs[url]")[2])["jobs"]
        assert job["url"] == f"{server.url}job/train/"
        status, headers, _ = client.ask("/job/train/buildWithParameters?N=1&delay=0sec", "POST")
        assert (status, headers["location"]) == (201, f"{server.url}queue/item/1/")
        assert json.loads(client.ask("/job/train/wfapi/")[2])["_links"]["runs"]["href"] == "/jenkins/job/train/wfapi/runs"
        client.prefix = ""
        assert client.ask("/api/json")[0] == 404


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [(Fault.OOPS, 500, b"Logging ID"), (Fault.PROXY_502, 502, b"Bad Gateway"), (Fault.PROXY_200, 200, b"company network")],
)
def test_answers_that_are_not_the_controllers(server: JenkinsServer, fault: Fault, status: int, words: bytes) -> None:
    server.fault(fault, match="/queue/")
    client = Client(server)
    assert client.ask("/api/json")[0] == 200
    got, headers, body = client.ask("/queue/api/json")
    assert (got, words in body) == (status, True)
    assert ("x-jenkins" in headers) == (fault is Fault.OOPS)
    assert client.ask("/queue/api/json")[0] == 200


def test_connections_that_break(server: JenkinsServer) -> None:
    for fault in (Fault.RESET, Fault.CUT):
        server.fault(fault)
        with pytest.raises((OSError, http.client.HTTPException)):
            Client(server).ask("/api/json")
    server.refuse()
    with pytest.raises(ConnectionRefusedError):
        Client(server).ask("/api/json")
    server.refuse(on=False)
    assert Client(server).ask("/api/json")[0] == 200
    server.fault(Fault.GARBAGE)
    with pytest.raises(json.JSONDecodeError):
        json.loads(Client(server).ask("/api/json")[2])


def test_a_hanging_answer_holds_nobody_else_up_and_ends_with_the_server(controller: Controller) -> None:
    began = time.monotonic()
    with JenkinsServer(controller) as server:
        server.fault(Fault.HANG, seconds=60, match="/computer/")
        stuck = threading.Thread(target=lambda: _quietly(server), daemon=True)
        stuck.start()
        until_sync(lambda: any("/computer/" in line for line in list(server.requests)), "the request has come")
        assert Client(server).ask("/queue/api/json")[0] == 200
    stuck.join(5)
    assert not stuck.is_alive()
    assert time.monotonic() - began < 10


def _quietly(server: JenkinsServer) -> None:
    try:
        Client(server).ask("/computer/api/json")
    except (OSError, http.client.HTTPException):
        return


def test_the_date_header_follows_the_clock_and_its_offset(controller: Controller) -> None:
    with JenkinsServer(controller, date_offset=3600) as server:
        assert Client(server).ask("/login")[1]["date"] == "Mon, 23 Nov 2026 01:45:00 GMT"


def test_a_password_needs_a_crumb_of_its_own_session(server: JenkinsServer) -> None:
    client = Client(server, secret="pass")
    path = "/job/train/buildWithParameters"
    assert client.ask(path, "POST")[0] == 403
    _, headers, body = client.ask("/crumbIssuer/api/json")
    crumb = {"Jenkins-Crumb": json.loads(body)["crumb"]}
    assert client.ask(path, "POST", **crumb)[0] == 403
    assert client.ask(path, "POST", **crumb, Cookie=headers["set-cookie"].partition(";")[0])[0] == 201


def test_who_may_not_gets_told_what_is_missing(server: JenkinsServer, controller: Controller, clock: Clock) -> None:
    controller.trigger("train", {}, by="admin", delay=0)
    clock.at += 2000
    viewer = Client(server, "viewer", "11" + "c" * 32)
    for path, permission in (
        ("/job/train/buildWithParameters", "hudson.model.Item.Build"),
        ("/job/train/1/stop", "hudson.model.Item.Cancel"),
        ("/job/train/1/doDelete", "hudson.model.Run.Delete"),
        ("/quietDown", "hudson.model.Hudson.Administer"),
    ):
        status, headers, _ = viewer.ask(path, "POST")
        assert (status, headers["x-required-permission"]) == (403, permission)
    operator = Client(server, "operator", "11" + "b" * 32)
    assert operator.ask("/job/train/1/stop", "POST")[0] == 302
    assert operator.ask("/job/train/1/replay/run", "POST")[0] == 403


def test_without_the_stage_plugin_every_wfapi_address_is_missing(
    server: JenkinsServer, controller: Controller, clock: Clock
) -> None:
    controller.trigger("train", {}, by="admin", delay=0)
    clock.at += 2000
    controller.stages_api = False
    client = Client(server)
    assert [client.ask(f"/job/train/{path}")[0] for path in ("1/wfapi/describe", "wfapi/runs", "1/api/json")] == [404, 404, 200]


def _sample() -> Bean:
    inner = Bean("Inner", [Field("name", lambda: "a", 3), Field("number", lambda: 1, 2), Field("deep", lambda: 2)])
    return Bean("Outer", [Field("id", lambda: 7), Field("items", lambda: [inner] * 5), Field("hidden", lambda: 8, -1)])


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ("id", {"_class": "Outer", "id": 7}),
        ("nothing", {"_class": "Outer"}),
        ("items{1,3}", {"_class": "Outer", "items": [{"_class": "Inner"}] * 2}),
        ("items[number]{,1}", {"_class": "Outer", "items": [{"_class": "Inner", "number": 1}]}),
        ("items[name,deep]{4}", {"_class": "Outer", "items": [{"_class": "Inner", "name": "a", "deep": 2}]}),
        ("items[number]{4,}", {"_class": "Outer", "items": [{"_class": "Inner", "number": 1}]}),
        (
            "hidden,items[*]{0,1}",
            {"_class": "Outer", "items": [{"_class": "Inner", "name": "a", "number": 1, "deep": 2}], "hidden": 8},
        ),
    ],
)
def test_tree_cuts_what_was_asked_for(tree: str, wanted: object) -> None:
    assert cut_by_tree(_sample(), parse_tree(tree)) == wanted


@pytest.mark.parametrize("tree", ["items[name", "items]", "a,,b", "", "items{1", "items{a}", "[a]"])
def test_a_tree_that_cannot_be_read(tree: str) -> None:
    with pytest.raises(TreeSyntaxError):
        parse_tree(tree)


def test_depth_shows_more_of_what_is_further_inside() -> None:
    assert cut_by_depth(_sample(), 0)["items"][0] == {"_class": "Inner", "name": "a", "number": 1}
    assert cut_by_depth(_sample(), 1)["items"][0] == {"_class": "Inner", "name": "a", "number": 1, "deep": 2}
    assert "hidden" not in cut_by_depth(_sample(), 0)
    assert cut_by_depth(bean(None, 1, a={"b": [1, 2]}), 0) == {"a": {"b": [1, 2]}}
