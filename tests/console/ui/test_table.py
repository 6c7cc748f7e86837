"""A list of things as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.model.glyphs import Glyphs
from console.model.state import StateClass, state
from console.ui.columns import Column
from console.ui.look import Look
from console.ui.palette import Role, choose
from console.ui.table import NAME, STATE, Table, TableRow, lines, rows_from

LOOK = Look(choose("dark", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, color=True), Glyphs(unicode=True))
COLUMNS = (
    Column(NAME, 6, 8, 0, 0),
    Column(STATE, 9, 9, 0, 0),
    Column("took", 5, 5, 0, 2, right=True),
    Column("why", 10, 10, 500, 1),
)


def row(key: str, **cells: str) -> TableRow:
    return TableRow(key, state(StateClass.GOOD, "passed"), {NAME: key, **cells})


def table(
    rows: Sequence[TableRow] = (), *, title: str = "1 Builds", headers: Mapping[str, str] | None = None, **more: object
) -> Table:
    return Table(title, COLUMNS, rows, rows[0].key if rows else None, 0, focused=True, headers=headers or {}, **more)  # type: ignore[arg-type]


def text(made: Table, width: int = 50, height: int = 10) -> list[str]:
    return ["".join(part for part, _ in line).rstrip() for line in lines(made, LOOK, width, height)]


def test_the_title_is_the_header_of_the_columns() -> None:
    assert text(table([row("a", took="12s", why="push")])) == [
        " 1 Builds state      took why",
        "▐a        ✓ passed    12s push",
    ]


def test_a_long_title_takes_the_place_of_the_headers_it_covers() -> None:
    assert text(table(title="1 Builds of all"))[0] == " 1 Builds of all     took why"
    assert text(table(title="1 Builds of everybody"))[0] == " 1 Builds of everybody    why"


def test_headers_may_have_other_words_or_none() -> None:
    assert text(table(headers={"state": "", "why": "why it ran"}))[0] == " 1 Builds            took why it ran"


def test_notes_stand_where_the_headers_were() -> None:
    told = text(table([row("a")], notes=("/aug", "by job")))[0]
    assert told.startswith(" 1 Builds  ")
    assert told.endswith("/aug by job")
    assert "took" not in told


def test_sentences_stand_above_the_rows_and_count() -> None:
    sentence = "Jenkins does not answer at https://ci.example.org: connection refused."
    made = table([row("a"), row("b")], sentences=((sentence, Role.BAD),), stale=True)
    assert text(made)[1:3] == [" Jenkins does not answer at", " https://ci.example.org: connection refused."]
    assert rows_from(made, 50) == 3
    assert text(made)[3].split()[:2] == ["▐a", "?"]
    assert text(made, height=4)[-1].startswith("▐a")


def test_what_is_too_long_is_cut_in_its_middle_or_at_its_end() -> None:
    told = text(table([row("customer-churn", why="x" * 60)]))[1]
    assert told.startswith("▐cust⋯urn ")
    assert told.endswith("x⋯")
    assert len(told) == 49


def test_a_row_matches_what_it_shows() -> None:
    one = row("Feature/aug", why="push of main")
    assert one.matches(["aug", "passed"])
    assert one.matches(["Feature"])
    assert not one.matches(["FEATURE"])
    assert not one.matches(["aug", "failed"])


def test_one_text_may_span_columns() -> None:
    wide = replace(row("a"), span="out of memory", quiet=True)
    made = text(table([wide, row("b", took="12s", why="push")], spanned=("took", "why")))
    assert made[1] == "▐a        ✓ passed  out of memory"
    assert made[2].endswith("12s push")


def test_a_bar_has_its_text_behind_it() -> None:
    half = replace(row("a", why=" 50%"), bars={"why": 0.5})
    line = text(table([half]), 40)[1]
    assert line.endswith("⣀  50%")
    assert len(line) == 39


def test_what_somebody_knows_of_is_not_bold() -> None:
    broken = replace(row("a"), state=state(StateClass.BROKEN, "failed"))

    def loud(one: TableRow) -> bool:
        line = lines(replace(table([one]), focused=False), LOOK, 50, 10)[1]
        return any(style.bold for part, style in line if part.strip())

    assert loud(broken)
    assert not loud(replace(broken, quiet=True))
    assert "? failed" in text(table([replace(broken, muted=True)]))[1]
