"""The console with a watchdog over its loops: python -m bench.held REPORT [the console's own arguments].

At the end, and each time it gets SIGUSR1, what held a loop since the last time is written to REPORT as JSON: for each thread
the most milliseconds of CPU and by the clock that one callback took, and every callback of 10 ms or more. With BENCH_PROFILE
a profile of each thread is written beside that path at the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.support.watchdog import Watchdog

LEAST = 0.010


def main() -> int:
    report = Path(sys.argv[1])
    with Watchdog(LEAST, without_garbage=False) as dog:

        def tell(*_: object) -> None:
            longest, dog.longest = dog.longest, {}
            holds, dog.holds = dog.holds, []
            found = {
                "longest": {thread: [cpu * 1000, wall * 1000] for thread, (cpu, wall) in longest.items()},
                "holds": [[one.thread, one.what, one.cpu * 1000, one.wall * 1000, one.garbage * 1000] for one in holds],
            }
            new = report.with_suffix(f".{time.monotonic_ns()}")
            new.write_text(json.dumps(found))
            new.replace(report)

        signal.signal(signal.SIGUSR1, tell)
        if (where := os.environ.get("BENCH_PROFILE")) is not None:
            return _profiled(where)
        from console.main import main as console

        try:
            return console(sys.argv[2:])
        finally:
            tell()


def _profiled(where: str) -> int:
    import cProfile
    import threading

    from console.main import main as console

    room = cProfile.Profile(time.thread_time)
    real = threading.Thread.run

    def run(self: threading.Thread) -> None:
        if self.name == "backroom":
            room.runcall(real, self)
        else:
            real(self)

    threading.Thread.run = run  # type: ignore[method-assign]
    screen = cProfile.Profile(time.thread_time)
    status: int = screen.runcall(console, sys.argv[2:])
    screen.dump_stats(where + ".screen")
    room.dump_stats(where + ".room")
    return status


if __name__ == "__main__":
    sys.exit(main())
