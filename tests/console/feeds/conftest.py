"""The back room's loop is watched: no callback of a feed may hold it."""

from tests.support.held import all_loaded, no_loop_is_held

__all__ = ["all_loaded", "no_loop_is_held"]
