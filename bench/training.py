"""What the steps cost on top of plain Docker, and what images weigh: python -m bench.training [--quick].

Runs in a private Engine with a base image made from this machine's own Python; builds reach the package index.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.pipeline.workplace import Workplace
from tests.support.engine import Engine
from tests.support.images import BUSYBOX, import_busybox
from tests.support.pythonbase import import_python
from tests.support.scratch import Scratch

SCRIPT = "seq 100; echo done"


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def show(name: str, seconds: list[float]) -> None:
    print(f"{name:58} median {statistics.median(seconds):6.2f} s   best {min(seconds):6.2f} s   {len(seconds)} rounds")


def overhead(work: Workplace, rounds: int) -> None:
    """The same small container by hand and through the steps, in turn."""
    commit = work.project("small", SCRIPT)
    named = {"PROJECT": "small", "COMMIT": commit}
    work.good("check", BUILD_NUMBER="0", **named)
    work.good("build", BUILD_NUMBER="0", **named)
    image = f"mlops/small:{commit[:12]}"
    figures: dict[str, list[float]] = {}

    def note(name: str, action: Callable[[], object]) -> None:
        figures.setdefault(name, []).append(timed(action))

    for number in range(1, rounds + 1):
        build = str(number)
        note("docker run --rm by hand", lambda: work.engine.docker("run", "--rm", "--init", "--network=host", image))
        began = time.perf_counter()
        for step in ("check", "build", "start", "follow", "finish"):
            note(f"  {step}", lambda step=step, build=build: work.good(step, BUILD_NUMBER=build, **named))  # type: ignore[misc]
        figures.setdefault("check, build (cached), start, follow, finish", []).append(time.perf_counter() - began)
        note("make train, image cached", lambda: work.good("train", PROJECT="small", PUBLISH="no"))
    for name, seconds in figures.items():
        show(name, seconds)


def builds(work: Workplace, rounds: int) -> None:
    """project-b from nothing, and after a change of its source alone."""
    commit = work.copy("project-b")
    cold, warm = [], []
    for number in range(1, rounds + 1):
        # Nothing is trained here, so any data set will do.
        pinned = {"OVERRIDES": f"data.repo=a/b data.revision={'a' * 40}", "HF_HUB_OFFLINE": "1"}
        named = {"PROJECT": "project-b", "COMMIT": commit, "PUBLISH": "no", "BUILD_NUMBER": str(1000 + number), **pinned}
        for image in set(work.engine.docker("images", "--all", "--quiet", "mlops/project-b").split()):
            work.engine.docker("rmi", "--force", image)
        work.engine.docker("image", "prune", "--force")
        work.good("check", **named)
        cold.append(timed(lambda named=named: work.good("build", **named)))  # type: ignore[misc]
        source = work.repository / "projects" / "project-b" / "src" / "train.py"
        source.write_text(source.read_text(encoding="utf-8") + f"\n# {number}\n", encoding="utf-8")
        commit = work.commit("a change")
        named |= {"COMMIT": commit}
        work.good("check", **named)
        warm.append(timed(lambda named=named: work.good("build", **named)))  # type: ignore[misc]
    show("project-b, cold build", cold)
    show("project-b, build after a change of its source", warm)
    for image in (f"mlops/project-b:{commit[:12]}", "python:3.11-slim-bookworm", BUSYBOX):
        size = work.engine.docker("image", "inspect", "--format", "{{.Size}}", image).strip()
        print(f"{image:58} {int(size) / 1e6:8.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 2 if parser.parse_args().quick else 7
    print(f"load before: {os.getloadavg()[0]:.2f}")
    scratch = Scratch()
    engine = Engine()
    try:
        import_busybox(engine)
        import_python(engine)
        with tempfile.TemporaryDirectory() as folder:
            work = Workplace(Path(folder), engine)
            try:
                overhead(work, rounds)
                builds(work, max(1, rounds // 3))
            finally:
                work.close()
    finally:
        engine.close()
        scratch.close()
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
