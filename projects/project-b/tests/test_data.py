"""The table and its three splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from src import data
from src.contract import TrainingError
from src.data import CLASSES, COLOURS, FEATURES, Data, Split

from tests import diamonds
from tests.diamonds import COLUMNS, Row

KNOWN_BY = ("carat", "color", "clarity", "price")


def stones(split: Split) -> set[tuple[float, ...]]:
    columns = [FEATURES.index(name) for name in KNOWN_BY]
    return {tuple(row) for row in split.x[:, columns].tolist()}


def parts(loaded: Data) -> tuple[Split, Split, Split]:
    return loaded.train, loaded.validation, loaded.test


def equal(one: Data, other: Data) -> bool:
    pairs = zip(parts(one), parts(other), strict=True)
    return all(np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y) for a, b in pairs)


def wrong(folder: Path) -> str:
    with pytest.raises(TrainingError) as caught:
        data.load(folder)
    return str(caught.value)


def changed(row: Row, **cells: str) -> Row:
    return {**row, **cells}


def test_a_row_becomes_numbers(tmp_path: Path) -> None:
    cells = ("0.23", "Premium", "E", "VVS2", "61.5", "55", "123456", "3.95", "3.98", "2.43")
    row = dict(zip(COLUMNS, cells, strict=True))
    loaded = data.load(diamonds.write(tmp_path, [*diamonds.rows(300), row]))
    found = [(split, index) for split in parts(loaded) for index in np.flatnonzero(split.x[:, 3] == 123456)]
    ((split, index),) = found
    assert split.x[index].tolist() == [0.23, 61.5, 55.0, 123456.0, 3.95, 3.98, 2.43, 1.0, 5.0]
    assert CLASSES[split.y[index]] == "Premium"
    assert len(FEATURES) == split.x.shape[1] == 9


def test_grades_are_counted_from_one_end(tmp_path: Path) -> None:
    loaded = data.load(diamonds.write(tmp_path, diamonds.rows(2000)))
    x = loaded.train.x
    assert set(x[:, FEATURES.index("color")]) == set(range(len(COLOURS)))
    assert set(x[:, FEATURES.index("clarity")]) == set(range(8))
    assert set(loaded.train.y) == set(range(5))


def test_every_row_is_on_one_side_in_about_the_shares_that_are_wanted(tmp_path: Path) -> None:
    loaded = data.load(diamonds.write(tmp_path, diamonds.rows(2000)))
    sizes = [len(split) for split in parts(loaded)]
    assert sum(sizes) == 2000
    assert [size / 2000 for size in sizes] == pytest.approx([179 / 256, 38 / 256, 39 / 256], abs=0.03)


def test_no_stone_is_on_two_sides(tmp_path: Path) -> None:
    """The same stone, entered again with other measures."""
    made = diamonds.rows(300)
    again = [changed(row, x="1.00", depth=str(50 + number % 30)) for number, row in enumerate(made)]
    loaded = data.load(diamonds.write(tmp_path, made + again))
    train, validation, test = map(stones, parts(loaded))
    assert train.isdisjoint(validation)
    assert test.isdisjoint(train | validation)
    assert sum(len(split) for split in parts(loaded)) == 600
    assert len(train | validation | test) == 300


def test_rows_that_are_equal_count_once(tmp_path: Path) -> None:
    made = diamonds.rows(300)
    once = data.load(diamonds.write(tmp_path / "once", made))
    assert equal(once, data.load(diamonds.write(tmp_path / "twice", made + made[:200] + made[:50])))
    other_cut = [changed(row, cut=CLASSES[(CLASSES.index(row["cut"]) + 1) % 5]) for row in made]
    assert sum(len(split) for split in parts(data.load(diamonds.write(tmp_path / "other", made + other_cut)))) == 600


def test_the_side_of_a_stone_depends_on_no_other_row(tmp_path: Path) -> None:
    made = diamonds.rows(400)
    few = data.load(diamonds.write(tmp_path / "few", made[:300]))
    many = data.load(diamonds.write(tmp_path / "many", made[::-1]))
    for some, all_of_them in zip(parts(few), parts(many), strict=True):
        assert stones(some) <= stones(all_of_them)


def test_the_same_file_gives_the_same_splits(tmp_path: Path) -> None:
    folder = diamonds.write(tmp_path, diamonds.rows(300))
    assert equal(data.load(folder), data.load(folder))


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        ({"carat": "heavy"}, "heavy"),
        ({"price": ""}, ""),
        ({"x": "nan"}, "finite"),
        ({"depth": "inf"}, "finite"),
        ({"cut": "Splendid"}, "Splendid"),
        ({"cut": ""}, "cut"),
        ({"color": "Z"}, "Z"),
        ({"color": ""}, "color"),
        ({"color": "DE"}, "DE"),
        ({"clarity": "XX"}, "XX"),
    ],
)
def test_a_bad_cell_is_named_by_file_and_line(tmp_path: Path, cells: Row, named: str) -> None:
    made = diamonds.rows(300)
    made[41] = changed(made[41], **cells)
    message = wrong(diamonds.write(tmp_path, made))
    assert message.startswith("diamonds.csv, line 43: ")
    assert named in message


@pytest.mark.parametrize(
    "line", ['0.3,"Good"', '0.3,"Good","E","SI1",61,55,326,1,1,1,9,9', "x", '0.3,"Good","","SI1",61,55,326,1,1,1']
)
def test_a_row_with_too_few_or_too_many_cells_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    folder = diamonds.write(tmp_path, diamonds.rows(300))
    lines = (folder / "diamonds.csv").read_text(encoding="utf-8").splitlines()
    lines[10:10] = ["", line]  # an empty line is no row, but it is a line
    (folder / "diamonds.csv").write_text("\n".join(lines), encoding="utf-8")
    assert wrong(folder).startswith("diamonds.csv, line 12: ")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_is_missing_is_named(tmp_path: Path, column: str) -> None:
    folder = diamonds.write(tmp_path, diamonds.rows(300))
    text = (folder / "diamonds.csv").read_text(encoding="utf-8")
    (folder / "diamonds.csv").write_text(text.replace(f'"{column}"', '"something"', 1), encoding="utf-8")
    message = wrong(folder)
    assert message.startswith("diamonds.csv, line ")
    assert repr(column) in message


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_rows(tmp_path: Path, count: int) -> None:
    message = wrong(diamonds.write(tmp_path, diamonds.rows(count)))
    assert message.startswith(f"diamonds.csv has {count} different rows: too few")


def test_a_cut_that_nothing_can_be_learned_about(tmp_path: Path) -> None:
    made = [row for row in diamonds.rows(300) if row["cut"] != "Fair"]
    assert "too few" in wrong(diamonds.write(tmp_path, made))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "diamonds.csv").write_bytes(content)
    assert "diamonds.csv" in wrong(tmp_path)


def test_the_majority_is_the_commonest_class() -> None:
    y = np.array([4, 1, 1, 3, 1, 4], dtype=np.int64)
    found = data.majority(Split(np.zeros((6, 9)), y))
    assert (found, type(found)) == (1, int)
