"""Java, and the Groovy that Jenkins carries: found, fetched once with Maven, and the harness compiled for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.support import skips

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
_KEPT: list[tempfile.TemporaryDirectory[str]] = []


class NoGroovyError(Exception):
    """Java, Maven or the jars are not to be had here; the message says which."""


@cache
def classpath() -> str:
    """The jars of pom.xml and the compiled harness, as Java wants them; NoGroovyError. The first call takes some seconds."""
    java = _java()
    found = jars()
    folder = tempfile.TemporaryDirectory(prefix="pipeline-harness-")
    _KEPT.append(folder)
    sources = sorted(str(path) for path in (HERE / "groovy").rglob("*.groovy"))
    command = [java, "-cp", found, "org.codehaus.groovy.tools.FileSystemCompiler", "-cp", found, "-d", folder.name, *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the harness does not compile:\n{done.stdout}{done.stderr}")
    return f"{folder.name}{os.pathsep}{found}"


def command() -> list[str]:
    """What starts the harness; the test is skipped, by a named reason, where that is not possible."""
    if shutil.which("java") is None:
        pytest.skip(skips.NO_JAVA)
    try:
        return [_java(), "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx256m", "-cp", classpath(), "Main"]
    except NoGroovyError as error:
        pytest.skip(skips.NO_GROOVY.format(why=error))


def _java() -> str:
    found = shutil.which("java")
    if found is None:
        raise NoGroovyError("no java")
    return found


def jars() -> str:
    """The jars of pom.xml as Java wants them; NoGroovyError."""
    home = Path.home() / ".m2" / "repository"
    wanted = re.findall(r"<groupId>([\w.]+)</groupId>\s*<artifactId>([\w-]+)</artifactId>\s*<version>([\d.]+)", POM.read_text())
    paths = [home / group.replace(".", "/") / name / version / f"{name}-{version}.jar" for group, name, version in wanted]
    if all(jar.exists() for jar in paths):
        return os.pathsep.join(str(jar) for jar in paths)
    if shutil.which("mvn") is None:
        raise NoGroovyError("the jars of tests/support/pipeline/pom.xml are not here, and no mvn to fetch them")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "classpath"
        fetch = ["mvn", "-q", "-B", "-f", str(POM), "dependency:build-classpath", f"-Dmdep.outputFile={out}"]
        done = subprocess.run(fetch, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not out.exists():
            raise NoGroovyError(f"mvn cannot fetch the jars: {(done.stdout + done.stderr).strip().splitlines()[:1]}")
        return out.read_text().strip()
