"""Runs Groovy and Java here: the version of Groovy that Jenkins' own scripts, Job DSL and pipelines are run by."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support import skips

# 2.4 is the line that Jenkins stays on, also on the newest Java.
VERSION = "2.4.21"
HERE = Path(__file__).parent
_MAVEN = Path.home() / ".m2" / "repository"
_JAR = _MAVEN / "org" / "codehaus" / "groovy" / "groovy-all" / VERSION / f"groovy-all-{VERSION}.jar"


def run(
    script: Path, *arguments: str, classes: Sequence[Path] = (), environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one script to its end, with `classes` on its path; skips the test where there is no Groovy."""
    path = os.pathsep.join(map(str, (jar(), *classes)))
    return subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", path, "groovy.ui.GroovyMain", str(script), *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def compiled(sources: Sequence[Path], into: Path) -> Path:
    """The folder `into` with the classes of these Java files."""
    jar()
    subprocess.run(["javac", "-d", str(into), *map(str, sources)], check=True, capture_output=True)
    return into


def jar() -> Path:
    """Groovy, fetched by Maven once for this machine; skips the test where that cannot be done."""
    why = _fetched()
    if why:
        pytest.skip(skips.NO_GROOVY.format(why=why))
    return _JAR


@cache
def _fetched() -> str:
    """Why there is no Groovy; empty when there is."""
    for program in ("java", "javac"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    # Two test processes must not fetch at once: Maven's folder knows no lock.
    with (Path(tempfile.gettempdir()) / f"mlops-groovy-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _JAR.exists():
            return ""
        if shutil.which("mvn") is None:
            return "mvn is not installed"
        wanted = f"-Dartifact=org.codehaus.groovy:groovy-all:{VERSION}"
        fetch = ["mvn", "-q", "-B", "dependency:get", wanted, "-Dtransitive=false"]
        subprocess.run(fetch, capture_output=True, check=False)
    return "" if _JAR.exists() else "Maven could not fetch it"
