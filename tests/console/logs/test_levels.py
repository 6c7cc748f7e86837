"""Levels where they belong, and none where a word only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.chunk import Chunk
from console.logs.ingest import Ingest
from console.logs.join import Joiner
from console.logs.levels import Level, letter, level_of, parse_level, suspect
from console.logs.lines import LEVEL, LEVEL_SHIFT
from tests.console.logs.recorded import entries_of

D, I, W, E, C, NONE = Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.CRITICAL, Level.NONE  # noqa: E741

LINES = [
    # JSON
    ('{"level": "info", "msg": "an ERROR was seen"}', I),
    ('{"time":"2026-11-23T06:30:25+0000","severity":"WARNING","message":"x"}', W),
    ('{"msg":"x","level":50}', E),
    ('{"level":30,"time":1531171074631,"msg":"hello","pid":657}', I),
    ('{"levelno":30,"msg":"hello"}', W),
    ('{"text": "x", "record": {"level": {"icon": "i", "name": "ERROR", "no": 40}, "line": 3}}', E),
    ('{"event":"error","ts":1795413618.2,"error":"ValueError","message":"x"}', E),
    ('{"event":"step","epoch":3,"metrics":{"val_error":0.2}}', NONE),
    ('{"msg":"no error"}', NONE),
    ('{"level":3,"stage":"b"}', NONE),
    ('{"msg":"' + "x" * 5000 + '","level":"fatal"}', C),
    # logfmt
    ('ts=2026-11-23 level=warn msg="nothing wrong"', W),
    ('level="error" msg=x', E),
    ("time=x lvl=dbug msg=y", D),
    ("error=0.01 warning=2", NONE),
    # Python
    ("WARNING:root:low on space", W),
    ("2026-11-23 05:44:39,123 - trainer - ERROR - it broke", E),
    ("[INFO] ready", I),
    ("2026-11-23 06:32:33,938 [WARNING ] trainer:14 - Validation loss did not improve", W),
    ("INFO     train.py:13 starting", I),
    ("2026-11-23 06:35:44.119 | WARNING  | __main__:<module>:13 - gradient norm 12.7", W),
    ("2026-11-23 06:35:44.119 | SUCCESS  | __main__:<module>:13 - done", I),
    ("2026-11-23 05:44:39 [warning  ] disk is filling   free=3", W),
    ("[I 2026-11-23 06:34:18,046] Trial 0 finished with value: 0.5", I),
    ("/app/x.py:12: UserWarning: sample 3 is clipped", W),
    ("Traceback (most recent call last):", E),
    ("ValueError: could not convert", E),
    ("torch.cuda.OutOfMemoryError: CUDA out of memory.", E),
    ("KeyboardInterrupt", E),
    # Others
    ("I1123 05:44:39.123456   1 server.go:12] serving", I),
    ("W20261123 05:44:39.123456 7 x.cc:1] slow", W),
    ("F1123 05:44:39.123456   1 a.go:1] gone", C),
    ("<11>Nov 23 05:44:39 host app: x", E),
    ("12:00:01.123 [main] WARN  o.e.Foo - x", W),
    ("2026-11-23 05:44:39.123 [W] [client/control.go:12] x", W),
    ("2026/11/23 05:44:39 [error] 31#31: *1 open() failed", E),
    ("2026-11-23 05:44:39.123+0000 [id=31]\tWARNING\th.model.Run#execute: x", W),
    ("1.7954e9\tdebug\tpkg/file.go:3\tx", D),
    ("npm ERR! code 1", E),
    ("[LightGBM] [Warning] No further splits", W),
    ("error: subprocess-exited-with-error", E),
    ("warning: unused variable", W),
    ("Error: no such file", E),
    ("fatal: not a git repository", C),
    ("panic: runtime error: index out of range", C),
    ("Killed", E),
    ("DEBUG: trying again", D),
    ("level=NOTICE x", I),
    # None
    ("step 310 val_error 0.2 loss 0.1", NONE),
    ("0 errors, 0 warnings", NONE),
    ("loss of precision in layer 3", NONE),
    ("wrote error.log and info.txt", NONE),
    ("training's multi_error: 0.0267261", NONE),
    ("Errors should never pass silently.", NONE),
    ("epoch 3/40 [=====>] 12% eta 0:03", NONE),
    ("INFORMATIONAL_RATIO=3", NONE),
    ("Warned you", NONE),
    ("", NONE),
]


# Lines that a looser reading gets wrong, in both directions.
NARROW = [
    ('{"level":40,"msg":"x"}', W),
    ('{"log.level":"warn","message":"x"}', W),
    ('{"msg":"x","cfg":{"a":{"b":{"level":"error"}}}}', NONE),
    ('{"message":"the event","sub":{"event":"error"}}', NONE),
    ('{"Level":"Error","m":"x"}', E),
    ('{"event":"error","level":"info"}', I),
    ('{"metrics":{"level":40}}', NONE),
    ('{"level":12}', NONE),
    ('{"level":35,"map":1}', NONE),
    ('{"epoch":1,"game":{"level":"d"}}', NONE),
    ('ts=1 msg="bad error level=error" level=info', I),
    ("t=1 lvl=i msg=x", I),
    ("water level=error-prone", NONE),
    ("<999>x", NONE),
    ("Nov 23 05:44:39 host kernel: error: x", E),
    ("npm error code 1", E),
    ("npm warn deprecated", W),
    ("error[E0308]: mismatched types", E),
    ("E: Unable to locate package", E),
    ("W: x is y", W),
    ("gcc: error: no input files", E),
    ("main.c:3:1: error: x", E),
    ("main.c:3:1: warning: x", W),
    ("UserWarning: x", W),
    ("/x.py:3: sklearn.exceptions.ConvergenceWarning: x", W),
    ("Exception: x", E),
    ('Exception in thread "main" java.lang.X', E),
    ("  + Exception Group Traceback (most recent call last):", E),
    ("[rank0]: Traceback (most recent call last):", E),
    ("[rank0]: ValueError: x", E),
    ("[rank0]:[W1123 05:44:39.123456789 ProcessGroupNCCL.cpp:1] Warning: x", W),
    ("[W1123 05:44:39.12 x.cpp:1] Warning", W),
    ("2026-11-23 05:44:39.123456: I tensorflow/core/x.cc:1] error", I),
    ("2026-11-23 05:44:39.123456: W tensorflow/x.cc:1] x", W),
    ("2026-11-23 05:44:39.123456: E external/local_xla/x.cc:1] x", E),
    ("error: 0.01", NONE),
    ("we print INFO in the middle", NONE),
    ("Training started, ERROR rate is 0.3", NONE),
    ("step 3 WARN count 2", NONE),
    ("the metric ERROR - 0.3", NONE),
    ("Mean ERROR: 0.2", NONE),
    ("Epoch 3 | ERROR | 0.2", NONE),
    ("NO ERROR", NONE),
    ("LOSS ERROR ACC", NONE),
    ("Config: {a: 1}", NONE),
    ("config: lr=3", NONE),
    ("Note: x", NONE),
    ("note: x", NONE),
    ("success: true", NONE),
    ("fine: 3", NONE),
    ("Fine: tuning", NONE),
    ("epoch\terror\tacc", NONE),
    ("error\tloss\tacc", NONE),
    ("config|x", NONE),
    ("labels: [I] [W]", NONE),
    ("x = [error]", NONE),
    ("metrics: [error] [loss]", NONE),
    ("saw [error] in the text of the message", NONE),
    ("Aborted batch 3 of 5", NONE),
    ("Segmentation fault tolerance metric 0.3", NONE),
    ("MeanSquaredError: 0.12", NONE),
    ("MeanAbsoluteError: 0.31 loss 0.2", NONE),
    ("RootMeanSquaredError: 1.2e-3", NONE),
    ("TRACE of the matrix 3.0", NONE),
    ("FINE TUNING STARTED", NONE),
    ("SUCCESS RATE 0.3", NONE),
    ("CONFIG batch 3", NONE),
    ("NOTE that x", NONE),
    ("VERBOSE mode", NONE),
    ("  at 60% ERROR", NONE),
    ("lr: 0.1, log_level=info, seed=3", NONE),
    ("2026-11-23 06:40:18,174 : INFO : collecting all words", I),
    ("KeyError: 3", E),
]


@pytest.mark.parametrize(("line", "level"), [*LINES, *NARROW])
def test_a_level_stands_where_its_program_puts_it(line: str, level: Level) -> None:
    assert level_of(line.encode()) is level


@pytest.mark.parametrize(("line", "level"), [(line, level) for line, level in [*LINES, *NARROW] if level])
def test_every_line_with_a_level_is_among_the_suspects(line: str, level: Level) -> None:
    assert suspect().search(f"before\n{line}\nafter".encode(), len("before\n")) is not None
    assert level


@given(st.binary(max_size=300))
def test_any_bytes_have_some_level(text: bytes) -> None:
    assert level_of(text) in Level


PIECES = [
    b"[",
    b"]",
    b"INFO",
    b"error",
    b"W",
    b"E",
    b" ",
    b": ",
    b" - ",
    b" | ",
    b"\t",
    b"=",
    b'"',
    b"level",
    b"{",
    b"}",
    b"@l",
    b"<3>",
    b"1123 ",
]
PIECES += [b"2026-11-23 ", b"05:44:39", b"x", b"x.py:1", b"Error", b"Warning", b"Exit", b"Killed", b"npm ", b"name", b"."]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_no_line_with_a_level_is_passed_over_by_the_search_for_suspects(line: bytes) -> None:
    assert not level_of(line) or suspect().search(line) is not None


@pytest.mark.parametrize(
    "line", [b"{" * 262_144, b'{"level":' * 30_000, b"[" * 262_144, b"ERRO" * 65_536, b"a." * 131_072, b" " * 262_144]
)
def test_a_hostile_line_has_no_level(line: bytes) -> None:
    assert level_of(line) is NONE


def levels(name: str) -> dict[Level, int]:
    """How many lines of a recording have which level."""
    joiner = Joiner(same_time=True)
    lines = [*joiner.feed(entries_of(name)), *joiner.end()]
    chunk, ingest, done = Chunk(), Ingest(), 0
    while done < len(lines):
        done += ingest.add(chunk, lines, done)
    found: dict[Level, int] = {}
    for flags in chunk.flags:
        level = Level((flags & LEVEL) >> LEVEL_SHIFT)
        found[level] = found.get(level, 0) + 1
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("logging-module", {I: 17, D: 1, W: 1}),
        ("loguru-colour", {I: 17, W: 1}),
        ("lightgbm", {I: 13, W: 4, NONE: 13}),
        ("sklearn-jsonl", {I: 23, E: 1}),
        ("structlog-logfmt", {I: 27}),
        ("optuna", {I: 9, NONE: 33}),
        ("traps-config", {W: 1, NONE: 87}),
        ("torch-jsonl", {NONE: 28}),
        ("nanogpt-iter", {NONE: 64}),
        ("japanese", {NONE: 32}),
        ("dl-workers", {W: 23, NONE: 164}),
        ("end-exception", {E: 43, NONE: 10}),
        ("end-import", {E: 42}),
    ],
)
def test_real_logs_have_the_levels_that_their_programs_wrote(name: str, expected: dict[Level, int]) -> None:
    assert levels(name) == expected


def test_what_people_type() -> None:
    assert [parse_level(word) for word in ("w", "WARN", "Warning", "e", "err", "crit", "F", " info ", "trace")] == [
        *(W, W, W, E, E, C, C, I, D)
    ]
    with pytest.raises(ValueError, match="no level loud: debug, info, warning, error, critical"):
        parse_level("loud")
    assert [letter(level) for level in Level] == ["", "D", "I", "W", "E", "C"]
