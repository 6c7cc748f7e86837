"""Takes the pictures in docs/ from the real screen, on the demo standing still."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.world import demo_watch
from console.demo import FrozenClock
from console.text import Clean
from console.ui.app import ConsoleApp, Wishes

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
MOMENT = datetime(2026, 11, 23, 14, 3, 46, tzinfo=UTC)


async def take(name: str, *keys: str, slow: str = "") -> None:
    """One picture of 100x30 cells after these keys; after those in `slow` something has to be read first."""
    clock = FrozenClock(MOMENT)
    live = demo_watch(clock, runs=True)
    live.start()
    app = ConsoleApp(
        live,
        host=Clean("demo-01"),
        demo=True,
        wishes=Wishes(theme="dark", glyphs="unicode"),
        env={"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        frozen=True,
    )
    async with app.run_test(size=(100, 30)) as pilot:
        for _ in range(40):
            # Details and usage follow the first list: a picture without them would show a server that was just met.
            await pilot.pause(0.1)
        for key in keys:
            await pilot.press(key)
            if key in slow:
                await pilot.pause(2)
        await pilot.pause()
        (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="mlops-console"), encoding="utf-8")
    live.stop()


async def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    await take("main", "j")
    await take("run", "slash", *"#128", "enter", "enter", slow="enter")
    await take("detail", "3", "enter")
    await take("queue", "2", "j", "j")
    await take("builds", "6", "j", "j", slow="6j")
    await take("build", "6", "b", "slash", *"#127", "enter", "enter", slow="6b")
    await take("gpus", "4", "4", slow="4")
    await take("nodes", "8", slow="8")
    await take("disk", "7", "p", slow="7p")
    await take("plan", "6", "b", "slash", *"#127", "enter", "R", slow="6bR")
    await take(
        "log", "slash", *"#127", "enter", "e", "enter", *"kkkkkkkkkkkkkkkkkkkkkk", "e", "slash", *"memory", "enter", slow="e"
    )


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main())
