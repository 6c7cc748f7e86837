"""What every answer of a controller means, over real HTTP: the answers are those of a real one."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.model.source import SourceState
from console.settings.secret import Secret
from console.sources.jenkins.address import parse
from console.sources.jenkins.client import Access
from console.sources.jenkins.source import JenkinsServer
from console.text import clean
from tests.support.recorded import Exchange, Replayer, recorded, replaying, series

TOKEN = "11d7f846950f4edeb9031148fb5ed9d203"
TRAIN = BuildRef(clean("train"), 4)


@pytest.fixture
def replayer() -> Iterator[Replayer]:
    with replaying() as found:
        yield found


@pytest.fixture
async def jenkins(replayer: Replayer) -> AsyncIterator[JenkinsServer]:
    server = JenkinsServer(access(replayer.url))
    yield server
    await server.aclose()


def access(url: str, *, timeout: float = 5.0) -> Access:
    return Access(parse(url), "operator", Secret(TOKEN), timeout)


def page(status: int, body: str, **headers: str) -> Exchange:
    """An answer of something that is not Jenkins."""
    return Exchange("page", "GET", "/", status, tuple({"content-type": "text/html", **headers}.items()), body)


async def trouble(jenkins: JenkinsServer) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.jobs()
    return raised.value


@pytest.mark.parametrize(
    ("name", "expected", "told"),
    [
        ("auth-wrong-token", Trouble.NOT_AUTHENTICATED, "refuses the token of operator (401)"),
        ("auth-anon-api-json", Trouble.NOT_AUTHENTICATED, "wants a user and a token"),
        ("perm-nobody-api-json", Trouble.NOT_PERMITTED, "user operator lacks Overall/Read"),
        ("perm-viewer-post-build", Trouble.NOT_PERMITTED, "lacks Job/Build"),
        ("agent/node-launch-operator", Trouble.NOT_PERMITTED, "lacks Agent/Connect"),
        ("perm-limited-job", Trouble.NOT_FOUND, "has no list of jobs, or hides it from operator"),
        ("crumb-post-without", Trouble.NOT_AUTHENTICATED, "that was a password"),
        ("job-tree-syntax-error", Trouble.FAULT, "(500)"),
        ("trigger-disabled", Trouble.DISABLED, "is disabled"),
        ("trigger-get-build", Trouble.REFUSED, "405"),
        ("queue-cancel-no-permission", Trouble.NOT_PERMITTED, "may not do that"),
        ("trigger-build-on-parameterized", Trouble.BAD_PARAMETER, "400"),
    ],
)
async def test_each_refusal_says_what_is_wrong(
    replayer: Replayer, jenkins: JenkinsServer, name: str, expected: Trouble, told: str
) -> None:
    replayer.put("/api/json", name)
    replayer.put("anonymous /api/json", "auth-anon-api-json")
    error = await trouble(jenkins)
    assert error.trouble is expected, error.reason
    assert told in error.reason
    assert "<" not in error.reason
    assert len(error.reason) < 250


async def test_the_permission_that_is_missing_is_named(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/api/json", "perm-viewer-post-build")
    assert (await trouble(jenkins)).permission == "Job/Build"


async def test_a_fault_inside_is_told_by_its_logging_id(replayer: Replayer, jenkins: JenkinsServer) -> None:
    fault = recorded("job-tree-syntax-error")
    body = "<title>Jenkins [Jenkins]</title><p>Oops! Logging ID=2f1e8c1a-77d9-4d5b-8d11-5a0b0a3a9d10</p>"
    replayer.put("/api/json", replace(fault, body=body))
    error = await trouble(jenkins)
    assert error.trouble is Trouble.FAULT
    assert "2f1e8c1a-77d9-4d5b-8d11-5a0b0a3a9d10" in error.reason


async def test_starting_and_restarting_are_told_apart(replayer: Replayer, jenkins: JenkinsServer) -> None:
    starting = next(one for one in series("startup-sequence") if one.status == 503)
    restarting = next(one for one in series("restart-build-seen-through") if one.status == 503)
    replayer.put("/api/json", starting)
    first = await trouble(jenkins)
    replayer.put("/api/json", restarting)
    second = await trouble(jenkins)
    assert (first.trouble, first.reason) == (Trouble.STARTING, "Jenkins is starting (503).")
    assert (second.trouble, second.reason) == (Trouble.RESTARTING, "Jenkins is restarting (503).")
    assert first.state is second.state is SourceState.STARTING


@pytest.mark.parametrize(
    ("answer", "expected", "told"),
    [
        (
            page(502, "<title>502 Bad Gateway</title>"),
            Trouble.UNREACHABLE,
            "A proxy before Jenkins answers 502: 502 Bad Gateway",
        ),
        (page(503, "<title>Service down</title>"), Trouble.UNREACHABLE, "A proxy before Jenkins answers 503: Service down"),
        (page(200, "<title>Sign in</title>"), Trouble.NOT_JENKINS, "not Jenkins but a page: Sign in"),
        (page(404, "<title>nginx</title>"), Trouble.NOT_JENKINS, "not Jenkins: 404 nginx"),
        (
            page(302, "", location="https://sso.example.org/?a=b"),
            Trouble.NOT_JENKINS,
            "redirects (302) to https://sso.example.org",
        ),
        (page(200, "{", **{"content-type": "application/json"}), Trouble.FAULT, "no JSON"),
        (page(403, "<h1>\x1b]0;owned\x07WAF</h1>"), Trouble.NOT_JENKINS, "WAF"),
        (page(200, '{"message":"hello"}', **{"content-type": "application/json"}), Trouble.NOT_JENKINS, "not Jenkins at all"),
        (page(200, '["hello"]', **{"content-type": "application/json"}), Trouble.NOT_JENKINS, "not Jenkins at all"),
        (
            page(401, "<title>401 Authorization Required</title>", **{"www-authenticate": 'Basic realm="staff only"'}),
            Trouble.NOT_JENKINS,
            "wants a log-in of its own (401): 401 Authorization Required",
        ),
    ],
)
async def test_what_stands_before_jenkins(
    replayer: Replayer, jenkins: JenkinsServer, answer: Exchange, expected: Trouble, told: str
) -> None:
    replayer.put("/api/json", answer)
    error = await trouble(jenkins)
    assert error.trouble is expected, error.reason
    assert told in error.reason
    assert "\x1b" not in error.reason


async def test_a_service_of_json_is_no_idle_jenkins(replayer: Replayer, jenkins: JenkinsServer) -> None:
    """Else nothing would seem to run or to wait there."""
    for path in ("/computer/api/json", "/queue/api/json", "/whoAmI/api/json", "/job/train/4/api/json"):
        replayer.put(path, page(200, '{"message":"hello"}', **{"content-type": "application/json"}))
    for asked in (jenkins.work(), jenkins.who(), jenkins.build(TRAIN)):
        with pytest.raises(JenkinsError) as raised:
            await asked
        assert raised.value.trouble is Trouble.NOT_JENKINS


async def test_a_proxy_that_drops_the_header_hides_no_jenkins(replayer: Replayer, jenkins: JenkinsServer) -> None:
    answer = recorded("root-tree-nested-jobs")
    told = tuple(pair for pair in answer.headers if not pair[0].startswith("x-jenkins") and pair[0] != "server")
    replayer.put("/api/json", replace(answer, headers=(*told, ("server", "nginx"))))
    assert await jenkins.jobs()


async def test_a_token_that_is_refused_through_a_proxy_is_still_told_as_such(
    replayer: Replayer, jenkins: JenkinsServer
) -> None:
    refusal = recorded("auth-wrong-token")
    told = tuple(pair for pair in refusal.headers if pair[0] != "server")
    for body in (refusal.body, ""):
        replayer.put("/api/json", replace(refusal, headers=(*told, ("server", "nginx")), body=body))
        assert "refuses the token of operator (401)" in (await trouble(jenkins)).reason


async def test_a_token_that_worked_and_a_jenkins_that_tells_nothing_more(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/api/json", "root-tree-nested-jobs")
    await jenkins.jobs()
    replayer.put("/api/json", "auth-wrong-token")
    replayer.put("anonymous /api/json", page(502, "<title>502 Bad Gateway</title>"))
    error = await trouble(jenkins)
    assert error.trouble is Trouble.NOT_AUTHENTICATED
    assert error.reason == "Jenkins refuses a token that worked (401): its configuration may be broken."
    # Where it answers others, only the token is bad: it was revoked.
    replayer.put("anonymous /api/json", "auth-anon-api-json")
    assert "refuses the token of operator (401). Make a new one" in (await trouble(jenkins)).reason


async def test_a_token_that_never_worked_is_blamed(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/api/json", "auth-wrong-token")
    replayer.put("anonymous /api/json", page(502, "<title>502 Bad Gateway</title>"))
    assert "refuses the token of operator (401)" in (await trouble(jenkins)).reason


async def test_a_redirect_is_never_followed(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/api/json", page(302, "", location=f"{replayer.url}/elsewhere"))
    await trouble(jenkins)
    assert [path for _, path in replayer.asked if path.startswith("/elsewhere")] == []


async def test_nobody_there(jenkins: JenkinsServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    server = JenkinsServer(access(url))
    error = await trouble(server)
    await server.aclose()
    assert error.reason == f"Jenkins does not answer at {url}: connection refused."
    assert error.trouble is Trouble.UNREACHABLE


async def test_a_host_that_nobody_knows() -> None:
    server = JenkinsServer(Access(parse("https://nobody.invalid"), "operator", Secret(TOKEN)))
    error = await trouble(server)
    await server.aclose()
    assert error.trouble is Trouble.UNREACHABLE
    assert "does not answer at https://nobody.invalid: " in error.reason


@contextmanager
def silent() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for one in taken:
            one.close()


async def test_one_that_hangs_is_left_after_its_time() -> None:
    with silent() as url:
        server = JenkinsServer(access(url, timeout=0.2))
        error = await trouble(server)
        await server.aclose()
    assert error.reason == f"Jenkins does not answer at {url} (timed out after 0.2s)."


@contextmanager
def endless_to_nobody() -> Iterator[tuple[str, list[int]]]:
    """Refuses a token, and writes to everybody else without end; the list gets how many bytes were taken of it."""
    taken: list[int] = []
    refusal = recorded("auth-wrong-token")
    head = 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="Jenkins"\r\nContent-Length: %d\r\n\r\n%s'
    answer = (head % (len(refusal.body), refusal.body)).encode()

    def serve(server: socket.socket) -> None:
        with server.accept()[0] as connection:
            while asked := connection.recv(65536):
                if b"authorization:" in asked.lower():
                    connection.sendall(answer)
                else:
                    break
            sent = 0
            try:
                connection.sendall(b"HTTP/1.1 500 Server Error\r\n\r\n")
                while sent < 64_000_000:
                    sent += connection.send(b"x" * 65536)
            except OSError:
                pass
            taken.append(sent)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", taken
        thread.join(20)


async def test_a_refusal_that_never_ends_is_not_read_to_its_end() -> None:
    with endless_to_nobody() as (url, taken):
        server = JenkinsServer(access(url))
        error = await trouble(server)
        await server.aclose()
    assert error.trouble is Trouble.BROKEN
    assert taken[0] < 64_000_000


async def test_the_token_goes_in_a_header_and_nowhere_else(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/computer/api/json", "computer-busy")
    replayer.put("/queue/api/json", "queue-blocked-and-buildable")
    await jenkins.work()
    assert len(replayer.asked) == 2
    assert all(TOKEN not in path for _, path in replayer.asked)
    assert all(one["authorization"].startswith("Basic ") and one["accept-encoding"] == "gzip" for one in replayer.headers)
    assert TOKEN not in repr(jenkins) + repr(access(replayer.url))


async def test_session_version_and_clock_are_noted(replayer: Replayer, jenkins: JenkinsServer) -> None:
    there = datetime.now(UTC) + timedelta(minutes=2)
    answer = recorded("root-tree-nested-jobs")
    headers = tuple(pair for pair in answer.headers if pair[0] != "date")
    replayer.put("/api/json", replace(answer, headers=(*headers, ("date", format_datetime(there, usegmt=True)))))
    await jenkins.jobs()
    assert (jenkins.controller.version, jenkins.controller.session) == ("2.421", "14d92b33")
    assert abs(jenkins.controller.ahead - timedelta(minutes=2)) < timedelta(seconds=3)


async def test_names_with_blanks_slashes_and_other_letters_reach_their_job(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/job/my-mlops-monorepo/job/feature%252Fx/2/wfapi/describe", "wfapi-describe")
    replayer.put("/jenkins/x", "wfapi-describe")
    stages = await jenkins.stages(BuildRef(clean("my-mlops-monorepo/feature%2Fx"), 2))
    assert len(stages.stages) > 2


async def test_a_base_path_stands_before_everything(replayer: Replayer) -> None:
    server = JenkinsServer(access(f"{replayer.url}/ci/jenkins/"))
    replayer.put("/ci/jenkins/whoAmI/api/json", "auth-token-whoami")
    assert await server.who() == "admin"
    await server.aclose()


async def test_nobody_is_told_as_nobody(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/whoAmI/api/json", "auth-anon-whoami")
    assert await jenkins.who() is None


@pytest.mark.parametrize(
    ("name", "start", "whole", "more"),
    [
        ("log-finished-start-0", 0, False, False),
        ("log-finished-start-mid", 7540, False, False),
        ("log-finished-start-beyond", 16081, True, False),
        ("log-start-beyond-size-running", 99999999, True, True),
    ],
)
async def test_a_log_from_a_place(
    replayer: Replayer, jenkins: JenkinsServer, name: str, start: int, *, whole: bool, more: bool
) -> None:
    exchange = recorded(name)
    replayer.put("/job/train/4/logText/progressiveText", exchange)
    parts = [part async for part in jenkins.log(TRAIN, start)]
    assert b"".join(part.text for part in parts).decode() == exchange.body
    assert parts[-1].text == b""
    assert {part.whole for part in parts} == {whole}
    assert {part.more for part in parts} == {more}
    assert parts[-1].end == int(dict(exchange.headers)["x-text-size"])


async def test_the_size_of_a_log_costs_no_log(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/job/train/4/logText/progressiveText", "log-head")
    assert await jenkins.log_size(TRAIN) == 15081
    assert [method for method, _ in replayer.asked] == ["HEAD"]


async def test_a_log_of_a_build_that_is_gone(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/job/train/4/logText/progressiveText", "log-missing-build")
    with pytest.raises(JenkinsError) as raised:
        await anext(jenkins.log(TRAIN, 0))
    assert raised.value.trouble is Trouble.NOT_FOUND
    assert "train #4" in raised.value.reason


async def test_a_branch_is_named_as_people_write_it(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/job/my-repo/job/feature%252Fx/3/api/json", "job-missing-build")
    with pytest.raises(JenkinsError) as raised:
        await jenkins.build(BuildRef(clean("my-repo/feature%2Fx"), 3))
    assert raised.value.reason == "Jenkins has no build my-repo/feature/x #3, or hides it from operator."


@pytest.mark.parametrize(
    ("stages", "build", "told"),
    [
        ("wfapi-on-freestyle", "build-success-tree", "install the plugin Pipeline: Stage View (pipeline-rest-api)."),
        ("wfapi-on-freestyle", "build-freestyle", "Jenkins has no list of stages of train #4, or hides it from operator."),
        ("wfapi-missing-build", "job-missing-build", "Jenkins has no list of stages of train #4, or hides it from operator."),
    ],
)
async def test_why_a_build_has_no_stages(
    replayer: Replayer, jenkins: JenkinsServer, stages: str, build: str, told: str
) -> None:
    replayer.put("/job/train/4/wfapi/describe", stages)
    replayer.put("/job/train/4/api/json", build)
    with pytest.raises(JenkinsError) as raised:
        await jenkins.stages(TRAIN)
    assert raised.value.trouble is Trouble.NOT_FOUND
    assert raised.value.reason.endswith(told)


async def test_the_log_page_of_a_node(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/computer/wrong-key/logText/progressiveText", "agent/node-wrong-key-log")
    assert "Server rejected the 1 private key(s)" in await jenkins.node_log("wrong-key")
    replayer.put("/computer/wrong-key/logText/progressiveText", "agent/node-log-operator")
    with pytest.raises(JenkinsError) as raised:
        await jenkins.node_log("wrong-key")
    assert raised.value.trouble is Trouble.NOT_PERMITTED


async def test_an_artifact_comes_as_it_is(replayer: Replayer, jenkins: JenkinsServer) -> None:
    replayer.put("/job/train/4/artifact/out/metrics.json", "build-artifact")
    assert b"".join([part.data async for part in jenkins.artifact(TRAIN, "out/metrics.json")]) == b"{acc: 0.91}\n"
