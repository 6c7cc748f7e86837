"""What holds for every test."""

from __future__ import annotations

import os

# The tables are so small that more threads only wait for each other. Before scikit-learn is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
