"""Requests on the wire, what each answer means, and what is sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.release.address import PATH, Target, target
from infra.release.release import Problem, Release
from infra.release.request import Means, body, delivery, send, signature
from infra.release.sending import FRESH, LONGEST_PAUSE, PATIENCE, Run, Sent, send_all
from tests.infra import controller
from tests.infra.release.events import COMMIT, KEY, REPOSITORY
from tests.infra.release.front import FRP, MARK, RECORDED, Cut, Front, Reply, Request, front, gate, plugin, queued

RUN = Run("12345678901", "1")
NOW = 1_795_413_618
CONTENT = b'{"project":"project-a"}'


def release(*projects: str) -> Release:
    return Release(REPOSITORY, "refs/heads/main", COMMIT, 7, projects or ("project-a",))


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = float(NOW)
        self.slept: list[float] = []
        self.then: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.time += seconds
        self.slept.append(seconds)
        self.then()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def all_of(what: Release, there: Target, clock: Clock, *, patience: float = PATIENCE) -> tuple[Sequence[Sent], list[str]]:
    said: list[str] = []
    return send_all(what, there, RUN, said.append, patience=patience, now=clock.now, sleep=clock.sleep), said


# --- one request


def test_it_is_what_the_interface_says(hook: Front, there: Target, clock: Clock) -> None:
    (sent,), _ = all_of(release(), there, clock)
    (request,) = hook.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert request.told == {
        "project": "project-a",
        "commit": COMMIT,
        "delivery": sent.delivery,
        "timestamp": NOW,
        "repository": REPOSITORY,
        "ref": "refs/heads/main",
        "pull_request": 7,
    }
    digest = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-hub-signature-256"] == f"sha256={digest}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"localhost:{hook.port}"
    assert "token" not in request.headers
    assert "authorization" not in request.headers


def test_the_job_takes_it() -> None:
    """The filter of the job train, as it stands in its configuration."""
    (filtered,) = re.findall(r"regexpFilterExpression\('(.+?)'\)", controller.CASC)
    pattern = re.compile(filtered.replace(r"\\z", r"\z").replace(r"\z", r"\Z"))
    longest = Release(REPOSITORY, "refs/heads/main", COMMIT, None, ("p" * 63,))
    for run in (RUN, Run("9" * 20, "9" * 3)):
        told = json.loads(body(longest, "p" * 63, delivery(run.id, run.attempt, longest, "p" * 63), NOW))
        assert pattern.fullmatch(f"{told['project']} {told['commit']} {told['delivery']} {told['timestamp']}")


def test_deliveries_differ_by_project_commit_run_and_attempt() -> None:
    other = Release(REPOSITORY, "refs/heads/main", "0" * 40, 7, ("project-a",))
    every = [
        delivery("1", "1", release(), "project-a"),
        delivery("1", "1", release(), "project-b"),
        delivery("1", "1", other, "project-a"),
        delivery("1", "2", release(), "project-a"),
        delivery("2", "1", release(), "project-a"),
    ]
    assert len(set(every)) == 5
    assert delivery("1", "1", release(), "project-a") == every[0]


@pytest.mark.parametrize(("number", "attempt"), [("", "1"), ("1", ""), ("1\n", "1"), ("1", "a"), ("1" * 21, "1"), ("-1", "1")])
def test_a_run_has_numbers(number: str, attempt: str) -> None:
    with pytest.raises(Problem, match="is no number"):
        Run(number, attempt)


def test_a_signature_as_github_makes_it() -> None:
    """The example in GitHub's own documentation of webhooks."""
    said = signature(b"It's a Secret to Everybody", b"Hello, World!")
    assert said == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


# --- what an answer means


