"""NVIDIA's library, compiled once for each process of tests."""

from __future__ import annotations

import pytest

from tests.support import skips
from tests.support.nvml.stage import Libraries, NoCompilerError


@pytest.fixture(scope="session")
def libraries_or_reason(tmp_path_factory: pytest.TempPathFactory) -> Libraries | str:
    try:
        return Libraries(tmp_path_factory.mktemp("nvml"))
    except NoCompilerError:
        return skips.NO_CC


@pytest.fixture
def libraries(libraries_or_reason: Libraries | str) -> Libraries:
    if isinstance(libraries_or_reason, str):
        pytest.skip(libraries_or_reason)
    return libraries_or_reason
