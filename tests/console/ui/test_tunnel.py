"""The way in on the screen: a state in the first line, two rows, the worst problem, the lower pane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.container import Container
from console.model.service import Declared
from console.model.tunnel import TunnelLook
from console.model.tunnel_log import refusals, requests
from console.model.world import World
from console.text import clean
from tests.console.fakes import NOW
from tests.console.model.test_tunnel import DENIED, HELD, LOST, UP, client, log, probed
from tests.console.ui.jenkinsworlds import OK as JENKINS_OK
from tests.console.ui.screenapp import app_of, screen_text
from tests.console.ui.test_snapshots import SIZES, Compare, taken
from tests.console.ui.worlds import HASH, PROJECT, fleet, world

FILE = replace(PROJECT, services=(*PROJECT.services, Declared(clean("frp_client"), clean("busybox:1"), 1, clean("h"))))


def came() -> TunnelLook:
    """A release five hours ago; since then somebody without a signature."""
    release, refused, *_ = requests(log("gate"))
    release = replace(release, at=NOW - timedelta(hours=5))
    return TunnelLook(newest=replace(refused, at=NOW - timedelta(minutes=12)), release=release)


def held(said: str, code: int = 0) -> Sequence[Container]:
    """The fleet with a client of this word, and a gate with a probe."""
    one = client(said, code)
    one = replace(one, labels={**one.labels, clean(HASH): clean("h")})
    gate = probed("the gate is open")
    return [*(replace(each, details=gate) if each.name == "mlops-gate-1" else each for each in fleet()), one]


def seen(said: str, code: int = 0, look: TunnelLook | None = None) -> World:
    found = world(held(said, code), project=FILE, tunnel=look or came())
    systems = {name: found.sources[name] for name in ("docker", "compose")}
    return replace(found, sources={**systems, "jenkins": JENKINS_OK, "tunnel": found.sources["tunnel"]})


REFUSED = TunnelLook(refusals=refusals(log("wrong-token")))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_tunnel_that_is_up(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("✓ docker  ✓ compose  ✓ jenkins  ✓ tunnel", "14:03", "logged in for 9d", "refused 403 12m ago")
    taken(snap_compare, app_of(seen(UP)), size, "G", *"k" * 5, says=says)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_tunnel_that_is_refused(snap_compare: Compare, size: tuple[int, int]) -> None:
    says = ("✗ tunnel denied", "tunnel: frps.example.org refuses its token", "14:03")
    taken(snap_compare, app_of(seen(LOST, 1, REFUSED)), size, says=says)


async def test_the_problem_leads_to_the_row_and_the_lower_pane_has_the_whole_sentence() -> None:
    app = app_of(seen(LOST, 1, REFUSED))
    async with app.run_test(size=(80, 24)) as pilot:
        # The key goes on from where the cursor is, and comes round.
        for _ in app.live.world.problems if app.live.world is not None else ():
            await pilot.press("exclamation_mark")
            if "▐frp_client" in screen_text(app):
                break
        told = screen_text(app)
        assert "▐frp_client" in told
        assert DENIED["wrong-token"] in " ".join(told.split())


async def test_the_row_of_the_gate_says_what_came() -> None:
    app = app_of(seen(UP))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("slash", *"gate", "enter", "enter")
        assert "refused 403 12m ago, release 5h ago: 200" in screen_text(app)


async def test_a_tunnel_that_nobody_wants_is_no_trouble() -> None:
    app = app_of(seen(f"frp_client: {HELD}", 1))
    async with app.run_test(size=(80, 24)):
        assert "- tunnel" in screen_text(app)


@pytest.mark.parametrize(("width", "told"), [(80, "✗ tunnel denied"), (60, "✗ tunnel denied"), (40, "✗ tunnel denied")])
async def test_what_is_broken_stays_at_any_width(width: int, told: str) -> None:
    app = app_of(seen(LOST, 1, REFUSED))
    async with app.run_test(size=(width, 16)):
        assert told in screen_text(app).split("\n")[0]
