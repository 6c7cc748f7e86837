"""The console with one more command, for terminals: `python -m tests.console.cli.small_program {"weight": 1} do --yes`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console.actions.plan import End, News, Weight
from console.cli import group
from console.model.state import StateClass
from console.text import clean
from tests.console.cli.calling import FakeBackend, call
from tests.console.cli.small_acts import COMMANDS_WITH_IT, CURRENT, SmallAct
from tests.console.fake_jenkins import FakeJenkins, ref
from tests.console.fakes import FakeCompose, FakeEngine

SMALL = (sys.executable, "-m", "tests.console.cli.small_program")


def main(spec: dict[str, Any], words: list[str]) -> int:
    """`spec` are the fields of the act; `ends` how the build that comes of it does, `slow` lets it take for ever to do."""
    group.COMMANDS = COMMANDS_WITH_IT
    target = SmallAct().target("thing")
    ends = spec.pop("ends", None)
    if ends is not None:
        began = News(target, StateClass.ACTIVE, clean("started as #43"), ref("train", 43))
        over = [News(target, StateClass.GOOD, clean("#43 is over"), ref("train", 43), End(ends))] if ends else []
        spec |= {"after": [began, *over], "forever": not ends}
    CURRENT.append(SmallAct(**spec | {"weight": Weight(spec.get("weight", 0))}))
    # What it writes down goes with it: a checkout is no place for it.
    with TemporaryDirectory() as folder:
        status = call(FakeBackend(FakeEngine(), FakeCompose(), Path(folder), ci=FakeJenkins()), *words)
    if CURRENT[-1].done:
        sys.stderr.write(f"DID {' '.join(CURRENT[-1].done)}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
