"""Images that stand in for the official Python image and for the Jenkins agent, without a registry.

They are made of what this machine has: its static busybox, the CPython 3.11 that runs the tests, and its sh,
docker, git and tar. What the official image has besides (apt, bash, the tools of Debian) is not there.
"""

from __future__ import annotations

import configparser
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlencode

from tests.support import images
from tests.support.engine import Engine, NoEngineError

PYTHON = "python:3.11-slim-bookworm"
AGENT = "mlops-agent:test"
# What this machine trusts.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

_IMPORT_LIMIT = 120.0
_STANDARD_LIBRARY = "usr/local/lib/python3.11"
_LEFT_OUT_FOLDERS = {
    "__pycache__",
    "dist-packages",
    "idlelib",
    "site-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
}
_LEFT_OUT_FILES = ("_ctypes_test.", "_test", "_tkinter.", "_xx", "xx")
_LIBRARY_OF_C = "libc.so.6"
# Compiled packages count on these of the system, by the manylinux standard.
_NEEDED_BY_WHEELS = ("libgcc_s.so.1", "libstdc++.so.6")
# Empty since glibc 2.34 and still asked for by name, or not installed everywhere.
_WANTED_BY_WHEELS = (
    "libdl.so.2",
    "libgomp.so.1",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
)
# How the package index is reached. The rest of pip's settings (a target, a need for an environment) is about this machine.
_INDEX_OPTIONS = ("default-timeout", "extra-index-url", "index-url", "proxy", "retries", "timeout", "trusted-host")
_AGENT_PACKAGES = (
    "attrs",
    "jsonschema",
    "jsonschema-specifications",
    "pyyaml",
    "referencing",
    "rpds-py",
    "typing-extensions",
)
_PIP = """\
#!/usr/local/bin/python3.11
import sys

from pip._internal.cli.main import main

sys.exit(main())
"""


def import_python(engine: Engine, *tags: str) -> str:
    """Import a Python image under `PYTHON`, or under `tags` when given, and return its id, a new one every time.

    Raises NoEngineError where no such image can be made of this machine's Python.
    """
    return _import(engine, tags or (PYTHON,), _common_part(), _python_part())


def import_agent(engine: Engine, *tags: str) -> str:
    """Import the Python image with what an agent has under `AGENT`, or under `tags`, and return its id, always a new one.

    It has docker, git and tar, PyYAML and jsonschema, and a user jenkins (1000:1000). Raises NoEngineError where it
    cannot be made of what this machine has.
    """
    return _import(engine, tags or (AGENT,), _common_part(), _agent_part())


def _import(engine: Engine, tags: tuple[str, ...], *parts: _Part) -> str:
    first, *others = tags
    repository, _, tag = first.rpartition(":")
    changes = ['CMD ["python3"]', *(f"ENV {name}={_quoted(value)}" for name, value in _environment().items())]
    options = [("fromSrc", "-"), ("repo", repository), ("tag", tag), *(("changes", change) for change in changes)]
    content = b"".join((*(part.content() for part in parts), bytes(2 * tarfile.BLOCKSIZE)))
    path = f"/images/create?{urlencode(options)}"
    status, answer = engine.request("POST", path, content, "application/x-tar", _IMPORT_LIMIT)
    # What fails after the first byte of the answer can no longer change the status.
    if status != 200 or b'"errorDetail"' in answer:
        raise AssertionError(f"import of {first}: {status} {answer.decode(errors='replace')}")
    for other in others:
        engine.docker("tag", first, other)
    return str(engine.api("GET", f"/images/{quote(first, safe='')}/json")["Id"])


def _quoted(value: str) -> str:
    for special in ("\\", '"', "$"):
        value = value.replace(special, f"\\{special}")
    return f'"{value}"'


