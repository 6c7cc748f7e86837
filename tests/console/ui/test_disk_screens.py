"""What fills the disk, as a person looks at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.disk_view import view
from console.model.kept import Kept, KeptKind
from console.model.pruning import Rule
from console.model.source import Snapshot, SourceState, SourceStatus
from console.text import clean
from console.ui.app import ConsoleApp, Wishes
from console.ui.clipboard import HELP
from console.ui.screens.builds import BuildsScreen
from console.ui.screens.disk import DiskObjectsScreen, DiskScreen
from console.ui.screens.main import MainScreen
from tests.console.fakes import NOW
from tests.console.ui.diskworlds import RULE, crowded, disk_known, facts, machine, status, world
from tests.console.ui.pressing import line_with, press, selected
from tests.console.ui.screenapp import app_of, still
from tests.support.waiting import until

GONE = SourceStatus(
    SourceState.UNREACHABLE,
    clean("Docker does not answer on /run/docker.sock."),
    NOW,
    NOW - timedelta(seconds=75),
    NOW + timedelta(seconds=20),
)
DENIED = SourceStatus(
    SourceState.DENIED, clean("No permission for /var/run/docker.sock. Join group docker, then log in again."), NOW
)


def names(lines: list[str]) -> list[str]:
    """The names of the rows, in their order."""
    start = next(at for at, line in enumerate(lines) if line.startswith(" 1 ")) + 1
    end = next(at for at, line in enumerate(lines) if line.startswith(" 2 "))
    return [line[1:].split("  ")[0] for line in lines[start:end] if line.strip()]


async def test_the_key_opens_it_with_how_full_the_disk_is_and_the_largest_first() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "7")
        assert isinstance(app.screen, DiskScreen)
        assert lines[0].startswith(" train-01 › disk")
        assert lines[1].startswith(" /var/lib/docker  1.67 of 1.84 TB  ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇⣀ 91%  ")
        assert lines[2].split() == ["1", "Disk", "count", "size", "can", "go"]
        assert names(lines)[:3] == ["volumes", "images of project-a", "images of vision-large"]
        row = line_with(lines, "images of project-a")
        assert row.split()[3:8] == ["6", "102", "GB", "51", "GB"]
        assert row.endswith("oldest Aug 25")
        assert selected(lines).startswith("▐volumes")
        assert line_with(lines, " goes ").strip() == "goes   2 volumes, 5.0 GB, no name, no container"
        assert line_with(lines, " stays ").strip().startswith("stays  3 volumes, 175 GB, 2 declared in compose, 1 only by name")
        assert line_with(lines, " rule ").strip() == "rule   keep 3 per project, unused for 30d"


async def test_when_it_will_be_full_stands_behind_how_full_it_is() -> None:
    told = machine(91)
    fills = replace(told, disks=tuple(replace(one, full_in=6.4 * 86400) for one in told.disks))
    async with app_of(world(reading=fills)).run_test(size=(80, 24)) as pilot:
        line = (await press(pilot, "7"))[1]
        assert " 91%  full in about 6d" in line
        assert line.rstrip().endswith("can go")
    async with app_of(world(reading=told)).run_test(size=(80, 24)) as pilot:
        assert "full in" not in (await press(pilot, "7"))[1]


async def test_inodes_are_told_where_they_run_out_first() -> None:
    for files, words in ((79, ""), (83, "inodes 83%, 170,000 left"), (95, "! inodes 95%, 50,000 left"), (99, "✗ inodes 99%")):
        async with app_of(world(reading=machine(50, files))).run_test(size=(100, 24)) as pilot:
            line = (await press(pilot, "7"))[1]
            assert words in line
            assert ("inodes" in line) == bool(words)
            assert " 50%" in line


@pytest.mark.parametrize(("seconds", "words"), [(59, ""), (61, "read 1m ago"), (3 * 3600, "read 3h ago")])
async def test_how_old_the_figures_are_is_told_once_they_are_older_than_a_minute(seconds: int, words: str) -> None:
    app = app_of(world(Snapshot(facts(), status(seconds))))
    async with app.run_test(size=(80, 24)) as pilot:
        line = (await press(pilot, "7"))[1]
        assert line.endswith(words) or not words
        assert ("read" in line) == bool(words)


async def test_what_runs_keep_is_seen_and_pruned_by_nobody() -> None:
    kept = (
        Kept(KeptKind.CHECKPOINTS, clean("project-a"), clean("train #41"), clean("agent-work"), 900_000, NOW, resumable=True),
    )
    app = app_of(world(view(disk_known(), RULE, kept)))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "7", "slash", *"checkp", "enter", "escape")
        assert "only by name" in line_with(lines, "checkpoints, workspaces")
        lines = await press(pilot, "space", "p")
        assert "Workspaces, runs and checkpoints are removed by no rule, only by name." in lines[-2]
        lines = await press(pilot, "enter")
        assert line_with(lines, "stays: a run can go on from it")
        assert line_with(lines, "run        train #41")
        await press(pilot, "p")
        assert isinstance(app.screen, DiskObjectsScreen)


async def test_an_engine_elsewhere_tells_what_docker_keeps() -> None:
    shown = replace(world(), machine=None)
    async with app_of(shown).run_test(size=(80, 24)) as pilot:
        assert (await press(pilot, "7"))[1] == " Docker keeps 376 GB  68 GB can go"


async def test_orders_filter_and_the_way_back() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        usual = names(await press(pilot, "7"))
        assert names(await press(pilot, "o"))[0] == "images of project-a"
        assert app.said == "most to free first"
        assert names(await press(pilot, "o")) == sorted(usual)
        assert names(await press(pilot, "O")) == sorted(usual, reverse=True)
        lines = await press(pilot, "o", "O", "slash", *"vision", "enter")
        assert names(lines) == ["images of vision-large"]
        assert "1 Disk 1 of 6" in lines[2]
        assert "/vision" in lines[2]
        lines = await press(pilot, "slash", *"xyz", "enter")
        assert 'No row matches "visionxyz". esc shows all 6.' in "\n".join(lines)
        assert names(await press(pilot, "escape")) == usual
        await press(pilot, "escape")
        assert isinstance(app.screen, MainScreen)


async def test_enter_shows_the_images_of_a_row_with_why_each_goes_or_stays() -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 30)) as pilot:
        lines = await press(pilot, "7", "j", "enter")
        assert isinstance(app.screen, DiskObjectsScreen)
        assert lines[0].startswith(" train-01 › disk › images of project-a")
        head = line_with(lines, " 1 Images of project-a 6")
        assert head.split()[-9:] == ["id", "age", "size", "alone", "used", "by", "can", "it", "go"]
        assert "stays: in use by mlops-project" in line_with(lines, "mlops/project-a:aaaa")
        assert "goes: built before Oct 24" in line_with(lines, "mlops/project-a:dddd")
        assert "stays: among the 3 newest" in line_with(lines, "mlops/project-a:bbbb")
        ids = [line for line in lines if line.strip().startswith("id ")]
        assert len(ids) == 1
        assert any("It " in line for line in lines)
        lines = await press(pilot, "o", "o", "g")
        assert "eeee" in names(lines)[1]
        assert "ffff" in names(lines)[0], "the oldest"
        await press(pilot, "escape")
        assert isinstance(app.screen, DiskScreen)
        assert selected(await press(pilot)).startswith("▐images of project-a")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("volumes", ["used by", "mlops-project-a-128", "stays: declared in compose", "n/a", "goes: no name, no container"]),
        ("containers", ["wrote", "log", "100 MB", "30 MB", "130 MB", "stays: running", "goes: ended before Oct 24"]),
        ("build cache", ["used", "id", "goes: unused for 30 days", "stays: younger than 30 days"]),
        ("dangling images", ["alone", "goes: no tag, no container"]),
    ],
)
async def test_objects_of_every_kind(what: str, words: list[str]) -> None:
    app = app_of(world())
    async with app.run_test(size=(120, 30)) as pilot:
        lines = await press(pilot, "7", "slash", *what.replace(" ", "?")[:4], "enter", "enter")
        assert isinstance(app.screen, DiskObjectsScreen)
        assert f"disk › {what}" in lines[0]
        text = "\n".join(lines)
        for one in words:
            assert one in text


async def test_all_about_an_object_fills_the_screen_and_is_copied() -> None:
    app = app_of(world())
    sent: list[str] = []
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await press(pilot, "7", "j", "enter", "j", "i")
        text = "\n".join(lines)
        assert "Images of project-a" not in text
        for words in ("It stays: in use by mlops-project-a-128.", "It can go", "labels     mlops.commit="):
            assert words in text or words.startswith("It ")
        assert "size       " in text
        await press(pilot, "escape", "escape")
        app.copied = lambda text: (sent.append(text) or len(text.encode()), next(iter(HELP)))  # type: ignore[method-assign,func-returns-value]
        await press(pilot, "y")
        assert sent
        assert sent[0].startswith("mlops/project-a:")
        assert "layers     n/a" in sent[0]


async def test_rows_are_marked_and_unmarked() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "7", "space", "space")
        assert [line[:8] for line in lines if line.startswith("*")] == ["*volumes", "*images "]
        assert "2 marked" in lines[2]
        lines = await press(pilot, "escape")
        assert not [line for line in lines if line.startswith("*")]
        assert isinstance(app.screen, DiskScreen)


async def test_it_is_read_while_it_is_open_be_it_below_other_screens_and_for_nobody_else() -> None:
    app = app_of(world())
    near = still(app).near_disk
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert near == []
        await press(pilot, "7")
        assert near == [True]
        await press(pilot, "enter", "question_mark", "escape", "escape")
        assert near == [True], "its objects and sheets over it change nothing"
        await press(pilot, "escape")
        await until(lambda: near == [True, False], "the disk to be left")
        await press(pilot, "7", "enter", "0")
        await until(lambda: near == [True, False, True, False], "the disk to be left for the main screen")
        await press(pilot, "7", "7")
        await press(pilot)
        assert near[-1] is True
        await press(pilot, "ctrl+r")
        assert still(app).refreshed == 1


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_reading_is_told_once_it_takes_long(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.ui.screens.lists.READING_SECONDS", 3600.0)
    app = app_of(world(Snapshot(None, SourceStatus(SourceState.STARTING))))
    async with app.run_test(size=size) as pilot:
        text = "\n".join(await press(pilot, "7"))
        assert "Reading" not in text
        assert "Docker keeps nothing" not in text
        screen = app.screen
        assert isinstance(screen, DiskScreen)
        screen._still_reading()
        assert " Reading docker⋯" in await press(pilot)
        still(app).give(world())
        text = "\n".join(await press(pilot))
        assert "Reading" not in text
        assert "volumes" in text


@pytest.mark.parametrize(
    ("docker", "disk", "sentence"),
    [
        (GONE, status(75), "Docker does not answer on /run/docker.sock. Next try in 20s, ctrl+r tries now."),
        (status(), replace(GONE), "Docker does not answer on /run/docker.sock. Next try in 20s, ctrl+r tries now."),
    ],
    ids=["docker is gone", "only the disk cannot be read"],
)
async def test_an_engine_that_goes_while_the_screen_is_open(docker: SourceStatus, disk: SourceStatus, sentence: str) -> None:
    app = app_of(world())
    async with app.run_test(size=(100, 24)) as pilot:
        before = names(await press(pilot, "7", "j"))
        still(app).give(world(Snapshot(facts(), disk), docker=docker))
        lines = await press(pilot)
        assert line_with(lines, "Docker does not answer").strip() == sentence
        assert "! 1m old" in lines[2]
        assert names(lines)[1:] == before, "what was read stays"
        assert selected(lines).startswith("▐images of project-a")
        lines = await press(pilot, "enter")
        assert line_with(lines, "Docker does not answer").strip() == sentence
        still(app).give(world())
        assert not any("does not answer" in line for line in await press(pilot, "escape"))


async def test_who_may_not_ask_is_told_what_to_do() -> None:
    app = app_of(world(Snapshot(None, DENIED), docker=DENIED))
    async with app.run_test(size=(100, 24)) as pilot:
        lines = await press(pilot, "7")
        assert any(line.strip() == str(DENIED.reason) for line in lines)
        await press(pilot, "enter")
        assert app.said == "nothing is selected"
        await press(pilot, "space", "y", "o", "i", "i", "j")
        assert isinstance(app.screen, DiskScreen)


async def test_a_row_that_is_gone_hands_on_the_selection_and_its_objects_say_so() -> None:
    app = app_of(world())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "7", "slash", *"dangling", "enter", "enter")
        pruned = facts()
        left = replace(
            pruned,
            rows=tuple(row for row in pruned.rows if row.what != "dangling images"),
            objects={what: found for what, found in pruned.objects.items() if what != "dangling images"},
        )
        still(app).give(world(left))
        assert "Nothing of this is there any more." in "\n".join(await press(pilot))
        lines = await press(pilot, "escape", "escape")
        assert "dangling images" not in names(lines)
        assert selected(lines).startswith("▐")


async def test_an_empty_engine_says_so() -> None:
    from tests.console.pruneworlds import known

    async with app_of(world(facts(known()))).run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "7")
        assert lines[3] == " Docker keeps nothing here."


async def test_hundreds_of_objects_are_put_together_once_and_not_with_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.ui import disklines

    made: list[object] = []
    real = disklines.object_row
    monkeypatch.setattr(disklines, "object_row", lambda one, now: made.append(one) or real(one, now))  # type: ignore[func-returns-value]
    app = app_of(world(facts(crowded(300, 300, 0))))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "7", "slash", *"volumes", "enter", "enter")
        assert len(made) == 300
        lines = await press(pilot, *"jjjGgjj", "ctrl+d", "space", "i", "i")
        assert len(made) == 300
        assert "1 Volumes 300" in lines[2]
        await press(pilot, "o")
        assert len(made) == 600


async def test_other_places_are_reached_from_it_and_it_from_them(reading_app: ConsoleApp) -> None:
    async with reading_app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "6")
        assert isinstance(reading_app.screen, BuildsScreen)
        await press(pilot, "7")
        assert isinstance(reading_app.screen, DiskScreen)
        assert len(reading_app.screen_stack) == 2
        await press(pilot, "colon", *"df", "enter")
        assert isinstance(reading_app.screen, DiskScreen)
        assert len(reading_app.screen_stack) == 2


async def test_without_unicode_bars_are_ascii() -> None:
    app = app_of(world(), wishes=Wishes(glyphs="ascii", color=False))
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await press(pilot, "7")
        assert "#################- 91%" in lines[1]
        assert " #####----- oldest Aug 15" in line_with(lines, "volumes")
        assert "⣿" not in "\n".join(lines)


@pytest.mark.parametrize("size", [(30, 6), (40, 10), (60, 18), (80, 24), (140, 40), (200, 50)])
async def test_every_size_keeps_what_it_is_and_how_much_of_it_can_go(size: tuple[int, int]) -> None:
    app = app_of(world(Snapshot(facts(rule=replace(RULE, keep=1)), status(90))))
    async with app.run_test(size=size) as pilot:
        for keys in (("7",), ("enter",), ("i",), ("escape", "escape")):
            lines = await press(pilot, *keys)
            assert all(len(line) <= size[0] for line in lines)
        lines = await press(pilot, "escape")
        row = next(line for line in lines if line.startswith("▐"))
        assert "180 GB" in row
        assert "5.0 GB" in row


def test_the_rule_of_the_design() -> None:
    assert Rule(older_than=timedelta(days=30)) == RULE
