"""Diamonds made up, with a cut that can be told from their sides, and a Hub's cache that holds them."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from src.data import CLARITIES, CLASSES, COLOURS

REPO = "somebody/diamonds"
REVISION = "0123456789abcdef0123456789abcdef01234567"
COLUMNS = ("carat", "cut", "color", "clarity", "depth", "table", "price", "x", "y", "z")

Row = dict[str, str]


def rows(count: int, seed: int = 1, noise: float = 0.5) -> list[Row]:
    """No two are equal. `noise` is how far the sides stray from what the cut says: the more, the less can be learned."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        cut = draw.choices(range(len(CLASSES)), weights=[1, 2, 4, 4, 6])[0]
        carat = draw.uniform(0.2, 3)
        made.append(
            {
                "carat": f"{carat:.2f}",
                "cut": CLASSES[cut],
                "color": draw.choice(COLOURS),
                "clarity": draw.choice(CLARITIES),
                "depth": f"{66 - cut + draw.gauss(0, noise):.1f}",
                "table": f"{62 - cut + draw.gauss(0, noise):.1f}",
                "price": str(300 + number),
                "x": f"{carat**0.33 * 6.5:.2f}",
                "y": f"{carat**0.33 * 6.5:.2f}",
                "z": f"{carat**0.33 * 4:.2f}",
            }
        )
    return made


def write(folder: Path, made: list[Row]) -> Path:
    """diamonds.csv in a folder; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "diamonds.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows(made)
    return folder


def cache(home: Path, made: list[Row]) -> Path:
    """HF_HOME as the Hub's library lays it out; returns it."""
    repo = home / "hub" / f"datasets--{REPO.replace('/', '--')}"
    write(repo / "snapshots" / REVISION, made)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(REVISION, encoding="utf-8")
    return home
