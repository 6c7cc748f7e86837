"""What a build archives of its run: plain files, and nothing from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.jenkins.steps import artifacts
from tests.pipeline.test_trainings import TRAINS
from tests.pipeline.workplace import Repository, Workplace

ALL = ["README.md", "events.jsonl", "metrics.json", "result.json", "run.json", "train.log"]


@pytest.fixture
def place(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    (made.runs / "train-5" / "out" / "model").mkdir(parents=True)
    return made


def write(place: Repository, *names: str) -> None:
    """Files of run 5, each with its own name in it."""
    for name in names:
        (place.runs / "train-5" / name).write_text(name)


def taken(place: Repository, folder: str = "kept") -> dict[str, str]:
    """Name -> content of what an archive of the folder would hold. Links, pipes and folders are no files of it."""
    found = {path.name: path for path in (place.folder / folder).iterdir() if not path.name.startswith(".#")}
    assert all(path.is_file() and not path.is_symlink() for path in found.values())
    return {name: path.read_text() for name, path in sorted(found.items())}


def test_all_that_there_is(place: Repository) -> None:
    write(place, *artifacts.FILES, "out/model/weights", "out/other.txt", "stop.json")
    done = place.good("artifacts", "kept", BUILD_NUMBER="5")
    assert taken(place) == {Path(name).name: name for name in artifacts.FILES}
    assert done.stderr == (
        "[artifacts] 7 files in kept: metrics.json, events.jsonl, README.md, train.log, run.json, result.json, published.json\n"
    )


def test_again_it_is_what_there_is_then(place: Repository) -> None:
    write(place, "run.json", "train.log")
    place.good("artifacts", "a/kept", BUILD_NUMBER="5")
    assert sorted(taken(place, "a/kept")) == ["run.json", "train.log"]
    write(place, "result.json")
    (place.runs / "train-5" / "train.log").unlink()
    (place.folder / "a/kept/folder").mkdir()
    (place.folder / "a/kept/folder/file").touch()
    (place.folder / "a/kept/link").symlink_to(place.runs)
    said = place.good("artifacts", "a/kept", BUILD_NUMBER="5").stderr
    assert sorted(taken(place, "a/kept")) == ["result.json", "run.json"]
    assert said == "[artifacts] 2 files in a/kept: run.json, result.json\n"
    assert (place.runs / "train-5" / "run.json").exists()


def test_before_there_is_anything(place: Repository) -> None:
    assert place.good("artifacts", "kept", BUILD_NUMBER="6").stderr == "[artifacts] 0 files in kept\n"
    assert taken(place) == {}


def test_nothing_is_read_through_a_link_or_from_a_pipe(place: Repository) -> None:
    run = place.runs / "train-5"
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("metrics.json", "secret"):
        (elsewhere / name).write_text("a secret")
    write(place, "run.json")
    (run / "train.log").symlink_to(elsewhere / "secret")
    os.mkfifo(run / "result.json")
    (run / "out/README.md").mkdir()
    (run / "out/events.jsonl").symlink_to(run / "run.json")
    place.good("artifacts", "kept", BUILD_NUMBER="5")
    assert taken(place) == {"run.json": "run.json"}
    (run / "out").rename(run / "was-out")
    (run / "out").symlink_to(elsewhere)
    place.good("artifacts", "kept", BUILD_NUMBER="5")
    assert taken(place) == {"run.json": "run.json"}


def test_only_its_own_folder_is_emptied(place: Repository) -> None:
    write(place, "run.json")
    other = place.folder / "other"
    other.mkdir()
    place.good("artifacts", "other", BUILD_NUMBER="5")  # an empty one is nobody's
    (other / artifacts.MARKER).unlink()
    (other / "mine").touch()
    (place.folder / "file").touch()
    (place.folder / "link").symlink_to(place.folder / "empty")
    (place.folder / "empty").mkdir()
    (place.folder / "sly").mkdir()
    (place.folder / "sly" / artifacts.MARKER).symlink_to(place.folder / "made-by-link")
    for name, sentence in (
        ("other", "other is not empty, and nobody's to empty: name a folder that is empty, or not there."),
        ("sly", "sly is not empty, and nobody's to empty"),
        ("file", "file is no folder: name one that is not there yet."),
        ("link", "link is a symbolic link: name the folder itself."),
    ):
        done = place.step("artifacts", name, BUILD_NUMBER="5")
        assert done.returncode == 2
        assert done.stderr.startswith(f"artifacts: {sentence}")
        assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in other.iterdir()) == ["mine", "run.json"]
    assert list((place.folder / "empty").iterdir()) == []
    assert not (place.folder / "made-by-link").exists()


@pytest.mark.parametrize("words", [(), ("a", "b"), ("",)])
def test_wrong_use(place: Repository, words: tuple[str, ...]) -> None:
    done = place.step("artifacts", *words, BUILD_NUMBER="5")
    assert done.returncode == 2
    assert done.stderr == "artifacts: expected one word on the command line: artifacts FOLDER\n"


def test_of_a_real_training(work: Workplace) -> None:
    script = TRAINS + "echo '{}' >$OUT_DIR/metrics.json; echo '# card' >$OUT_DIR/README.md\n"
    work.started("small", work.project("small", script), "5")
    work.good("artifacts", "kept", BUILD_NUMBER="5")
    assert sorted(taken(work)) == ["run.json"]
    work.good("follow", BUILD_NUMBER="5")
    work.good("finish", BUILD_NUMBER="5")
    work.good("artifacts", "kept", BUILD_NUMBER="5")
    kept = taken(work)
    assert sorted(kept) == ALL
    assert kept["train.log"] == work.file("5", "train.log").read_text()
    assert kept["README.md"] == "# card\n"
