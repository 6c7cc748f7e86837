"""Diamonds as numbers, split so that no stone is on two sides."""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.contract import TrainingError

CLASSES = ("Fair", "Good", "Very Good", "Premium", "Ideal")
COLOURS = tuple("DEFGHIJ")  # from the best to the worst
CLARITIES = ("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF")  # from the worst to the best
NUMBERS = ("carat", "depth", "table", "price", "x", "y", "z")
FEATURES = (*NUMBERS, "color", "clarity")

# Of 256 hash values: below the first train, below the second validation, the rest test.
_TRAIN, _VALIDATION = 179, 217
_MORE = "cells beyond the last column"


@dataclass(frozen=True)
class Split:
    """`x` has the shape (rows, 9), in the order of FEATURES; `y` holds indices into CLASSES."""

    x: NDArray[np.float64]
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Data:
    train: Split
    validation: Split
    test: Split


def load(folder: Path) -> Data:
    """Read diamonds.csv. Raises TrainingError, with the line, when it is not what it should be.

    The same stone was often entered several times, with other measures of its sides. So rows are drawn by a hash of what a
    stone is known by, not one by one; rows that are equal in all columns count once. No seed is involved: the test split is
    the same for every training, and no tuning sees it.
    """
    path = folder / "diamonds.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey=_MORE, restval="")
            unique = {tuple((name, str(value)) for name, value in row.items()): reader.line_num for row in reader}
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise TrainingError(f"the data set has no readable diamonds.csv: {error}") from error
    sides: tuple[list[tuple[list[float], int]], ...] = ([], [], [])
    for items, number in unique.items():
        row = dict(items)
        try:
            sides[_side(row)].append(_numbers(row))
        except (KeyError, ValueError, TypeError) as error:
            raise TrainingError(f"diamonds.csv, line {number}: {error!r}") from error
    train, validation, test = (_split(rows) for rows in sides)
    if not (len(set(train.y.tolist())) == len(CLASSES) and len(validation) and len(test)):
        raise TrainingError(f"diamonds.csv has {len(unique)} different rows: too few for three splits, one with every cut")
    return Data(train, validation, test)


def majority(split: Split) -> int:
    """The class that most rows have."""
    return int(Counter(split.y.tolist()).most_common(1)[0][0])


def _side(row: Mapping[str, str]) -> int:
    known_by = "|".join(row[name] for name in ("carat", "color", "clarity", "price"))
    drawn = hashlib.sha256(known_by.encode()).digest()[0]
    return 0 if drawn < _TRAIN else 1 if drawn < _VALIDATION else 2


def _numbers(row: Mapping[str, str]) -> tuple[list[float], int]:
    if _MORE in row:
        raise ValueError(f"{_MORE}: {row[_MORE]}")
    measures = [float(row[name]) for name in NUMBERS]
    if not all(map(math.isfinite, measures)):
        raise ValueError("a measure that is no finite number")
    grades = [float(_grade(row, "color", COLOURS)), float(_grade(row, "clarity", CLARITIES))]
    return measures + grades, _grade(row, "cut", CLASSES)


def _grade(row: Mapping[str, str], name: str, grades: tuple[str, ...]) -> int:
    if row[name] not in grades:
        raise ValueError(f"{name} is {row[name]!r}; known are {', '.join(grades)}")
    return grades.index(row[name])


def _split(rows: list[tuple[list[float], int]]) -> Split:
    return Split(np.array([x for x, _ in rows], dtype=np.float64), np.array([y for _, y in rows], dtype=np.int64))
