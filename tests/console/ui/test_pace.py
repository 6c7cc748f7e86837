"""How often a screen is painted: five times a second, less where the line carries less."""

from __future__ import annotations

from console.ui.pace import BLOCKED_INTERVAL, BYTES_PER_SECOND, INTERVAL, Meter, Pace


class Line:
    """A terminal far away, and a clock in the test's hands."""

    def __init__(self, *, asks: bool = True) -> None:
        self.time = 100.0
        self.meter = Meter()
        self.asked = 0
        self.pace = Pace(self.meter, self._ask if asks else None, now=lambda: self.time)

    def _ask(self) -> None:
        self.asked += 1

    def paint(self, size: int = 1000) -> None:
        self.pace.begin()
        self.meter.written += size
        self.pace.painted()

    def wait(self) -> float:
        """Until the next paint is due; how long that was."""
        begun = self.time
        while (wait := self.pace.wait()) > 0:
            self.time += wait
        return round(self.time - begun, 3)


def test_a_quick_terminal_is_painted_five_times_a_second() -> None:
    line = Line()
    for _ in range(5):
        line.paint()
        line.time += 0.005
        line.pace.answered()
        assert line.wait() <= INTERVAL
        assert line.pace.slow is False


def test_nothing_is_painted_until_the_terminal_has_drawn_what_came_before() -> None:
    line = Line()
    line.paint()
    line.pace.answered()
    line.wait()
    line.paint()
    line.time += 0.9
    assert line.pace.wait() > 0
    line.pace.answered()
    assert 0.85 <= line.wait() <= 1.0, "as long again as it took: half of the line stays free for keys"


def test_a_terminal_that_never_answers_is_soon_asked_no_more() -> None:
    line = Line()
    waited = []
    for _ in range(6):
        line.paint()
        waited.append(line.wait())
    assert all(1.0 <= one < 1.1 for one in waited[:2])
    assert all(one <= INTERVAL + 0.001 for one in waited[2:])
    assert line.asked == 2


def test_one_that_answered_once_is_waited_for_and_asked_again() -> None:
    line = Line()
    line.paint()
    line.pace.answered()
    line.wait()
    for _ in range(4):
        line.paint()
        assert line.wait() >= 3.0
    assert line.asked == 5


def test_large_pictures_come_less_often() -> None:
    line = Line(asks=False)
    line.paint(BYTES_PER_SECOND)
    assert line.wait() == 1.0
    line.paint(100)
    assert line.wait() == INTERVAL


def test_where_writes_block_less_is_written() -> None:
    line = Line(asks=False)
    line.meter.took = 0.4
    line.paint()
    assert line.pace.slow
    assert line.wait() == 1.2
    line.meter.busy_since = line.time - 1.0
    assert line.pace.wait() > 0
    line.meter.busy_since = None
    for _ in range(15):
        line.paint()
        assert line.wait() == BLOCKED_INTERVAL
    assert line.pace.slow
    line.time += 10.0
    line.paint()
    assert line.wait() == INTERVAL
    assert not line.pace.slow
