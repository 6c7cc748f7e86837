"""A server for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.platform.serving import Server
from tests.infra.platform.site import Site
from tests.support import skips
from tests.support.engine import Engine


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A server whose secrets are still to be made. It takes root: secrets belong to their readers."""
    if os.geteuid() != 0:
        pytest.skip(skips.NO_ROOT)
    if shutil.which("ssh-keygen") is None:
        pytest.skip(skips.NO_SSH_KEYGEN)
    return Site(tmp_path)


@pytest.fixture
def open_site(site: Site) -> Iterator[Site]:
    """The same where users besides root get to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield Site(path)


@pytest.fixture
def server(site: Site, engine: Engine) -> Iterator[Server]:
    """A server with secrets, on which nothing was started yet."""
    found = Server(site.root.parent / "of", engine)
    yield found
    found.close()
