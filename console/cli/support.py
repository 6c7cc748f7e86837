"""`support`: one file for a bug report, with what the commands tell, versions and the ends of logs; secrets are stars."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
import traceback
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli import forms
from console.cli.group import Context, command, root, run_click
from console.cli.options import UsageError
from console.cli.output import OutputError, print_json
from console.model.secretnames import MASK, arguments
from console.model.source import SourceError
from console.model.words import decimal
from console.settings import Loaded, SettingsError
from console.text import clean

if TYPE_CHECKING:
    from console.doctor.masking import Masking

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "settings": ("config", "show"),
    "doctor": ("doctor",),
    "status": ("status",),
    "services": ("services",),
    "containers": ("containers",),
    "runs": ("runs",),
    "nodes": ("nodes",),
    "queue": ("queue",),
    "gpus": ("gpus",),
    "audit": ("audit",),
}
"""What is asked, by the name of its file."""

NOT_SAVED = 1
_LONG = 16
"""Letters of a path that by themselves are nothing else: `mlops` stands everywhere."""

_INTRODUCTION = """\
Made by `mlops-console support` on {host}, {at}{demo}, to be sent with a report of a bug.

Secrets that are known here, and what is called or looks like one, are shown as {stars}. Look through it before you send it:
logs hold what programs have written, and names of projects, hosts and people stand in here, and paths of this machine, those of
home folders too.

A NAME.json is the answer of a command; a NAME.txt is what it complained of, and stands alone where it gave no answer.
What begins with Traceback is a defect of this program.

