"""Runs scripts with the Groovy that Jenkins' own scripts, Job DSL and pipelines are run by, and compiles Java for them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support import skips
from tests.support.pipeline import java

HERE = Path(__file__).parent


def run(
    script: Path, *arguments: str, classes: Sequence[Path] = (), environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one script to its end, with `classes` on its path; skips the test where there is no Groovy."""
    path = os.pathsep.join((_jars(), *map(str, classes)))
    return subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", path, "groovy.ui.GroovyMain", str(script), *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def compiled(sources: Sequence[Path], into: Path) -> Path:
    """The folder `into` with the classes of these Java files; skips the test where nothing compiles Java."""
    if shutil.which("javac") is None:
        pytest.skip(skips.NO_JAVAC)
    subprocess.run(["javac", "-d", str(into), *map(str, sources)], check=True, capture_output=True)
    return into


def _jars() -> str:
    if shutil.which("java") is None:
        pytest.skip(skips.NO_JAVA)
    try:
        return java.jars()
    except java.NoGroovyError as error:
        pytest.skip(skips.NO_GROOVY.format(why=error))
