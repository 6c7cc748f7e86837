"""The files of a pull request, as GitHub lists them: right for a merge, a squash and a rebase alike."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .address import place
from .release import MOST_FILES, Changed, Problem

_PAGE = 100
_PAUSES = (2.0, 8.0, 30.0)
"""Seconds before each further try."""

_LARGEST = 32 * 1024 * 1024
_TOKEN = re.compile(r"[!-~]+")


class GitHub:
    """Asks GitHub's API with the token of the workflow's run, which may only read."""

    def __init__(self, env: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep) -> None:
        """GITHUB_API_URL and GITHUB_TOKEN. Raises Problem."""
        url = env.get("GITHUB_API_URL") or "https://api.github.com"
        self._host, self._port = place("GITHUB_API_URL", url)
        self._path = urlsplit(url).path.rstrip("/")
        self._token = env.get("GITHUB_TOKEN", "")
        self._sleep = sleep

    def files(self, repository: str, number: int) -> Sequence[Changed]:
        """Raises Problem when GitHub does not tell."""
        if not _TOKEN.fullmatch(self._token):
            raise Problem("GITHUB_TOKEN is not set: the workflow has to give it to this step.")
        found: list[Changed] = []
        for page in range(1, MOST_FILES // _PAGE + 1):
            told = self._page(f"{self._path}/repos/{repository}/pulls/{number}/files?per_page={_PAGE}&page={page}")
            found += [_changed(one) for one in told]
            if len(told) < _PAGE:
                break
        return found

    def _page(self, path: str) -> Sequence[Mapping[str, Any]]:
        said = ""
        for pause in (*_PAUSES, None):
            try:
                status, content = self._get(path)
            except ssl.SSLCertVerificationError as error:
                said = f"its certificate cannot be trusted ({error.verify_message})"
                break
            except (OSError, http.client.HTTPException) as error:
                said = f"no answer ({getattr(error, 'strerror', None) or type(error).__name__})"
            else:
                if status == http.HTTPStatus.OK and (told := _list(content)) is not None:
                    return told
                said = "200 without a list" if status == http.HTTPStatus.OK else str(status)
                # A redirect is not followed: the token is for this host.
                if 300 <= status < 500 and status != http.HTTPStatus.TOO_MANY_REQUESTS:
                    break
            if pause is not None:
                self._sleep(pause)
        raise Problem(f"GitHub does not list the files of the pull request: {said}. Run the job again.")

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=30, context=ssl.create_default_context())
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "mlops",
            "Authorization": f"Bearer {self._token}",
        }
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(_LARGEST)
        finally:
            connection.close()


def _list(content: bytes) -> Sequence[Mapping[str, Any]] | None:
    """None when it is anything else: to take that for a pull request without files would lose a release."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, list) and all(isinstance(one, Mapping) for one in told) else None


def _changed(one: Mapping[str, Any]) -> Changed:
    before = one.get("previous_filename")
    return Changed(str(one.get("filename") or ""), before if isinstance(before, str) else None)
