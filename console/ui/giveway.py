"""What a screen does as it opens and closes, so that it holds nobody up and leaves nothing behind."""

from __future__ import annotations

import asyncio

from textual import events
from textual._styles_cache import StylesCache
from textual.message_pump import MessagePump


class GivesWay(MessagePump):
    """To be mixed into a screen. Textual mounts, resumes and resizes it in one go, each time with a repaint: three in a row
    hold the loop for longer than a person should wait for a key. And Textual 8.2.8 remembers the painted rows of a thousand
    widgets that are gone: they are the keys of a cache of colours.
    """

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.ScreenResume | events.Resize):
            await asyncio.sleep(0)
        await super().on_event(event)

    def on_unmount(self) -> None:
        # The screen itself and its panes are among them. The colours of those that are left are computed again at once.
        StylesCache.get_inner_outer.cache_clear()
