"""The image of the Jenkins agent, built of its own Dockerfile on a Debian made here instead of one from a registry.

`jenkins/ssh-agent` is Debian trixie with OpenSSH, Git, Java in /opt/java/openjdk and a user jenkins. The stand-in is made of
the same packages by debootstrap and has the same volumes. Both images are kept in .cache below the checkout, so that they are
made once for all runs and workers until something that is in them changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.support import scratch
from tests.support.engine import Engine
from tests.support.pythonbase import CERTIFICATES, pip_configuration

BASE = "mlops-agent-base:test"
AGENT = "mlops/agent:test"

_ROOT = Path(__file__).parents[2]
_CACHE = _ROOT / ".cache" / "agent-base"
_RELEASE = "trixie"
_PACKAGES = ("ca-certificates", "git", "git-lfs", "less", "openjdk-21-jre-headless", "openssh-server", "patch", "tini")
_PATH = "/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CHANGES = (
    "ENV JAVA_HOME=/opt/java/openjdk LANG=C.UTF-8 LC_ALL=C.UTF-8",
    f"ENV PATH={_PATH}",
    "EXPOSE 22",
    # As the real one has them: each is a volume without a name, unless something else is mounted there.
    "VOLUME /home/jenkins/agent /home/jenkins/.jenkins /tmp /run /var/run",
    "WORKDIR /home/jenkins",
)
_SETTLE = """\
set -eu
groupadd --gid 1000 jenkins
useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash jenkins
mkdir -p /home/jenkins/.ssh /home/jenkins/agent /home/jenkins/.jenkins /opt/java
chown -R 1000:1000 /home/jenkins
ln -s /usr/lib/jvm/java-21-openjdk-* /opt/java/openjdk
apt-get clean
rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/locale /usr/share/man
rm -f /etc/resolv.conf /etc/hostname
"""
# What the build sends: Dockerfile.dockerignore lets the same pass.
_CONTENT = ("console/__init__.py", "console/text", "infra/jenkins", "infra/publish")

# Seconds. The first try fetches some 200 MB.
_BOOTSTRAP_LIMIT = 900.0
_BUILD_LIMIT = 600.0
_LOAD_LIMIT = 300.0


class NoBaseError(Exception):
    """No Debian to build the agent's image on can be made here; the message says why."""


def import_agent_image(engine: Engine) -> None:
    """Have `AGENT` in the Engine: the image of infra/jenkins/agent as it is in this checkout.

    Raises NoBaseError, and NoEngineError where no Engine to build it on can be started.
    """
    base = _base()
    built = _CACHE / f"agent-{_hash(base.name.encode(), *_content())}.tar"
    _made(built, lambda new: _build(base, new))
    engine.docker("load", "--quiet", f"--input={built}", limit=_LOAD_LIMIT)


def _base() -> Path:
    """The archive of the stand-in's file system."""
    certificates = CERTIFICATES.read_bytes() if CERTIFICATES.is_file() else b""
    recipe = _hash(Path(__file__).read_bytes(), certificates, pip_configuration().encode())
    return _made(_CACHE / f"base-{recipe}.tar", _bootstrap)


def _made(file: Path, make: Callable[[Path], None]) -> Path:
    """`file`, made if it is not there; older ones of its kind go. One process makes it, the others wait."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    kind = file.name.partition("-")[0]
    with _alone(_CACHE / f"{kind}.lock"):
        if not file.exists():
            for older in _CACHE.glob(f"{kind}-*"):
                older.unlink()
            new = file.with_suffix(".new")
            make(new)
            new.rename(file)
    return file


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _hash(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def _content() -> Iterator[bytes]:
    """All that may be in the image: name, mode and content of each file."""
    for name in _CONTENT:
        top = _ROOT / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{file.relative_to(_ROOT)} {file.stat().st_mode & 0o111:o}".encode()
                yield file.read_bytes()


def _bootstrap(archive: Path) -> None:
    program = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        raise NoBaseError("debootstrap is not installed")
    if os.geteuid() != 0:
        raise NoBaseError("it takes root")
    with scratch.folder("base") as folder:
        root = folder / "root"
        root.mkdir(mode=0o755)
        # An unsigned Debian is none.
        options = ("--variant=minbase", "--force-check-gpg", f"--include={','.join(_PACKAGES)}")
        _run([program, *options, _RELEASE, str(root)], _BOOTSTRAP_LIMIT)
        _run(["chroot", str(root), "sh", "-c", _SETTLE], 120.0)
        (root / "etc" / "pip.conf").write_text(pip_configuration(), encoding="utf-8")
        if CERTIFICATES.is_file():
            # Whatever stands between this machine and the package index stands before containers as well.
            shutil.copyfile(CERTIFICATES, root / str(CERTIFICATES).removeprefix("/"))
        _run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(archive), "."], 120.0)


def _run(command: list[str], limit: float) -> None:
    environment = {**os.environ, "PATH": _PATH, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoBaseError(f"{Path(command[0]).name} took more than {limit:g} s") from error
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if line.startswith("E: ")), lines[-1] if lines else "no word")
        raise NoBaseError(f"{Path(command[0]).name} failed: {said}")


def _build(base: Path, archive: Path) -> None:
    """Build the Dockerfile as Compose does it, with BuildKit, on an Engine that is there for this alone."""
    engine = Engine()
    try:
        _import_base(engine, base)
        build = {
            "context": str(_ROOT),
            "dockerfile": "infra/jenkins/agent/Dockerfile",
            "args": {"BASE_IMAGE": BASE},
            # An Engine of the tests has no bridge, so the packages come over this machine's own network.
            "network": "host",
        }
        definition = engine.folder / "build.json"
        definition.write_text(json.dumps({"services": {"agent": {"image": AGENT, "build": build}}}), encoding="utf-8")
        done = subprocess.run(
            ["docker", "compose", f"--file={definition}", "build", "--quiet", "agent"],
            env=engine.environment,
            capture_output=True,
            text=True,
            timeout=_BUILD_LIMIT,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"the agent's image cannot be built: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        engine.docker("save", f"--output={archive}", AGENT, limit=_LOAD_LIMIT)
    finally:
        engine.close()


def _import_base(engine: Engine, archive: Path) -> None:
    repository, _, tag = BASE.rpartition(":")
    options = [("fromSrc", "-"), ("repo", repository), ("tag", tag), *(("changes", change) for change in _CHANGES)]
    path = f"/images/create?{urlencode(options)}"
    status, answer = engine.request("POST", path, archive.read_bytes(), "application/x-tar", _LOAD_LIMIT)
    # What fails after the first byte of the answer can no longer change the status.
    if status != 200 or b'"errorDetail"' in answer:
        raise AssertionError(f"import of {BASE}: {status} {answer.decode(errors='replace')}")
