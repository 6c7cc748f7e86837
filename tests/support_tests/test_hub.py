"""The stand-in for the Hugging Face Hub, asked by the library that asks the real one."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import Hub
from tests.support.waiting import DEADLINE, until_sync

WRITE, READ, OTHER = "hf_annwrites", "hf_annreads", "hf_benwrites"

# Says what came of each call: a value, or which error and with which status.
PROGRAM = """
import json, sys
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
for body in json.load(sys.stdin):
    names = {"api": HfApi(), "hf_hub_download": hf_hub_download, "snapshot_download": snapshot_download}
    exec("def call():\\n    " + "\\n    ".join(body.strip().splitlines()), names)
    try:
        said = {"value": names["call"]()}
    except Exception as error:
        response = getattr(error, "response", None)
        status = None if response is None else response.status_code
        said = {"error": type(error).__name__, "text": str(error), "status": status}
    print(json.dumps(said))
"""
UPLOAD = """
api.create_repo("ann/small", private=True, exist_ok=True)
oid = api.upload_folder(repo_id="ann/small", folder_path="model", commit_message="a model").oid
api.create_tag("ann/small", tag="build-1", revision=oid, exist_ok=True)
return oid
"""
MODEL = {"README.md": b"---\nlicense: mit\n---\n", "weights": bytes(range(256)) * 8, "logs/train.log": b"epoch 1\n"}
DATA = {"a.csv": b"1,2\n", "folder/b c.csv": b"3,4\n"}


class Client:
    """The real library, in a process of its own: it reads its settings when it is imported."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.folder, self.endpoint = folder, hub.endpoint
        for name, content in MODEL.items():
            path = folder / "model" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def all_said(self, *bodies: str, token: str | None = None) -> list[dict[str, Any]]:
        settings = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        own = {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(self.folder / "home"), "HF_TOKEN": token or WRITE}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps(bodies),
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("HF_")} | settings | own,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE * 2,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def says(self, body: str, *, token: str | None = None) -> dict[str, Any]:
        return self.all_said(body, token=token)[0]

    def value(self, body: str, *, token: str | None = None) -> Any:
        said = self.says(body, token=token)
        assert "value" in said, said
        return said["value"]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        server.add_user("ann", write=WRITE, read=READ)
        server.add_user("ben", write=OTHER)
        yield server


@pytest.fixture
def client(tmp_path: Path, hub: Hub) -> Client:
    pytest.importorskip("huggingface_hub")
    return Client(tmp_path, hub)


def asked(hub: Hub, word: str) -> int:
    return sum(word in path for _, path in hub.requests)


def test_an_upload_happens_once_and_is_tagged_once(hub: Hub, client: Client) -> None:
    refs = "refs = api.list_repo_refs('ann/small'); return [[ref.name, ref.target_commit] for ref in refs.branches + refs.tags]"
    uploaded, again, listed = client.all_said(UPLOAD, UPLOAD, refs)
    revision = uploaded["value"]
    assert again == uploaded
    assert listed["value"] == [["main", revision], ["build-1", revision]]
    assert hub.files("model", "ann/small", "build-1") == MODEL
    assert hub.revisions("model", "ann/small")[1:] == [revision]
    assert hub.tags("model", "ann/small") == {"build-1": revision}
    assert asked(hub, "/commit/") == 1
    assert asked(hub, "/tag/") == 2
    assert hub.tokens_seen == {WRITE}


def test_what_is_there_is_not_made_again(hub: Hub, client: Client) -> None:
    hub.add_repo("model", "ann/small", MODEL)
    tag, untag = "api.create_tag('ann/small', tag='a/b')", "api.delete_tag('ann/small', tag='a/b')"
    said = client.all_said("api.create_repo('ann/small')", tag, tag, untag, untag)
    assert [(answer.get("error"), answer.get("status")) for answer in said] == [
        ("HfHubHTTPError", 409),
        (None, None),
        ("HfHubHTTPError", 409),
        (None, None),
        ("RevisionNotFoundError", 404),
    ]
    assert hub.tags("model", "ann/small") == {}


