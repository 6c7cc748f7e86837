"""A stand-in for the Hugging Face Hub: repositories, revisions, tags, tokens, uploads, over real HTTP on this machine.

It answers what huggingface_hub 2.4 asks for. There is no Xet, no pull request, no branch but main, no page after the first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

User = tuple[str, str]  # a name, and what the token may: "write" or "read"
Answer = tuple[int, bytes, Mapping[str, str]]


@dataclass
class Repository:
    private: bool
    revisions: dict[str, dict[str, bytes]] = field(default_factory=dict)
    main: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def add(self, files: dict[str, bytes]) -> str:
        """A new revision on main."""
        seed = json.dumps([self.main, sorted((name, _oid(content)) for name, content in files.items())])
        revision = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
        self.revisions[revision] = files
        self.main = revision
        return revision

    def find(self, name: str) -> str:
        """The revision that a branch, a tag or a commit's name stands for."""
        revision = self.main if name == "main" else self.tags.get(name, name)
        if revision not in self.revisions:
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {name}")
        return revision


class Hub:
    """The server, in threads of its own. Everything in it may be looked at and changed while it runs."""

    def __init__(self, *, large: int | None = None, address: str = "127.0.0.1") -> None:
        """Files of at least `large` bytes go the way of large files (LFS); None: none do."""
        self.large = large
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens_seen: set[str] = set()
        self.users: dict[str, User] = {}
        self.objects: dict[str, bytes] = {}
        self.lock = threading.RLock()
        self._dies_after: tuple[int, str] | None = None
        self._answers: list[tuple[str, _Refusal]] = []
        self._holds: list[tuple[str, threading.Event, threading.Event]] = []
        self._server = _Server(self, address)
        self.endpoint = f"http://{address}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody and end every thread. Twice is safe."""
        self._server.shutdown()
        self._thread.join()
        for _, _, free in self._holds:
            free.set()
        for connection in self._server.accepted:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def add_user(self, name: str, *, write: str | None = None, read: str | None = None) -> None:
        """Tokens of a user."""
        self.users |= {token: (name, role) for token, role in ((write, "write"), (read, "read")) if token is not None}

    def add_repo(self, kind: str, repo: str, files: Mapping[str, bytes], *, private: bool = True) -> str:
        """A `model` or `dataset` with one revision, which is returned. One that has the name already is no more."""
        with self.lock:
            made = self.repositories[kind, repo] = Repository(private)
            return made.add(dict(files))

    def files(self, kind: str, repo: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repositories[kind, repo]
        return dict(found.revisions[found.find(revision)])

    def tags(self, kind: str, repo: str) -> dict[str, str]:
        return dict(self.repositories[kind, repo].tags)

    def revisions(self, kind: str, repo: str) -> list[str]:
        return list(self.repositories[kind, repo].revisions)  # from the oldest on

    def forget(self, kind: str, repo: str, revision: str) -> None:
        """From now on there is no such revision."""
        with self.lock:
            del self.repositories[kind, repo].revisions[revision]

    def fail_after(self, requests: int, path_contains: str = "") -> None:
        """After so many more requests whose path has this, connections are closed without an answer, until `heal`."""
        with self.lock:
            self._dies_after = (requests, path_contains)

    die_after = fail_after  # its older name

    def heal(self) -> None:
        with self.lock:
            self._dies_after = None

    def hold(self, path_contains: str) -> tuple[threading.Event, threading.Event]:
        """Requests whose path has this wait. The first event says that one does, the second lets them go."""
        waiting, free = threading.Event(), threading.Event()
        self._holds.append((path_contains, waiting, free))
        return waiting, free

    def answer_next(self, path_contains: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        """The next request whose path has this is answered so, and changes nothing."""
        self._answers.append((path_contains, _Refusal(status, "", f"told to answer {status}", headers)))

    def note(self, method: str, path: str, token: str) -> bool:
        """Count a request that has come; whether anybody is there to answer it."""
        with self.lock:
            self.requests.append((method, path))
            self.tokens_seen |= {token} - {""}
            left, word = self._dies_after or (1, "")
            if self._dies_after and left > 0:
                self._dies_after = (left - (word in path), word)
            return left > 0

    def interfere(self, path: str) -> None:
        """Wait, and then raise _Refusal, where a test wants that."""
        for word, waiting, free in tuple(self._holds):
            if word in path:
                waiting.set()
                free.wait(60)
        with self.lock:
            for entry in self._answers:
                if entry[0] in path:
                    self._answers.remove(entry)
                    raise entry[1]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them
    request_queue_size = 64  # beyond this a client tries again only after a second

    def __init__(self, hub: Hub, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.hub = hub
        self.accepted: list[socket.socket] = []  # clients keep them open, and a thread waits at each

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.accepted.append(connection)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients are killed in tests: only what is wrong here is worth a traceback.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Refusal(Exception):  # noqa: N818  # an answer, no defect
    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        # The client quotes this header, and over https it tells a wrong token from a hidden repository by it.
        usual = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        self.answer = _json({"error": message}, status, {**usual, **(headers or {})})


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets: the second would wait 40 ms for the first

    def log_message(self, *_: object) -> None: ...  # tests look at `requests`

    def do_GET(self) -> None:
        hub, path = self.server.hub, urlsplit(self.path).path
        body = self._body()
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ").strip()
        if not hub.note(self.command, unquote(path), token) or body is None:
            self.close_connection = True
            return
        try:
            hub.interfere(unquote(path))
            with hub.lock:
                status, content, headers = self._route(path, body, token)
        except _Refusal as refusal:
            status, content, headers = refusal.answer
        # Outside of the lock: a client that reads slowly holds up nobody else.
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names that http.server calls

    def _body(self) -> bytes | None:
        """None when the client went away in the middle: half of a commit is none."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            return body if len(body) == length else None
        pieces = []
        while line := self.rfile.readline():
            size = int(line.split(b";")[0], 16)
            pieces.append(self.rfile.read(size + 2)[:-2])
            if size == 0:
                return b"".join(pieces)
        return None

    def _route(self, path: str, body: bytes, token: str) -> Answer:
        user = self.server.hub.users.get(token)
        if token and user is None:
            raise _Refusal(401, "", "Invalid credentials in Authorization header")
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method.split():
                named = {group: unquote(value or "") for group, value in found.groupdict().items()}
                answer: Answer = getattr(self, name)(named, body, user)
                return answer
        raise _Refusal(404, "", f"nothing answers {self.command} {path}")

    def _whoami(self, _: object, __: object, user: User | None) -> Answer:
        if user is None:
            raise _Refusal(401, "", "Invalid username or password.")
        return _json({"type": "user", "name": user[0], "auth": {"type": "access_token", "accessToken": {"role": user[1]}}})

    def _create(self, _: object, body: bytes, user: User | None) -> Answer:
        asked = json.loads(body)
        kind, owner = asked.get("type") or "model", asked.get("organization") or (user[0] if user else "")
        repo = f"{owner}/{asked['name']}"
        _may_write(repo, user)
        url = f"{self._host()}/{'datasets/' if kind == 'dataset' else ''}{repo}"
        if (kind, repo) in self.server.hub.repositories:
            return _json({"error": f"You already created this {kind} repo", "url": url}, 409)
        self.server.hub.add_repo(kind, repo, {}, private=asked.get("visibility") == "private" or bool(asked.get("private")))
        return _json({"url": url, "name": repo, "id": repo})

    def _yaml(self, *_: object) -> Answer:
        return _json({"errors": [], "warnings": []})

    def _preupload(self, named: dict[str, str], body: bytes, user: User | None) -> Answer:
        found, revision = self._find(named, user, to_write=True)
        there, answers = found.revisions[revision], []
        for file in json.loads(body)["files"]:
            mode = "lfs" if self.server.hub.large is not None and file["size"] >= self.server.hub.large else "regular"
            content = there.get(file["path"])
            oid = None if content is None else hashlib.sha256(content).hexdigest() if mode == "lfs" else _oid(content)
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return _json({"files": answers})

    def _commit(self, named: dict[str, str], body: bytes, user: User | None) -> Answer:
        found, revision = self._find(named, user, to_write=True)
        if named["revision"] != "main":
            raise _Refusal(404, "RevisionNotFound", f"{named['revision']} is no branch")
        files = dict(found.revisions[revision])
        for line in body.splitlines():
            entry = json.loads(line)
            key, value = entry["key"], entry["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                if value["oid"] not in self.server.hub.objects:
                    raise _Refusal(400, "", f"{value['path']}: a large file that was never uploaded")
                files[value["path"]] = self.server.hub.objects[value["oid"]]
            elif key == "deletedFile":
                files.pop(value["path"], None)
            elif key == "deletedFolder":
                folder = value["path"].rstrip("/") + "/"
                files = {name: content for name, content in files.items() if not name.startswith(folder)}
        made = found.add(files)
        url = f"{self._host()}/{'datasets/' if named['kind'] else ''}{named['repo']}/commit/{made}"
        return _json({"success": True, "commitOid": made, "commitUrl": url, "hookOutput": "", "pullRequestUrl": None})

    def _tag(self, named: dict[str, str], body: bytes, user: User | None) -> Answer:
        found, revision = self._find(named, user, to_write=True)
        tag = json.loads(body)["tag"]
        if tag in found.tags:
            raise _Refusal(409, "", f"Tag {tag} already exists")
        found.tags[tag] = revision
        return _json({}, 201)

    def _untag(self, named: dict[str, str], _: object, user: User | None) -> Answer:
        found, _main = self._find(named, user, to_write=True)
        if found.tags.pop(named["tag"], None) is None:
            raise _Refusal(404, "RevisionNotFound", f"There is no tag {named['tag']}")
        return _json({})

    def _refs(self, named: dict[str, str], _: object, user: User | None) -> Answer:
        found, main = self._find(named, user)
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": at} for tag, at in found.tags.items()]
        branches = [{"name": "main", "ref": "refs/heads/main", "targetCommit": main}]
        return _json({"tags": tags, "branches": branches, "converts": []})

    def _info(self, named: dict[str, str], _: object, user: User | None) -> Answer:
        found, revision = self._find(named, user)
        names = [{"rfilename": name} for name in sorted(found.revisions[revision])]
        return _json({"id": named["repo"], "sha": revision, "private": found.private, "siblings": names, "tags": []})

    def _tree(self, named: dict[str, str], _: object, user: User | None) -> Answer:
        found, revision = self._find(named, user)
        files = sorted(found.revisions[revision].items())
        return _json([{"type": "file", "path": name, "size": len(content), "oid": _oid(content)} for name, content in files])

    def _lfs(self, named: dict[str, str], body: bytes, user: User | None) -> Answer:
        self._find(named, user, to_write=True)
        answers = []
        for entry in json.loads(body)["objects"]:
            upload, verify = f"{self._host()}/lfs/{entry['oid']}", f"{self._host()}/lfs/verify"
            actions = {"upload": {"href": upload, "header": {}}, "verify": {"href": verify, "header": {}}}
            missing = {} if entry["oid"] in self.server.hub.objects else {"actions": actions}
            answers.append({"oid": entry["oid"], "size": entry["size"], **missing})
        return _json({"transfer": "basic", "objects": answers})

    def _put(self, named: dict[str, str], body: bytes, _: object) -> Answer:
        if hashlib.sha256(body).hexdigest() != named["oid"]:
            raise _Refusal(400, "", "these bytes have another hash")
        self.server.hub.objects[named["oid"]] = body
        return _json({})

    def _verify(self, _: object, body: bytes, __: object) -> Answer:
        return _json({}, 200 if json.loads(body)["oid"] in self.server.hub.objects else 404)

    def _file(self, named: dict[str, str], _: object, user: User | None) -> Answer:
        found, revision = self._find(named, user)
        content = found.revisions[revision].get(named["path"])
        if content is None:
            raise _Refusal(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": revision, "ETag": f'"{_oid(content)}"', "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not wanted:
            return (200, content, headers)
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        if first > last:
            return (416, b"", {**headers, "Content-Range": f"bytes */{len(content)}"})
        return (206, content[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(content)}"})

    def _find(self, named: dict[str, str], user: User | None, *, to_write: bool = False) -> tuple[Repository, str]:
        """The repository and the revision, main where none is named, for somebody who may see it."""
        kind, repo = "dataset" if named["kind"] else "model", named["repo"]
        found = self.server.hub.repositories.get((kind, repo))
        is_hidden = found is not None and found.private and (user is None or user[0] != repo.split("/")[0])
        if found is None or is_hidden:
            raise _Refusal(401 if is_hidden or user is None else 404, "RepoNotFound", "Repository not found")
        if to_write:
            _may_write(repo, user)
        return found, found.find(named.get("revision") or "main")

    def _host(self) -> str:
        return f"http://{self.headers['Host']}"  # from inside a container this server has another name


_API = r"/api/(models|(?P<kind>dataset)s)/(?P<repo>[^/]+/[^/]+)"
_PAGE = r"/(?P<kind>datasets/)?(?P<repo>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>[^/]+)"
_ROUTES = (
    ("GET", "/api/whoami-v2", "_whoami"),
    ("POST", "/api/repos/create", "_create"),
    ("POST", "/api/validate-yaml", "_yaml"),
    ("POST", f"{_API}/preupload/{_REVISION}", "_preupload"),
    ("POST", f"{_API}/commit/{_REVISION}", "_commit"),
    ("POST", f"{_API}/tag/{_REVISION}", "_tag"),
    ("DELETE", f"{_API}/tag/(?P<tag>[^/]+)", "_untag"),
    ("GET", f"{_API}/refs", "_refs"),
    ("GET", f"{_API}/tree/{_REVISION}", "_tree"),
    ("GET", f"{_API}(/revision/{_REVISION})?", "_info"),
    ("POST", rf"{_PAGE}\.git/info/lfs/objects/batch", "_lfs"),
    ("PUT", "/lfs/(?P<oid>[0-9a-f]{64})", "_put"),
    ("POST", "/lfs/verify", "_verify"),
    ("GET HEAD", f"{_PAGE}/resolve/{_REVISION}/(?P<path>.+)", "_file"),
)


def _may_write(repo: str, user: User | None) -> None:
    if user != (repo.split("/", maxsplit=1)[0], "write"):
        raise _Refusal(403 if user else 401, "", f"You don't have the rights to write to {repo} with this token")


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return (status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()  # git's
