"""What can be said in one sentence instead of a traceback."""

from __future__ import annotations


class TrainingError(Exception):
    """The training cannot go on for a reason that somebody can mend. The text says what is wrong and what to do."""
