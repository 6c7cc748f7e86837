"""The runs on the main screen: the first pane, in rows that are sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import Result
from console.model.container import ContainerState
from console.model.glyphs import Glyphs
from console.model.run import Phase, Run
from console.model.source import SourceState, SourceStatus
from console.model.world import World
from console.text import clean
from console.ui import runabout, runpane
from console.ui.canvas import Line
from console.ui.look import Look
from console.ui.palette import choose
from console.ui.runpane import RunOrder, RunView
from tests.console.fakes import NOW
from tests.console.runs.test_join import COMMIT, training
from tests.console.ui import runworlds

ENV = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
LOOK = Look(choose("dark", ENV, color=True), Glyphs(unicode=True))
ASCII = Look(choose("dark", ENV, color=True), Glyphs(unicode=False))
AWAY = SourceStatus(
    SourceState.UNREACHABLE,
    clean("Jenkins does not answer at https://ci.example.org (timed out after 5s)."),
    NOW - timedelta(minutes=2),
    NOW - timedelta(seconds=40),
    NOW + timedelta(seconds=20),
)


def listed(world: World) -> list[Run]:
    """Those that are not in the queue."""
    return [one for one in world.runs if one.phase is not Phase.QUEUED and one.key != "train#132"]


def view(world: World, **more: object) -> RunView:
    found = listed(world)
    base = RunView(world=world, rows=found, selected=found[0].key if found else None, top=0, focused=True, total=len(found))
    return replace(base, **more)  # type: ignore[arg-type]  # names and types are the field's own, checked at the call


def drawn(made: RunView, width: int = 80, height: int = 20, look: Look = LOOK) -> list[Line]:
    return runpane.lines(made, look, width, height, NOW)


def told(made: RunView, width: int = 80, height: int = 20, look: Look = LOOK) -> list[str]:
    return ["".join(part for part, _ in line).rstrip() for line in drawn(made, width, height, look)]


def row(lines: list[str], name: str) -> str:
    return next(line for line in lines if name in line)


def test_a_row_tells_how_far_it_is_whether_it_learns_and_how_long_still() -> None:
    lines = told(view(runworlds.world()), 120)
    assert lines[0].split() == [*["1", "Runs", "9", "state", "progress", "epoch", "loss", "best", "when", "gpu", "util", "mem"]]
    assert row(lines, "#128").split()[:4] == ["project-a", "#128", "▸", "training"]
    for words in ("⣀  48%", "15/30", "0.409 ⠑⠤⢄⣀⣀⣀", "acc .914", "18m left", "97%"):
        assert words in row(lines, "#128"), words
    assert "! stalled" in row(lines, "#126")
    assert "11m idle" in row(lines, "#126")


def test_what_wants_a_look_stands_first_then_what_runs_then_what_has_ended() -> None:
    lines = told(view(runworlds.world()))
    numbers = [next(word for word in line.split() if word.startswith("#")) for line in lines[1:]]
    assert numbers[0] in ("#126", "#130")
    assert numbers.index("#128") < numbers.index("#127") < numbers.index("#125") < numbers.index("#124")


def test_a_cause_spans_what_would_be_figures() -> None:
    lines = told(view(runworlds.world()))
    assert row(lines, "#127").split("✗")[1].split("  ")[0] == " failed"
    assert "out of memory 16 GiB, epoch 9" in row(lines, "#127")
    assert "image" in row(lines, "#131")
    assert "already trained in #120" in row(lines, "#124")
    assert "✓ published as build-125" in row(lines, "#125")


def test_without_a_why_it_is_what_jenkins_says() -> None:
    world = replace(runworlds.world(), whys={})
    assert "train: exit code 137" in row(told(view(world)), "#127")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 200])
def test_names_are_cut_in_the_middle_and_numbers_and_states_never(width: int) -> None:
    lines = told(view(runworlds.world()), width)
    assert all(len(line) <= width for line in lines)
    for number, word in (("#130", "approval"), ("#128", "training"), ("#127", "failed"), ("#124", "skipped")):
        assert word in row(lines, number)
    if width < 100:
        assert "⋯" in row(lines, "#130").split("#130")[0]
        assert row(lines, "#130").split("#130")[0].strip("▐ ").endswith("-eu")


def test_narrow_terminals_keep_the_state_and_when() -> None:
    narrow = told(view(runworlds.world()), 60)
    assert "0.409" not in row(narrow, "#128")
    assert "48%" in row(narrow, "#128")
    smallest = told(view(runworlds.world()), 40)
    assert "48%" not in row(smallest, "#128")
    assert row(smallest, "#128").endswith("18m left")


def test_wide_ones_say_who_started_it() -> None:
    assert row(told(view(runworlds.world()), 160), "#127").endswith("webhook")


def bold(line: Line) -> bool:
    return any(style.bold for text, style in line if text.strip())


def loud(made: RunView, number: str) -> bool:
    return bold(next(line for line in drawn(made) if number in "".join(text for text, _ in line)))


def test_a_failure_is_bold_until_somebody_opened_it_or_its_project_went_on() -> None:
    world = runworlds.world()
    assert loud(view(world), "#119"), "nothing came after it, and nobody has looked"
    assert not loud(view(world, opened={"train#119"}), "#119")
    assert not loud(view(world), "#127"), "#131 of its project has begun"
    assert loud(view(world), "#126"), "what wants a look stays bold"
    assert not loud(view(world), "#125")


def test_one_that_waits_in_the_queue_is_no_newer_run() -> None:
    before = runworlds.jenkins()
    builds = replace(
        before, history={clean("train"): (runworlds.build(119, "project-a", Result.FAILURE, 10),)}, jobs={}, held={}
    )
    world = runworlds.world(replace(builds, stages={}, failures={}), held=[])
    assert [one.known_as for one in world.runs if one.phase.value == 0] == [COMMIT[:4]]
    assert loud(view(world), "#119")


def test_a_summary_names_what_wants_a_look_and_what_goes_on() -> None:
    (line,) = told(view(runworlds.world(), focused=False), 80, 1)
    assert line.startswith(" 1 Runs  ")
    assert "! customer⋯cast-eu #130 approval   ! vision-large #126 stalled" in line
    assert line.endswith("+3")
    (wide,) = told(view(runworlds.world(), focused=False), 200, 1)
    assert "▸ project-a #128 48% 18m left" in wide
    assert "✗ project-d #119 failed" in wide
    assert "! vision-large #126 stalled" in wide
    assert "#127" not in wide, "its project has gone on"


@pytest.mark.parametrize("width", range(30, 130, 7))
def test_a_summary_never_cuts_a_word(width: int) -> None:
    (whole,) = told(view(runworlds.world(), focused=False), 400, 1)
    (line,) = told(view(runworlds.world(), focused=False), width, 1)
    items = {part.strip() for part in whole.removeprefix(" 1 Runs").split("   ") if part.strip()}
    shown = [part.strip() for part in line.removeprefix(" 1 Runs").split("  ") if part.strip()]
    assert all(part in items or part.startswith("+") or part.rpartition(" +")[0] in items for part in shown), line
    assert len(line) <= width


def test_where_nothing_goes_on_the_summary_says_so() -> None:
    ended = [one for one in listed(runworlds.world()) if one.key in ("train#125", "train#124")]
    (line,) = told(view(runworlds.world(), rows=ended, focused=False), 80, 1)
    assert "nothing goes on, 2 ended" in line


def test_an_empty_list_says_why() -> None:
    calm = replace(runworlds.world(), runs=())
    empty = view(calm)
    assert "No runs yet. A merged release starts one, or R on a project in Builds." in " ".join(told(empty))
    assert told(replace(empty, focused=False), 100, 1)[0].startswith(" 1 Runs  No runs yet.")
    filtered = view(runworlds.world(), rows=(), words="vis")
    assert 'No row matches "vis". esc shows all 9.' in " ".join(told(filtered))
    away = replace(calm, sources={**calm.sources, "jenkins": AWAY})
    assert "Jenkins has not answered since" in " ".join(told(view(away)))


def test_what_jenkins_alone_knows_is_muted_while_it_is_away() -> None:
    world = runworlds.world(jenkins_status=AWAY)
    lines = told(view(world))
    assert "! 40s old" in lines[0]
    assert "? failed" in row(lines, "#119"), "what may be wrong by now is not shown as known"
    assert "▸ training" in row(lines, "#128"), "its container is there to see"


def test_orders() -> None:
    runs = listed(runworlds.world())
    assert runpane.ordered(runs, RunOrder.WORST, backwards=False) == runs
    newest = runpane.ordered(runs, RunOrder.NEWEST, backwards=False)
    assert [one.known_as for one in newest[:3]] == ["#131", "#128", "#127"]
    projects = [one.project for one in runpane.ordered(runs, RunOrder.PROJECT, backwards=False)]
    assert projects == sorted(projects)
    assert runpane.ordered(runs, RunOrder.PROJECT, backwards=True)[0].project == "vision-large"


@pytest.mark.parametrize(
    ("words", "number"), [("128", "#128"), ("stalled", "#126"), ("memory epoch", "#127"), ("vision-large", "#126")]
)
def test_the_filter_looks_at_what_the_row_says(words: str, number: str) -> None:
    world = runworlds.world()
    found = [one.known_as for one in listed(world) if runpane.matches(one, words.split(), world)]
    assert found == [number]


def test_ascii_is_ascii() -> None:
    text = "\n".join(told(view(runworlds.world()), 120, look=ASCII))
    assert text.isascii()
    assert "> training" in text


def test_a_run_that_tells_no_total_shows_where_it_is() -> None:
    (one,) = (training(128, "project-a"),)
    bare = runworlds.figures(done=None, steps=None, epochs=None, epoch=None, finish=None, curves=())
    world = runworlds.world(known={one.id: bare}, held=[one])
    assert "step 3,040" in row(told(view(world)), "#128")


def about(world: World, key: str, width: int = 80) -> list[str]:
    run = next(one for one in world.runs if one.key == key)
    return ["".join(part for part, _ in line).rstrip() for line in runabout.about(run, world, LOOK, width, NOW)]


def test_about_a_failure_is_its_sentence_and_what_it_rests_on() -> None:
    world = runworlds.world()
    lines = about(world, "train#127")
    assert lines[0] == f" {runworlds.FAILURE}"
    assert lines[1].split("  ")[0] == " docker"
    assert "OOMKilled, exit 137" in lines[1]
    assert lines[2].startswith(" kept")
    run = next(one for one in world.runs if one.key == "train#127")
    assert runabout.title(run, world) == "Why  project-b #127"


def test_about_a_training_is_what_it_measures() -> None:
    lines = about(runworlds.world(), "train#128")
    text = "\n".join(lines)
    assert "✓ check 2s   ✓ image 1m12s   ▸ train" in text
    assert "18m by the last 5 epochs" in text
    assert "412 img/s   lr 8.8e-05" in text
    assert any(line.startswith(" loss") and "0.409" in line and "best 0.409" in line for line in lines)
    assert "GPU 0:" in text


def test_a_finish_that_is_days_away_has_its_day() -> None:
    (one,) = (training(128, "project-a"),)
    for left, shape in ((timedelta(hours=2), "%H:%M:%S"), (timedelta(days=3), "%b %d %H:%M")):
        known = runworlds.figures(finish=NOW + left)
        lines = about(runworlds.world(known={one.id: known}, held=[one]), "train#128")
        (told,) = [line for line in lines if line.startswith(" left")]
        assert told.endswith(f", done at {(NOW + left).astimezone().strftime(shape)}")


@pytest.mark.parametrize("width", [30, 41, 60, 120])
def test_about_keeps_to_its_width(width: int) -> None:
    world = runworlds.world()
    for run in world.runs:
        assert all(len(line) <= width for line in about(world, str(run.key), width)), run.key


def test_what_is_over_and_gone_is_told_by_its_build() -> None:
    world = runworlds.world(held=[training(127, "project-b", state=ContainerState.EXITED, exit_code=1)])
    assert "release of project-a" in "\n".join(about(world, "train#125"))
