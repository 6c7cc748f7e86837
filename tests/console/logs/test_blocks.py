"""Tracebacks and panics as blocks: where they begin, where they end, and that the next line is none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.blocks import MOST_LINES, Blocks, Part
from console.logs.levels import suspect
from tests.console.logs.recorded import entries_of

# H begins a block, b belongs to it, . does not.
LOGS = {
    "python": """
. before
H Traceback (most recent call last):
b   File "/app/train.py", line 3, in <module>
b     main()
b     ^^^^^^
b ValueError: not a number
. after
. Another: line
""",
    "chained": """
H Traceback (most recent call last):
b   File "a.py", line 1, in f
b     x
b KeyError: 'a'
b
b During handling of the above exception, another exception occurred:
b
b Traceback (most recent call last):
b   File "a.py", line 3, in g
b     y
b RuntimeError
. after
""",
    "caused": """
H Traceback (most recent call last):
b   File "a.py", line 1, in f
b OSError: [Errno 2]
b
b The above exception was the direct cause of the following exception:
b
b Traceback (most recent call last):
b   File "a.py", line 3, in g
b app.errors.LoadError: cannot load
b   a note that was added
. epoch 1
""",
    "group": """
H   + Exception Group Traceback (most recent call last):
b   |   File "a.py", line 1, in <module>
b   |     raise eg
b   | ExceptionGroup: two (2 sub-exceptions)
b   +-+---------------- 1 ----------------
b     | ValueError: one
b     +---------------- 2 ----------------
b     | TypeError: two
b     +------------------------------------
. after
""",
    "prefixed": """
H [rank0]: Traceback (most recent call last):
b [rank0]:   File "a.py", line 1, in <module>
b [rank0]:     f()
b [rank0]: RuntimeError: NCCL error
. [rank1]: epoch 3
. epoch 4
""",
    "java": """
. java.lang.IllegalStateException: no
b 	at hudson.model.Run.execute(Run.java:1895)
b 	at java.base/java.lang.Thread.run(Thread.java:840)
b Caused by: java.io.IOException: gone
b 	... 12 more
. INFO: next
""",
    "node": """
. TypeError: x is not a function
b     at Object.<anonymous> (/app/index.js:3:1)
b     at node:internal/main/run_main_module:23:47
. done
""",
    "go": """
H panic: runtime error: index out of range [3] with length 3
b
b goroutine 1 [running]:
b main.main()
b 	/app/main.go:8 +0x1d
b exit status 2
. started again
""",
    "rust": """
H thread 'main' panicked at src/main.rs:2:5:
b index out of bounds: the len is 3 but the index is 99
b note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
. started again
""",
    "log.exception prefix once": """
H ERROR:root:Traceback (most recent call last):
b   File "a.py", line 1, in f
b     x
b ValueError: y
. after
""",
    "stamp prefix once": """
H 2026-11-23 05:44:39 ERROR x Traceback (most recent call last):
b   File "a.py", line 1, in f
b     x
b ValueError: y
. after
""",
    "blank then prose": """
H Traceback (most recent call last):
b   File "a.py", line 1, in f
b ValueError: y
b
.   step 1 loss 0.2
. epoch 3
""",
    "worker prefix": """
H worker 3 | Traceback (most recent call last):
b worker 3 |   File "a.py", line 3, in g
b worker 3 | ValueError: y
. worker 3 | epoch 4
""",
    "cut traceback": """
H Traceback (most recent call last):
b   File "a.py", line 3, in g
. epoch: 3 loss 0.2
""",
    "cut traceback 2": """
H Traceback (most recent call last):
b   File "a.py", line 3, in g
. loss: 0.2
""",
    "rank link": """
H [rank0]: Traceback (most recent call last):
b [rank0]:   File "a.py", line 3
b [rank0]: KeyError: 1
b [rank0]:
b [rank0]: During handling of the above exception, another exception occurred:
b [rank0]:
b [rank0]: Traceback (most recent call last):
b [rank0]:   File "a.py", line 3
b [rank0]: ValueError: x
. [rank0]: epoch 3
""",
    "two tracebacks": """
H Traceback (most recent call last):
b   File "a.py", line 3
b ValueError: x
H Traceback (most recent call last):
b   File "a.py", line 3
b ValueError: x
. after
""",
    "none": """
. a log about Traceback objects
. panicked people
.   at home
. Caused by the weather
""",
}


@pytest.mark.parametrize("name", LOGS)
def test_a_block_has_its_lines_and_no_other(name: str) -> None:
    rows = [(row[:1], row[2:]) for row in LOGS[name].strip("\n").split("\n")]
    blocks = Blocks()
    found = [(".Hb"[blocks.feed(text.encode())], text) for _, text in rows]
    assert found == rows


@pytest.mark.parametrize("name", LOGS)
def test_the_beginning_of_each_block_is_among_the_suspects(name: str) -> None:
    blocks = Blocks()
    for row in LOGS[name].strip("\n").split("\n"):
        text = row[2:].encode()
        followed = blocks.active
        if blocks.feed(text) and not followed:
            assert suspect().search(text) is not None


def test_the_two_streams_of_a_real_crash() -> None:
    blocks, parts = Blocks(), []
    for _, stderr, text in entries_of("end-exception"):
        if stderr:
            parts.append(blocks.feed(text.rstrip(b"\n")))
    assert parts == [Part.HEAD, *[Part.BODY] * 42]


def test_a_block_that_does_not_end_is_given_up() -> None:
    blocks = Blocks()
    blocks.feed(b"Traceback (most recent call last):")
    parts = [blocks.feed(b"  and so on") for _ in range(MOST_LINES + 10)]
    assert parts.count(Part.BODY) < MOST_LINES
    assert parts[-1] is Part.NONE


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"Traceback (most recent call last):", b"panic: x", b"\tat x", b""])))
def test_any_lines_are_some_part(lines: list[bytes]) -> None:
    blocks = Blocks()
    assert all(blocks.feed(line) in Part for line in lines)
