"""What the recorder keeps of its notices, read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.model.notified import failing, told

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def note(minutes: float, way: str, why: str | None = None, **more: object) -> dict[str, object]:
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    return {"at": at, "id": "x", "event": "ended", "words": "ended", "way": way, "arrived": why is None, "why": why} | more


def test_the_newest_comes_first_and_nonsense_is_left_out() -> None:
    kept = [note(3, "a"), "text", {"at": "never"}, {"at": "2026-11-30T12:00:00"}, None, note(2, "b\x1b[31m", "no\x00")]
    first, second = told(json.dumps(kept))
    assert (first.way, first.arrived, second.way, second.arrived) == ("b", False, "a", True)
    assert "\x00" not in str(first.why)
    assert second.why is None
    assert first.at == NOW - timedelta(minutes=2)


@pytest.mark.parametrize("text", [None, "", "[", "{}", "7", "[" * 100_000])
def test_what_is_no_list_tells_nothing(text: str | None) -> None:
    assert told(text) == ()


def test_each_way_by_itself_and_only_while_it_does_not_work() -> None:
    sent = [
        note(9, "a", "down"),
        note(8, "a"),
        note(7, "a", "a is down."),
        note(6, "b", "down"),
        note(5, "b"),
        note(4, "c", "no"),
    ]
    found = failing(told(json.dumps(sent)), NOW)
    assert [(one.way, one.count, one.of) for one in found] == [("c", 1, 1), ("a", 2, 3)]
    assert [one.shown for one in found] == ["1 notice did not arrive: c: no", "2 of 3 notices did not arrive: a is down"]
    assert failing(told(json.dumps(sent)), NOW + timedelta(days=8)) == ()
