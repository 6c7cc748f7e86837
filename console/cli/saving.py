"""`build --save`: files that a build keeps, saved one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from console.cli import jenkins_forms
from console.cli.asking import document, find_build, refuse, world_of
from console.cli.group import Context
from console.cli.jenkins_forms import Fetched
from console.cli.meter import Meter
from console.cli.options import UsageError
from console.cli.output import print_json
from console.feeds.download import chosen, save_artifact
from console.feeds.jenkins_once import failed
from console.model.build import Build
from console.model.jenkins import ABOUT_ONE_THING, JenkinsError
from console.model.jenkins_rows import row
from console.model.state import StateClass
from console.model.words import decimal
from console.sources.newfile import SaveError
from console.sources.protocols import Jenkins


async def save_files(
    context: Context, source: Jenkins, name: str, number: str | None, patterns: Sequence[str], to: str | None
) -> int:
    """Save what fits, and tell it a line each as it comes. One that cannot be saved does not keep the others from it."""
    folder = _folder(to)
    world = await world_of(source)
    found = await source.build(find_build(world.jobs, name, number))
    wanted = chosen(found.artifacts, patterns)
    if not wanted:
        raise UsageError(_nothing(found, patterns))
    done: list[Fetched] = []
    away: JenkinsError | None = None
    for artifact in wanted:
        meter = Meter(str(artifact.path), wanted=not context.json)
        try:
            saved = await save_artifact(source, found.ref, artifact, folder, progress=meter)
        except SaveError as error:
            done.append(Fetched(artifact.path, error=error.reason))
        except JenkinsError as error:
            done.append(Fetched(artifact.path, error=error.reason))
            if error.trouble not in ABOUT_ONE_THING:
                away = error
        else:
            done.append(Fetched(artifact.path, saved))
        finally:
            meter.clear()
        if not context.json:
            _tell(context, done[-1])
        if away is not None:
            break
    items = [jenkins_forms.build_detail(row(world, found), None, (), done)]
    if away is not None:
        return refuse(context, "build", failed(away, datetime.now(UTC)), items)
    if context.json:
        print_json(document(context, "build", items))
    return 1 if any(one.error is not None for one in done) else 0


def _tell(context: Context, one: Fetched) -> None:
    printer = context.printer()
    if one.saved is not None:
        printer.state_line(StateClass.GOOD, f"{one.saved.file}  {decimal(one.saved.size)}")
    else:
        printer.state_line(StateClass.BROKEN, str(one.error))


def _folder(to: str | None) -> Path:
    try:
        folder = Path(to if to is not None else ".").expanduser()
    except RuntimeError:
        raise UsageError(f"--to {to}: nobody here has that home folder.") from None
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--to {folder} is no folder.")
    return folder


def _nothing(found: Build, patterns: Sequence[str]) -> str:
    which = found.ref.shown
    if not found.artifacts:
        return f"{which} keeps no files."
    names = ", ".join(str(one.path) for one in found.artifacts[:5])
    more = f" and {len(found.artifacts) - 5} more" if len(found.artifacts) > 5 else ""
    return f"no file of {which} fits {' '.join(patterns)}. It keeps: {names}{more}."
