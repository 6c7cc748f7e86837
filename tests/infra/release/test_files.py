"""What GitHub says of a pull request's files: page by page, and what is done when it does not say it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.release.files import GitHub
from infra.release.release import MOST_FILES, Changed, Problem
from tests.infra.release.events import REPOSITORY
from tests.infra.release.front import Cut, Front, Reply, Request, front

TOKEN = "ghs_0123456789abcdef"


def pages(files: Sequence[dict[str, Any]]) -> Callable[[Request], Reply]:
    """As GitHub has them: `per_page` and `page` of the query, and an empty list behind the last."""

    def says(request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        assert path == f"/api/v3/repos/{REPOSITORY}/pulls/7/files"
        wanted = dict(one.split("=") for one in query.split("&"))
        size, page = int(wanted["per_page"]), int(wanted["page"])
        return Reply(200, json.dumps(files[(page - 1) * size : page * size]))

    return says


def named(*names: str) -> list[dict[str, Any]]:
    return [{"filename": name, "status": "modified", "patch": "@@"} for name in names]


class Asked:
    """GitHub as a program asks it; pauses are counted, not waited for."""

    def __init__(self, where: Front, token: str = TOKEN) -> None:
        self.pauses: list[float] = []
        env = {"GITHUB_API_URL": f"{where.url}/api/v3/", "GITHUB_TOKEN": token}
        self.github = GitHub(env, sleep=self.pauses.append)

    def files(self) -> Sequence[Changed]:
        return self.github.files(REPOSITORY, 7)

    def problem(self) -> str:
        with pytest.raises(Problem) as caught:
            self.files()
        assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
        return str(caught.value)


@pytest.fixture
def api(serve: Callable[..., Front]) -> Front:
    return serve(pages([]))


def test_files_with_their_former_names(api: Front) -> None:
    renamed = {"filename": "projects/b/x", "status": "renamed", "previous_filename": "projects/a/x"}
    api.says = pages([*named("a"), renamed, {"filename": "c", "status": "removed", "previous_filename": None}])
    assert Asked(api).files() == [Changed("a"), Changed("projects/b/x", "projects/a/x"), Changed("c")]
    (request,) = api.requests
    assert request.method == "GET"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (99, 1), (100, 2), (250, 3), (MOST_FILES, 30), (MOST_FILES + 50, 30)])
def test_all_pages_are_read(api: Front, count: int, requests: int) -> None:
    api.says = pages(named(*(f"projects/a/{number}" for number in range(count))))
    found = Asked(api).files()
    assert [one.path for one in found] == [f"projects/a/{number}" for number in range(min(count, MOST_FILES))]
    assert len(api.requests) == requests


@pytest.mark.parametrize(
    "first",
    [Reply(500), Reply(502, "<html>"), Reply(429), Reply(200, "{"), Reply(200, "{}"), Cut(), Cut(b"HTTP/1.1 200 OK\r\n\r\n[")],
)
def test_a_bad_moment_passes(api: Front, first: Reply | bytes) -> None:
    bad = iter([first])
    good = pages(named("a"))
    api.says = lambda request: next(bad, good(request))
    asked = Asked(api)
    assert asked.files() == [Changed("a")]
    assert asked.pauses == [2]


def test_bad_moments_that_do_not_pass_are_a_problem(api: Front) -> None:
    api.says = lambda _request: Reply(503, f"body {TOKEN}")
    asked = Asked(api)
    assert asked.problem() == "GitHub does not list the files of the pull request: 503. Run the job again."
    assert (len(api.requests), asked.pauses) == (4, [2, 8, 30])


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 422])
def test_a_refusal_is_final(api: Front, status: int) -> None:
    api.says = lambda _request: Reply(status, "Bad credentials", (("Location", "https://evil.example/"),))
    asked = Asked(api)
    assert f": {status}. Run" in asked.problem()
    assert (len(api.requests), asked.pauses) == (1, [])


def test_a_redirect_is_not_given_the_token(api: Front, serve: Callable[..., Front]) -> None:
    elsewhere = serve(pages(named("a")))
    api.says = lambda request: Reply(301, "", (("Location", elsewhere.url + request.path),))
    Asked(api).problem()
    assert elsewhere.requests == []


@pytest.mark.parametrize("told", ["{}", "null", '"x"', "[1]", "[[]]", "<html>", "[" * 100_000])
def test_what_is_no_list_is_not_taken_for_no_files(api: Front, told: str) -> None:
    api.says = lambda _request: Reply(200, told)
    assert "200 without a list" in Asked(api).problem()


def test_a_page_that_fails_loses_the_whole_list(api: Front) -> None:
    """Half of the projects would be released, and nobody would know of the others."""
    good = pages(named(*"x" * 150))
    api.says = lambda request: Reply(404) if "page=2" in request.path else good(request)
    assert "404" in Asked(api).problem()


def test_a_certificate_that_cannot_be_trusted_is_final(keys: Path, monkeypatch: pytest.MonkeyPatch, api: Front) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(keys / "other.pem"))
    asked = Asked(api)
    assert "its certificate cannot be trusted" in asked.problem()
    assert (api.requests, asked.pauses) == ([], [])


def test_a_certificate_for_another_name_is_final(trusted: Path) -> None:
    with front(trusted, pages([]), name="elsewhere.example") as api:
        asked = Asked(api)
        assert "its certificate cannot be trusted" in asked.problem()
        assert (api.requests, asked.pauses) == ([], [])


@pytest.mark.parametrize("token", ["", " ", f"{TOKEN}\n", f"{TOKEN}\r\nX: y"])
def test_without_a_token_nothing_is_asked(api: Front, token: str) -> None:
    assert Asked(api, token).problem().startswith("GITHUB_TOKEN is not set")
    assert api.requests == []


@pytest.mark.parametrize("url", ["http://api.github.com", "api.github.com", "https://user:s3cret@api.github.com", "https://"])
def test_only_https(url: str) -> None:
    with pytest.raises(Problem, match=r"^GITHUB_API_URL ") as caught:
        GitHub({"GITHUB_API_URL": url, "GITHUB_TOKEN": TOKEN})
    assert "s3cret" not in str(caught.value)
