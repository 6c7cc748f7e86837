"""Keeps facts fresh, and nothing else: polls, event streams, back-off; publishes immutable worlds."""

from console.feeds.backroom import BackRoom
from console.feeds.once import gather
from console.feeds.watch import Watch

__all__ = ["BackRoom", "Watch", "gather"]
