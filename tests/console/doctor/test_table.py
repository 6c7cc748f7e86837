"""The table of hops, the code that uses it, and what the platform says of the same things."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import console.doctor
from console.doctor.hops import HOPS, markdown, remedy
from console.doctor.job import PARAMETERS
from console.doctor.secrets import READERS
from console.doctor.walk import LOOKS
from infra.platform.catalogue import SECRETS

FOLDER = Path(console.doctor.__file__).parent
CASC = Path(__file__).parents[3] / "infra" / "jenkins" / "casc.yaml"
NAMES = {"names": "NAMES", "name": "NAME", "path": "PATH", "mode": "MODE", "user": "USER", "permission": "PERMISSION"}


def test_every_hop_is_looked_at_by_somebody() -> None:
    assert list(LOOKS) == [one.id for one in HOPS]


def test_no_hop_rests_on_one_that_rests_on_it() -> None:
    """Those that it needs come before it; of waiting there is no ring."""
    order = {one.id: at for at, one in enumerate(HOPS)}
    assert all(order[before] < order[one.id] for one in HOPS for before in one.needs)
    waits = {one.id: {*one.needs, *one.hears} for one in HOPS}
    while waits:
        free = {name for name, before in waits.items() if not before & waits.keys()}
        assert free, waits
        waits = {name: before for name, before in waits.items() if name not in free}


def texts(file: Path) -> set[str]:
    return {
        one.value
        for one in ast.walk(ast.parse(file.read_text()))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


@pytest.mark.parametrize("hop", HOPS, ids=lambda one: one.id)
def test_the_page_has_no_remedy_that_nobody_ever_hears(hop: object) -> None:
    one = next(each for each in HOPS if each is hop)
    used = texts(FOLDER / f"{one.id}.py") | texts(FOLDER / "gate.py")
    assert set(one.remedies) <= used


@pytest.mark.parametrize("hop", HOPS, ids=lambda one: one.id)
def test_the_page_and_the_command_say_the_same(hop: object) -> None:
    one = next(each for each in HOPS if each is hop)
    page = markdown()
    for key, each in one.remedies.items():
        assert f"| {each.sees} | {remedy(one.id, key, NAMES).replace('|', chr(92) + '|')} |" in page


def test_secrets_are_those_that_the_platform_makes() -> None:
    made = {one.name: (one.owner, one.mode) for one in SECRETS}
    # Nobody's container reads this one, so no Compose file has it.
    assert made.pop("portainer-developer-password")
    assert made == dict(READERS)


def test_parameters_are_those_of_the_job() -> None:
    casc = CASC.read_text()
    kinds = {"text": "stringParam", "boolean": "booleanParam", "lines": "textParam"}
    for name, kind in PARAMETERS.items():
        assert f"{kinds[kind.value]}('{name}'" in casc
    assert casc.count("Param('") == len(PARAMETERS)
