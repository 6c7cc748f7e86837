"""Logs as a real controller served them, answer by answer."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import pytest

from console.model.build import BuildRef, LogPart
from tests.console.logs.builds import FakeJenkins, Reading
from tests.support.recorded import Exchange, recorded, series


class Recorded(FakeJenkins):
    """Gives the recorded answer for each place that is asked for; any other place is a mistake of who asks."""

    def __init__(self, *exchanges: Exchange, building: bool) -> None:
        super().__init__(building=building)
        self.answers = {int(re.findall(r"start=(\d+)", one.url)[0]): one for one in exchanges if one.status == 200}

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        return max(int(dict(one.headers)["x-text-size"]) for one in self.answers.values())

    async def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        self.asked.append(start)
        found = self.answers[start]
        headers = dict(found.headers)
        end, more = int(headers["x-text-size"]), headers.get("x-more-data") == "true"
        if not more:
            self.end()
        yield LogPart(found.body.encode(), end, more, whole=end < start)
        yield LogPart(b"", end, more, whole=end < start)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.logs.buildlog.QUICK_SECONDS", 0.0)
    monkeypatch.setattr("console.logs.buildlog.SLOW_SECONDS", 0.0)


async def test_a_live_build_is_followed_through_exactly_the_places_that_it_names() -> None:
    jenkins = Recorded(*series("log-follow-live"), building=True)
    reading = Reading(jenkins)
    await reading.ended()
    assert reading.texts == recorded("log-console-text").body.splitlines()
    assert jenkins.asked == sorted(jenkins.answers)


async def test_letters_of_every_length_and_colours_come_as_they_were_written() -> None:
    reading = Reading(Recorded(*series("log-follow-unicode"), building=True))
    await reading.ended()
    assert "h\u00e9llo \u2713 \u6a21\u578b line 6 \x1b[32mgreen\x1b[0m" in reading.texts
    assert "\ufffd" not in "".join(reading.texts)


async def test_a_start_within_a_letter_shows_whole_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    middle = recorded("log-start-mid-character")
    size = int(dict(middle.headers)["x-text-size"])
    monkeypatch.setattr("console.logs.buildlog.PAGE", size - 1853)
    monkeypatch.setattr("console.logs.buildlog.FRONT", 100)
    assert middle.body.startswith("\ufffd")
    reading = Reading(Recorded(middle, building=False), lines=5, follow=False)
    await reading.ended()
    older = [text.decode() for _, _, text in reading.tail.history._spare]
    assert older[0] == " 1", "the line that the start cut in two is left to the page before"
    assert "\ufffd" not in "".join([*older, *reading.texts])
    assert reading.texts == middle.body.splitlines()[-5:]
