"""Walking through what is shown of a store: forwards and backwards alike, whatever is filtered, folded or collapsed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from console.logs.lens import Lens
from console.logs.levels import Level
from console.logs.lines import SOURCE_SHIFT, STDERR, Line
from console.logs.patterns import Pattern
from console.logs.search import Query, Search
from console.logs.store import LogStore

TRACEBACK = (
    b"Traceback (most recent call last):",
    b'  File "a.py", line 1, in <module>',
    b"ValueError: no",
)


def store_of(*lines: Line) -> LogStore:
    store = LogStore()
    store.append(lines)
    return store


def plain(number: int, text: str, *, stderr: bool = False, source: int = 0) -> Line:
    return (number, (STDERR if stderr else 0) | source << SOURCE_SHIFT, text.encode())


def shown(lens: Lens, number: int = -(1 << 40)) -> list[str]:
    """What stands in each row; a folded block by its last word."""
    rows = []
    for item in lens.forward(max(number, lens.store.first)):
        text = item.row.text.decode()
        if item.folded and item.block is not None:
            word = lens.store.row(item.block.last_word)
            assert word is not None
            text = f"{word.text.decode()} +{len(item.block.numbers) - 1}"
        rows.append(text if item.repeats == 1 else f"{text} x{item.repeats}")
    return rows


_TEXTS = st.sampled_from(
    ["one", "two", "heartbeat", "ERROR: bad", *(line.decode() for line in TRACEBACK), "During handling of x"]
)
_LINES = st.lists(st.tuples(_TEXTS, st.booleans(), st.integers(0, 1)), max_size=40)


@settings(max_examples=150)
@given(
    lines=_LINES,
    word=st.sampled_from(["", "o", "heart"]),
    collapsed=st.booleans(),
    folding=st.booleans(),
    around=st.integers(0, 40),
)
def test_backwards_is_forwards_reversed(
    lines: list[tuple[str, bool, int]], word: str, collapsed: bool, folding: bool, around: int
) -> None:
    store = store_of(*(plain(at, text, stderr=err, source=source) for at, (text, err, source) in enumerate(lines)))
    lens = Lens(store)
    lens.folding = folding
    query = Query(exclude=(Pattern(word),) if word else (), notices=True)
    search = lens.look(query, collapsed=collapsed, around=min(around, store.end))
    if search is not None:
        search.run()
    forward = list(lens.forward(store.first))
    assert list(lens.backward(store.end)) == forward[::-1]
    for item in forward:
        assert lens.at(item.number) == item
    numbers = [item.number for item in forward]
    assert numbers == sorted(set(numbers))
    if not folding and not collapsed:
        expected = [at for at, (text, _, _) in enumerate(lines) if not word or word not in text.lower()]
        assert numbers == expected
    if collapsed and not folding:
        assert sum(item.repeats for item in forward) == lens.shown


def test_a_traceback_among_lines_of_another_stream_is_one_block() -> None:
    lines = [plain(0, TRACEBACK[0].decode(), stderr=True), plain(1, "stdout"), plain(2, TRACEBACK[1].decode(), stderr=True)]
    lines += [
        plain(3, "of another", stderr=True, source=1),
        plain(4, TRACEBACK[2].decode(), stderr=True),
        plain(5, "end", stderr=True),
    ]
    lens = Lens(store_of(*lines))
    assert shown(lens) == ["ValueError: no +2", "stdout", "of another", "end"]
    lens.fold(0)
    assert shown(lens) == [line[2].decode() for line in lines]


def test_a_stack_trace_of_java_folds_under_its_message() -> None:
    lines = ["java.lang.IllegalStateException: no", "\tat a.B.c(B.java:12)", "\tat a.D.e(D.java:7)", "after"]
    lens = Lens(store_of(*(plain(at, text) for at, text in enumerate(lines))))
    assert shown(lens) == ["java.lang.IllegalStateException: no +2", "after"]


def test_where_the_head_is_filtered_out_the_other_lines_stand_for_themselves() -> None:
    lens = Lens(store_of(*(plain(at, text.decode()) for at, text in enumerate(TRACEBACK))))
    search = lens.look(Query(exclude=(Pattern("Traceback"),)), collapsed=False, around=0)
    assert search is not None
    search.run()
    assert shown(lens) == [TRACEBACK[1].decode(), TRACEBACK[2].decode()]


def test_a_growing_traceback_grows_while_it_is_folded() -> None:
    store = store_of(plain(0, "before"), plain(1, TRACEBACK[0].decode()))
    lens = Lens(store)
    assert shown(lens) == ["before", TRACEBACK[0].decode()]
    store.append([plain(2, TRACEBACK[1].decode())])
    assert len(shown(lens)) == 2
    store.append([plain(3, TRACEBACK[2].decode()), plain(4, "after")])
    assert shown(lens) == ["before", "ValueError: no +2", "after"]


def test_the_line_in_a_folded_block_or_a_collapsed_row_is_found_there() -> None:
    store = store_of(*(plain(at, text) for at, text in enumerate(["x", *(line.decode() for line in TRACEBACK), "r", "r", "r"])))
    lens = Lens(store)
    found = lens.at(2)
    assert found is not None
    assert found.number == 1
    search = lens.look(Query(), collapsed=True, around=0)
    assert search is not None
    search.run()
    found = lens.at(6)
    assert found is not None
    assert (found.number, found.repeats) == (4, 3)


def test_lines_that_were_looked_at_stay_when_the_store_gives_them_up() -> None:
    store = LogStore(memory=600_000, disk=0)
    store.append([plain(at, f"line {at} {'x' * 80}") for at in range(5000)])
    lens = Lens(store)
    lens.hold(iter([row for row in (store.row(at) for at in range(100, 110)) if row is not None]))
    store.append([plain(at, f"line {at} {'x' * 80}") for at in range(5000, 30_000)])
    assert store.first > 110
    texts = [item.row.text.split()[1] for item in lens.forward(105)][:5]
    assert texts == [b"105", b"106", b"107", b"108", b"109"]
    back = [item.number for item in lens.backward(store.first + 2)][:4]
    assert back == [store.first + 1, store.first, 109, 108]


def test_repeats_are_counted_live_in_both_directions_and_after_eviction() -> None:
    store = store_of(*(plain(at, "a" if at < 5 else "b") for at in range(8)))
    search = Search(store, Query(), around=8, collapse=True)
    search.run()
    store.append([plain(at, "c") for at in range(8, 11)])
    search.run()
    store.append([plain(11, "c"), plain(12, "d")])
    search.run()
    assert [(search[at], search.count(at)) for at in range(len(search))] == [(0, 5), (5, 3), (8, 4), (12, 1)]
    assert search.lines == 13


def test_a_row_of_equal_lines_outlives_its_beginning() -> None:
    store = LogStore(memory=600_000, disk=0)
    search = Search(store, Query(), collapse=True)
    for begin in range(0, 40_000, 4000):
        store.append([plain(at, f"the same for ever {'x' * 80}") for at in range(begin, begin + 4000)])
        search.run()
    assert store.first > 0
    assert (len(search), search[0], search.count(0)) == (1, store.first, store.end - store.first)
    assert search.lines == store.end - store.first


def test_what_the_console_says_passes_every_filter() -> None:
    from console.logs.lines import NOTICE

    store = store_of(plain(0, "INFO: a"), (1, NOTICE, b"it has ended."), plain(2, "ERROR: b"))
    lens = Lens(store)
    search = lens.look(Query(include=(Pattern("b"),), level=Level.ERROR, notices=True), collapsed=False, around=0)
    assert search is not None
    search.run()
    assert shown(lens) == ["it has ended.", "ERROR: b"]