def _environment() -> dict[str, str]:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    if CERTIFICATES.is_file():
        environment |= dict.fromkeys(("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(CERTIFICATES))
    for option in _INDEX_OPTIONS:
        name = f"PIP_{option.replace('-', '_').upper()}"
        # Several values may stand on lines of their own, for which ENV has no way to write them.
        value = " ".join(os.environ.get(name, "").split())
        if value:
            environment[name] = value
    return environment


def pip_configuration() -> str:
    """What pip's files on this machine say of the index, in one file."""
    home = Path.home()
    files = [
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
    ]
    if named := os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(named))
    found = configparser.RawConfigParser()
    try:
        found.read(files, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise NoEngineError(f"pip's configuration cannot be read: {error}") from error
    carried = configparser.RawConfigParser()
    for section in found.sections():
        options = {key: value for key, value in found.items(section) if key.replace("_", "-") in _INDEX_OPTIONS}
        if options:
            carried[section] = options
    text = io.StringIO()
    carried.write(text)
    return text.getvalue()


class _Part:
    """A tar without the blocks that end one, to come after another part or none. The Engine takes no path twice.

    Every folder is an entry, because the Engine closes those that it has to add to all but root.
    """

    def __init__(self, after: _Part | None = None) -> None:
        self._buffer = io.BytesIO()
        self._archive = tarfile.open(fileobj=self._buffer, mode="w")  # noqa: SIM115 - it lives as long as this object
        self._folders: set[str] = set() if after is None else set(after._folders)
        self._now = int(time.time())

    def content(self) -> bytes:
        return self._buffer.getvalue()

    def folder(self, name: str, mode: int = 0o755, owner: int = 0) -> None:
        if name in self._folders:
            return
        self._folders.add(name)
        entry = self._entry(name, mode)
        entry.type, entry.uid, entry.gid = tarfile.DIRTYPE, owner, owner
        self._archive.addfile(entry)

    def text(self, name: str, content: str, mode: int = 0o644) -> None:
        self.file(name, content.encode(), mode)

    def file(self, name: str, content: bytes, mode: int = 0o644, changed: int | None = None) -> None:
        entry = self._entry(name, mode, changed)
        entry.size = len(content)
        self._archive.addfile(entry, io.BytesIO(content))

    def copy(self, source: Path, name: str) -> None:
        """A file as it is, or what a link leads to."""
        found = source.stat()
        mode = 0o755 if found.st_mode & 0o100 else 0o644
        # A wheel, which is a zip, takes no file that is older than 1980.
        self.file(name, source.read_bytes(), mode, int(found.st_mtime))

    def link(self, name: str, leads_to: str) -> None:
        entry = self._entry(name, 0o777)
        entry.type, entry.linkname = tarfile.SYMTYPE, leads_to
        self._archive.addfile(entry)

    def busybox(self) -> None:
        """All but its users and its shell, which would run its own applets whatever PATH says."""
        with tarfile.open(fileobj=io.BytesIO(images._root_file_system())) as archive:
            for entry in archive:
                if entry.isdir():
                    self.folder(entry.name, entry.mode)
                elif entry.name != "bin/sh" and not entry.name.startswith("etc/"):
                    self._archive.addfile(entry, archive.extractfile(entry) if entry.isfile() else None)

    def _entry(self, name: str, mode: int, changed: int | None = None) -> tarfile.TarInfo:
        for folder in reversed(PurePosixPath(name).parents[:-1]):
            self.folder(str(folder))
        entry = tarfile.TarInfo(name)
        entry.mode, entry.mtime = mode, self._now if changed is None else changed
        return entry


@cache
def _common_part() -> _Part:
    """All of the Python image but its users, because an agent has others."""
    part = _Part()
    try:
        part.busybox()
        _add_system(part)
        _add_python(part)
        _add_libraries(part, _python_libraries())
    except OSError as error:
        raise NoEngineError(f"no image can be made of this machine's Python: {error}") from error
    return part


@cache
def _python_part() -> _Part:
    part = _Part(_common_part())
    _add_users(part)
    return part


def _add_system(part: _Part) -> None:
    part.folder("var/tmp", 0o1777)
    part.copy(_program("sh"), "bin/sh")
    part.link("usr/bin/env", "../../bin/env")
    part.text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    part.text("etc/pip.conf", pip_configuration())
    if CERTIFICATES.is_file():
        part.copy(CERTIFICATES, str(CERTIFICATES).removeprefix("/"))


def _add_users(part: _Part, *names: str) -> None:
    """Root, nobody, and others from 1000 on."""
    passwd = ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/nonexistent:/bin/false"]
    group = ["root:x:0:", "nogroup:x:65534:"]
    for number, name in enumerate(names, 1000):
        passwd.append(f"{name}:x:{number}:{number}:{name}:/home/{name}:/bin/sh")
        group.append(f"{name}:x:{number}:")
        part.folder(f"home/{name}", 0o755, number)
    part.text("etc/passwd", "\n".join((*passwd, "")))
    part.text("etc/group", "\n".join((*group, "")))


def _add_python(part: _Part) -> None:
    interpreter, library = _interpreter(), _standard_library()
    prefix = str(library.parent.parent)
    # It looks for its library from where it stands, so that it needs no word of the move.
    part.copy(interpreter, "usr/local/bin/python3.11")
    part.link("usr/local/bin/python3", "python3.11")
    part.link("usr/local/bin/python", "python3")
    for path in _standard_files():
        name = f"{_STANDARD_LIBRARY}/{path.relative_to(library)}"
        if path.name.startswith("_sysconfigdata"):
            part.text(name, path.read_text(encoding="utf-8").replace(prefix, "/usr/local"))
        else:
            part.copy(path, name)
    with zipfile.ZipFile(_pip_wheel()) as wheel:
        for member in wheel.namelist():
            part.file(f"{_STANDARD_LIBRARY}/site-packages/{member}", wheel.read(member))
    for program in ("pip", "pip3", "pip3.11"):
        part.text(f"usr/local/bin/{program}", _PIP, 0o755)


def _interpreter() -> Path:
    here = f"{sys.implementation.name} {platform.python_version()} on {sys.platform} {platform.machine()}"
    if here.split(" on ")[1] != "linux x86_64" or sys.implementation.name != "cpython" or sys.version_info[:2] != (3, 11):
        raise NoEngineError(f"an image of this machine's Python takes CPython 3.11 on linux x86_64; this is {here}")
    # The one below the virtual environment, if there is one; not documented, and venv itself counts on it.
    program = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if not _is_elf(program):
        raise NoEngineError(f"no image can be made of this machine's Python: {program} is not an ELF program")
    return program


def _standard_library() -> Path:
    library = Path(sys.base_prefix).resolve() / "lib" / "python3.11"
    if not (library / "os.py").is_file() or not (library / "lib-dynload").is_dir():
        raise NoEngineError(f"no image can be made of this machine's Python: its standard library is not in {library}")
    return library


def _standard_files() -> list[Path]:
    found = []
    for folder, inner, names in os.walk(_standard_library()):
        inner[:] = [name for name in inner if name not in _LEFT_OUT_FOLDERS and not name.startswith("config-3.11")]
        modules = folder.endswith("lib-dynload")
        left_out = (name for name in names if modules and name.startswith(_LEFT_OUT_FILES))
        found += [Path(folder, name) for name in set(names).difference(left_out) if not name.endswith(".a")]
    return sorted(found)


def _pip_wheel() -> Path:
    folder = _standard_library() / "ensurepip" / "_bundled"
    for wheel in folder.glob("pip-*.whl"):
        return wheel
    raise NoEngineError(f"no image can be made of this machine's Python: there is no wheel of pip in {folder}")


@cache
def _agent_part() -> _Part:
    part = _Part(_common_part())
    _add_users(part, "jenkins")
    try:
        docker, git, tar = (_program(name) for name in ("docker", "git", "tar"))
        part.copy(docker, "usr/local/bin/docker")
        part.copy(git, "usr/bin/git")
        part.copy(tar, "usr/bin/tar")
        called = subprocess.run([git, "--exec-path"], capture_output=True, text=True, check=True)
        part.link(f"{called.stdout.strip().removeprefix('/')}/git", "/usr/bin/git")
        for package in _AGENT_PACKAGES:
            _add_package(part, package)
        known = _python_libraries()
        _add_libraries(part, {name: path for name, path in _libraries([docker, git, tar]).items() if name not in known})
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoEngineError(f"no image of an agent can be made here: {error}") from error
    return part


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise NoEngineError(f"{name} is not installed, which the images take from this machine")
    path = Path(found).resolve()
    if not _is_elf(path):
        raise NoEngineError(f"the images take {name} itself from this machine, and {path} is not an ELF program")
    return path


def _add_package(part: _Part, name: str) -> None:
    try:
        files = metadata.distribution(name).files or []
    except metadata.PackageNotFoundError as error:
        raise NoEngineError(f"the package {name} is not installed, which the image of an agent takes") from error
    for file in files:
        # Programs lie outside, and would name the Python of this machine.
        if ".." not in file.parts and "__pycache__" not in file.parts:
            part.copy(Path(str(file.locate())), f"{_STANDARD_LIBRARY}/site-packages/{file}")


@cache
def _python_libraries() -> dict[str, Path]:
    """The place in the image, and the file, of each library that Python needs and that its packages expect."""
    modules = (path for path in _standard_files() if path.suffix == ".so")
    found = _libraries([_program("sh"), _interpreter(), *modules])
    places = [(name, path) for name, path in found.items() if PurePosixPath(name).name == _LIBRARY_OF_C]
    if not places:
        raise NoEngineError("no image can be made of this machine's Python: it does not use the GNU C library")
    [(place, path)] = places
    for name in (*_NEEDED_BY_WHEELS, *_WANTED_BY_WHEELS):
        library = path.parent / name
        if library.exists():
            found[str(PurePosixPath(place).with_name(name))] = library
        elif name in _NEEDED_BY_WHEELS:
            raise NoEngineError(f"no image can be made of this machine's Python: there is no {library}")
    return found


def _libraries(programs: list[Path]) -> dict[str, Path]:
    """The place in the image, and the file, of all libraries of programs, with theirs, and of the loader.

    All are put where the C library is: the loader looks there without being told, wherever else they lie here.
    """
    ldd = shutil.which("ldd")
    if ldd is None:
        raise NoEngineError("ldd is not installed, which tells what libraries an image needs")
    # It fails as a whole when one program is static, and tells of all the others.
    said = subprocess.run([ldd, *programs], capture_output=True, text=True, check=False).stdout
    found, loaders = {}, {}
    for line in said.splitlines():
        match line.split():
            case [name, "=>", path, _] if path.startswith("/"):
                found[PurePosixPath(name).name] = Path(path)
            case [loader, _] if loader.startswith("/") and line[0].isspace():
                loaders[loader.removeprefix("/")] = Path(loader)
    if _LIBRARY_OF_C not in found:
        return loaders
    folder = str(found[_LIBRARY_OF_C].parent).removeprefix("/")
    return {**loaders, **{f"{folder}/{name}": path for name, path in found.items()}}


def _add_libraries(part: _Part, libraries: dict[str, Path]) -> None:
    for name, path in libraries.items():
        part.copy(path, name)


def _is_elf(program: Path) -> bool:
    with program.open("rb") as file:
        return file.read(4) == b"\x7fELF"
