"""Where a key stands in a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.settings.lines import LineFinder

TRICKY = '''# comment with [docker] in it
title = "a # no comment"
[docker]   # the table
host = "x"
"quoted key" = 1
'single' = 2
tls.deep . er = true
text = """
host = "not a key"
""" # after
raw = \'\'\'
[table]
\'\'\'
list = [
  1, # one
  { inner = 2 },
  "]",
]
table = { a = 1, b = { c = "}" } }
[[array]]
x = 1
[[array]]
x = 2
[a."b.c".d]
z = 1'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("docker",), 3),
        (("docker", "host"), 4),
        (("docker", "quoted key"), 5),
        (("docker", "single"), 6),
        (("docker", "tls"), 7),
        (("docker", "tls", "deep", "er"), 7),
        (("docker", "text"), 8),
        (("docker", "raw"), 11),
        (("docker", "list"), 14),
        (("docker", "table"), 19),
        (("docker", "table", "b", "c"), 19),
        (("array",), 20),
        (("a", "b.c", "d", "z"), 25),
        (("docker", "unknown"), 3),
        (("nowhere",), 1),
    ],
)
def test_lines(path: tuple[str, ...], line: int) -> None:
    tomllib.loads(TRICKY)
    assert LineFinder(TRICKY).line(path) == line


_KEY = st.text(alphabet="abcdef_-", min_size=1, max_size=5)
_VALUE = st.sampled_from(
    [
        "1",
        "true",
        '"x"',
        "'#'",
        '"a \\" = [b"',
        "[1, 2]",
        "[\n 1,\n # c\n]",
        "{ q = 1 }",
        '"""\nk = 1\n"""',
        "'''\n[t]\n'''",
    ]
)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, dict[tuple[str, ...], int]]:
    """A TOML text, and the line that each of its keys was written on."""
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["pair", "pair", "blank", "comment", "table"]))
        if kind == "blank":
            lines.append(draw(st.sampled_from(["", "  ", "\t"])))
        elif kind == "comment":
            lines.append("# " + draw(st.sampled_from(["x = 1", "[t]", '"""'])))
        elif kind == "table":
            name = draw(_KEY)
            if (name,) not in expected:
                table = (name,)
                expected[table] = len(lines) + 1
                lines.append(f"[ {name} ]  # here")
        else:
            name = draw(_KEY)
            if (*table, name) not in expected:
                expected[(*table, name)] = len(lines) + 1
                lines += f"{name} = {draw(_VALUE)}".split("\n")
    return "\n".join(lines), expected


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in value.items():
        yield (*path, name)
        if isinstance(inner, dict):
            yield from _paths(inner, (*path, name))


@given(made=_files())
def test_any_file_that_was_written_line_by_line(made: tuple[str, dict[tuple[str, ...], int]]) -> None:
    text, expected = made
    parsed = set(_paths(tomllib.loads(text)))
    finder = LineFinder(text)
    for path, line in expected.items():
        assert path in parsed
        assert finder.line(path) == line
