"""Makes the tables in docs/ anew from the code that they describe."""

from __future__ import annotations

from pathlib import Path

from console.cli.group import manual
from console.settings.manual import markdown as settings
from console.ui.keymap import markdown as keys

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- made by `make docs` -->\n", "<!-- end -->\n"


def replace_table(page: Path, table: str) -> None:
    """Put `table` between the two marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    replace_table(DOCS / "settings.md", settings())
    replace_table(DOCS / "keys.md", keys())
    replace_table(DOCS / "cli.md", manual())
