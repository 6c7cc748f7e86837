"""httpx is loaded without what only its own command line needs."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from console.sources._httpx import httpx
assert not {"rich", "pygments", "httpx._main"} & set(sys.modules), sorted(sys.modules)
assert httpx.Client is not None and httpx.AsyncClient is not None and httpx.ConnectError is not None
import httpx as again
assert again is httpx
"""


def test_it_brings_no_command_line() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
