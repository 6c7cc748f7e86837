"""What a build is asked for with: kept from the one before, changed by a person, set by the platform's contract."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from console.actions.jenkins.finding import Wish
from console.actions.jenkins.values import Asked, asked
from console.actions.plan import MASK
from console.model.asking import Definition, FieldKind
from console.model.build import Build, Parameter, Result
from console.text import Clean, clean
from tests.console.fake_jenkins import build

COMMIT = "1d44b02e9c31f7a6b5c4d3e2f1a0b9c8d7e6f5a4"
OTHER = "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21"


def field(name: str, kind: FieldKind = FieldKind.TEXT, default: str | None = "", *choices: str) -> Definition:
    told = clean(default, lines=True) if default is not None else None
    return Definition(clean(name), kind, clean(""), told, tuple(map(clean, choices)))


TRAIN = (
    field("PROJECT"),
    field("COMMIT"),
    field("DELIVERY"),
    field("TIMESTAMP"),
    field("FORCE", FieldKind.BOOLEAN, "false"),
    field("RESUME_FROM"),
    field("OVERRIDES", FieldKind.LINES),
)


def given(**values: str | None) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(clean(name), clean(value, lines=True) if value is not None else None) for name, value in values.items()
    )


def training(number: int = 41, result: Result = Result.FAILURE, **values: str | None) -> Build:
    told = {"PROJECT": "project-b", "COMMIT": COMMIT, "DELIVERY": "d-1", "TIMESTAMP": "1795394700", "FORCE": "false"}
    told |= {"RESUME_FROM": "", "OVERRIDES": ""}
    return build(number=number, result=result, parameters=given(**(told | values)), detailed=True)


def again(source: Build | None, *history: Build, fields: tuple[Definition, ...] = TRAIN, **more: object) -> Asked:
    wish = Wish(clean("train"), source.ref if source is not None else None, **more)  # type: ignore[arg-type]
    return asked(wish, fields, source, history)


def sentences(told: Asked) -> list[tuple[str, str]]:
    return [(say.label, str(say.text)) for say in told.sentences]


def entry(told: Asked, name: str) -> tuple[str, str, bool, Clean | None]:
    one = next(one for one in told.entries if one.name == name)
    return str(one.value), str(one.note), one.changed, one.problem


def test_the_same_parameters_without_the_request_they_came_with() -> None:
    """A second build with the delivery of the first is refused as a replay (recording refused-replay)."""
    told = again(training(OVERRIDES="lr=1e-4\nepochs=30"))
    assert told.values == {
        "PROJECT": "project-b",
        "COMMIT": COMMIT,
        "DELIVERY": "",
        "TIMESTAMP": "",
        "FORCE": "false",
        "RESUME_FROM": "",
        "OVERRIDES": "lr=1e-4\nepochs=30",
    }
    assert sentences(told) == []


def test_a_parameter_that_only_is_called_delivery_is_kept() -> None:
    fields = (field("DELIVERY"), field("TARGET"))
    source = build(parameters=given(DELIVERY="truck", TARGET="lab"), detailed=True)
    assert again(source, fields=fields).values == {"DELIVERY": "truck", "TARGET": "lab"}


@pytest.mark.parametrize(
    "before",
    [
        training(40, Result.SUCCESS),
        # The commit was empty, so only the display name tells what was trained.
        build(
            number=40,
            result=Result.SUCCESS,
            parameters=given(PROJECT="project-b", COMMIT=""),
            name=clean(f"#40 project-b@{COMMIT[:12]}"),
            detailed=True,
        ),
    ],
)
def test_a_commit_that_was_trained_is_forced(before: Build) -> None:
    told = again(training(), before)
    assert told.values["FORCE"] == "true"
    assert sentences(told) == [("but", "1d44b02 was trained in #40. FORCE is set.")]
    assert entry(told, "COMMIT")[1] == "trained in #40"
    assert told.trained == 40


@pytest.mark.parametrize(
    "before",
    [
        training(40, Result.FAILURE),
        training(40, Result.SUCCESS, COMMIT=OTHER),
        training(40, Result.SUCCESS, PROJECT="project-a"),
        build(number=40, result=Result.SUCCESS, name=clean(f"#40 other-project-b@{COMMIT[:12]}"), detailed=True),
    ],
)
def test_what_was_not_trained_is_not_forced(before: Build) -> None:
    told = again(training(), before)
    assert told.values["FORCE"] == "false"
    assert entry(told, "COMMIT")[1] == "not trained yet"


def test_a_person_who_takes_force_away_is_told_what_comes_of_it() -> None:
    told = again(training(), training(40, Result.SUCCESS), values={"FORCE": "no"})
    assert told.values["FORCE"] == "false"
    assert sentences(told) == [("but", "#40 trained this commit: without FORCE the build ends at once, as skipped.")]


def test_forced_by_wish() -> None:
    assert again(training(), force=True).values["FORCE"] == "true"


def test_going_on_from_a_checkpoint() -> None:
    told = asked(Wish(clean("train"), training().ref, resume_from=41), TRAIN, training(), (), "checkpoint epoch-8")
    assert told.values["RESUME_FROM"] == "41"
    assert entry(told, "RESUME_FROM") == ("41", "was empty: checkpoint epoch-8", True, None)


def test_an_empty_commit_is_another_one_by_now() -> None:
    source = build(number=41, parameters=given(PROJECT="project-b", COMMIT=""), commit=clean(COMMIT), detailed=True)
    words = "COMMIT is empty: that is the newest of the release branch when it begins; #41 trained 1d44b02."
    assert sentences(again(source)) == [("but", words)]


def test_another_project_does_not_get_what_belonged_to_the_first() -> None:
    told = again(training(OVERRIDES="lr=1", RESUME_FROM="40"), values={"PROJECT": "project-a"})
    assert {name: told.values[name] for name in ("PROJECT", "COMMIT", "OVERRIDES", "RESUME_FROM")} == {
        "PROJECT": "project-a",
        "COMMIT": "",
        "OVERRIDES": "",
        "RESUME_FROM": "",
    }
    kept = again(training(), values={"PROJECT": "project-a", "COMMIT": OTHER})
    assert kept.values["COMMIT"] == OTHER


def test_a_first_build_has_the_jobs_defaults() -> None:
    fields = (field("EPOCHS", FieldKind.TEXT, "3"), field("KIND", FieldKind.CHOICE, "fast", "fast", "slow"))
    assert again(None, fields=fields).values == {"EPOCHS": "3", "KIND": "fast"}


def secret(values: Mapping[str, str], before: str | None = None) -> Asked:
    fields = (field("TOKEN", FieldKind.PASSWORD, None), field("NOTE"))
    source = build(parameters=given(TOKEN=before, NOTE="x"), detailed=True)
    return again(source, fields=fields, values=values)


def test_a_secret_is_sent_and_never_shown() -> None:
    told = secret({"TOKEN": "hunter2"})
    assert told.values["TOKEN"] == "hunter2"
    assert entry(told, "TOKEN")[0] == MASK
    assert "hunter2" not in repr(told)
    assert "hunter2" not in repr(Wish(clean("x"), None, {"TOKEN": "hunter2"}))


def test_a_secret_of_the_build_before_is_left_to_the_default() -> None:
    told = secret({})
    assert "TOKEN" not in told.values
    assert entry(told, "TOKEN") == ("", "hidden: the job's default is used", False, None)


def test_changes_are_marked_with_what_was() -> None:
    told = again(training(OVERRIDES="lr=1\nb=2"), values={"OVERRIDES": "lr=2", "RESUME_FROM": "7"})
    assert entry(told, "OVERRIDES") == ("lr=2", "was lr=1", True, None)
    assert entry(told, "RESUME_FROM") == ("7", "was empty", True, None)
    assert entry(told, "PROJECT")[2] is False


def test_parameters_that_came_and_went() -> None:
    fields = (*TRAIN, field("LICENSE", FieldKind.CHOICE, "mit", "mit", "none"))
    told = again(training(GPU="1"), fields=fields)
    assert entry(told, "LICENSE") == ("mit", "new since #41", False, None)
    assert entry(again(training(), fields=fields, values={"LICENSE": "none"}), "LICENSE") == (
        "none",
        "new since #41",
        True,
        None,
    )
    assert told.values["LICENSE"] == "mit"
    assert "GPU" not in told.values
    assert sentences(told) == [("goes", "GPU: the job has no such parameter any more")]


@pytest.mark.parametrize(
    ("one", "value", "problem"),
    [
        (field("KIND", FieldKind.CHOICE, "a", "a", "b"), "moon", "KIND cannot be moon: it is one of a, b."),
        (field("KIND", FieldKind.CHOICE, "a", "a", "b"), "", "KIND cannot be empty: it is one of a, b."),
        (field("FAST", FieldKind.BOOLEAN, "false"), "perhaps", "FAST is true or false, not perhaps."),
        (field("DATA", FieldKind.FILE, None), "x", "DATA is a file, which cannot be sent from here."),
        (field("FAST", FieldKind.BOOLEAN, "false"), "YES", None),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_field(one: Definition, value: str, problem: str | None) -> None:
    told = again(None, fields=(one,), values={str(one.name): value})
    assert entry(told, str(one.name))[3] == problem


def test_people_write_booleans_in_many_ways_and_jenkins_gets_one() -> None:
    assert again(None, fields=(field("FAST", FieldKind.BOOLEAN, "false"),), values={"FAST": "On"}).values == {"FAST": "true"}


def test_a_value_that_is_not_shown_as_it_is_is_not_sent_again() -> None:
    source = build(parameters=(Parameter(clean("NOTE"), clean("a\x1b[31mb"), exact=False),), detailed=True)
    told = again(source, fields=(field("NOTE"),))
    words = "NOTE of the build before holds characters that are not shown as they are: give it anew."
    assert entry(told, "NOTE")[3] == words
    assert entry(again(source, fields=(field("NOTE"),), values={"NOTE": "ab!"}), "NOTE")[3] is None
