"""A stand-in for the Hugging Face Hub: repositories, revisions, tags, tokens, uploads, over real HTTP on this machine.

It answers what huggingface_hub 2.4 asks for when it makes repositories, uploads, tags and downloads. There is no Xet, no pull
request and no page after the first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

_REPO = r"(?P<repo>[^/]+/[^/]+)"
_KIND = r"(?P<kind>model|dataset)s"


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

    def find(self, name: str) -> str | None:
        """The revision that a branch, a tag or a commit's name stands for."""
        revision = self.main if name == "main" else self.tags.get(name, name)
        return revision if revision in self.revisions else None


class Hub:
    """The server, in a thread of its own. Everything in it may be looked at and changed while it runs."""

    def __init__(self, *, large: int | None = None) -> None:
        """Files of at least `large` bytes go the way of large files (LFS); None: none do."""
        self.large = large
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens_seen: set[str] = set()
        self.users: dict[str, tuple[str, str]] = {}
        self.objects: dict[str, bytes] = {}
        self.lock = threading.RLock()
        self._dies_after: tuple[int, str] | None = None
        self._answers: list[tuple[str, int]] = []
        self.held: tuple[str, threading.Event, threading.Event] | None = None
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add_user(self, name: str, *, write: str | None = None, read: str | None = None) -> None:
        """Tokens of a user."""
        for token, role in ((write, "write"), (read, "read")):
            if token is not None:
                self.users[token] = (name, role)

    def add_repo(self, kind: str, repo: str, files: Mapping[str, bytes], *, private: bool = True) -> str:
        """A repository with one revision, which is returned."""
        with self.lock:
            self.repositories[kind, repo] = made = Repository(private)
            return made.add(dict(files))

    def files(self, kind: str, repo: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repositories[kind, repo]
        return dict(found.revisions[found.find(revision) or ""])

    def tags(self, kind: str, repo: str) -> dict[str, str]:
        return dict(self.repositories[kind, repo].tags)

    def revisions(self, kind: str, repo: str) -> list[str]:
        """From the oldest on."""
        return list(self.repositories[kind, repo].revisions)

    def forget(self, kind: str, repo: str, revision: str) -> None:
        """From now on there is no such revision."""
        del self.repositories[kind, repo].revisions[revision]

    def die_after(self, requests: int, path_contains: str = "") -> None:
        """After so many more requests whose path has this, connections are closed without an answer, until `heal`."""
        with self.lock:
            self._dies_after = (requests, path_contains)

    def heal(self) -> None:
        with self.lock:
            self._dies_after = None

    def hold(self, path_contains: str) -> tuple[threading.Event, threading.Event]:
        """Requests whose path has this wait. The first event says that one does, the second lets them go."""
        waiting, free = threading.Event(), threading.Event()
        with self.lock:
            self.held = (path_contains, waiting, free)
        return waiting, free

    def answer_next(self, path_contains: str, status: int) -> None:
        """The next request whose path has this is answered so."""
        with self.lock:
            self._answers.append((path_contains, status))

    def is_dead_for(self, path: str) -> bool:
        """Count one request."""
        with self.lock:
            if self._dies_after is None:
                return False
            left, word = self._dies_after
            if left > 0:
                self._dies_after = (left - (word in path), word)
                return False
            return True

    def status_for(self, path: str) -> int | None:
        with self.lock:
            for entry in self._answers:
                if entry[0] in path:
                    self._answers.remove(entry)
                    return entry[1]
            return None


class _Refusal(Exception):  # noqa: N818  # an answer, no defect
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    server_hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing: tests look at `requests`."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names that http.server calls

    def _serve(self) -> None:
        hub, path = self.server_hub, unquote(urlsplit(self.path).path)
        body = self._body()
        hub.requests.append((self.command, path))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ").strip()
        if token:
            hub.tokens_seen.add(token)
        if hub.is_dead_for(path):
            self.close_connection = True
            return
        if hub.held is not None and hub.held[0] in path:
            hub.held[1].set()
            hub.held[2].wait(60)
        status = hub.status_for(path)
        if status is not None:
            self._json({"error": f"told to answer {status}"}, status)
            return
        try:
            with hub.lock:
                self._route(path, body, hub.users.get(token), bool(token))
        except _Refusal as refusal:
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message} if refusal.code else {}
            self._json({"error": refusal.message}, refusal.status, headers)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _route(self, path: str, body: bytes, user: tuple[str, str] | None, had_token: bool) -> None:
        if had_token and user is None:
            raise _Refusal(401, "", "Invalid credentials in Authorization header")
        for method, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method.split():
                getattr(self, answer)(found.groupdict(), body, user)
                return
        raise _Refusal(404, "", f"nothing answers {self.command} {path}")

    def _whoami(self, _: dict[str, str], __: bytes, user: tuple[str, str] | None) -> None:
        if user is None:
            raise _Refusal(401, "", "Invalid username or password.")
        access = {"accessToken": {"displayName": "a token", "role": user[1]}}
        self._json({"type": "user", "name": user[0], "orgs": [], "auth": {"type": "access_token", **access}})

    def _create(self, _: dict[str, str], body: bytes, user: tuple[str, str] | None) -> None:
        asked = json.loads(body)
        kind, owner = asked.get("type") or "model", asked.get("organization") or (user or ("", ""))[0]
        repo = f"{owner}/{asked['name']}"
        self._may_write(repo, user)
        url = f"{self._host()}/{'datasets/' if kind == 'dataset' else ''}{repo}"
        if (kind, repo) in self.server_hub.repositories:
            self._json({"error": "You already created this repo", "url": url}, 409)
            return
        self.server_hub.add_repo(kind, repo, {}, private=asked.get("visibility") == "private" or bool(asked.get("private")))
        self._json({"url": url, "name": repo, "id": repo})

    def _yaml(self, _: dict[str, str], __: bytes, ___: object) -> None:
        self._json({"errors": [], "warnings": []})

    def _preupload(self, named: dict[str, str], body: bytes, user: tuple[str, str] | None) -> None:
        found = self._repository(named, user)
        self._may_write(named["repo"], user)
        there = found.revisions[self._revision(found, named)]
        answers = []
        for file in json.loads(body)["files"]:
            large = self.server_hub.large is not None and file["size"] >= self.server_hub.large
            content = there.get(file["path"])
            oid = None if content is None else hashlib.sha256(content).hexdigest() if large else _oid(content)
            mode = "lfs" if large else "regular"
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json({"files": answers})

    def _commit(self, named: dict[str, str], body: bytes, user: tuple[str, str] | None) -> None:
        found = self._repository(named, user)
        self._may_write(named["repo"], user)
        files = dict(found.revisions[self._revision(found, named)])
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.server_hub.objects[value["oid"]]
            elif entry["key"] == "deletedFile":
                files.pop(value["path"], None)
        revision = found.add(files)
        url = f"{self._host()}/{named['repo']}/commit/{revision}"
        self._json({"success": True, "commitOid": revision, "commitUrl": url, "hookOutput": "", "pullRequestUrl": None})

    def _tag(self, named: dict[str, str], body: bytes, user: tuple[str, str] | None) -> None:
        found = self._repository(named, user)
        self._may_write(named["repo"], user)
        revision, tag = self._revision(found, named), json.loads(body)["tag"]
        if tag in found.tags:
            raise _Refusal(409, "", f"Tag {tag} already exists")
        found.tags[tag] = revision
        self._json({}, 201)

    def _refs(self, named: dict[str, str], _: bytes, user: tuple[str, str] | None) -> None:
        found = self._repository(named, user)
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": at} for tag, at in found.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": found.main}
        self._json({"tags": tags, "branches": [main], "converts": [], "pullRequests": []})

    def _info(self, named: dict[str, str], _: bytes, user: tuple[str, str] | None) -> None:
        found = self._repository(named, user)
        revision = self._revision(found, named)
        names = [{"rfilename": name} for name in sorted(found.revisions[revision])]
        identity = {"_id": "0", "id": named["repo"], "modelId": named["repo"], "sha": revision, "private": found.private}
        self._json(
            {**identity, "siblings": names, "tags": [], "downloads": 0, "likes": 0, "author": named["repo"].split("/")[0]}
        )

    def _tree(self, named: dict[str, str], _: bytes, user: tuple[str, str] | None) -> None:
        found = self._repository(named, user)
        files = found.revisions[self._revision(found, named)]
        entries = [(name, len(content), _oid(content)) for name, content in sorted(files.items())]
        self._json([{"type": "file", "path": name, "size": size, "oid": oid} for name, size, oid in entries])

    def _lfs(self, _: dict[str, str], body: bytes, __: object) -> None:
        answers = []
        for entry in json.loads(body)["objects"]:
            actions = {
                "upload": {"href": f"{self._host()}/lfs/{entry['oid']}", "header": {}},
                "verify": {"href": f"{self._host()}/lfs/verify", "header": {}},
            }
            known = entry["oid"] in self.server_hub.objects
            answers.append({"oid": entry["oid"], "size": entry["size"], **({} if known else {"actions": actions})})
        self._json({"transfer": "basic", "objects": answers})

    def _put(self, named: dict[str, str], body: bytes, _: object) -> None:
        if hashlib.sha256(body).hexdigest() != named["oid"]:
            raise _Refusal(400, "", "these bytes have another hash")
        self.server_hub.objects[named["oid"]] = body
        self._json({})

    def _verify(self, _: dict[str, str], body: bytes, __: object) -> None:
        self._json({}, 200 if json.loads(body)["oid"] in self.server_hub.objects else 404)

    def _file(self, named: dict[str, str], _: bytes, user: tuple[str, str] | None) -> None:
        named["kind"] = "dataset" if named.pop("prefix") else "model"
        found = self._repository(named, user)
        revision = self._revision(found, named)
        content = found.revisions[revision].get(named["path"])
        if content is None:
            raise _Refusal(404, "EntryNotFound", "Entry not found")
        status, first = 200, 0
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        headers = {"X-Repo-Commit": revision, "ETag": f'"{_oid(content)}"', "Accept-Ranges": "bytes"}
        if wanted:
            first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            status, content = 206, content[first : last + 1]
        self._send(status, content, "application/octet-stream", headers)

    def _repository(self, named: dict[str, str], user: tuple[str, str] | None) -> Repository:
        found = self.server_hub.repositories.get((named["kind"], named["repo"]))
        if found is None or (found.private and (user is None or user[0] != named["repo"].split("/")[0])):
            raise _Refusal(404 if user else 401, "RepoNotFound", "Repository not found")
        return found

    def _revision(self, found: Repository, named: dict[str, str]) -> str:
        revision = found.find(named.get("revision") or "main")
        if revision is None:
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {named.get('revision')}")
        return revision

    def _may_write(self, repo: str, user: tuple[str, str] | None) -> None:
        if user is None:
            raise _Refusal(401, "", "Invalid username or password.")
        if user[1] != "write" or repo.split("/", maxsplit=1)[0] != user[0]:
            raise _Refusal(403, "", f"You don't have the rights to write to {repo}")

    def _host(self) -> str:
        return f"http://{self.headers['Host']}"

    def _json(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), "application/json", headers or {})

    def _send(self, status: int, body: bytes, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


_API = f"/api/{_KIND}/{_REPO}"
_ROUTES = (
    ("GET", "/api/whoami-v2", "_whoami"),
    ("POST", "/api/repos/create", "_create"),
    ("POST", "/api/validate-yaml", "_yaml"),
    ("POST", f"{_API}/preupload/(?P<revision>.+)", "_preupload"),
    ("POST", f"{_API}/commit/(?P<revision>.+)", "_commit"),
    ("POST", f"{_API}/tag/(?P<revision>.+)", "_tag"),
    ("GET", f"{_API}/refs", "_refs"),
    ("GET", f"{_API}/tree/(?P<revision>[^/]+)", "_tree"),
    ("GET", f"{_API}(/revision/(?P<revision>.+))?", "_info"),
    ("POST", r"/(datasets/)?[^/]+/[^/]+\.git/info/lfs/objects/batch", "_lfs"),
    ("PUT", "/lfs/(?P<oid>[0-9a-f]{64})", "_put"),
    ("POST", "/lfs/verify", "_verify"),
    ("GET HEAD", f"/(?P<prefix>datasets/)?{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "_file"),
)


def _oid(content: bytes) -> str:
    """As git names a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
