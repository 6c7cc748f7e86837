"""The log in a run's folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from console.logs.keptlog import KeptLogError, KeptTail
from console.logs.lines import OPEN, Item, Kind, Line, Notice
from console.logs.origin import KeptLog
from console.model.build import BuildRef
from console.sources.runfolders import log_of
from console.text import clean

AT = 1_795_413_618_000_000_000


def read(path: Path) -> tuple[list[Line], list[Kind]]:
    lines: list[Line] = []
    kinds: list[Kind] = []

    async def give(item: Item) -> None:
        if isinstance(item, Notice):
            kinds.append(item.kind)
        else:
            lines.extend(item)

    asyncio.run(KeptTail(KeptLog(BuildRef(clean("train"), 7), clean("train #7"), path)).run(give))
    return lines, kinds


def test_every_line_has_the_time_at_which_it_was_last_written(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(50_000)) + b"cut off")
    os.utime(log, ns=(AT, AT))
    lines, kinds = read(log)
    assert [text for _, _, text in lines] == [b"line %d" % number for number in range(50_000)] + [b"cut off"]
    assert {at for at, _, _ in lines} == {AT}
    assert [flags & OPEN for _, flags, _ in lines[-2:]] == [0, OPEN]
    assert kinds == [Kind.NOW]


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "train.log"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path / "nothing", tmp_path):
        with pytest.raises(KeptLogError) as told:
            read(path)
        assert str(path) in told.value.reason


def test_a_folder_is_known_by_what_it_says_of_itself(tmp_path: Path) -> None:
    for name, record in (("train-7", '{"job": "train", "build": 7, "run": "b"}'), ("train-8", "not JSON")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(record)
        (tmp_path / name / "train.log").write_text("epoch 1\n")
    places = (tmp_path / "away", tmp_path)
    assert log_of(places, "train", 7) == tmp_path / "train-7" / "train.log"
    assert log_of(places, "train", 7, "b") is not None
    assert log_of(places, "train", 7, "a") is None, "another training that had the number before, or after"
    assert log_of(places, "train", 8) is None
    assert log_of(places, "../x", 7) is None
    assert log_of((), "train", 7) is None