@pytest.mark.parametrize(
    ("reply", "means", "words"),
    [
        (plugin("gwt-good"), Means.QUEUED, "queued"),
        (plugin("gwt-replay-in-quiet-period"), Means.QUEUED, "queued"),
        (queued(5), Means.QUEUED, "queued"),
        (plugin("gwt-filtered-project"), Means.REFUSED, "took no job"),
        (plugin("gwt-filtered-missing"), Means.REFUSED, "took no job"),
        (gate(403), Means.REFUSED, "MLOPS_HOOK_SECRET is not the server's webhook-hmac"),
        (gate(404), Means.REFUSED, "webhook-token"),
        (gate(413), Means.REFUSED, "the gate refuses the request (413)"),
        (gate(400), Means.REFUSED, "the gate refuses the request (400)"),
        (gate(405), Means.REFUSED, "(405)"),
        (gate(408), Means.AGAIN, "too slowly"),
        (gate(429), Means.AGAIN, "too many requests"),
        (gate(500), Means.AGAIN, "Jenkins is not there (500)"),
        (gate(502), Means.AGAIN, "Jenkins is not there (502)"),
        (gate(503), Means.AGAIN, "Jenkins is not there (503)"),
        (gate(504), Means.AGAIN, "Jenkins is not there (504)"),
        (FRP, Means.AGAIN, "the tunnel is down (404 without the gate's mark)"),
        (Reply(403, "who are you"), Means.AGAIN, "403 without the gate's mark"),
        (Reply(413, "too large"), Means.AGAIN, "413 without the gate's mark"),
        (Reply(502, "bad gateway"), Means.AGAIN, "502 without the gate's mark"),
        (Reply(200, RECORDED["gwt-good"]["body"]), Means.AGAIN, "200 without the gate's mark"),
        (Reply(404, "", (("X-Mlops-Gate", "0"),)), Means.AGAIN, "the tunnel is down"),
        (Reply(302, "", (("Location", "https://evil.example/"),)), Means.AGAIN, "a redirect (302), which is not followed"),
        (Reply(302, "", (*MARK, ("Location", "/login"))), Means.AGAIN, "302, which is no answer of the plugin"),
        (Reply(204, "", MARK), Means.AGAIN, "204, which is no answer of the plugin"),
        (Reply(200, "<html>sign in</html>", MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, "", MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, "[]", MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, '{"jobs":null}', MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, '{"jobs":{"train":7}}', MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, "[" * 60_000, MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, RECORDED["gwt-good"]["body"] + " " * 70_000, MARK), Means.AGAIN, "not in the words of the plugin"),
        (Reply(200, '{"jobs":{"train":{"triggered":"true"}}}', MARK), Means.REFUSED, "took no job"),
        (Reply(200, '{"jobs":{}}', MARK), Means.REFUSED, "took no job"),
        (b"nonsense\r\n\r\n", Means.AGAIN, "no answer: "),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, Means.AGAIN, "no answer: "),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_what_an_answer_means(hook: Front, there: Target, reply: Reply | bytes, means: Means, words: str) -> None:
    hook.says = lambda _request: reply
    answer = send(there, CONTENT)
    assert answer.means is means
    assert words in answer.words
    assert len(hook.requests) == 1


def test_the_item_of_the_queue_is_told(hook: Front, there: Target) -> None:
    hook.says = lambda _request: plugin("gwt-good")
    assert send(there, CONTENT).item == 18
    hook.says = lambda _request: Reply(
        200, '{"jobs":{"train":{"triggered":true,"url":"https://evil.example/queue/item/1/"}}}', MARK
    )
    assert send(there, CONTENT).item is None


@pytest.mark.parametrize("mark", [(), MARK])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 429, 500])
def test_nothing_of_a_body_is_told(hook: Front, there: Target, status: int, mark: tuple[tuple[str, str], ...]) -> None:
    """The plugin's 403 repeats all headers of the request, with the token."""
    text = RECORDED["gwt-wrong-signature"]["body"]
    assert "token=[" in text
    hook.says = lambda _request: Reply(status, text, mark)
    told = send(there, CONTENT).words
    assert "token=" not in told
    assert "whitelist" not in told
    assert KEY not in told


def test_an_answer_that_comes_drop_by_drop_ends(hook: Front, there: Target) -> None:
    hook.says = lambda _request: b"HTTP/1.1 200 OK\r\nX-Mlops-Gate: 1\r\nContent-Length: 100\r\n\r\n{"
    answer = send(there, CONTENT, limit=0.2)
    assert answer.means is Means.AGAIN
    assert answer.words.startswith("no answer: ")
    assert answer.words != "no answer: timed out", "it was waited for as long as for a byte"


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-Mlops-Gate: 1\r\nContent-Length: 100\r\n\r\n{}"])
def test_an_answer_that_breaks_off_is_none(hook: Front, there: Target, begun: bytes) -> None:
    hook.says = lambda _request: Cut(begun)
    answer = send(there, CONTENT)
    assert answer.means is Means.AGAIN
    assert answer.words in ("no answer: the connection broke off", "no answer: BadStatusLine")