{contents}
"""


@dataclass(slots=True)
class _Archive:
    """Files by their names."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        self.files[name] = text.encode()

    def packed(self, folder: str, at: datetime) -> bytes:
        """A gzipped tar; everything in it is for its owner alone."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for name, content in self.files.items():
                member = tarfile.TarInfo(f"{folder}/{name}")
                member.size, member.mode, member.mtime = len(content), 0o600, int(at.timestamp())
                tar.addfile(member, io.BytesIO(content))
        return out.getvalue()


@command("support")
@click.option("-o", "file", metavar="FILE", help="Where to write it; without it mlops-support-HOST-TIME.tar.gz here.")
@click.pass_obj
def support(context: Context, /, file: str | None) -> int:
    """Pack versions, settings, states and the ends of logs into one file for a bug report. Secrets are masked.

    Exit status: 0 it is written, 1 it cannot be.
    """
    from console.sources.newfile import NewFile, SaveError

    at = datetime.now(UTC)
    host = context.backend.host
    name = f"mlops-support-{host}-{at:%Y%m%dT%H%M%SZ}"
    path = Path(file).expanduser() if file is not None else Path(f"{name}.tar.gz")
    if path.name in ("", ".", "..") or path.is_dir():
        raise UsageError(f"-o {clean(file) or repr(file)} names no file.")
    if (wrong := _no_folder(path.parent)) is not None:
        context.complain(f"{clean(str(path))} is not saved: {wrong}")
        return NOT_SAVED
    try:
        # Before a minute of work: a name that is taken is told at once.
        made = NewFile(path.parent, path.name, private=True)
    except SaveError as error:
        context.complain(error.reason)
        return NOT_SAVED
    try:
        archive = _collected(context, at)
        made.write(archive.packed(name, at))
        made.finish()
    except SaveError as error:
        context.complain(error.reason)
        return NOT_SAVED
    finally:
        made.discard()
    _told(context, archive, path, made.size)
    return 0


def _no_folder(folder: Path) -> str | None:
    """Why nothing can be put there: a report goes where a person has a folder, and makes none of a mistyped one."""
    if folder.is_dir():
        return None
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    if there == folder or not there.is_dir():
        return f"{clean(str(there))} is not a folder."
    return f"there is no folder {clean(str(folder))}. Make it first, or name another with -o."


def _told(context: Context, archive: _Archive, path: Path, size: int) -> None:
    if context.json:
        items = [{"name": name, "bytes": len(content)} for name, content in archive.files.items()]
        more = {"file": str(clean(str(path))), "bytes": size}
        now = datetime.now(UTC)
        print_json(forms.envelope("support", items, taken_at=now, demo=context.backend.demo, sources={}, **more))
        return
    printer = context.printer_in_any_case()
    for name, content in archive.files.items():
        printer.line(f"  {decimal(len(content)):>8}  {name}")
    printer.line(f"{path}: {decimal(size)}. Look through it before you send it: tar -xzf {path}")


def _collected(context: Context, at: datetime) -> _Archive:
    answers = {name: _answered(context, words) for name, words in ANSWERS.items()}
    masking, archive = asyncio.run(_gathered(context))
    for name, (text, said) in answers.items():
        if text.strip():
            try:
                archive.add(f"{name}.json", _document(masking, text))
            except Exception:  # whatever is wrong with it, it is the reason for the report
                archive.add(f"{name}.txt", masking.text(f"{said}{text}\n{traceback.format_exc()}"))
                continue
        if said:
            archive.add(f"{name}.txt", masking.text(said))
    contents = "\n".join(f"{len(content):>10}  {name}" for name, content in sorted(archive.files.items()))
    demo = ", of the demo: nothing of it is real" if context.backend.demo else ""
    words = _INTRODUCTION.format(host=context.backend.host, at=forms.moment(at), demo=demo, stars=MASK, contents=contents)
    archive.files = {"README.txt": words.encode(), **dict(sorted(archive.files.items()))}
    return archive


def _answered(context: Context, words: tuple[str, ...]) -> tuple[str, str]:
    """What a command writes to programs, and what it complains about."""
    out, err = io.StringIO(), io.StringIO()
    asked = Context(replace(context.options, json=True), context.backend)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            run_click(root(), words, asked)
        except (UsageError, SettingsError, SourceError, OutputError) as error:
            err.write(f"{error}\n")
        except Exception:  # a defect of one command is what is reported, and not the end of the report
            err.write(traceback.format_exc())
    return out.getvalue(), err.getvalue()


def _document(masking: Masking, text: str) -> str:
    documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    told = documents[0] if len(documents) == 1 else documents
    return json.dumps(masking.data(told), ensure_ascii=True, indent=1) + "\n"


async def _gathered(context: Context) -> tuple[Masking, _Archive]:
    """What no command tells; and what is to be masked in all of it."""
    from console.doctor import bundle
    from console.doctor.masking import Masking
    from console.doctor.visit import Visit

    tools = context.backend.instruments()
    visit, archive = Visit(tools), _Archive()
    try:
        try:
            world, defect = await bundle.world_of(visit), ""
        except Exception:  # as of the commands; no log is read then, and no environment that a secret could be from
            world, defect = None, traceback.format_exc()
        # A defect here does end it all: with secrets that nobody looked for it must not be written.
        masking = Masking(await bundle.secrets(visit, world, os.environ) | _own(tools.loaded))
        told = {**bundle.versions(tools, world), "variables": bundle.variables(os.environ)}
        archive.add("versions.json", json.dumps(masking.data(told), ensure_ascii=True, indent=1) + "\n")
        if defect:
            archive.add("world.txt", masking.text(defect))
        try:
            for name, text in (await bundle.logs(visit, world)).items():
                archive.add(f"logs/{_file(name)}.log", masking.text(text) + "\n")
        except Exception:  # as of the commands
            archive.add("logs.txt", masking.text(traceback.format_exc()))
    finally:
        await visit.aclose()
        await tools.aclose()
    return masking, archive


def _own(loaded: Loaded | SettingsError) -> set[str]:
    """What lets one in, of what the settings say themselves: an address to post to, and words of a command line."""
    if isinstance(loaded, SettingsError):
        return set()
    notify = loaded.settings.notify
    path = notify.webhook.partition("://")[2].partition("/")[2]
    hidden = arguments(notify.command)
    found = {word for word, told in zip(notify.command, hidden, strict=True) if told == MASK}
    return found | ({notify.webhook, path} if len(path) >= _LONG else {notify.webhook} if path else set())


def _file(name: str) -> str:
    """A container's name as that of a file: whatever it is called, it stays in its folder."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).strip(".") or "unnamed"
