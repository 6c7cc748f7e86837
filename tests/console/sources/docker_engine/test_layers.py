"""Steps of a history put to the layers of an image: the words of both builders, and what fits otherwise or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from console.sources.docker_engine.layers import Step, chains, diff_ids_of, layers, layers_by_counts, steps_of

EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


def diff(number: int) -> str:
    return f"sha256:{number:064x}"


def sizes(diff_ids: Sequence[str], steps: Sequence[tuple[int, str]]) -> list[int] | None:
    made = layers(diff_ids, [Step(*step) for step in steps], sum(size for size, _ in steps))
    return None if made is None else [layer.size for layer in made]


def test_a_chain_is_named_as_docker_names_it() -> None:
    first, second, third = (diff(number) for number in range(3))
    two = "sha256:" + hashlib.sha256(f"{first} {second}".encode()).hexdigest()
    three = "sha256:" + hashlib.sha256(f"{two} {third}".encode()).hexdigest()
    assert chains([first, second, third]) == (first, two, three)
    assert chains([]) == ()


def test_the_empty_layer_is_the_archive_of_nothing() -> None:
    assert f"sha256:{hashlib.sha256(bytes(1024)).hexdigest()}" == EMPTY


@pytest.mark.parametrize(
    ("by", "makes_one"),
    [
        ("RUN /bin/sh -c true # buildkit", True),
        ("RUN |1 A=1 /bin/sh -c true # buildkit", True),
        ("COPY a /a # buildkit", True),
        ("ADD a /a # buildkit", True),
        ("WORKDIR /app", True),
        ("WORKDIR /", False),
        ("ENV A=1", False),
        ("LABEL a=RUN", False),
        ('CMD ["sh"]', False),
        ("|1 A=1 /bin/sh -c make", True),
        ("/bin/sh -c make", True),
        ("/bin/sh -c #(nop) COPY file:1 in /a ", True),
        ("/bin/sh -c #(nop) WORKDIR /app", True),
        ("/bin/sh -c #(nop)  ENV A=1", False),
        ("/bin/sh -c #(nop)  CMD []", False),
        ("cmd /S /C #(nop)  USER x", False),
        ("/bin/sh -c echo '#(nop)  CMD'", True),
        ("", True),
        ("bazel build ...", True),
    ],
)
def test_words(by: str, makes_one: bool) -> None:
    assert Step(0, by).makes_one is makes_one
    assert Step(1, by).makes_one, "what has a size has made a layer, whatever it is called"


def test_a_step_without_a_size_keeps_its_place_among_the_layers() -> None:
    steps = [(5, ""), (0, "ENV A=1"), (0, "WORKDIR /app"), (7, "COPY a /a # buildkit"), (0, "CMD x")]
    assert sizes([diff(1), diff(2), diff(3)], steps) == [5, 0, 7]


def test_steps_that_left_no_layer_are_left_out_when_the_rest_fits() -> None:
    steps = [(5, ""), (0, "/bin/sh -c true"), (7, "/bin/sh -c make")]
    assert sizes([diff(1), diff(2)], steps) == [5, 7]


def test_empty_layers_are_known_by_their_digest() -> None:
    steps = [(5, ""), (0, "told by nobody"), (0, "nor this"), (7, "make")]
    assert sizes([diff(1), EMPTY, diff(2)], steps) == [5, 0, 7]


def test_what_does_not_fit_is_not_made_up() -> None:
    steps = [(5, ""), (0, "/bin/sh -c true"), (0, "/bin/sh -c mkdir /a"), (7, "/bin/sh -c make")]
    assert sizes([diff(1), diff(2), diff(3)], steps) is None
    assert layers([diff(1)], [Step(5, "")], 6) is None, "the layers must add up to the image"
    assert layers(None, [Step(5, "")], 5) is None
    assert layers([diff(1)], None, 5) is None


def test_counts_tell_which_step_left_a_layer() -> None:
    steps = [Step(5, ""), Step(0, "/bin/sh -c true"), Step(0, "/bin/sh -c mkdir /a"), Step(7, "/bin/sh -c make")]
    three = [diff(1), diff(2), diff(3)]
    found = layers_by_counts(three, steps, [1, 1, 2, 3], 12)
    assert found is not None
    assert [layer.size for layer in found] == [5, 0, 7]
    below = layers_by_counts(three, steps, [None, 1, 2, 3], 12)
    assert below == found, "what stood below the first that is known is found by words"
    assert layers_by_counts(three, steps, [None, None, None, None], 12) is None
    assert layers_by_counts(three, steps, [1, None, 2, 3], 12) is None
    assert layers_by_counts(three, steps, [1, 2, 3, 3], 12) is None, "a step with a size made a layer"
    assert layers_by_counts(three, steps, [1, 3, 3, 3], 12) is None


@pytest.mark.parametrize(
    "history", [None, {}, [{"Size": -1}], [{"Size": "5"}], [{"Size": True}], [{}], ["x"], [{"Size": 5}, None]]
)
def test_a_history_that_is_none(history: object) -> None:
    assert steps_of(history) is None


def test_a_history_is_told_from_its_end() -> None:
    image = diff(9)
    raw = [{"Size": 7, "CreatedBy": "b", "Id": image}, {"Size": 5, "CreatedBy": None, "Id": "<missing>"}]
    assert steps_of(raw) == (Step(5, ""), Step(7, "b", image))


@pytest.mark.parametrize("root", [None, {}, {"Layers": None}, {"Layers": []}, {"Layers": [5]}, {"Layers": ["../x"]}])
def test_layers_that_are_none(root: object) -> None:
    assert diff_ids_of({"RootFS": root}) is None
    assert diff_ids_of(root) is None
