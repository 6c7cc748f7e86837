"""The help: every key once, in columns that are as low as they can be, and no heading without a key below it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.ui.canvas import plain
from console.ui.keymap import GROUPS, shown_keys
from console.ui.screens.build import BuildScreen
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.compare import CompareScreen
from console.ui.screens.disk import DiskScreen
from console.ui.screens.doctor import DoctorScreen
from console.ui.screens.gpus import GpusScreen
from console.ui.screens.help import HelpSheet, packed
from console.ui.screens.log import LogScreen
from console.ui.screens.main import MainScreen
from console.ui.screens.nodelog import NodeLogScreen
from console.ui.screens.run import RunScreen
from tests.console.ui.doing import person

SCREENS = (
    *(MainScreen, RunScreen, LogScreen, BuildsScreen, BuildScreen, CompareScreen),
    *(DiskScreen, DoctorScreen, GpusScreen, NodeLogScreen),
)


def columns_of(lines: Sequence[str], width: int, columns: int) -> list[list[str]]:
    """What stands in each column, without the two lines above them."""
    cell = width // columns
    return [[line[at * cell : (at + 1) * cell].strip() for line in lines] for at in range(columns)]


@pytest.mark.parametrize(("width", "columns"), [(40, 1), (80, 2), (120, 3), (200, 3)])
async def test_no_heading_stands_alone(width: int, columns: int) -> None:
    async with person((width, 140)) as one:
        for screen in SCREENS:
            for acts in (True, False):
                sheet = HelpSheet(screen.where, acts=acts)
                await one.app.push_screen(sheet)
                await one.pilot.pause()
                body = plain(sheet.lines(width, 140)).split("\n")[2:]
                found = [[text for text in column if text] for column in columns_of(body, width, columns)]
                headings = 0
                for column in found:
                    for text, below in zip(column, [*column[1:], ""], strict=True):
                        if text in GROUPS:
                            headings += 1
                            assert below, (screen, column)
                            assert below not in GROUPS
                keys = shown_keys(screen.where, acts=acts)
                assert headings == len({key.group for key in keys})
                assert sum(map(len, found)) == headings + len(keys)
                await one.app.pop_screen()


@given(st.lists(st.integers(1, 3), max_size=60), st.integers(1, 4))
def test_columns_are_low_and_nothing_is_torn_apart(sizes: list[int], columns: int) -> None:
    blocks = [[(at, line) for line in range(size)] for at, size in enumerate(sizes)]
    found = packed(blocks, columns)
    assert [line for column in found for line in column] == [line for block in blocks for line in block]
    assert len(found) <= columns
    for column in found:
        assert not column or (column[0][1] == 0 and column[-1][1] == sizes[column[-1][0]] - 1)
    # Nothing is more than what a block may push into the next column above the lowest that there could be.
    assert max(map(len, found)) <= -(-sum(sizes) // columns) + 2
