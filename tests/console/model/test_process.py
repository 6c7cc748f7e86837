"""Tables of processes of several kinds of `ps`."""

from __future__ import annotations

from console.model.process import Process, processes
from console.text import clean


def table(*rows: str) -> list[list[str]]:
    return [row.split(None, rows[0].count(" ")) for row in rows]


def read(*rows: str) -> tuple[Process, ...]:
    return processes([[clean(cell) for cell in row] for row in table(*rows)])


def test_as_it_is_asked_for() -> None:
    found = read("PID USER %CPU RSS TIME COMMAND", "4242 root 12.5 2048 1-02:03:04 python train.py -x 1", "7 me 0.0 0 00:05 sh")
    assert found == (
        Process(4242, clean("root"), 12.5, 2 << 20, 93784, clean("python train.py -x 1")),
        Process(7, clean("me"), 0.0, 0, 5, clean("sh")),
    )


def test_the_engine_s_own_and_a_small_machine_s() -> None:
    assert read("UID PID PPID C STIME TTY TIME CMD", "root 42 1 0 09:12 ? 00:01:07 sleep 1000") == (
        Process(42, clean("root"), None, None, 67, clean("sleep 1000")),
    )
    assert read("PID USER TIME COMMAND", "42 root 0:07 sleep 1000") == (
        Process(42, clean("root"), None, None, 7, clean("sleep 1000")),
    )


def test_what_is_no_number_is_unknown() -> None:
    assert read("PID USER %CPU RSS TIME COMMAND", "x root 1 1 1 sh", "9 root - nan soon sh") == (
        Process(9, clean("root"), None, None, None, clean("sh")),
    )
    assert processes([]) == ()
    assert processes([[clean("PID")], [clean("4")]]) == (Process(4, clean(""), None, None, None, clean("")),)


def test_secrets_in_a_command_line_are_stars() -> None:
    (found,) = read("PID COMMAND", "7 serve --token=abc --api-key hunter2 --port 80")
    assert found.command == "serve --token=******** --api-key ******** --port 80"