def test_large_files_are_uploaded_before_the_commit_and_only_once(hub: Hub, client: Client) -> None:
    hub.large = 1000
    first = client.value(UPLOAD)
    assert hub.files("model", "ann/small") == MODEL
    assert list(hub.objects.values()) == [MODEL["weights"]]
    paths = [path for _, path in hub.requests]
    upload = next(place for place, (method, _) in enumerate(hub.requests) if method == "PUT")
    assert paths.index("/ann/small.git/info/lfs/objects/batch") < upload < paths.index("/lfs/verify")
    assert paths.index("/lfs/verify") < paths.index("/api/models/ann/small/commit/main")
    assert client.value(UPLOAD) == first
    assert [method for method, _ in hub.requests].count("PUT") == 1


def test_files_and_folders_are_deleted(hub: Hub, client: Client) -> None:
    revision = hub.add_repo("model", "ann/small", {"a/b": b"1", "a/c": b"2", "ab": b"3", "d": b"4"}, private=False)
    client.value("api.delete_folder('a', 'ann/small')")
    assert hub.files("model", "ann/small") == {"ab": b"3", "d": b"4"}
    client.value("api.delete_file('d', 'ann/small')")
    assert hub.files("model", "ann/small") == {"ab": b"3"}
    assert len(hub.files("model", "ann/small", revision)) == 4


def test_a_pinned_revision_is_downloaded_and_not_a_newer_one(hub: Hub, client: Client) -> None:
    pinned = hub.add_repo("dataset", "ann/data", DATA)
    append = "return api.upload_file(path_or_fileobj=b'5', path_in_repo='a.csv', repo_id='ann/data', repo_type='dataset').oid"
    assert client.value(append) == hub.revisions("dataset", "ann/data")[-1] != pinned
    download = "return snapshot_download('ann/data', repo_type='dataset', revision={!r})"
    folder = Path(client.value(download.format(pinned), token=READ))
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == DATA
    hub.forget("dataset", "ann/data", pinned)
    gone = client.says(f"api.repo_info('ann/data', repo_type='dataset', revision={pinned!r})", token=READ)
    assert (gone["error"], gone["status"]) == ("RevisionNotFoundError", 404)
    missing = "hf_hub_download('ann/data', 'nothing.csv', repo_type='dataset')"
    assert client.says(missing)["error"] == "RemoteEntryNotFoundError"


def test_a_private_repository_is_shown_to_nobody_else(hub: Hub, client: Client) -> None:
    hub.add_repo("dataset", "ann/data", DATA)
    hub.add_repo("dataset", "ann/open", DATA, private=False)
    looks = [
        f"return api.dataset_info('{repo}', token={token}).id"
        for repo, token in (("ann/data", False), ("ann/data", repr(OTHER)), ("ann/other", repr(WRITE)), ("ann/open", False))
    ]
    *hidden, missing, shown = client.all_said(*looks)
    for said in hidden:
        assert (said["error"], said["status"]) == ("RepositoryNotFoundError", 401)
        assert "Repository Not Found" in said["text"]
    assert (missing["error"], missing["status"]) == ("RepositoryNotFoundError", 404)
    assert shown == {"value": "ann/open"}


def test_tokens_are_told_apart(hub: Hub, client: Client) -> None:
    who = "who = api.whoami(); return [who['name'], who['type'], who['auth']['accessToken']['role']]"
    assert client.value(who) == ["ann", "user", "write"]
    assert client.value(who, token=READ) == ["ann", "user", "read"]
    wrong = client.all_said("api.dataset_info('ann/data')", UPLOAD, who, token="hf_wrong")
    assert [said["status"] for said in wrong] == [401, 401, 401]
    assert all("Invalid credentials in Authorization header" in said["text"] for said in wrong[:2])
    assert "Invalid user token" in wrong[2]["text"]
    assert "RepositoryNotFoundError" not in [said["error"] for said in wrong]


