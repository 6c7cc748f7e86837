"""A registry of images on 127.0.0.1, which Docker takes without TLS. It speaks what a pull needs of the v2 API."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Registry:
    """Use it in a `with`. Tags can be moved and taken away while it runs."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._tags: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Registry:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def push(self, reference: str, files: Mapping[str, bytes]) -> str:
        """Let `name:tag` stand for an image of these files, which can be run; its digest."""
        layer = _tar(files)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created_by": "a test"}],
        }
        # Without a time in it the same files are the same image.
        packed, described = gzip.compress(layer, mtime=0), json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._entry(_CONFIG, described),
            "layers": [self._entry(_LAYER, packed)],
        }
        self._tags[reference] = str(self._entry(_MANIFEST, json.dumps(manifest).encode())["digest"])
        return self._tags[reference]

    def take_away(self, reference: str) -> None:
        """Let a tag stand for nothing."""
        del self._tags[reference]

    def manifest(self, name: str, wanted: str) -> bytes | None:
        """By tag or digest."""
        return self._blobs.get(self._tags.get(f"{name}:{wanted}", wanted))

    def blob(self, digest: str) -> bytes | None:
        return self._blobs.get(digest)

    def _entry(self, kind: str, content: bytes) -> dict[str, object]:
        digest = _digest(content)
        self._blobs[digest] = content
        return {"mediaType": kind, "size": len(content), "digest": digest}


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that it has there
            """Nothing: the tests' output is their own."""

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.removeprefix("/v2/")
            name, _, wanted = path.rpartition("/manifests/")
            found: bytes | None = b"{}"
            kind = "application/json"
            if name:
                found, kind = registry.manifest(name, wanted), _MANIFEST
            elif "/blobs/" in path:
                found, kind = registry.blob(path.rpartition("/")[2]), "application/octet-stream"
            status = 200 if found is not None else 404
            body = found if found is not None else b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
            self.send_response(status)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Type", kind if status == 200 else "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 200:
                self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
