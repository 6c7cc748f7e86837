"""Checkpoints: whole or not there, whatever happens while one is written."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from projects._template.src.contract import TrainingError, checkpoints
from projects._template.src.contract.checkpoints import Checkpoints, State, newest
from tests.projects.kit import training


def weights(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        assert list(folder.iterdir()) == []
        (folder / "parts").mkdir()
        (folder / "parts" / "weights").write_text(text, encoding="utf-8")

    return write


def read(folder: Path) -> tuple[int, str]:
    """Epoch and weights of the newest; its state and its weights are of one time."""
    place, state = newest(folder)
    return state.epoch, (place / "parts" / "weights").read_text(encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def at(epoch: int, step_in_epoch: int = 0) -> State:
    return State(seed=7, epoch=epoch, step=100 * epoch + step_in_epoch, step_in_epoch=step_in_epoch)


def test_everything_that_a_state_knows_comes_back(tmp_path: Path) -> None:
    state = State(
        seed=7,
        epoch=3,
        step=310,
        step_in_epoch=10,
        history=[{"epoch": 1, "val_loss": 0.1 + 0.2}],
        best={"metric": "val_loss", "value": 1 / 3, "epoch": 1},
        more={"order": [2, 1], "name": "金"},
    )
    place = Checkpoints(tmp_path).save(state, weights("w"))
    assert newest(tmp_path) == (place, state)
    assert place == tmp_path / "epoch-3-step-310"


def test_metrics_of_another_library_are_kept_too(tmp_path: Path) -> None:
    """They are good in events and in metrics.json."""

    class Scalar:
        def item(self) -> float:
            return 0.5

    state = at(1)
    state.history.append({"epoch": 1, "val_loss": Scalar()})
    Checkpoints(tmp_path).save(state, weights("w"))
    assert newest(tmp_path)[1].history == [{"epoch": 1, "val_loss": 0.5}]


def test_the_two_newest_stay(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    for epoch, left in enumerate([["1"], ["1", "2"], ["2", "3"], ["3", "4"]], start=1):
        kept.save(at(epoch), weights(f"of {epoch}"))
        assert names(tmp_path) == [f"epoch-{number}" for number in left]
        assert read(tmp_path) == (epoch, f"of {epoch}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-3", "epoch-4", "latest"]


@pytest.mark.parametrize("moved", [0, 3600], ids=["one tick of the clock", "a clock that was set back"])
def test_the_two_newest_stay_whatever_the_clock_says(tmp_path: Path, moved: int) -> None:
    """Epochs may be shorter than a tick of the file system's clock."""
    for folder in (tmp_path / str(number) for number in range(8)):
        kept = Checkpoints(folder)
        for epoch in range(1, 8):
            place = kept.save(at(epoch), weights("w"))
            os.utime(place, (1_000_000_000 - moved * epoch,) * 2)
        assert names(folder) == ["epoch-6", "epoch-7"]


def test_what_a_killed_training_left_takes_no_place(tmp_path: Path) -> None:
    Checkpoints(tmp_path).save(at(3), weights("of 3"))
    (tmp_path / ".unfinished-epoch-3-step-350").mkdir()
    Checkpoints(tmp_path).save(at(4), weights("of 4"))
    assert {"epoch-3", "epoch-4"} <= set(names(tmp_path))