def test_silence_ends(hook: Front, there: Target) -> None:
    hook.says = lambda _request: b""
    assert send(there, CONTENT, timeout=0.2).words == "no answer: timed out"


def test_nobody_is_there(there: Target, hook: Front) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert send(Target("localhost", port, there.key, there.context), CONTENT).words == "no answer: Connection refused"
    assert send(Target("no-such-host.invalid", 443, there.key, there.context), CONTENT).means is Means.AGAIN
    assert hook.requests == []


# --- whom it talks to


def test_a_certificate_of_another_authority_is_final(
    keys: Path, monkeypatch: pytest.MonkeyPatch, hook: Front, clock: Clock
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(keys / "other.pem"))
    there = target({"MLOPS_HOOK_URL": hook.url, "MLOPS_HOOK_SECRET": KEY})
    (sent,), _ = all_of(release(), there, clock)
    assert (sent.answer.means, sent.tries, clock.slept) == (Means.REFUSED, 1, [])
    assert sent.answer.words.startswith("the certificate of localhost cannot be trusted: ")
    assert hook.requests == []


def test_a_certificate_for_another_name_is_final(trusted: Path, clock: Clock) -> None:
    with front(trusted, lambda _request: queued(5), name="elsewhere.example") as elsewhere:
        there = target({"MLOPS_HOOK_URL": elsewhere.url, "MLOPS_HOOK_SECRET": KEY})
        (sent,), _ = all_of(release(), there, clock)
        assert elsewhere.requests == []
    assert (sent.answer.means, sent.tries) == (Means.REFUSED, 1)
    assert "not valid for 'localhost'" in sent.answer.words


