"""Data and models from the Hub: at a pinned revision, and each trouble in one sentence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from projects._template.src.contract import TrainingError, snapshot
from tests.projects.kit import REVISION, ran, training
from tests.support.waiting import DEADLINE

# The library waits up to 23 s between its attempts; here no attempt ever does better than the one before.
PROGRAM = """
time.sleep = lambda seconds: None

def train(run):
    source = run.config["data"]
    folder = contract.snapshot("dataset", source["repo"], source["revision"])
    print("read", (folder / "data.csv").read_text(), file=sys.stderr)

sys.exit(contract.main(train))
"""
SOURCE = f"data.repo=org/data\ndata.revision={REVISION}"
TREE = f"/api/datasets/org/data/tree/{REVISION}"
FILE = f"/datasets/org/data/resolve/{REVISION}/data.csv"

Answer = tuple[int, Mapping[str, str], bytes]


def cached(home: Path, revision: str = REVISION) -> None:
    """A snapshot as the library lays it out."""
    folder = home / "hub" / "datasets--org--data"
    (folder / "snapshots" / revision).mkdir(parents=True)
    (folder / "snapshots" / revision / "data.csv").write_text("cached", encoding="utf-8")


class Hub(ThreadingHTTPServer):
    """Answers with what `answers` has for a path: a status, headers, and a body; 404 for anything else."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.asked: list[tuple[str, str | None]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    cut: ClassVar[str] = "X-Cut"  # how many bytes the header promises beyond those that come

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if "/datasets/" in path:
            self.server.asked.append((path, self.headers.get("Authorization")))
        status, headers, body = self.server.answers.get(path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + int(headers.get(self.cut, 0))))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        self.close_connection = True

    do_HEAD = do_GET  # noqa: N815  # its name there

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@contextmanager
def hub(answers: Mapping[str, Answer]) -> Iterator[Hub]:
    with Hub(answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def whole(**headers: str) -> dict[str, Answer]:
    body = b"from the Hub"
    entry = {"type": "file", "path": "data.csv", "size": len(body), "oid": "a" * 40}
    of_file = {"ETag": f'"{"a" * 40}"', "X-Repo-Commit": REVISION, **headers}
    return {
        TREE: (200, {"Content-Type": "application/json"}, json.dumps([entry]).encode()),
        FILE: (200, of_file, body),
    }


def failed(out: Path, **env: str) -> str:
    """The one sentence of a training that could not read its data."""
    status, done = ran(out, PROGRAM, **{"MLOPS_OVERRIDES": SOURCE, **env})
    assert status == 1
    assert "Traceback" not in done.stderr, done.stderr
    (error,) = done.events()
    assert (error["event"], error["error"]) == ("error", "TrainingError")
    message: str = error["message"]
    return message


@pytest.mark.parametrize(("repo", "revision"), [(None, REVISION), ("org/data", None), ("", ""), (None, None)])
def test_what_config_yaml_does_not_name(repo: str | None, revision: str | None) -> None:
    with pytest.raises(TrainingError, match=r"config\.yaml names no dataset repository and revision; `make dataset`"):
        snapshot("dataset", repo, revision)


@pytest.mark.parametrize(
    "revision", ["main", "v1.0", REVISION[:7], REVISION[:-1], REVISION + "0", REVISION.upper(), REVISION + "\n"]
)
def test_a_revision_is_pinned_by_all_its_digits(revision: str) -> None:
    with pytest.raises(TrainingError, match="is no pinned revision of org/data: a commit of 40 hexadecimal digits"):
        snapshot("model", "org/data", revision)


def test_a_short_revision_that_yaml_takes_for_a_number(tmp_path: Path) -> None:
    message = failed(tmp_path / "out", MLOPS_OVERRIDES="data.repo=org/data\ndata.revision=1234567")
    assert "no pinned revision" in message


@pytest.mark.parametrize("repo", ["a/b/c", "bad name"])
def test_a_name_that_no_repository_can_have(tmp_path: Path, repo: str) -> None:
    message = failed(tmp_path / "out", MLOPS_OVERRIDES=f"data.repo={repo}\ndata.revision={REVISION}")
    assert repo in message


def test_the_cache_alone_is_enough(tmp_path: Path) -> None:
    cached(tmp_path / "hub")
    status, done = ran(tmp_path / "out", PROGRAM, MLOPS_OVERRIDES=SOURCE, HF_HUB_OFFLINE="1")
    assert (status, "read cached\n" in done.stderr) == (0, True), done.stderr


def test_the_cache_is_enough_while_the_hub_is_away(tmp_path: Path) -> None:
    cached(tmp_path / "hub")
    status, done = ran(tmp_path / "out", PROGRAM, MLOPS_OVERRIDES=SOURCE)
    assert (status, "read cached\n" in done.stderr) == (0, True), done.stderr


@pytest.mark.parametrize("offline", ["0", "1"])
def test_the_hub_is_away_and_the_revision_is_not_in_the_cache(tmp_path: Path, offline: str) -> None:
    cached(tmp_path / "hub", "f" * 40)
    message = failed(tmp_path / "out", HF_HUB_OFFLINE=offline)
    assert message == f"the Hub cannot be reached and revision {REVISION} of org/data is not in the cache"


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (404, "RevisionNotFound", f"the dataset org/data has no revision {REVISION} (any more)"),
        (404, "RepoNotFound", "the Hub shows no dataset org/data: the name is wrong, or it is private and"),
        (401, "RepoNotFound", "the Hub shows no dataset org/data: the name is wrong, or it is private and"),
        (401, "", "org/data"),
        (403, "GatedRepo", "the dataset org/data is gated: ask for access on its page on the Hub"),
        (403, "", "org/data"),
        (500, "", "org/data"),
    ],
)
def test_what_the_hub_refuses(tmp_path: Path, status: int, code: str, sentence: str) -> None:
    with hub({TREE: (status, {"X-Error-Code": code} if code else {}, b"{}")}) as server:
        message = failed(tmp_path / "out", HF_ENDPOINT=server.endpoint)
    assert sentence in message


