"""Which volumes hold what runs keep, and what can be gone on from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.model.container import Mount
from console.model.disk import Volume
from console.model.kept import (
    NOT_READABLE,
    UNCOLLECTED,
    Ended,
    Kept,
    KeptKind,
    homes,
    largest_first,
    resumable,
    run_name,
    uncollected,
)
from console.text import Clean, clean
from tests.console.fakes import container

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def volume(name: str, size: int | None = 5, declared: str = "") -> Volume:
    """`declared` is what Compose knows it as."""
    return Volume(clean(name), Clean("local"), {Clean("com.docker.compose.volume"): clean(declared)}, NOW, size)


def mount(source: str, target: str, kind: str = "volume") -> Mount:
    return Mount(clean(kind), clean(source), clean(target), read_only=False)


def test_homes_are_known_by_their_label_and_by_who_has_them_mounted() -> None:
    labelled, mounted = volume("p_agent-work", declared="agent-work"), volume("mine")
    others = [volume("p_agent-home", declared="agent-home"), volume("bound")]
    agent = replace(
        container("a"),
        mounts=(
            mount("mine", "/home/jenkins/agent"),
            mount("bound", "/home/jenkins/agent", "bind"),
            mount("p_agent-home", "/home"),
        ),
    )
    assert homes([labelled, mounted, *others], [agent]) == (labelled, mounted)


def test_what_trainings_have_not_given_back_yet() -> None:
    labels = {"mlops.managed": "true", "mlops.project": "project-a", "mlops.job": "train", "mlops.build": "7"}
    told = {clean(name): clean(value) for name, value in labels.items()}
    training = replace(container("t"), labels=told, mounts=(mount("v", "/out"), mount("hub", "/hf")))
    stranger = replace(container("s"), mounts=(mount("w", "/out"),))
    found = uncollected([volume("v", 9), volume("w"), volume("hub")], [training, stranger])
    assert found == (Kept(KeptKind.RUN, clean("project-a"), clean("train #7"), clean("v"), 9, NOW, note=UNCOLLECTED),)
    assert uncollected([volume("v", None)], [training])[0].note == NOT_READABLE
    assert uncollected([], [training]) == ()


def ended(project: str, ok: bool | None, hours: int, *, checkpoint: bool = True) -> Ended:
    return Ended(clean(project), ok, NOW - timedelta(hours=hours), checkpoint)


@pytest.mark.parametrize(
    ("run", "others", "goes_on"),
    [
        (ended("a", False, 3), [], True),
        (ended("a", None, 3), [], False),
        (ended("a", True, 3), [], False),
        (ended("a", False, 3, checkpoint=False), [], False),
        (ended("a", False, 3), [ended("a", True, 1)], False),
        (ended("a", False, 3), [ended("a", True, 5)], True),
        (ended("a", False, 3), [ended("b", True, 1)], True),
        (ended("a", False, 3), [ended("a", False, 1)], True),
    ],
)
def test_what_can_be_gone_on_from(run: Ended, others: list[Ended], goes_on: bool) -> None:
    assert resumable(run, [run, *others]) is goes_on


def test_names_and_order() -> None:
    assert (run_name("train", "41"), run_name("local", "3"), run_name(None, "3")) == ("train #41", "local-3", None)
    sizes: list[tuple[int | None, bool]] = [(None, False), (0, False), (5, False), (1, True)]
    found = [Kept(KeptKind.RUN, None, clean(str(size)), clean("p"), size, None, goes_on) for size, goes_on in sizes]
    assert [one.bytes for one in largest_first(found)] == [1, 5, 0, None]
