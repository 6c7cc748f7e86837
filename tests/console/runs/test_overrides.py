"""OVERRIDES taken apart."""

from __future__ import annotations

import pytest

from console.history.compare import compare
from console.model.history import PastRun
from console.runs.overrides import apart, parts
from console.text import Clean, clean
from infra.jenkins.steps.config import split_overrides

FORMS = [
    "a=1 b=2",
    "a=1\nb=2",
    "  a = 1 \n\n resources.memory=4g",
    "name=two words",
    "a=1 b=two words",
    "a=x=y b=",
    "data.repo=org/data\na=1 b=2",
    "",
]


@pytest.mark.parametrize("value", FORMS)
def test_they_are_taken_apart_as_the_platform_does_it(value: str) -> None:
    expected = dict(split_overrides(value))
    assert dict(parts(value)) == expected
    kept = clean(value)
    assert dict(parts(kept)) == expected, "as the history keeps it: line ends are signs"


def test_what_is_no_such_list_stays_as_it_is() -> None:
    for value in ("--fast", "a=1\nfast", "1=2"):
        assert parts(value) == {}
        assert apart([(Clean("OVERRIDES"), clean(value))]) == {"OVERRIDES": clean(value)}
    assert apart([(Clean("FORCE"), Clean("true"))]) == {"FORCE": "true"}


def test_secrets_stay_away() -> None:
    assert parts("hub.token=abc lr=1") == {"hub.token": "********", "lr": "1"}


def test_what_a_training_says_of_itself_counts() -> None:
    assert apart([(Clean("OVERRIDES"), Clean("lr=1e-4")), (Clean("lr"), Clean("0.0001"))]) == {"lr": "0.0001"}


def test_only_parts_that_differ_are_compared() -> None:
    one, other = (
        PastRun(Clean(f"train#{number}"), parameters={Clean("OVERRIDES"): clean(f"lr=0.{number}\nepochs=30")})
        for number in (1, 2)
    )
    assert compare([(one, {}), (other, {})]).parameters == {"lr": ("0.1", "0.2")}
    without = PastRun(Clean("train#3"), parameters={Clean("OVERRIDES"): Clean("epochs=30 lr=0.1 seed=7")})
    assert compare([(one, {}), (without, {})]).parameters == {"seed": (None, "7")}
