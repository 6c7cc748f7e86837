"""What a console saw of cards and machine, put into columns of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from console.feeds.curves import Curves
from console.feeds.seen import Columns, Seen, columns
from console.model.gpu import GpuReading, GpuWorld
from console.model.history import NANO, Span
from console.model.run import Phase, Run
from console.model.source import Snapshot, SourceState, SourceStatus
from console.model.state import State, StateClass
from console.text import Clean
from tests.console.fake_gpus import card
from tests.console.fakes import container

BEGIN = 1_800_000_000
AHEAD = BEGIN - 108_000.0
"""The rings' clock stands at 108,000, where each kind of piece begins when it is `BEGIN`."""


def at(second: float) -> datetime:
    return datetime.fromtimestamp(BEGIN + second, UTC)


class Console:
    """One that looks at one card, as the feed does."""

    def __init__(self) -> None:
        self.curves = Curves()
        self.status = SourceStatus(SourceState.STARTING)
        self.cards = (card(0),)

    def look(self, second: int, use: int) -> None:
        self.cards = (card(0, utilisation=use, memory_used=use * 100),)
        self.curves.add(108_000.0 + second, self.cards)
        self.status = SourceStatus(SourceState.OK, None, None, at(second))

    def miss(self, second: int) -> None:
        self.curves.miss(108_000.0 + second)
        self.status = replace(self.status, state=SourceState.UNREACHABLE)

    def columns(self, begin: int, end: int, width: int, *runs: Run) -> Columns:
        world = GpuWorld(GpuReading(Clean("1"), Clean("1"), self.cards), self.curves.histories())
        nano = [(BEGIN + second) * NANO for second in (begin, end)]
        return columns(Seen(gpus=Snapshot(world, self.status), runs=runs), nano[0], nano[1], width, AHEAD)


def test_each_second_stands_where_it_was() -> None:
    console = Console()
    for second in range(30):
        console.look(second, second)
    found = console.columns(0, 30, 30)
    (one,) = found.cards
    assert one.utilisation.mean == tuple(map(float, range(30)))
    assert one.memory.high[-1] == 2900
    assert found.looked == (Span(BEGIN * NANO, (BEGIN + 30) * NANO),)
    (wide,) = console.columns(0, 30, 3).cards
    assert (wide.utilisation.mean, wide.utilisation.high) == ((4.5, 14.5, 24.5), (9.0, 19.0, 29.0))


def test_what_is_older_than_a_minute_is_coarser_and_nothing_is_lost_at_the_seam() -> None:
    console = Console()
    for second in range(600):
        console.look(second, 10 if second < 300 else 70)
    (one,) = console.columns(0, 600, 40).cards
    assert one.utilisation.mean == (10.0,) * 20 + (70.0,) * 20
    (fine,) = console.columns(540, 600, 60).cards
    assert fine.utilisation.mean == (70.0,) * 60
    assert console.columns(0, 600, 40).looked == (Span(BEGIN * NANO, (BEGIN + 600) * NANO),)


def test_a_driver_that_was_silent_leaves_a_gap_where_it_was_silent() -> None:
    console = Console()
    for second in range(10):
        console.look(second, 50)
    for second in (11, 13, 17):
        console.miss(second)
    silent = console.columns(0, 30, 30)
    (one,) = silent.cards
    # Nobody knows when the failures were: what was seen stays where it was all the same.
    assert one.utilisation.mean == (50.0,) * 10 + (None,) * 20
    assert silent.looked == (Span(BEGIN * NANO, (BEGIN + 10) * NANO),)
    for second in range(20, 30):
        console.look(second, 60)
    (one,) = console.columns(0, 30, 30).cards
    assert one.utilisation.mean[8:22] == (50.0, 50.0, *[None] * 10, 60.0, 60.0)


def test_a_console_that_began_in_the_middle_of_a_piece_saw_nothing_before() -> None:
    console = Console()
    for second in range(200, 230):
        console.look(second, 50)
    found = console.columns(0, 230, 23)
    assert found.looked == (Span((BEGIN + 200) * NANO, (BEGIN + 230) * NANO),)
    assert found.cards[0].utilisation.mean == (None,) * 20 + (50.0,) * 3


def test_nothing_from_another_time() -> None:
    console = Console()
    for second in range(30):
        console.look(second, 50)
    assert console.columns(-100, -10, 9).cards == ()
    assert console.columns(100, 200, 9).cards == ()
    assert Console().columns(0, 30, 3) == Columns((), None, ())


def test_whose_a_card_was_since_its_training_began() -> None:
    console = Console()
    for second in range(40):
        console.look(second, 50)
    busy = Run(
        Clean("train#7"), Clean("a"), Clean("#7"), Phase.TRAINING, State(StateClass.ACTIVE, Clean("training")), Clean(""),
        containers=(container("a"),), cards=frozenset({0}), since=at(20),
    )  # fmt: skip
    others = (
        replace(busy, key=Clean("over"), phase=Phase.ENDED),
        replace(busy, key=Clean("elsewhere"), cards=frozenset({1})),
        replace(busy, key=Clean("not begun"), since=None),
    )
    (one,) = console.columns(0, 40, 4, busy, *others).cards
    assert one.runs == (None, None, "train#7", "train#7")
