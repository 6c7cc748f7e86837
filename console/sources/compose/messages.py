"""What Compose writes for people, made into one sentence each. No sentence holds a value out of a file: it may be a secret."""

from __future__ import annotations

import re
from pathlib import Path

from console.text import Clean, clean

# Nobody reads more of it in one line.
_MOST_BYTES = 1 << 16
_LOGGED = re.compile(r'\blevel=(?P<level>\w+) msg="(?P<text>(?:[^"\\]|\\.)*)"')
_UNSET = re.compile(r'The "(?P<name>[^"]+)" variable is not set')

# Compose 2.40, by what it was seen to say. The first half are messages that quote a value.
_REWORDED = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"unterminated quoted value .*", "unterminated quoted value"),
        (r" in variable name .*", " in the name of a variable"),
        (r"invalid interpolation format for (\S+)\.\s.*", r"\1: a $ that is no variable must be written $$"),
        (r"cannot unmarshal !!\w+(?: `.*`)? into \S+", "a mapping is expected"),
        (r"\berror while interpolating ", ""),
        (r"git remote resource is disabled .*", "it includes a Git repository, the console reads only files of this machine"),
        (r"OCI remote resource is disabled .*", "it includes a registry's file, the console reads only files of this machine"),
        (r"\bdecoding failed due to the following error\(s\):\s*", ""),
        (r"\bunmarshal errors:\s*", ""),
        (r"^yaml: |(?<=: )yaml: ", ""),
        (r"(env file .+ not found): stat .*", r"\1"),
        (r": invalid compose project$", ""),
    )
)
_OTHER_FILE = re.compile(r"(?:failed to (?:parse|read)|validating) (?P<file>/.+?): ?(?P<what>.*)")
_LINE = re.compile(r"line (?P<line>\d+)(?:, column \d+)?: (?P<what>.*)")


def complaint(err: bytes, file: Path, root: Path) -> Clean:
    """Why Compose refuses the file, beginning with which file and, where Compose tells it, which line."""
    said = "\n".join(_spoken(err)) or "Compose gives no reason"
    for pattern, words in _REWORDED:
        said = pattern.sub(words, said)
    said = " ".join(said.split())
    other = _OTHER_FILE.fullmatch(said)
    if other is not None:
        file, said = Path(other["file"]), other["what"]
    said = said.replace(f"{file.parent}/", "")
    place = _LINE.fullmatch(said)
    if place is not None:
        return clean(f"{short(file, root)} line {place['line']}: {place['what']}")
    return clean(f"{short(file, root)}: {said}")


def warnings(err: bytes, file: Path) -> tuple[Clean, ...]:
    """What Compose warns of, each once, in the order it was said."""
    found: dict[Clean, None] = {}
    for logged in _LOGGED.finditer(err[:_MOST_BYTES].decode(errors="replace")):
        if logged["level"] != "warning":
            continue
        text = re.sub(r"\\(.)", r"\1", logged["text"])
        unset = _UNSET.match(text)
        if unset is not None:
            text = f"variable {unset['name']} is not set, it counts as empty"
        else:
            text = text.replace(f"{file.parent}/", "").removeprefix(f"{file.name}: ")
        found[clean(f"{file.name}: {text}")] = None
    return tuple(found)


def short(file: Path, root: Path) -> str:
    """The path as a person at `root` writes it."""
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _spoken(err: bytes) -> list[str]:
    """The lines without those of the log and those about docker's own settings."""
    lines = err[:_MOST_BYTES].decode(errors="replace").splitlines()
    return [line for line in lines if not _LOGGED.search(line) and not line.startswith("WARNING: ")]
