"""What there is to know of one key, for those who cannot see the screen's own table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyFact:
    """One thing a key does. `id` is its name in `[keys]`; `keys` are the person's own, `ours` the console's, as people write
    them; `where` names the places it works in. What `acts` changes something."""

    id: str
    keys: tuple[str, ...]
    ours: tuple[str, ...]
    where: str
    words: str
    acts: bool

    @property
    def changed(self) -> bool:
        """Whether the settings gave it other keys."""
        return self.keys != self.ours
