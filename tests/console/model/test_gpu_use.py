"""Whose a process on a card is, and whom a card serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from console.model.build import BuildRef
from console.model.container import Container
from console.model.gpu import GpuReading, GpuWorld, Instance
from console.model.gpu_use import OUTSIDE, UNSEEN, given_cards, holders, run_name, used_by, waits_for_gpu
from console.model.jenkins import Held
from console.model.waiting import held_reason
from console.text import clean
from tests.console.fake_gpus import card, process
from tests.console.fakes import NOW, container


def training(name: str = "a", **labels: str) -> Container:
    return container(name, labels={f"mlops.{key}": value for key, value in labels.items()})


def world(*cards: object, idle: Mapping[tuple[int, int], object] | None = None) -> GpuWorld:
    told = GpuReading(clean("580"), clean("13.0"), cards)  # type: ignore[arg-type]  # cards, made by `card`
    return GpuWorld(told, process_idle_since=idle or {})  # type: ignore[arg-type]  # moments


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (training(project="project-a", build="128", job="train", purpose="train"), "project-a #128"),
        (training(project="project-a", build="128"), "project-a #128"),
        (training(project="project-a", build="128", purpose="validate"), "project-a #128 validate"),
        (training(project="project-a", build="3", job="local"), "project-a #3"),
        (training("notebook", project="project-a"), "notebook"),
        (container("mlops-web-1", service="web"), "web"),
        (container("jupyter"), "jupyter"),
    ],
)
def test_a_container_is_called_by_what_people_know_it_as(one: Container, name: str) -> None:
    assert run_name(one) == name


def test_each_process_has_the_name_of_what_it_is_of() -> None:
    known = training("a", project="project-a", build="128")
    stranger = clean("f" * 64)
    told = world(
        card(0, processes=(process(1, 1 << 30, container=known.id), process(2, 2 << 30, container=stranger))),
        card(1, processes=(process(3, None), process(4, 5, hidden=True))),
        card(2, processes=None),
        idle={(0, 1): NOW},
    )
    found = holders(told, [known])
    assert [(one.card, one.process.pid, one.name) for one in found] == [
        (0, 2, "container ffffffffffff"),
        (0, 1, "project-a #128"),
        (1, 4, UNSEEN),
        (1, 3, OUTSIDE),
    ]
    assert [one.idle_since for one in found] == [None, NOW, None, None]
    assert [one.container for one in found] == [None, known, None, None]


def test_a_card_serves_who_holds_it_and_else_who_was_given_it() -> None:
    first, second = training("a", project="project-a", build="128", gpu="0"), training("b", project="b", build="7", gpu="0,1")
    held = card(0, processes=(process(1, 9, container=second.id), process(2, 5)))
    told = world(held, card(1, processes=()), card(2, processes=()))
    found = holders(told, [first, second])
    uses = [used_by(one, told, found, [first, second]) for one in told.reading.cards]
    assert uses[0] is not None
    assert (uses[0].name, uses[0].by_label) == ("b #7 +1", False)
    assert uses[1] is not None
    assert (uses[1].name, uses[1].by_label) == ("b #7", True)
    assert uses[2] is None


def test_who_cannot_be_seen_does_not_hide_what_labels_tell() -> None:
    given = training("a", project="project-a", build="128", gpu="0")
    told = world(card(0, processes=(process(1, 9, hidden=True),)), card(1, processes=(process(2, 9, hidden=True),)))
    found = holders(told, [given])
    uses = [used_by(one, told, found, [given]) for one in told.reading.cards]
    assert [(one.name, one.by_label) for one in uses if one is not None] == [("project-a #128", True), (UNSEEN, False)]


def test_a_process_of_an_instance_has_its_place() -> None:
    parts = tuple(Instance(number, 7 + number, clean("1g"), clean("M"), None, None) for number in range(2))
    told = world(card(3, mig=True, instances=parts, processes=(process(1, 2, instance=8), process(2, 1, instance=99))))
    assert [one.place for one in holders(told, [])] == ["3/1", "3"]


def test_a_training_that_has_ended_was_given_nothing() -> None:
    from console.model.container import ContainerState

    ended = replace(training("a", project="a", build="1", gpu="0"), state=ContainerState.EXITED)
    told = world(card(0, processes=()))
    assert used_by(told.reading.cards[0], told, (), [ended]) is None


@pytest.mark.parametrize(
    ("label", "cards"),
    [("none", set()), ("0", {0}), ("0,1", {0, 1}), (" 1 , 0", {0, 1}), ("all", {0, 1, 2}), ("", set()), ("x,9999", set())],
)
def test_the_label_names_cards(label: str, cards: set[int]) -> None:
    assert given_cards(training(gpu=label), [card(0), card(1), card(2)]) == cards


@pytest.mark.parametrize(
    ("lock", "word"),
    [
        ("gpu-trainer-1", "no GPU"),
        ("trainer-1-gpu-0", "no GPU"),
        ("gpu", "no GPU"),
        ("gpu-0", "no GPU"),
        ("GPUs", "no GPU"),
        ("project-a", "blocked"),
        ("gpuless", "blocked"),
        ("train-project-gputest", "blocked"),
    ],
)
def test_a_lock_of_a_card_is_a_wait_for_a_card(lock: str, word: str) -> None:
    assert held_reason(Held("lock", clean(lock), BuildRef(clean("train"), 9))).state.word == word


def test_who_waits_for_a_card_is_told_without_jenkins_as_nobody() -> None:
    assert waits_for_gpu(None, NOW) == []
