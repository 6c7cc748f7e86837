"""How far an image is, and how much of a model is sent, as the log of its build says it."""

from __future__ import annotations

import pytest

from console.model.stagestep import step_now, step_of
from console.text import Clean


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[build] Step 6/9 : RUN pip install --no-cache-dir --require-hashes -r requirements.txt", "6/9: pip install"),
        ("[2026-11-24T11:00:00.123Z] [build] Step 6/9 : RUN pip install -r a.txt\r", "6/9: pip install"),
        ("[build] #12 [6/9] RUN pip install --no-cache-dir -r requirements.txt", "6/9: pip install"),
        ("[build] #12 [stage-1 6/9] RUN --mount=type=cache,target=/root pip install x", "6/9: pip install x"),
        ("[build] #12 [stage-1  6/12] COPY --from=base /app /app", "6/12: COPY /app /app"),
        ("[build] Step 2/9 : RUN apt-get update && apt-get install -y git", "2/9: apt-get update"),
        ("[build] Step 8/9 : WORKDIR /app", "8/9: WORKDIR /app"),
        ("[build] Step 8/9 : RUN -x", "8/9: -x"),
        ("[build] Step 8/9 : RUN", "8/9: RUN"),
    ],
)
def test_a_step_is_its_number_and_what_it_does(line: str, words: str) -> None:
    assert step_now([line, "[build] Collecting torch"]) == words


@pytest.mark.parametrize(
    "line", ["step 6/9", "step 3000/6330  loss 0.4", "[build] Step 6/9", "[start] Step 6/9 : x", "[build] #12 CACHED", ""]
)
def test_nothing_else_is_a_step(line: str) -> None:
    assert step_of(line) is None
    assert step_now([line], Clean("5/9: x")) == "5/9: x"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[publish] 118 MB of 412 MB sent", "118 MB of 412 MB sent"),
        ("[2026-11-24T11:00:00.123Z] [publish] 1.8 GB of 3.2 GB sent\r", "1.8 GB of 3.2 GB sent"),
        ("[publish] 412 MB in 6 files to ann/small", None),
        ("[publish] ann/small build-48 is published: https://x", None),
        ("118 MB of 412 MB sent", None),
        ("[publish] 118 MB of 412 MB sent twice", None),
    ],
)
def test_how_much_of_a_model_is_sent(line: str, words: str | None) -> None:
    assert step_now(["[Pipeline] { (Publish)", line, "[publish] and more"]) == words


def test_the_newest_counts_until_another_stage_begins() -> None:
    lines = ["[Pipeline] { (image)", "[build] Step 1/9 : FROM x", "[build] Step 2/9 : RUN y"]
    assert step_now(lines, Clean("9/9: of another")) == "2/9: y"
    assert step_now([*lines, "[Pipeline] { (train)", "epoch 1"], Clean("2/9: y")) is None
    assert step_now([], Clean("2/9: y")) == "2/9: y"
    assert step_now([]) is None
