"""Local images under the names of those that infra/docker-compose.yml takes from registries.

Each has the users, paths and shells of the real one and no program that the real one lacks: busybox where that is an Alpine,
this machine's own Debian programs where that is a Debian. nginx and the tunnel's client are the real programs; Jenkins and
Portainer are small servers.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from tests.support import gotools, images, pythonbase
from tests.support.engine import Engine, NoEngineError

JENKINS = "jenkins/jenkins:2.568.2-jdk21"
PORTAINER = "portainer/portainer-ce:2.30.0"
FRPC = "ghcr.io/fatedier/frpc:v0.70.1"
FRPS = "ghcr.io/fatedier/frps:v0.70.1"
NGINX = "nginxinc/nginx-unprivileged:1.27.3"

_FIXTURES = Path(__file__).parent.parent / "fixtures" / "platform"
_DEBIAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What every Debian has of what scripts call (coreutils, dash, grep, sed, util-linux); wget and nc are not among them.
_DEBIAN = (
    *("awk", "base64", "cat", "chmod", "cp", "cut", "date", "env", "grep", "head", "id", "ln", "ls", "mkdir", "mktemp", "mv"),
    *("readlink", "rm", "sed", "sh", "sleep", "sort", "stat", "tail", "tee", "touch", "tr", "uname", "wc"),
)
# The real one fetches plugins. This one looks whether it was given a list of them.
_PLUGIN_CLI = """\
#!/bin/bash
set -eu
[ "$1" = --plugin-file ] && [ $# = 2 ] || { echo "jenkins-plugin-cli: unexpected: $*" >&2; exit 2; }
[ "$(id -un)" = jenkins ] || { echo "jenkins-plugin-cli: called as $(id -un)" >&2; exit 2; }
if wrong=$(grep -vE '^(#.*|[a-z0-9-]+:[0-9][A-Za-z0-9._-]*)?$' "$2"); then
    echo "jenkins-plugin-cli: no plugin with its version: $wrong" >&2
    exit 1
fi
touch /usr/share/jenkins/ref/plugins.installed
"""
_JENKINS_SH = '#!/bin/bash\nexec python3 /usr/share/jenkins/standin.py "$@"\n'


def import_all(engine: Engine) -> None:
    """Have all four in the Engine. Raises NoEngineError and NoGoError where they cannot be made of what is here."""
    programs = gotools.programs()
    _import(engine, JENKINS, _jenkins(), "USER jenkins", "ENV JENKINS_HOME=/var/jenkins_home", f"ENV PATH={_DEBIAN_PATH}",
            "VOLUME /var/jenkins_home", 'ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/jenkins.sh"]')  # fmt: skip
    _import_nginx(engine)
    portainer = pythonbase._Part()
    portainer.copy(programs / "portainer", "portainer")
    portainer.folder("data")
    _import(engine, PORTAINER, _ended(portainer), "VOLUME /data", 'ENTRYPOINT ["/portainer"]', "EXPOSE 9000 9443 8000")
    _import_frp(engine, FRPC)


def import_public(engine: Engine) -> None:
    """Have those of the public server in the Engine. Raises NoEngineError and NoGoError where they cannot be made."""
    _import_nginx(engine)
    _import_frp(engine, FRPS)


def _import_nginx(engine: Engine) -> None:
    _import(engine, NGINX, _nginx(), "USER 101", f"ENV PATH={_DEBIAN_PATH}", "EXPOSE 8080",
            'ENTRYPOINT ["/docker-entrypoint.sh"]', 'CMD ["nginx", "-g", "daemon off;"]')  # fmt: skip
    _stopped_by(engine, NGINX, "SIGQUIT")


def _import_frp(engine: Engine, name: str) -> None:
    """One end of the tunnel, in a busybox."""
    program = name.rpartition("/")[2].partition(":")[0]
    part = pythonbase._Part()
    with tarfile.open(fileobj=io.BytesIO(images._root_file_system())) as archive:
        for entry in archive:
            part._archive.addfile(entry, archive.extractfile(entry) if entry.isfile() else None)
            part._folders.add(entry.name)
    part.copy(gotools.programs() / program, f"usr/bin/{program}")
    _import(engine, name, _ended(part), f"ENV PATH={_DEBIAN_PATH}", f'ENTRYPOINT ["/usr/bin/{program}"]')


def _import(engine: Engine, name: str, content: bytes, *changes: str) -> None:
    repository, _, tag = name.rpartition(":")
    query = urlencode([("fromSrc", "-"), ("repo", repository), ("tag", tag), *(("changes", change) for change in changes)])
    status, answer = engine.request("POST", f"/images/create?{query}", content, "application/x-tar", 120.0)
    if status != 200 or b'"errorDetail"' in answer:
        raise AssertionError(f"import of {name}: {status} {answer.decode(errors='replace')}")


def _stopped_by(engine: Engine, name: str, signal: str) -> None:
    """Give an image its STOPSIGNAL, which an import takes from nobody."""
    container = engine.api("POST", "/containers/create", {"Image": name, "StopSignal": signal})["Id"]
    repository, _, tag = name.rpartition(":")
    engine.api("POST", f"/commit?{urlencode({'container': container, 'repo': repository, 'tag': tag})}", {})
    engine.api("DELETE", f"/containers/{container}")


@cache
def _jenkins() -> bytes:
    part = _debian(("bash", "curl", "tini"), ("jenkins", 1000))
    pythonbase._add_python(part)
    pythonbase._add_libraries(part, {k: v for k, v in pythonbase._python_libraries().items() if k not in part._folders})
    part.folder("usr/share/jenkins", 0o755, 1000)
    part.folder("usr/share/jenkins/ref", 0o755, 1000)
    part.folder("var/jenkins_home", 0o755, 1000)
    part.copy(_FIXTURES / "jenkins.py", "usr/share/jenkins/standin.py")
    part.text("usr/local/bin/jenkins.sh", _JENKINS_SH, 0o755)
    part.text("usr/bin/jenkins-plugin-cli", _PLUGIN_CLI, 0o755)
    return _ended(part)


@cache
def _nginx() -> bytes:
    part = _debian(("curl", "nginx"), ("nginx", 101))
    part.folder("var/cache/nginx", 0o775, 101)
    part.folder("etc/nginx", 0o775, 101)
    part.text("docker-entrypoint.sh", '#!/bin/sh\nexec "$@"\n', 0o755)
    return _ended(part)


def _debian(programs: Sequence[str], user: tuple[str, int]) -> pythonbase._Part:
    """The usual programs and these, with their libraries, and one user besides root."""
    name, number = user
    part = pythonbase._Part()
    part.folder("usr/bin")
    for link, leads_to in (("bin", "usr/bin"), ("sbin", "usr/sbin")):
        part.link(link, leads_to)
        part._folders.add(link)
    part.folder("usr/sbin")
    part.folder("tmp", 0o1777)
    part.text("etc/passwd", f"root:x:0:0:root:/root:/bin/sh\n{name}:x:{number}:{number}::/home/{name}:/bin/sh\n")
    part.text("etc/group", f"root:x:0:\n{name}:x:{number}:\n")
    found = {called: _found(called) for called in (*_DEBIAN, *programs)}
    for called, path in found.items():
        part.copy(path, f"usr/{'sbin' if called == 'nginx' else 'bin'}/{called}")
    for place, path in pythonbase._libraries(list(found.values())).items():
        part.copy(path, place)
        part._folders.add(place)
    return part


def _found(name: str) -> Path:
    found = shutil.which(name, path=_DEBIAN_PATH)
    if found is None:
        raise NoEngineError(f"{name} is not installed, which the images take from this machine")
    return Path(found).resolve()


def _ended(part: pythonbase._Part) -> bytes:
    return part.content() + bytes(2 * tarfile.BLOCKSIZE)
