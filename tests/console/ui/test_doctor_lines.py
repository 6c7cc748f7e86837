"""What the doctor's walk looks like, line by line: while it is under way, over, and walked again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.doctor.findings import Finding, HopState, Mends, behind, broken, good, off, starting, warning
from console.doctor.hops import HOPS
from console.model.glyphs import Glyphs
from console.text import Clean
from console.ui.canvas import plain
from console.ui.doctorlines import NAMES, Listed, Room, Walk, Way, about, head, heading, lines, mended, way
from console.ui.look import Look
from console.ui.palette import choose

LOOK = Look(choose("dark", {}, color=True), Glyphs(True))
SICK = broken("compose", "unhealthy", "gate unhealthy: no route", about="gate", names="gate")


def shown(walk: Walk, width: int = 80, *, selected: str = "settings") -> list[str]:
    return [line.rstrip() for line in plain(lines(walk, Listed(selected, 0, True), LOOK, width, 14)).split("\n")]


def row(walk: Walk, name: str, width: int = 80) -> str:
    return shown(walk, width)[1 + NAMES.index(name)]


def told(walk: Walk, name: str, width: int = 80, room: int = 80, *, acts: bool = True) -> list[str]:
    return [line.rstrip() for line in plain(about(walk, name, LOOK, width, room, acts=acts)).split("\n")]


def over(**found: Finding) -> Walk:
    walk = Walk()
    for one in HOPS:
        walk = walk.begins(one.id).finds(one.id, found.get(one.id, good("fine")))
    return walk.ends(Clean("Nothing is broken."), 1.24)


def test_a_hop_waits_is_looked_at_and_is_known() -> None:
    walk = Walk()
    assert row(walk, "settings") == "▐ 1 ◌ settings  waits"
    assert row(walk, "gate") == "  7 ◌ gate      waits for settings, docker, jenkins and 1 more"
    walk = walk.begins("settings")
    assert row(walk, "settings") == "▐ 1 ▸ settings  looking"
    walk = walk.finds("settings", good("all at their defaults")).begins("docker")
    assert row(walk, "settings") == "▐ 1 ✓ settings  all at their defaults"
    assert row(walk, "gate") == "  7 ◌ gate      waits for docker, jenkins and secrets"
    walk = walk.finds("docker", SICK).finds("jenkins", off("no login")).finds("gate", behind("docker"))
    assert row(walk, "docker") == "  2 ✗ docker    gate unhealthy: no route"
    assert row(walk, "jenkins") == "  5 - jenkins   not configured: no login"
    assert row(walk, "gate") == "  7 ? gate      skipped because of 2"


def test_line_two_says_how_far_it_is_and_then_the_verdict() -> None:
    assert plain([head(Walk().begins("settings"), LOOK, 80)]) == " ▸ looking: 0 of 13 hops are known"
    done = over()
    assert plain([head(done, LOOK, 80)]).startswith(" ✓ Nothing is broken.  ")
    assert plain([head(done, LOOK, 80)]).endswith("  1.2s  ctrl+r looks again")
    assert plain([head(done, LOOK, 40)]).endswith("  1.2s")
    assert plain([head(done, LOOK, 20)]) == " ✓ Nothing is brok⋯ "[:19]
    assert plain([head(over(hub=warning("hub", "down", "slow")), LOOK, 80)]).startswith(" ! ")
    assert plain([head(over(hub=warning("hub", "down", "slow"), gpu=SICK), LOOK, 80)]).startswith(" ✗ ")
    assert plain([head(Walk().fails(Clean("No tools.")), LOOK, 80)]).startswith(" ✗ No tools.")


def test_what_was_found_stays_until_it_is_found_again() -> None:
    walk = over(compose=SICK).anew()
    assert not walk.over
    assert row(walk, "compose") == "  3 ◌ compose   waits; before: gate unhealthy: no route"
    walk = walk.begins("compose")
    assert row(walk, "compose") == "  3 ▸ compose   looking; before: gate unhealthy: no route"
    assert heading(walk, "compose") == "Compose"
    assert told(walk, "compose")[0].startswith(" do ")
    walk = walk.finds("compose", good("5 services declared"))
    assert row(walk, "compose") == "  3 ✓ compose   5 services declared"


def test_the_worst_is_the_first_broken_one_and_then_the_first_that_wants_a_look() -> None:
    look = warning("docker", "rotation", "logs grow", names="a")
    assert over().worst == "settings"
    assert over(docker=look, hub=look).worst == "docker"
    assert over(docker=look, tunnel=SICK, hub=SICK).worst == "tunnel"


def test_below_stands_what_to_do_first_and_what_can_be_copied() -> None:
    walk = over(compose=replace(SICK, seconds=0.31))
    assert heading(walk, "compose") == "Compose, looked at in 0.3s"
    assert told(walk, "compose")[:4] == [
        " do         mlops-console services gate; its log: mlops-console logs gate",
        " command    mlops-console services gate  y copies it",
        " breaks     a part of the platform does not do its work",
        " looks at   whether the Compose file can be read; whether each of its services",
    ]
    assert told(walk, "compose")[-1] == " rests on   docker"
    # Where its row has cut it, all that was seen comes first.
    assert told(walk, "compose", room=30)[0] == " gate unhealthy: no route"
    # The key goes where there is room for it.
    assert told(walk, "compose", width=44, room=80)[3] == " command    mlops-console services gate"


def test_what_was_skipped_names_whose_fault_it_is() -> None:
    assert " because of compose, which is broken" in told(over(compose=SICK, gate=behind("compose", "it is down")), "gate")
    jenkins = starting("jenkins", "Jenkins is starting")
    assert " because of jenkins, which is starting" in told(over(jenkins=jenkins, gate=behind("jenkins")), "gate")


def test_what_can_be_mended_is_said_where_acts_are_on() -> None:
    mends = Mends(services=(Clean("web"), Clean("gate")), nodes=(Clean("trainer-1"),))
    walk = over(compose=replace(SICK, mends=mends))
    assert mended(mends) == "starts web and gate; brings trainer-1 on line"
    assert mended(Mends(units=(Clean("a.service"),))) == "starts a.service"
    assert any(line == f" mend       {mended(mends)}  f shows how" for line in told(walk, "compose"))
    assert not any(line.startswith(" mend") for line in told(walk, "compose", acts=False))
    assert walk.mends == mends


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("settings", good(""), None),
        ("docker", broken("docker", "full", "95%", about="disk"), Way(Room.DISK)),
        ("docker", broken("docker", "down", "no"), Way(Room.SERVICES)),
        ("compose", SICK, Way(Room.SERVICE, "gate")),
        ("compose", good("fine"), Way(Room.SERVICES)),
        ("jenkins", good("fine"), Way(Room.BUILDS)),
        ("jenkins", broken("jenkins", "down", "no"), Way(Room.SERVICE, "jenkins")),
        ("job", good("fine"), Way(Room.BUILDS, "train")),
        ("job", broken("job", "node", "off line", about="trainer-1"), Way(Room.NODES, "trainer-1")),
        ("gate", None, Way(Room.SERVICE, "gate")),
        ("tunnel", good("fine"), None),
        ("gpu", good("fine"), Way(Room.GPUS)),
        ("hub", SICK, None),
        ("recorder", off("none"), Way(Room.RUNS)),
    ],
)
def test_where_a_hop_is_at_home(name: str, found: Finding | None, expected: Way | None) -> None:
    assert way(name, found, ["gate", "jenkins"]) == expected


def test_every_state_has_its_own_sign() -> None:
    found = [Finding(state, Clean("seen")) for state in HopState]
    signs = {row(over(hub=one), "hub").split()[1] for one in found}
    assert len(signs) == len(HopState)
