"""The images that stand in for the official Python image and the Jenkins agent."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pythonbase
from tests.support.engine import Engine, NoEngineError
from tests.support.pythonbase import AGENT, PYTHON, import_agent, import_python

_BUILD_LIMIT = 180.0


@pytest.fixture(scope="module")
def with_python(engine: Engine) -> Iterator[Engine]:
    import_python(engine)
    yield engine
    engine.docker("rmi", "--force", PYTHON)


@pytest.fixture(scope="module")
def with_agent(engine: Engine) -> Iterator[Engine]:
    import_agent(engine)
    yield engine
    engine.docker("rmi", "--force", AGENT)


def test_python_stands_where_the_official_image_has_it(with_python: Engine) -> None:
    program = """
import sys, sysconfig, bz2, ctypes, lzma, sqlite3, ssl, zlib
for library in ("libgomp.so.1", "libstdc++.so.6"):
    ctypes.CDLL(library)
paths = sysconfig.get_paths()
print(sys.prefix, sys.executable, paths["purelib"], paths["scripts"], sysconfig.get_config_var("LIBDIR"))
print(len(ssl.create_default_context().get_ca_certs()) > 0)
"""
    place, certificates = _said(with_python, PYTHON, "python", "-c", program).splitlines()
    library = "/usr/local/lib/python3.11/site-packages"
    assert place.split() == ["/usr/local", "/usr/local/bin/python", library, "/usr/local/bin", "/usr/local/lib"]
    assert certificates == str(pythonbase.CERTIFICATES.is_file())

    others = "python3 --version && python3.11 --version && pip --version"
    *versions, pip = _said(with_python, PYTHON, "sh", "-c", others).splitlines()
    assert versions == [f"Python {platform.python_version()}"] * 2
    assert f"from {library}/pip (python 3.11)" in pip


def test_a_build_installs_a_package_that_any_user_can_load(with_python: Engine) -> None:
    tag = _built(with_python, "RUN pip install --no-cache-dir --no-deps six==1.17.0\nUSER 1000:1000")
    program = "import os, six; print(os.getuid(), six.__version__, six.__file__)"
    try:
        printed = _said(with_python, "--read-only", tag, "python", "-c", program)
    finally:
        with_python.docker("rmi", "--force", tag)
    assert printed.split() == ["1000", "1.17.0", "/usr/local/lib/python3.11/site-packages/six.py"]


def test_a_compiled_package_and_its_programs_work(with_python: Engine) -> None:
    tag = _built(with_python, "RUN pip install --no-cache-dir --no-compile numpy==2.2.6")
    program = "python -c 'import numpy; print(numpy.linalg.det(numpy.eye(3)))'; head -n 1 /usr/local/bin/f2py"
    try:
        printed = _said(with_python, tag, "sh", "-c", program)
    finally:
        with_python.docker("rmi", "--force", tag)
    assert printed.split() == ["1.0", "#!/usr/local/bin/python3.11"]


def test_an_agent_has_its_programs_and_packages(with_agent: Engine) -> None:
    # Without an Engine docker tells of itself all the same, and fails.
    script = """set -e
docker version --format "{{.Client.Os}}" || true
git init --quiet repository && cd repository
echo text > file && git add file && git -c user.name=n -c user.email=e@localhost commit --quiet --message=first
git archive HEAD | tar -x --to-stdout
git status --short && git cat-file -t HEAD
python -c 'import yaml, jsonschema; jsonschema.validate(yaml.safe_load("a: 1"), {"required": ["a"]})'
echo "$(id -un)" "$HOME"
"""
    printed = _said(with_agent, "--user=1000:1000", "--workdir=/home/jenkins", AGENT, "sh", "-c", script)
    assert printed.splitlines() == ["linux", "text", "commit", "jenkins /home/jenkins"]


def test_an_agent_reaches_an_engine_by_its_socket(with_agent: Engine) -> None:
    options = [
        "--user=1000:1000",
        f"--group-add={with_agent.socket.stat().st_gid}",
        f"--volume={with_agent.socket}:/var/run/docker.sock",
    ]
    # A container's program may ask before the Engine has noted that it runs.
    printed = _said(with_agent, *options, "--name=agent", AGENT, "docker", "ps", "--all", "--format", "{{.Names}}")
    assert "agent" in printed.split()


def test_the_way_to_the_index_is_carried_over_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://one.invalid/simple\nrequire-virtualenv = true\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.invalid/simple\nhttps://three.invalid/simple")
    monkeypatch.setenv("PIP_TARGET", "/somewhere")
    carried = pythonbase.pip_configuration()
    assert "index-url = https://one.invalid/simple\n" in carried
    assert "require-virtualenv" not in carried
    environment = pythonbase._environment()
    assert environment["PIP_EXTRA_INDEX_URL"] == "https://two.invalid/simple https://three.invalid/simple"
    assert "PIP_TARGET" not in environment


def test_a_machine_that_is_not_fit_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\n")
    with monkeypatch.context() as changed:
        changed.setattr(sys, "_base_executable", str(script))
        with pytest.raises(NoEngineError, match=r"Python: /.*/python is not an ELF program$"):
            pythonbase._common_part.__wrapped__()
    with monkeypatch.context() as changed:
        changed.setattr(sys, "base_prefix", str(tmp_path))
        with pytest.raises(NoEngineError, match=r"its standard library is not in /.*/lib/python3.11$"):
            pythonbase._common_part.__wrapped__()
    with monkeypatch.context() as changed:
        changed.setattr(sys, "platform", "darwin")
        with pytest.raises(NoEngineError, match=r"takes CPython 3.11 on linux x86_64; this is cpython 3.* on darwin"):
            pythonbase._common_part.__wrapped__()


def _said(engine: Engine, *arguments: str) -> str:
    return engine.docker("run", "--rm", "--network=none", *arguments)


def _built(engine: Engine, instructions: str) -> str:
    tag = "pythonbase:built"
    dockerfile = f"FROM {PYTHON}\n{instructions}\n".encode()
    engine.docker("build", "--network=host", "--force-rm", "--tag", tag, "-", stdin=dockerfile, limit=_BUILD_LIMIT)
    return tag
