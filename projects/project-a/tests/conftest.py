"""What holds for every test."""

from __future__ import annotations

import os
import tempfile

import pytest

# The networks are so small that more threads only wait for each other. Before torch is loaded.
os.environ["OMP_NUM_THREADS"] = "1"
# A cache of the Hub that holds what a test puts there, and no network. The Hub's library reads them when it is loaded.
_HOME = tempfile.TemporaryDirectory()
os.environ["HF_HOME"] = _HOME.name
os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_unconfigure(config: pytest.Config) -> None:
    _HOME.cleanup()
