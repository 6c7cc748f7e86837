"""Upload a folder to a repository on the Hugging Face Hub, and tag what was uploaded.

One JSON object on stdin asks for it: {"token", "kind", "repo", "private", "folder", "message", "tag", "run"}. The token
is nowhere else: not in the environment, not on a command line, not on a disk. Answers are events on stdout, one JSON object
a line: "published", or "error" with a sentence; exit status 0 or 1.

Doing it twice is safe: a tag that the same run has made is what was asked for, and equal files make no new commit. A tag of
another run is refused: numbers of builds come again where a job, or a folder of runs, was made anew.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before the library is imported: it reads them once.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("HF_HOME", "/tmp/hf")  # noqa: S108  # a container's own, on a read-only root

from huggingface_hub import HfApi, errors


class Refused(Exception):  # noqa: N818  # a sentence, not a defect
    """The text says what is wrong and what to do."""


def publish(api: HfApi, request: dict[str, Any]) -> dict[str, Any]:
    """Do it and return the fields of the event. Raises Refused and what the library raises."""
    kind, repo, tag = request["kind"], request["repo"], request.get("tag")
    if "/" not in repo:
        repo = f"{api.whoami()['name']}/{repo}"
    created = api.create_repo(repo, repo_type=kind, private=request["private"], exist_ok=True)
    if tag:
        revision = _tagged(api, kind, repo, tag)
        if revision is not None and _run_of(api, kind, repo, tag) == request.get("run"):
            return _done(repo, revision, tag, created.url, again=True)
        if revision is not None:
            raise Refused(
                f"the tag {tag} of {repo} belongs to another training, so nothing was uploaded: "
                "delete that tag on the Hub, or name another repository in publish.repo"
            )
    info = api.upload_folder(
        repo_id=repo,
        repo_type=kind,
        folder_path=request["folder"],
        commit_message=request["message"],
        # What an older model had and this one has not is no part of this one.
        delete_patterns="*",
    )
    # The commit of this upload, or the newest where nothing had changed; not what somebody else has uploaded since.
    revision = info.oid
    if tag:
        api.create_tag(repo, repo_type=kind, tag=tag, revision=revision, exist_ok=True)
    return _done(repo, revision, tag, created.url, again=False)


def sentence(error: Exception, request: dict[str, Any], endpoint: str) -> str:
    """What to tell somebody who cannot see a traceback."""
    repo = request["repo"]
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code if error.response is not None else None
        if status == 401:
            return f"the Hub at {endpoint} does not accept the write token"
        if status in {403, 404}:
            return f"the write token may not write to {repo}: its owner, its role or its scope does not allow it"
        return f"the Hub at {endpoint} answered {status} while {repo} was uploaded; nothing was tagged"
    return f"the upload to {repo} at {endpoint} broke off ({type(error).__name__}: {_first_line(error)}); nothing was tagged"


def main(read: Callable[[], str] = sys.stdin.readline) -> int:
    request = json.loads(read())
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    api = HfApi(endpoint=endpoint, token=request.pop("token"))
    try:
        _say("published", **publish(api, request))
    except Exception as error:  # whatever it was, the artifact is kept and somebody is told in one sentence
        _say("error", error=type(error).__name__, message=sentence(error, request, endpoint))
        return 1
    return 0


def _tagged(api: HfApi, kind: str, repo: str, tag: str) -> str | None:
    refs = api.list_repo_refs(repo, repo_type=kind)
    return next((ref.target_commit for ref in refs.tags if ref.name == tag), None)


def _run_of(api: HfApi, kind: str, repo: str, tag: str) -> str | None:
    """Which training has made what is tagged; None if nobody has noted it."""
    try:
        run = json.loads(Path(api.hf_hub_download(repo, "run.json", repo_type=kind, revision=tag)).read_bytes()).get("run")
    except (errors.EntryNotFoundError, ValueError, AttributeError):
        return None
    return str(run) if run else None


def _done(repo: str, revision: str, tag: str | None, url: object, *, again: bool) -> dict[str, Any]:
    done = {"repo": repo, "revision": revision, "tag": tag, "url": f"{url}/tree/{tag or revision}"}
    return {**done, "again": True} if again else done


def _say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, "ts": round(time.time(), 3), **fields}), flush=True)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else "no reason given"


if __name__ == "__main__":
    sys.exit(main())
