"""Past runs and their curves in SQLite: one writer, many readers.

SQLite itself is loaded when a history is opened, not with this room.
"""

from console.history.bounds import Bounds
from console.history.errors import HistoryError, Trouble
from console.history.reader import Page, Reader
from console.history.writer import Writer

__all__ = ["Bounds", "HistoryError", "Page", "Reader", "Trouble", "Writer"]
