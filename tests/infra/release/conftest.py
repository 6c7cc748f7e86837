"""Certificates, and servers that have them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.release.address import Target, target
from tests.infra.release.events import KEY
from tests.infra.release.front import Front, Says, front, make_keys, queued

Serve = Callable[[Says], Front]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, other.pem, and certificates by that authority for localhost and for elsewhere.example."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture
def trusted(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The authority is the only one that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(keys / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(keys / "none"))
    return keys


@pytest.fixture
def serve(trusted: Path) -> Iterator[Serve]:
    """Start servers whose certificate is good; they end with the test."""
    with ExitStack() as stack:
        yield lambda says: stack.enter_context(front(trusted, says))


@pytest.fixture
def hook(serve: Serve) -> Front:
    """The public address: everything is queued, unless a test sets `says`."""
    return serve(lambda _request: queued(5))


@pytest.fixture
def there(hook: Front) -> Target:
    return target({"MLOPS_HOOK_URL": hook.url, "MLOPS_HOOK_SECRET": KEY})
