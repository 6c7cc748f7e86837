"""A screen that was closed is gone with all that it painted."""

from __future__ import annotations

import gc
import weakref

from console.ui.screens.base import ConsoleScreen
from tests.console.ui.screenapp import app_of
from tests.console.ui.worlds import world
from tests.support.waiting import until


async def test_what_a_closed_screen_has_painted_goes_with_it() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for key in ("question_mark", "colon"):
            await pilot.press(key)
            await pilot.pause()
            painted = [weakref.ref(widget._styles_cache) for widget in (app.screen, *app.screen.query("*"))]
            assert any(cache() is not None and cache()._cache for cache in painted)  # type: ignore[union-attr]
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, ConsoleScreen), "the sheet to close")
            await pilot.pause()
            gc.collect()
            left = [cache() for cache in painted if cache() is not None]
            assert left == []