@contextmanager
def without_tls() -> Iterator[tuple[int, list[bytes]]]:
    """A server that takes what comes first and says something in plain text."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def once() -> None:
            connection, _ = listening.accept()
            with connection:
                got.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Mlops-Gate: 1\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=once)
        thread.start()
        yield listening.getsockname()[1], got
        thread.join()


def test_nothing_is_sent_without_tls(there: Target) -> None:
    with without_tls() as (port, got):
        answer = send(Target("localhost", port, there.key, there.context), CONTENT)
    assert answer.means is Means.AGAIN
    assert b"project" not in got[0]


def test_a_redirect_is_not_followed(serve: Callable[..., Front], there: Target, hook: Front) -> None:
    elsewhere = serve(lambda _request: queued(6))
    for status in (301, 302, 303, 307, 308):
        hook.says = lambda _request, status=status: Reply(status, "", (("Location", elsewhere.url + PATH),))  # type: ignore[misc]
        assert send(there, CONTENT).means is Means.AGAIN
    assert elsewhere.requests == []


def test_no_proxy_is_taken(hook: Front, there: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert send(there, CONTENT).means is Means.QUEUED


# --- again


def answering(*replies: Reply) -> Callable[[Request], Reply]:
    """One after the other, the last one for ever."""
    left = list(replies)
    return lambda _request: left.pop(0) if len(left) > 1 else left[0]


def test_what_did_not_get_through_is_sent_again_with_the_same_delivery(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = answering(FRP, gate(502), Reply(502), gate(429), plugin("gwt-good"))
    (sent,), said = all_of(release(), there, clock)
    assert (sent.queued, sent.answer.item, sent.tries) == (True, 18, 5)
    assert len({request.body for request in hook.requests}) == 1, "within four minutes not a byte differs"
    assert clock.slept == [2, 4, 8, 16]
    assert said[0] == "project-a: the tunnel is down (404 without the gate's mark)"
    assert said[-1] == "project-a: queued"


def test_a_refusal_by_the_gate_is_final(hook: Front, there: Target, clock: Clock) -> None:
    for status in (400, 403, 404, 413):
        hook.requests.clear()
        hook.says = lambda _request, status=status: gate(status)  # type: ignore[misc]
        (sent,), _ = all_of(release(), there, clock)
        assert (sent.queued, sent.tries, len(hook.requests)) == (False, 1, 1)
    assert clock.slept == []


def test_a_late_request_has_a_new_time_stamp_and_the_same_delivery(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = answering(*[FRP] * 10, queued(5))
    (sent,), _ = all_of(release(), there, clock)
    stamps = [int(str(request.told["timestamp"])) for request in hook.requests]
    assert sent.queued
    assert {request.told["delivery"] for request in hook.requests} == {sent.delivery}
    at, ages = float(NOW), []
    for stamp, pause in zip(stamps, [*clock.slept, 0], strict=True):
        ages.append(at - stamp)
        at += pause
    assert stamps[0] == NOW
    assert stamps[-1] > NOW
    assert max(ages) <= FRESH
    for request in hook.requests:
        digest = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["x-hub-signature-256"] == f"sha256={digest}"


def test_patience_ends(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = lambda _request: FRP
    (sent,), said = all_of(release(), there, clock)
    assert not sent.queued
    assert sum(clock.slept) == PATIENCE
    assert max(clock.slept) == LONGEST_PAUSE
    assert sent.tries == len(clock.slept) + 1 == len(hook.requests)
    assert said[-1] == "project-a: the tunnel is down (404 without the gate's mark)", "the last thing is a try, not a pause"


def test_without_patience_there_is_one_try(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = lambda _request: FRP
    (sent,), _ = all_of(release(), there, clock, patience=0)
    assert (sent.tries, clock.slept) == (1, [])


THIRTY = tuple(f"project-{number:02}" for number in range(30))


def test_thirty_projects_at_once(hook: Front, there: Target, clock: Clock) -> None:
    items = iter(range(100, 200))
    hook.says = lambda _request: queued(next(items))
    sent, said = all_of(release(*THIRTY), there, clock)
    assert [(one.project, one.answer.item, one.tries) for one in sent] == [
        (name, 100 + row, 1) for row, name in enumerate(THIRTY)
    ]
    assert len({one.delivery for one in sent}) == 30
    assert (len(hook.requests), clock.slept, len(said)) == (30, [], 30)


def test_a_tunnel_that_comes_back_gets_all_thirty_once(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = lambda _request: FRP

    def back() -> None:
        if clock.time > NOW + 100:
            hook.says = lambda _request: queued(5)

    clock.then = back
    sent, _ = all_of(release(*THIRTY), there, clock)
    assert all(one.queued for one in sent)
    assert [one.project for one in sent] == list(THIRTY)
    assert sum(clock.slept) == 122, "2, 4, 8, 16, 32, 60: nobody waits once it is back"
    assert len(hook.requests) == 36, "while it is away it is asked with one request at a time"


def test_one_project_that_fails_does_not_hold_up_the_others(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = lambda request: gate(500) if request.told["project"] == THIRTY[0] else queued(5)
    sent, _ = all_of(release(*THIRTY), there, clock)
    assert [one.project for one in sent if not one.queued] == [THIRTY[0]]
    assert all(one.tries == 1 for one in sent[1:])
    assert [request.told["project"] for request in hook.requests][:30] == list(THIRTY)
    assert {request.told["project"] for request in hook.requests[30:]} == {THIRTY[0]}
    assert clock.slept[:3] == [2, 2, 4], "a pause that has grown begins anew as soon as one gets through"


def test_what_never_had_its_turn_says_why(hook: Front, there: Target, clock: Clock) -> None:
    hook.says = lambda _request: FRP
    sent, _ = all_of(release(*THIRTY), there, clock, patience=10)
    tried, untried = [one for one in sent if one.tries], [one for one in sent if not one.tries]
    assert (len(tried), len(untried)) == (4, 26)
    assert {one.answer.words for one in untried} == {"its turn never came: the tunnel is down (404 without the gate's mark)"}
    assert not any(one.queued for one in sent)


def test_an_answer_that_is_lost_is_asked_for_again(hook: Front, there: Target, clock: Clock) -> None:
    """The request was taken, its answer was not: the same delivery tells Jenkins that it is the same."""
    replies: Iterator[Reply | bytes] = iter([Cut(b"HTTP/1.1 2"), plugin("gwt-replay-in-quiet-period")])
    hook.says = lambda _request: next(replies)
    (sent,), _ = all_of(release(), there, clock)
    first, second = hook.requests
    assert first.body == second.body
    assert (sent.queued, sent.tries, sent.answer.item) == (True, 2, 18)
