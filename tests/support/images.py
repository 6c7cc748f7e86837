"""Images made on the spot from the machine's own static busybox: no registry, no network."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.support.engine import Engine, NoEngineError

BUSYBOX = "busybox:test"

_PT_INTERP = 3


def engine_with_busybox(*, live_restore: bool = False) -> Engine:
    """A new Engine that has `BUSYBOX` and has run a container of it. Raises NoEngineError.

    Some machines let an Engine start and then no container in it.
    """
    engine = Engine(live_restore=live_restore)
    try:
        import_busybox(engine)
        engine.docker("run", "--rm", "--network=none", BUSYBOX, "true")
    except BaseException as error:
        engine.close()
        if isinstance(error, AssertionError):
            raise NoEngineError(f"it starts no container: {error}") from error
        raise
    return engine


@contextmanager
def own_engine(*, live_restore: bool = False) -> Iterator[Engine]:
    """An Engine with `BUSYBOX` that is nobody else's, gone at the end. For where it is known that Engines start here."""
    engine = Engine(live_restore=live_restore)
    try:
        import_busybox(engine)
        yield engine
    finally:
        engine.close()


def carry(source: Engine, target: Engine, *tags: str) -> None:
    """Copy images between Engines: one with networks of its own has no way out to build them with."""
    saved = subprocess.Popen(["docker", "save", *tags], env=source.environment, stdout=subprocess.PIPE)
    with saved:
        loaded = subprocess.run(["docker", "load", "--quiet"], env=target.environment, stdin=saved.stdout, check=False)
    if saved.returncode or loaded.returncode:
        raise AssertionError(f"{' '.join(tags)}: docker save: exit {saved.returncode}, load: exit {loaded.returncode}")


def import_busybox(engine: Engine, *tags: str) -> str:
    """Import busybox under `BUSYBOX`, or under `tags` when given, and return the image's id, a new one every time.

    Raises NoEngineError without a static busybox.
    """
    first, *others = tags or (BUSYBOX,)
    repository, _, tag = first.rpartition(":")
    query = urlencode({"fromSrc": "-", "repo": repository, "tag": tag, "changes": 'CMD ["sh"]'})
    status, answer = engine.request("POST", f"/images/create?{query}", _root_file_system(), "application/x-tar")
    if status != 200:
        raise AssertionError(f"import of {first}: {status} {answer.decode(errors='replace')}")
    for other in others:
        engine.docker("tag", first, other)
    identity = engine.api("GET", f"/images/{quote(first, safe='')}/json")["Id"]
    return str(identity)


@cache
def _root_file_system() -> bytes:
    """A tar with the binary, a link for each of its applets, and the few files that programs look for."""
    program = static_busybox()
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "dev", "etc", "proc", "root", "sys", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        _add_file(archive, "bin/busybox", program.read_bytes(), 0o755)
        _add_file(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", 0o644)
        _add_file(archive, "etc/group", b"root:x:0:\n", 0o644)
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
    return buffer.getvalue()


def _add_file(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


@cache
def static_busybox() -> Path:
    """The machine's own. Raises NoEngineError when there is none."""
    for name in ("busybox", "busybox-static", "busybox.static"):
        found = shutil.which(name)
        if found is not None and _is_static(Path(found)):
            return Path(found)
    raise NoEngineError("there is no static busybox to make an image of (Debian: apt install busybox-static)")


def _is_static(program: Path) -> bool:
    """Whether a 64-bit little-endian ELF file asks for no loader. The header's fields: man 5 elf."""
    data = program.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return False
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    kinds = (struct.unpack_from("<I", data, table + index * size)[0] for index in range(count))
    return _PT_INTERP not in kinds
