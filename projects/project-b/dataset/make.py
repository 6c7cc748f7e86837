"""Write the data set that project-b trains on into a folder: diamonds.csv and its card.

The file ships in the package plotnine, which is installed for nothing else and never imported.
"""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

CARD = """---
license: mit
task_categories: [tabular-classification]
pretty_name: Diamonds
---

# Diamonds

Price, weight, colour, clarity, size and cut of 53,940 round-cut diamonds, as the package plotnine {version} ships them
(MIT license; it has them from ggplot2). One row a stone; `cut` is what project-b learns to tell.
"""


def main(out: Path) -> None:
    package = metadata.distribution("plotnine")
    shutil.copyfile(str(package.locate_file("plotnine/data/diamonds.csv")), out / "diamonds.csv")
    (out / "README.md").write_text(CARD.format(version=package.version), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
