"""A clone to try things in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.clone import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)
