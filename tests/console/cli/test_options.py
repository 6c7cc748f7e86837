"""Options that stand anywhere, and the console on another host."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.options import GlobalOptions, UsageError, remote_command, split
from tests.console.real.program import environment, run


@pytest.mark.parametrize(
    ("argv", "options", "rest"),
    [
        ([], GlobalOptions(), []),
        (["--json", "status"], GlobalOptions(json=True), ["status"]),
        (["status", "--json"], GlobalOptions(json=True), ["status"]),
        (["services", "web", "--demo", "--watch"], GlobalOptions(demo=True), ["services", "web", "--watch"]),
        (["--config", "a.toml", "status"], GlobalOptions(config=Path("a.toml")), ["status"]),
        (["status", "--config=a=b.toml"], GlobalOptions(config=Path("a=b.toml")), ["status"]),
        (["-h"], GlobalOptions(help=True), []),
        (["services", "--", "--json"], GlobalOptions(), ["services", "--", "--json"]),
        (["--host", "h", "--read-only", "--no-color"], GlobalOptions(host="h", read_only=True, no_color=True), []),
    ],
)
def test_options_stand_anywhere(argv: list[str], options: GlobalOptions, rest: list[str]) -> None:
    assert split(argv) == (options, rest)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--config"], "--config wants a value"),
        (["--host="], "--host wants a value that is not empty"),
        (["--json=yes"], "--json takes no value"),
        (["--config", "~nobody-at-all/x.toml"], "nobody here has that home folder"),
    ],
)
def test_a_value_too_few_or_too_many(argv: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        split(argv)


def test_on_another_host_it_is_the_same_call_without_host() -> None:
    options, rest = split(["--host", "ops@train-01", "services", "a b", "--json", "--config", "/x y.toml"])
    assert remote_command(options, rest, tty=True) == [
        "ssh",
        "-t",
        "--",
        "ops@train-01",
        "mlops-console --config '/x y.toml' --json services 'a b'",
    ]
    assert "-t" not in remote_command(options, rest, tty=False)


@pytest.mark.parametrize("words", [["$(reboot)"], ["; reboot"], ["a'b"], ["--", "-x"], ["\n"]])
def test_no_word_reaches_the_other_shell_as_anything_else(words: list[str]) -> None:
    command = remote_command(GlobalOptions(host="h"), ["services", *words], tty=False)
    assert shlex.split(command[-1]) == ["mlops-console", "services", *words]


@pytest.mark.parametrize("host", ["-oProxyCommand=reboot", "a b", "a\nb", "a\x1b[2J"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is no host name"):
        remote_command(GlobalOptions(host=host), [], tty=True)


def test_the_program_becomes_ssh(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    (tmp_path / "ssh").chmod(0o755)
    env = environment(None, tmp_path)
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    done = run(env, "status", "--host", "far", "--json")
    assert done.returncode == 7
    assert done.stdout.splitlines() == ["--", "far", "mlops-console --json status"]


@pytest.mark.parametrize("how", ["environment", "file"])
def test_who_may_only_look_here_only_looks_there(tmp_path: Path, how: str) -> None:
    (tmp_path / "ssh").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    env = environment(None, tmp_path)
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    if how == "environment":
        env["MLOPS_READ_ONLY"] = "1"
    else:
        own = Path(env["HOME"]) / ".config/mlops-console/config.toml"
        own.parent.mkdir(parents=True)
        own.write_text("read_only = true\n")
    done = run(env, "abort", "train", "3", "--yes", "--host", "far", "--config", "/only/there.toml")
    assert done.stdout.splitlines()[-1] == "mlops-console --config /only/there.toml --read-only abort train 3 --yes"


def test_without_ssh_it_is_a_sentence(tmp_path: Path) -> None:
    env = environment(None, tmp_path, PATH=str(tmp_path))
    done = run(env, "status", "--host", "far")
    assert done.returncode == 3
    assert done.stderr == "mlops-console: --host needs ssh, which is not installed here.\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("mlops-console stat", "status"), ("mlops-console config i", "init"), ("mlops-console services --wat", "--watch"),
     ("mlops-console status --js", "--json")],
)  # fmt: skip
def test_a_shell_is_told_what_can_follow(tmp_path: Path, typed: str, offered: str) -> None:
    words = typed.split()
    env = environment(None, tmp_path, _MLOPS_CONSOLE_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1))
    code = "import sys; sys.argv = ['mlops-console']; from console.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False
    )
    assert f"plain,{offered}" in done.stdout.splitlines(), done.stderr


def test_a_command_does_not_load_the_screen(tmp_path: Path) -> None:
    code = "import sys, console.cli.status, console.cli.services; print('textual' in sys.modules, 'rich' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(None, tmp_path), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "False"]
