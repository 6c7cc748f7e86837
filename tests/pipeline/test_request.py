"""The first step of all: what a request says is judged in one line, whatever it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pipeline.workplace import Repository

SENT = 1_795_413_618  # unix seconds
DELIVERY = "0f0bfa4e-1d2c-11f0"

Judge = Callable[..., str]


class Place(NamedTuple):
    """A repository whose branch `main` holds two projects, and what is not merged."""

    repository: Repository
    older: str
    """Has `small` and no `late`."""
    newest: str
    unmerged: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    repository = Repository(tmp_path_factory.mktemp("request"))
    older = repository.project("small")
    newest = repository.project("late")
    repository.git("checkout", "--quiet", "-b", "feature")
    unmerged = repository.project("secret-plan")
    return Place(repository, older, newest, unmerged)


@pytest.fixture
def judge(place: Place, tmp_path: Path) -> Judge:
    """The program's one line, for a webhook's good request in which some things are different; it has to end with 0."""

    def run(history: str = "", **different: str) -> str:
        file = tmp_path / "history"
        file.write_bytes(history.encode())
        good = {
            "PROJECT": "small",
            "COMMIT": place.older,
            "DELIVERY": DELIVERY,
            "TIMESTAMP": str(SENT),
            "SCHEDULED": str(SENT * 1000 + 2500),
            "RELEASE_BRANCH": "main",
            "BUILD_NUMBER": "12",
        }
        done = place.repository.step("request", str(file), **{**good, **different})
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout.endswith("\n")
        line = done.stdout[:-1]
        # Nothing that a line reader of any kind takes for a second line.
        assert line.splitlines() == [line]
        assert line.isprintable()
        assert len(line) <= len("refused ") + 300
        return line

    return run


def past(number: int, result: str = "NOT_BUILT", name: str = "", causes: str = "") -> str:
    return f"{number}\t{result}\t{name or f'#{number}'}\t{causes}\n"


def seen(delivery: str) -> str:
    """The cause that the webhook gives a build."""
    return f"release of small (delivery {delivery})"


def test_a_good_request_trains(place: Place, judge: Judge) -> None:
    assert judge() == f"train small@{place.older[:12]} {place.older}"
    assert judge(past(11, "FAILURE", f"#11 small@{place.older[:12]}", seen("another-delivery"))) == judge()


def test_by_hand_neither_delivery_nor_time_is_asked_for(place: Place, judge: Judge) -> None:
    by_hand = {"DELIVERY": "", "TIMESTAMP": ""}
    assert judge(past(3, causes="Started by user ann (delivery )"), **by_hand).startswith("train small@")
    # And no commit means the newest of the release branch, not of whatever is checked out.
    assert judge(**by_hand, COMMIT="") == f"train small@{place.newest[:12]} {place.newest}"
    assert judge(**by_hand, COMMIT="", RELEASE_BRANCH="").startswith("refused COMMIT '' is no full commit")


@pytest.mark.parametrize(
    "delivery", ["", "missing", "short-7", "a" * 65, "d 12345678", "12345678)", "d-1234567\n", "dé-1234567"]
)
def test_a_delivery_that_is_none(judge: Judge, delivery: str) -> None:
    assert judge(DELIVERY=delivery) == "refused DELIVERY is missing or not valid"


@pytest.mark.parametrize("time", ["", "missing", "12; id", "-5", "1e9", "1795413618.0", "٣٣٣", f"{SENT}000", "9" * 5000])
def test_a_time_that_is_none(judge: Judge, time: str) -> None:
    assert judge(TIMESTAMP=time) == "refused TIMESTAMP is missing or not valid"


def test_how_old_a_request_may_be(judge: Judge) -> None:
    assert judge(SCHEDULED=str((SENT + 600) * 1000)).startswith("train ")
    # A moment more is told as more.
    for late, told in ((600_001, 601), (713_000, 713)):
        said = judge(SCHEDULED=str(SENT * 1000 + late))
        assert said.startswith(f"refused the request is {told} s old, and more than 600 s are too old; a quiet-down or restart")
        assert said.endswith("longer than ten minutes makes honest requests too old: send it again")


def test_how_far_a_clock_may_be_ahead(judge: Judge) -> None:
    assert judge(SCHEDULED=str((SENT - 600) * 1000)).startswith("train ")
    assert judge(SCHEDULED=str((SENT - 687) * 1000)) == "refused the sender's clock is ahead by 687 s"


def test_a_delivery_is_good_for_one_build(judge: Judge) -> None:
    seen_twice = past(9, causes=seen(DELIVERY)) + past(8, "null", causes=f"Started by user x {seen(DELIVERY)} and more")
    assert judge(seen_twice) == f"refused delivery {DELIVERY} was seen in #8"
    # Of two that start together only the later one is the second.
    assert judge(past(13, "", causes=seen(DELIVERY)) + past(12, "", causes=seen(DELIVERY))).startswith("train ")
    # A part of another one is another one.
    for other in (f"{DELIVERY}0", f"0{DELIVERY}", DELIVERY.upper()):
        assert judge(past(9, causes=seen(other))).startswith("train ")
    # Not even with FORCE, and no odd end of a line hides it.
    for between in ("\r", "\x0b", "\x0c", "\x1e", "\x85", "\u2028", "\t"):
        said = judge(past(9, causes=f"a{between}{seen(DELIVERY)}"), FORCE="true")
        assert said == f"refused delivery {DELIVERY} was seen in #9"


@pytest.mark.parametrize(
    ("different", "sentence"),
    [
        ({"PROJECT": ""}, "PROJECT '' is no project's name: small letters, digits and dashes, 63 at most"),
        ({"PROJECT": "../small"}, "PROJECT '../small' is no project's name"),
        ({"PROJECT": "small; id"}, "PROJECT 'small; id' is no project's name"),
        ({"PROJECT": "small\n"}, "PROJECT 'small\\n' is no project's name"),
        ({"PROJECT": "x" * 100_000}, "PROJECT 'xxx"),
        ({"PROJECT": "\x1b[2J\u202eevil\U000e0041"}, "PROJECT '\\x1b[2J\\u202eevil"),
        ({"COMMIT": ""}, "COMMIT '' is no full commit: 40 hexadecimal digits are needed"),
        ({"COMMIT": "missing"}, "COMMIT 'missing' is no full commit"),
        ({"COMMIT": "main"}, "COMMIT 'main' is no full commit"),
        ({"COMMIT": "--help"}, "COMMIT '--help' is no full commit"),
        ({"COMMIT": "0" * 40}, f"Commit {'0' * 40} is not in this repository; was it pushed, and fetched here?"),
        ({"PROJECT": "nothing"}, "There is no project nothing at commit "),
        ({"PROJECT": "late"}, "There is no project late at commit "),
    ],
)
def test_what_is_asked_for_has_to_be_there(judge: Judge, different: dict[str, str], sentence: str) -> None:
    said = judge(**different)
    assert said.startswith(f"refused {sentence}")
    assert not said.endswith(".")


def test_what_was_not_merged_is_not_trained_and_not_told_of(place: Place, judge: Judge) -> None:
    for project in ("small", "secret-plan", "nothing"):
        said = judge(PROJECT=project, COMMIT=place.unmerged)
        assert said == f"refused Commit {place.unmerged[:12]} is not in main: only what was merged is trained"
    assert judge(PROJECT="secret-plan", COMMIT=place.unmerged, RELEASE_BRANCH="").startswith("train secret-plan@")


def test_what_was_trained_is_not_trained_again(place: Place, judge: Judge) -> None:
    key = f"small@{place.older[:12]}"
    earlier, later = past(4, "SUCCESS", f"#4 {key}"), past(15, "SUCCESS", f"#15 {key}")
    assert judge(earlier) == f"trained 4 {key}"
    # The lock of a project is not given in the order of the numbers.
    assert judge(later) == f"trained 15 {key}"
    assert judge(earlier + later) == f"trained 15 {key}"
    for force, begins in (("true", "train "), ("TRUE", "train "), ("false", "trained "), ("", "trained "), ("yes", "trained ")):
        assert judge(earlier, FORCE=force).startswith(begins)


def test_what_only_looks_as_if_it_was_trained(place: Place, judge: Judge) -> None:
    key = f"small@{place.older[:12]}"
    history = "".join(
        [
            *(past(number, result, f"#{number} {key}") for number, result in enumerate(["FAILURE", "ABORTED", "null", ""], 1)),
            past(6, "SUCCESS", f"#6 very-{key}"),
            past(7, "SUCCESS", f"#7 {key} or so"),
            past(8, "SUCCESS", f"#8 small@{place.newest[:12]}"),
            past(9, "SUCCESS", "#9", f"about {key}"),
            past(12, "SUCCESS", f"#12 {key}"),
            "\n",
        ]
    )
    assert judge(history) == f"train {key} {place.older}"


def test_a_trimmed_history_is_one(place: Place, judge: Judge) -> None:
    key = f"small@{place.older[:12]}"
    assert judge(past(4, "SUCCESS", f"#4 {key}").strip()) == f"trained 4 {key}"


@pytest.mark.parametrize(
    ("history", "different", "sentence"),
    [
        ("", {"SCHEDULED": ""}, "request: SCHEDULED is not set."),
        ("", {"SCHEDULED": "now"}, "request: SCHEDULED is 'now'; expected a number."),
        ("", {"BUILD_NUMBER": ""}, "request: BUILD_NUMBER is not set."),
        ("", {"RELEASE_BRANCH": "gone"}, "request: RELEASE_BRANCH: there is no gone in "),
        ("", {"MLOPS_REPOSITORY": "/proc"}, "request: /proc is no clone of the repository."),
        ("one\tSUCCESS\t#1\t\n", {}, "line 1: expected number, result, name and causes, with tabs between."),
        ("1\tSUCCESS\t#1\t\n2 SUCCESS #2\n", {}, "line 2: expected number, result, name and causes, with tabs between."),
    ],
)
def test_what_cannot_be_judged(place: Place, tmp_path: Path, history: str, different: dict[str, str], sentence: str) -> None:
    file = tmp_path / "history"
    file.write_text(history)
    good = {"PROJECT": "small", "COMMIT": place.older, "SCHEDULED": "1", "RELEASE_BRANCH": "main", "BUILD_NUMBER": "12"}
    done = place.repository.step("request", str(file), **{**good, **different})
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [(), ("a", "b"), ("",), ("/nowhere/history",), ("/proc",)])
def test_without_a_history(place: Place, words: tuple[str, ...]) -> None:
    done = place.repository.step("request", *words, SCHEDULED="1", BUILD_NUMBER="12")
    assert (done.returncode, done.stdout) == (2, "")
    assert "request HISTORY_FILE" in done.stderr or "The history of builds cannot be read: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_git_nobody_is_refused(place: Place, judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "history").touch()
    (tmp_path / "bin").mkdir()
    python = Path(place.repository.environment["PATH"].split(":")[0]) / "python3"
    (tmp_path / "bin" / "python3").symlink_to(python)
    named = {"PROJECT": "small", "COMMIT": place.older, "SCHEDULED": "1", "BUILD_NUMBER": "12", "PATH": str(tmp_path / "bin")}
    done = place.repository.step("request", str(tmp_path / "history"), **named)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "request: git is not on PATH.\n")
