"""Old garbage is looked for while nobody presses a key: to look at all there is takes 10 to 40 ms with 300 rows.

Python would do it whenever enough has come together, which is mostly while a screen is drawn anew.
"""

from __future__ import annotations

import gc

CALM_SECONDS = 1.0
"""Nobody has pressed a key for so long."""
SOME, MUCH = 10, 200
"""So many young collections make it worth looking (Python's own figure), and so many make it necessary whoever types."""
_NEVER = 1_000_000


class OldGarbage:
    """Collects the oldest generation when `look` finds a good moment, and from `begin` on nobody else does."""

    def begin(self) -> None:
        """Have Python leave it alone. What is young is still collected as ever."""
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _NEVER)

    def look(self, calm: float) -> bool:
        """Collect if there is something and nobody has pressed a key for `calm` seconds. True when it was done."""
        waiting = gc.get_count()[2]
        if waiting < (SOME if calm >= CALM_SECONDS else MUCH):
            return False
        gc.collect()
        return True
