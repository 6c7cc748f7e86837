"""The walk itself: what waits for what, what is skipped, how long it takes, and whom it tells."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from console.demo import demo_gpus, demo_instruments, demo_machine, demo_reach
from console.doctor.findings import Finding, HopState, Mends, behind, broken, elsewhere, good, off, starting, together, warning
from console.doctor.hops import EVERYWHERE, HOPS, Hop, Remedy, number
from console.doctor.instruments import Instruments
from console.doctor.rows import row, rows, told
from console.doctor.visit import Visit
from console.doctor.walk import LOOKS, Checkup, verdict, walk
from console.model.source import SourceError, SourceState
from console.model.state import StateClass
from console.settings import Overrides, load
from console.text import Clean

Look = Callable[[Visit], Awaitable[Finding]]


@pytest.fixture
def tools(tmp_path: Path) -> Instruments:
    loaded = load(argv=Overrides(), env={"HOME": str(tmp_path)}, cwd=tmp_path, etc=tmp_path / "etc.toml")
    return demo_instruments(loaded, Clean("demo-01"), demo_reach(), demo_gpus(), demo_machine())


def hop(name: str, *, needs: Sequence[str] = (), hears: Sequence[str] = (), limit: float = 60.0) -> Hop:
    remedies = {"bad": Remedy("it is bad", "mend it")}
    return Hop(name, name, "what is", "nothing works", remedies, tuple(needs), tuple(hears), limit)


def says(found: Finding) -> Look:
    async def look(visit: Visit) -> Finding:
        return found

    return look


BAD = Finding(HopState.BROKEN, Clean("bad"), Clean("mend it"))


async def test_what_a_broken_hop_is_in_front_of_is_skipped_and_says_because_of_which(tools: Instruments) -> None:
    hops = [hop("settings"), hop("docker"), hop("gate", needs=["docker"]), hop("public", needs=["gate"]), hop("hub")]
    looks = {one.id: says(good("fine")) for one in hops} | {"docker": says(BAD)}
    checkup = await walk(tools, hops=hops, looks=looks)
    assert {name: (one.state.value, one.because) for name, one in checkup.found.items()} == {
        "settings": ("ok", None),
        "docker": ("broken", None),
        "gate": ("skipped", "docker"),
        "public": ("skipped", "docker"),
        "hub": ("ok", None),
    }
    assert checkup.broken == "docker"
    assert told(checkup.found["public"]) == f"skipped because of {number('docker')}"


@pytest.mark.parametrize("found", [off("none"), elsewhere("far away"), warning("clock", "off", "a little")])
async def test_only_a_broken_one_is_in_the_way(tools: Instruments, found: Finding) -> None:
    hops = [hop("settings"), hop("docker"), hop("gate", needs=["docker"])]
    looks = {"settings": says(good("")), "docker": says(found), "gate": says(good("fine"))}
    checkup = await walk(tools, hops=hops, looks=looks)
    assert checkup.found["gate"].state is HopState.OK
    assert checkup.broken is None


async def test_hops_that_do_not_rest_on_each_other_are_looked_at_side_by_side(tools: Instruments) -> None:
    """Each waits until the other has begun."""
    begun = {"docker": asyncio.Event(), "hub": asyncio.Event()}

    def meets(own: str, other: str) -> Look:
        async def look(visit: Visit) -> Finding:
            begun[own].set()
            await begun[other].wait()
            return good("met")

        return look

    hops = [hop("settings"), hop("docker"), hop("hub"), hop("clock", hears=["hub"])]

    async def hears(visit: Visit) -> Finding:
        return good(f"heard: {visit.found['hub'].seen}")

    looks: Mapping[str, Look] = {
        "settings": says(good("")),
        "docker": meets("docker", "hub"),
        "hub": meets("hub", "docker"),
        "clock": hears,
    }
    heard: list[str] = []
    checkup = await walk(
        tools, lambda name, _found: heard.append(name), lambda name: heard.append(f"begins {name}"), hops=hops, looks=looks
    )
    assert checkup.found["clock"].seen == "heard: met"
    assert heard[:2] == ["begins settings", "settings"]
    assert heard.index("begins clock") > heard.index("hub")
    assert max(heard.index("begins docker"), heard.index("begins hub")) < min(heard.index("docker"), heard.index("hub"))


async def test_a_hop_that_hangs_is_broken_and_the_others_are_not(tools: Instruments) -> None:
    async def hangs(visit: Visit) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    hops = [hop("settings"), hop("docker", limit=0.05), hop("hub")]
    checkup = await walk(tools, hops=hops, looks={"settings": says(good("")), "docker": hangs, "hub": says(good(""))})
    assert checkup.found["docker"].seen == "has not answered within 0.05s"
    assert [name for name, one in checkup.found.items() if one.state is HopState.BROKEN] == ["docker"]


async def test_a_defect_at_one_hop_is_told_there_and_takes_nothing_from_the_others(tools: Instruments) -> None:
    async def wrong(visit: Visit) -> Finding:
        raise ZeroDivisionError("half of it\x1b[31m")

    hops = [hop("settings"), hop("docker"), hop("gate", needs=["docker"]), hop("hub")]
    checkup = await walk(tools, hops=hops, looks={one.id: says(good("fine")) for one in hops} | {"docker": wrong})
    found = checkup.found["docker"]
    assert re.fullmatch(r"the doctor fails here: ZeroDivisionError: half of it \(test_walk\.py line \d+\)", found.seen), (
        found.seen
    )
    assert (found.state, found.command) == (HopState.BROKEN, "mlops-console support")
    assert checkup.found["gate"].because == "docker"
    assert checkup.found["hub"].state is HopState.OK


async def test_an_answer_that_a_hop_does_not_get_is_its_finding(tools: Instruments) -> None:
    async def refused(visit: Visit) -> Finding:
        raise SourceError(SourceState.DENIED, Clean("Docker answers 403: no"))

    async def bare(visit: Visit) -> Finding:
        return Finding(HopState.WARNING, Clean("it cannot be read"))

    hops = [hop("settings"), hop("public"), hop("hub")]
    checkup = await walk(tools, hops=hops, looks={"settings": says(good("")), "public": refused, "hub": bare})
    assert (checkup.found["public"].state, checkup.found["public"].seen) == (HopState.BROKEN, "Docker answers 403: no")
    # A bad one without a remedy of its own has that of any hop.
    assert checkup.found["hub"].do == checkup.found["public"].do == EVERYWHERE["unread"].do.replace("`", "")


async def test_one_that_is_starting_is_in_the_way_and_nothing_is_broken(tools: Instruments) -> None:
    hops = [hop("settings"), hop("jenkins"), hop("job", needs=["jenkins"]), hop("public", needs=["job"])]
    looks = {one.id: says(good("fine")) for one in hops} | {"jenkins": says(starting("jenkins", "it begins"))}
    checkup = await walk(tools, hops=hops, looks=looks)
    assert {name: one.because for name, one in checkup.found.items()} == {
        "settings": None,
        "jenkins": None,
        "job": "jenkins",
        "public": "jenkins",
    }
    assert checkup.found["jenkins"].state is HopState.WARNING
    assert checkup.broken is None


async def test_what_several_hops_ask_is_asked_once_and_outlives_whoever_gave_up(tools: Instruments) -> None:
    visit, asked, go = Visit(tools), [], asyncio.Event()

    async def ask() -> int:
        asked.append(1)
        await go.wait()
        return 7

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await visit._once("it", ask)
    go.set()
    assert [await visit._once("it", ask), len(asked)] == [7, 1]
    await visit.aclose()


async def test_the_demo_has_every_hop_and_asks_nothing_outside(tools: Instruments) -> None:
    checkup = await walk(tools)
    assert list(checkup.found) == [one.id for one in HOPS] == list(LOOKS)
    assert checkup.found["public"].state is HopState.OK
    # Its probe's own words would read like a hole.
    assert checkup.found["gate"].seen == "refuses an unsigned request on its one path, 404 elsewhere"
    shown = rows(checkup)
    assert [one.number for one in shown] == list(range(1, len(HOPS) + 1))
    assert all(one.seen for one in shown)


def test_one_finding_of_several_tells_the_worst_first() -> None:
    bad = broken("clock", "off", "an hour", mends=Mends(nodes=(Clean("a"),)))
    both = together([good("fine"), warning("clock", "off", "a little", mends=Mends(nodes=(Clean("b"),))), bad])
    assert (both.state, both.seen) == (HopState.BROKEN, "an hour; a little")
    assert both.do.startswith("sudo timedatectl")
    assert both.mends.nodes == ("a", "b")


def test_the_verdict_names_the_first_broken_hop() -> None:
    fine = {one.id: good("") for one in HOPS}
    assert verdict(Checkup(fine, 1.0)) == "Nothing is broken."
    off_by = fine | {"clock": warning("clock", "off", "a little")}
    assert verdict(Checkup(off_by, 1.0)) == "Nothing is broken; 1 wants a look."
    two = off_by | {"tunnel": BAD, "hub": BAD, "public": behind("tunnel")}
    assert verdict(Checkup(two, 1.0)) == "Broken at 8 tunnel: a merged release cannot reach Jenkins."


def test_a_row_that_is_being_looked_at_says_so() -> None:
    looked_at = row("tunnel", None)
    assert (looked_at.number, looked_at.state.kind, looked_at.state.word, looked_at.seen) == (
        8,
        StateClass.ACTIVE,
        "looking",
        "",
    )
    assert row("tunnel", None, begun=False).state.kind is StateClass.WAITING
    assert row("hub", off("no Hub")).seen == "not configured: no Hub"
    assert row("gate", behind("jenkins", "it answers")).seen == "skipped because of 5: it answers"
