"""A screen that opens lets others in between: keys, the other screens, the world."""

from __future__ import annotations

import asyncio

from textual import events
from textual.message_pump import MessagePump


class GivesWay(MessagePump):
    """To be mixed into a screen. Textual mounts, resumes and resizes it in one go, each time with a repaint: three in a row
    hold the loop for longer than a person should wait for a key."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.ScreenResume | events.Resize):
            await asyncio.sleep(0)
        await super().on_event(event)
