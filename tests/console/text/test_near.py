"""What a mistyped name was meant to be, and that nobody pays for it who types well."""

from __future__ import annotations

import subprocess
import sys

import pytest

from console.text.near import did_you_mean, nearest

KNOWN = ("restart", "retrigger", "record")


@pytest.mark.parametrize(
    ("typed", "meant"), [("restrat", "restart"), ("retriger", "retrigger"), ("record", "record"), ("xyz", None)]
)
def test_the_one_that_is_most_like_it(typed: str, meant: str | None) -> None:
    assert nearest(typed, KNOWN) == meant


def test_how_alike_it_has_to_be_is_the_callers() -> None:
    assert nearest("rest", KNOWN, alike=0.7) == "restart"
    assert nearest("rest", KNOWN, alike=0.8) is None


def test_a_sentence_goes_on_with_it() -> None:
    assert (
        f"there is no command restrat.{did_you_mean('restrat', KNOWN)}" == "there is no command restrat. Did you mean restart?"
    )
    assert did_you_mean("xyz", KNOWN) == ""
    assert did_you_mean("xyz", KNOWN, otherwise=" See --help") == " See --help"
    assert did_you_mean("xyz", iter(())) == ""


def test_a_command_that_is_typed_well_loads_nothing_for_it() -> None:
    loads = "import sys; from console.main import program; import console.cli.group, console.settings.loading"
    code = f"{loads}; print('difflib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