def test_nothing_is_written_twice_where_nothing_was_learned(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    first = kept.save(at(1), weights("of 1"))

    def never(folder: Path) -> None:
        raise AssertionError(folder)

    assert kept.save(at(1), never) == first
    assert kept.save(at(1, 5), weights("more")) == tmp_path / "epoch-1-step-105"


def test_another_training_in_the_same_folder_overwrites_nothing(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        Checkpoints(tmp_path).save(at(1), weights(f"of training {number}"))
        assert read(tmp_path) == (1, f"of training {number}")
    assert len(names(tmp_path)) == 2


def test_a_writer_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.save(at(1), weights("of 1"))

    def fail(folder: Path) -> None:
        (folder / "parts").mkdir()
        (folder / "parts" / "weights").write_text("half", encoding="utf-8")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        kept.save(at(2), fail)
    assert read(tmp_path) == (1, "of 1")
    kept.save(at(2), weights("of 2"))
    assert read(tmp_path) == (2, "of 2")
    assert names(tmp_path) == ["epoch-1", "epoch-2"]


def test_an_end_at_any_point_leaves_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends at every system call by which a checkpoint becomes whole and known."""
    calls = 0
    until = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            if calls == until:
                raise KeyboardInterrupt
            return real(*given, **more)

        return call

    seen = set()
    while True:
        until += 1
        folder = tmp_path / str(until)
        kept = Checkpoints(folder)
        kept.save(at(1), weights("of 1"))
        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", counted(os.fsync))
            patch.setattr(os, "open", counted(os.open))
            patch.setattr(Path, "rename", counted(Path.rename))
            patch.setattr(Path, "replace", counted(Path.replace))
            patch.setattr(Path, "write_text", counted(Path.write_text))
            patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
            try:
                kept.save(at(2), weights("of 2"))
            except KeyboardInterrupt:
                pass
            else:
                break
        found = read(folder)
        assert found in {(1, "of 1"), (2, "of 2")}
        seen.add(found)
        Checkpoints(folder).save(at(2), weights("of a next training"))
        assert read(folder) == (2, "of a next training")
    assert until > 10
    assert seen == {(1, "of 1"), (2, "of 2")}


def test_a_training_killed_while_it_writes_leaves_the_one_before(tmp_path: Path) -> None:
    program = """
def write(folder):
    (folder / "parts").mkdir()
    (folder / "parts" / "weights").write_text("half")
    if (OUT / "checkpoint" / "latest").exists():
        tell("writing")
        wait_for("never")

def train(run):
    run.start(epochs=3, steps=3, device="cpu")
    run.save(State(seed=1, epoch=1), write)
    run.save(State(seed=1, epoch=2), write)

sys.exit(contract.main(train))
"""
    with training(tmp_path / "out", program) as killed:
        killed.until_marked("writing")
        killed.send(signal.SIGKILL)
        assert killed.status() == -signal.SIGKILL
    folder = killed.out / "checkpoint"
    assert read(folder) == (1, "half")
    assert [event["epoch"] for event in killed.events("checkpoint")] == [1]
    Checkpoints(folder).save(at(2), weights("of 2"))
    assert read(folder) == (2, "of 2")
    assert names(folder) == ["epoch-1", "epoch-2"]


def _whole(folder: Path) -> None:
    Checkpoints(folder).save(at(1), weights("of 1"))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("latest", None),
        ("latest", b""),
        ("latest", b"\n"),
        ("latest", b"epoch-9\n"),
        ("latest", b"\xff\xfe\0"),
        ("epoch-1/state.json", None),
        ("epoch-1/state.json", b""),
        ("epoch-1/state.json", b'{"seed": 7, "epo'),
        ("epoch-1/state.json", b"\xff"),
        ("epoch-1/state.json", b"[]"),
        ("epoch-1/state.json", b"7"),
        ("epoch-1/state.json", b"{}"),
        ("epoch-1/state.json", json.dumps({"seed": 7, "of_another_version": 1}).encode()),
    ],
)
def test_a_damaged_folder_is_one_sentence(tmp_path: Path, file: str, content: bytes | None) -> None:
    _whole(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        newest(tmp_path)
    assert str(caught.value).startswith(f"there is no checkpoint to resume from in {tmp_path}: ")


@pytest.mark.parametrize("name", ["empty", "missing", "file"])
def test_a_folder_without_checkpoints_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="there is no checkpoint to resume from"):
        newest(tmp_path / name)


def test_its_size_is_that_of_all_files(tmp_path: Path) -> None:
    place = Checkpoints(tmp_path).save(at(1), weights("12345"))
    assert checkpoints.size(place) == 5 + (place / "state.json").stat().st_size
