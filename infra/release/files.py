"""The files of a pull request, as GitHub lists them: right for a merge, a squash and a rebase alike."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from .release import MOST_FILES, Changed, Problem

_PAGE = 100
_TRIES = 4
_LARGEST = 16 * 1024 * 1024


class GitHub:
    """Asks GitHub's API with the token of the workflow's run, which may only read."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise Problem("GITHUB_API_URL is no https address.")
        self._host, self._port, self._path = parts.hostname, parts.port or 443, parts.path.rstrip("/")
        self._token = token

    def files(self, repository: str, number: int) -> Sequence[Changed]:
        """Raises Problem when GitHub does not tell."""
        found: list[Changed] = []
        for page in range(1, MOST_FILES // _PAGE + 1):
            told = self._page(f"{self._path}/repos/{repository}/pulls/{number}/files?per_page={_PAGE}&page={page}")
            found += [Changed(str(one.get("filename") or ""), one.get("previous_filename")) for one in told]
            if len(told) < _PAGE:
                break
        return found

    def _page(self, path: str) -> list[dict[str, Any]]:
        said = ""
        for _ in range(_TRIES):
            try:
                status, content = self._get(path)
            except (OSError, http.client.HTTPException) as error:
                said = f"no answer ({getattr(error, 'strerror', None) or type(error).__name__})"
                continue
            if status == http.HTTPStatus.OK:
                told = json.loads(content)
                return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
            said = str(status)
            if status < 500 and status != http.HTTPStatus.TOO_MANY_REQUESTS:
                break
        raise Problem(f"GitHub does not list the files of the pull request: {said}. Run the workflow again.")

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