def test_a_read_token_writes_nothing(hub: Hub, client: Client) -> None:
    made = hub.add_repo("model", "ann/small", {})
    for said in client.all_said("api.create_repo('ann/new')", "api.create_tag('ann/small', tag='t')", UPLOAD, token=READ):
        assert (said["error"], said["status"]) == ("HfHubHTTPError", 403)
        assert "403 Forbidden: You don't have the rights to write to ann/" in said["text"]
    assert hub.revisions("model", "ann/small") == [made]
    assert hub.tags("model", "ann/small") == {}
    assert ("model", "ann/new") not in hub.repositories


def test_it_dies_in_the_middle_of_an_upload_and_comes_back(hub: Hub, client: Client) -> None:
    hub.fail_after(1, path_contains="/preupload/")
    died = client.says(UPLOAD)
    assert died["error"] == "RemoteProtocolError"
    assert hub.requests[-1] == ("POST", "/api/models/ann/small/commit/main")
    assert hub.files("model", "ann/small") == {}
    hub.heal()
    assert client.value(UPLOAD) == hub.tags("model", "ann/small")["build-1"]
    assert hub.files("model", "ann/small") == MODEL


def test_it_answers_as_it_is_told_and_only_once(hub: Hub, client: Client) -> None:
    hub.add_repo("dataset", "ann/data", DATA)
    hub.answer_next("/datasets/ann/data", 403, {"X-Error-Code": "GatedRepo"})
    gated = client.says("api.dataset_info('ann/data')")
    assert (gated["error"], gated["status"]) == ("GatedRepoError", 403)
    hub.answer_next("/repos/create", 429, {"Retry-After": "0"})
    assert client.says("api.create_repo('ann/small', exist_ok=True)")["status"] == 429
    # This one the library asks again.
    hub.answer_next("/preupload/", 500, {"Retry-After": "0"})
    client.value(UPLOAD)
    assert asked(hub, "/preupload/") == 2


def test_half_a_file_is_gone_on_with(hub: Hub) -> None:
    hub.add_repo("model", "ann/small", {"weights": b"0123456789"}, private=False)
    connection = http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=DEADLINE)
    connection.request("GET", "/ann/small/resolve/main/weights", headers={"Range": "bytes=7-"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Range"], answer.read()) == (206, "bytes 7-9/10", b"789")
    connection.close()


def test_bodies_in_chunks_and_other_names_of_the_host(hub: Hub) -> None:
    hub.add_repo("model", "ann/small", {})
    connection = http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=DEADLINE)
    headers = {"Authorization": f"Bearer {WRITE}", "Host": "hub.internal:8080"}
    lines = (b'{"key": "header", "value": {}}\n{"key": "file", "va', b'lue": {"path": "a", "content": "Yg=="}}\n')
    connection.request("POST", "/api/models/ann/small/commit/main", iter(lines), headers, encode_chunked=True)
    answer = json.loads(connection.getresponse().read())
    made = hub.revisions("model", "ann/small")[-1]
    assert answer["commitUrl"] == f"http://hub.internal:8080/ann/small/commit/{made}"
    assert hub.files("model", "ann/small") == {"a": b"b"}
    assert re.fullmatch("[0-9a-f]{40}", made)
    # Nothing of the body is left in the connection for the next request.
    connection.request("GET", "/api/models/ann/small", headers=headers)
    assert json.loads(connection.getresponse().read())["sha"] == made
    connection.close()


def test_half_a_commit_is_none(hub: Hub) -> None:
    before = hub.add_repo("model", "ann/small", {})
    connection = http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=DEADLINE)
    connection.putrequest("POST", "/api/models/ann/small/commit/main")
    connection.putheader("Authorization", f"Bearer {WRITE}")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b'{"key": "file", "value": {"path": "a", "content": "Yg=="}}\n')
    connection.close()
    until_sync(lambda: hub.requests, "the Hub to see half a request")
    hub.close()
    assert hub.revisions("model", "ann/small") == [before]


def test_closed_it_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    with Hub() as hub:
        waiting, _ = hub.hold("/whoami")
        idle, held = (http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=DEADLINE) for _ in "12")
        idle.connect()
        held.request("GET", "/api/whoami-v2")
        assert waiting.wait(DEADLINE)
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=DEADLINE).connect()
    idle.close()
    held.close()