def test_a_hub_that_answers_but_refuses_is_not_said_to_be_away(tmp_path: Path) -> None:
    with hub({TREE: (403, {}, b"{}")}) as server:
        message = failed(tmp_path / "out", HF_ENDPOINT=server.endpoint)
    assert "cannot be reached" not in message


def test_a_snapshot_is_read_with_the_token_and_never_asked_for_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hf_read_only\n", encoding="utf-8")
    with hub(whole()) as server:
        env = {"MLOPS_OVERRIDES": SOURCE, "HF_ENDPOINT": server.endpoint, "HF_TOKEN_PATH": str(token)}
        status, done = ran(tmp_path / "first", PROGRAM, **env)
        assert (status, "read from the Hub\n" in done.stderr) == (0, True), done.stderr
        assert server.asked[0] == (TREE, "Bearer hf_read_only")
        server.asked.clear()
        status, done = ran(tmp_path / "second", PROGRAM, **env)
        assert (status, "read from the Hub\n" in done.stderr) == (0, True), done.stderr
        assert server.asked == []


def test_a_download_that_breaks_off(tmp_path: Path) -> None:
    with hub(whole(**{"X-Cut": "100"})) as server:
        message = failed(tmp_path / "out", HF_ENDPOINT=server.endpoint)
    assert "org/data" in message


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(TREE, id="the list of files"),
        pytest.param(FILE, id="a file"),
    ],
)
def test_a_stop_ends_a_download(tmp_path: Path, path: str) -> None:
    going, over = threading.Event(), threading.Event()

    class Slow(dict[str, Answer]):
        def get(self, asked: str, default: Any = None) -> Any:
            if asked == path:
                going.set()
                over.wait()
            return super().get(asked, default)

    with hub(Slow(whole())) as server:
        try:
            with training(tmp_path / "out", PROGRAM, MLOPS_OVERRIDES=SOURCE, HF_ENDPOINT=server.endpoint) as stopped:
                assert going.wait(DEADLINE)
                stopped.send()
                assert stopped.status() == 143
        finally:
            over.set()
    assert [event["event"] for event in stopped.events()] == ["stopped"]
