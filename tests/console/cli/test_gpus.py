"""`gpus`, and what `status` says of cards and disks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.demo import RunningClock, demo_gpus, demo_machine, demo_sources
from console.model.gpu import GpuReading, Instance, Remapped, Slowdown, Xid
from console.model.machine import Disk
from console.model.source import SourceError, SourceState
from console.text import clean
from tests.console.cli.calling import FakeBackend, answer, call
from tests.console.cli.watching import watching
from tests.console.fake_gpus import GIB, FakeGpus, card, process, reading
from tests.console.fakes import FakeCompose, FakeEngine
from tests.console.ui.gpuworlds import BUSY, CONTAINERS, HELD, machine


class FakeMachine:
    """Tells `answer`, or fails with it."""

    def __init__(self, told: object) -> None:
        self.told = told

    async def read(self, _folders: object) -> object:
        if isinstance(self.told, SourceError):
            raise self.told
        return self.told

    async def aclose(self) -> None:
        return


def of(tmp_path: Path, cards: GpuReading | SourceError, **more: object) -> FakeBackend:
    backend = FakeBackend(FakeEngine(*CONTAINERS), FakeCompose(None), tmp_path)
    backend.cards = FakeGpus(cards)
    for name, value in more.items():
        setattr(backend, name, value)
    return backend


@pytest.fixture
def demo(tmp_path: Path) -> FakeBackend:
    clock = RunningClock()
    backend = FakeBackend(*demo_sources(clock=clock), tmp_path, demo=True)  # type: ignore[arg-type]  # the demo's own sources
    backend.cards, backend.server = demo_gpus(clock), demo_machine(clock)
    return backend


BUSY_CARD = card(0, utilisation=97, memory_used=61 * GIB, processes=(process(41822, 60 * GIB, 97, container=BUSY.id),))


def test_a_card_at_work_and_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backend = of(tmp_path, reading(BUSY_CARD))
    status, document = answer(backend, capsys, "gpus")
    (item,) = document["items"]
    assert (status, item["state"], item["used_by"], item["used_by_is_seen"]) == (0, "working", "project-a #128", True)
    (held,) = item["processes"]
    assert (held["run"], held["project"], held["job"], held["build"]) == ("project-a #128", "project-a", "train", 128)
    assert (document["driver"], document["cuda"], document["blind"]) == ("580.159.04", "13.0", None)
    assert call(backend, "gpus") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["GPU", "STATE", "UTIL", "MEMORY", "TEMP", "POWER", "USED", "BY", "CARD"]
    assert lines[1].split() == [*["0", "▸", "working", "97%", "61/80G", "36C", "70/700W", "project-a", "#128", "H100", "80GB"]]
    assert lines[4].split()[:5] == ["0", "project-a", "#128", "97%", "60.0G"]


def test_a_card_that_wants_a_look_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hot = card(0, utilisation=90, slowdown=Slowdown.THERMAL, temperature=91)
    backend = of(tmp_path, reading(hot, card(1, lost=clean("it has fallen off the bus"), utilisation=None)))
    assert call(backend, "gpus") == 1
    out = capsys.readouterr().out
    assert "GPU 0: Slowed down at 91C: too hot" in out
    assert "GPU 1: Lost: it has fallen off the bus" in out
    status, document = answer(backend, capsys, "gpus")
    assert (status, [one["class"] for one in document["items"]]) == (1, ["attention", "broken"])
    assert document["items"][0]["slowdown"] == ["thermal"]


def test_a_power_cap_at_full_load_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capped = replace(BUSY_CARD, slowdown=Slowdown.POWER_CAP)
    status, document = answer(of(tmp_path, reading(capped)), capsys, "gpus")
    assert (status, document["items"][0]["slowdown"], document["items"][0]["why"]) == (0, ["power_cap"], [])


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SourceState.OFF, "No NVIDIA driver here. Trainings use the CPU."),
        (SourceState.UNREACHABLE, "The NVIDIA driver has not answered for 5s."),
        (SourceState.DENIED, "No permission for the NVIDIA driver."),
    ],
)
def test_without_an_answer_it_is_three_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: SourceState, reason: str
) -> None:
    backend = of(tmp_path, SourceError(state, clean(reason)))
    status, document = answer(backend, capsys, "gpus")
    assert (status, document["items"], document["driver"]) == (3, [], None)
    assert document["sources"]["gpu"] == {"state": state.value, "reason": reason, "taken_at": None}
    assert call(backend, "gpus") == 3
    assert capsys.readouterr().err == f"mlops-console: {reason}\n"


def test_it_needs_no_docker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backend = of(tmp_path, reading(BUSY_CARD))
    backend.engine.failure = SourceError(SourceState.DENIED, clean("No permission for /var/run/docker.sock."))
    status, document = answer(backend, capsys, "gpus")
    assert (status, document["sources"]["docker"]["state"]) == (0, "denied")
    assert document["items"][0]["processes"][0]["run"] == f"container {BUSY.id[:12]}"
    assert call(backend, "gpus") == 0


def test_everything_that_a_card_may_tell_fits_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = (
        Instance(0, 7, clean("1g.10gb"), clean("MIG-1"), GIB, 10 * GIB),
        Instance(1, 8, clean("2g"), clean("M"), None, None),
    )
    told = replace(
        card(0, utilisation=None, mig=True, instances=parts, remapped=Remapped(1, 2, pending=True, failed=False)),
        ecc_corrected=3,
        ecc_uncorrected=1,
        processes=(process(5, None, None, instance=7, hidden=True),),
    )
    now = datetime.now(UTC)
    xids = (Xid(now - timedelta(minutes=1), 0, 31), Xid(now, None, 9999))
    full = GpuReading(clean("580"), clean("13.0"), (told, card(1, processes=None)), clean("Processes are hidden: ..."), xids)
    backend = of(tmp_path, full)
    status, document = answer(backend, capsys, "gpus")
    assert status == 1
    assert document["items"][0]["remapped"] == {"correctable": 1, "uncorrectable": 2, "pending": True, "failed": False}
    assert document["items"][0]["processes"][0]["run"] == "not known"
    assert document["items"][1]["processes"] is None
    assert [one["number"] for one in document["xids"]] == [9999, 31]
    assert call(backend, "gpus") == 1
    out = capsys.readouterr().out
    assert "0/0  1g.10gb   1.0G of 10.0G" in out
    assert "Processes are hidden: ..." in out


def test_the_demo_and_its_words(demo: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(demo, capsys, "gpus")
    assert (status, document["demo"], [one["state"] for one in document["items"]]) == (1, True, ["working", "idle"])
    idle_since = datetime.fromisoformat(document["items"][1]["idle_since"])
    assert datetime.now(UTC) - idle_since > timedelta(minutes=11)
    assert call(demo, "gpus") == 1
    out = capsys.readouterr().out
    assert "GPU 1: 44 GiB held, 0% for 11m" in out
    assert "no run (outside)" in out


def test_watching_prints_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = of(tmp_path, reading(BUSY_CARD))
    with watching(backend, monkeypatch, "gpus", "--watch") as found:
        assert isinstance(backend.cards, FakeGpus)
        while "97%" not in found.next():
            pass
        backend.cards.answer = reading(replace(BUSY_CARD, utilisation=12))
        while "12%" not in found.next():
            pass


def test_status_tells_of_cards_and_disks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    idle = card(1, utilisation=0, memory_used=44 * GIB, processes=(process(39107, 43 * GIB, 0, container=HELD.id),))
    backend = of(tmp_path, reading(BUSY_CARD, idle), server=FakeMachine(machine(full=91)))
    status, document = answer(backend, capsys, "status")
    assert status == 1
    assert document["summaries"]["gpu"] == "0: 97% project-a #128   1: 0% vision-large #7"
    assert document["summaries"]["disk"] == "1.67 of 1.84 TB, cpu 41%, memory 38%, load 25.3 on 64 cores"
    assert [one["sentence"] for one in document["items"] if one["target"] == "disk"] == [
        "disk 91%: 166 GB of 1.8 TB free on /var/lib/docker"
    ]
    assert document["machine"]["disks"][0]["full"] == 91.0
    assert call(backend, "status") == 1
    out = capsys.readouterr().out
    assert "gpu      ✓ ok" in out
    assert "disk     ! 91%" in out


def test_many_cards_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backend = of(tmp_path, reading(*(card(index, utilisation=index) for index in range(8))))
    _, document = answer(backend, capsys, "status")
    assert document["summaries"]["gpu"] == "7 of 8 cards at work"


def test_what_is_elsewhere_is_not_told_of_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backend = of(tmp_path, reading(BUSY_CARD))
    status, document = answer(backend, capsys, "status")
    assert status == 0
    assert document["machine"] is None
    assert document["sources"]["disk"]["state"] == "off"
    assert document["summaries"]["disk"] == "Not available from here. Use --host train-01."


def test_a_full_disk_of_inodes_fits_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Disk(clean("home"), clean("/home"), 100, 10, 90, 1000, 1)
    backend = of(tmp_path, reading(BUSY_CARD), server=FakeMachine(replace(machine(), disks=(small,), cpu=None, load=None)))
    status, document = answer(backend, capsys, "status")
    assert (status, document["sources"]["disk"]["state"]) == (1, "ok")
    assert document["items"][0]["sentence"] == "disk of home 100%: 1 files more can be made on /home"
