"""Every command that a page shows, as its reader would type it, on the invented server."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import jsonschema
import pytest

from tests.console.real.program import PROGRAM, ROOT, environment

SCHEMAS = ROOT / "docs" / "schemas"
OF_THEIR_OWN = {"acts.md", "services-and-disk.md"}
"""Pages whose examples have tests in worlds of their own: test_acts_docs, test_services_docs."""
PAGES = [ROOT / "README.md", *(one for one in sorted((ROOT / "docs").glob("*.md")) if one.name not in OF_THEIR_OWN)]
EXAMPLES = sorted(
    {
        re.sub(r" +# .*$", "", line)
        for page in PAGES
        for line in re.findall(r"^    (mlops-console .+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
)
ELSEWHERE = {
    "--host": "tests/console/real/test_elsewhere.py",
    "login": "tests/console/cli/login/test_login.py",
    "record": "tests/console/cli/test_record.py",
    "config": "tests/console/cli/test_commands.py",
}
"""What goes to another machine, keeps a secret or writes: by its first word, the tests that run it."""
ENDLESS = {"-f", "--watch"}
SHOWN_FIRST = {one for one in EXAMPLES if one in (ROOT / "README.md").read_text(encoding="utf-8")}
"""What the first page shows finds something: there a reader tries it."""


def words_of(example: str) -> list[str]:
    return shlex.split(example)[1:]


HERE = [one for one in EXAMPLES if words_of(one)[0] not in ELSEWHERE]


def test_what_is_tried_elsewhere_is_shown_and_tried() -> None:
    assert len(HERE) > 30
    for word, test in ELSEWHERE.items():
        assert word in (ROOT / test).read_text(encoding="utf-8"), test


@pytest.mark.parametrize("example", [one for one in HERE if not ENDLESS & set(words_of(one))])
def test_it_works(example: str, tmp_path: Path) -> None:
    done = shell(example, tmp_path)
    told = done.stdout + done.stderr
    # 1 says that something wants a look: the demo has some of each.
    assert done.returncode in (0, 1), told
    assert "Traceback" not in told
    # What is looked for may not be there; what is redirected is not here.
    assert told.strip() or "> ~" in example or (re.search("--grep|--since", example) and example not in SHOWN_FIRST)
    if "--json" in example and done.stdout:
        document = json.loads(done.stdout)
        schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document["demo"] is True


@pytest.mark.parametrize("example", [one for one in HERE if ENDLESS & set(words_of(one))])
def test_it_goes_on_until_it_is_ended(example: str, tmp_path: Path) -> None:
    command = [*PROGRAM, "--demo", *words_of(example)]
    with subprocess.Popen(
        command, env=environment(None, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in complaint


def shell(example: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What a shell makes of it, up to a pipe into a program that may not be here."""
    program = home / "mlops-console"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} --demo "$@"\n')
    program.chmod(0o755)
    for folder in re.findall(r"> ~/(\S+)/", example):
        (home / folder).mkdir(parents=True)
    env = environment(None, home)
    env |= {"PATH": f"{home}:{os.environ['PATH']}", "HOME": str(home)}
    command = ["/bin/sh", "-c", re.sub(r" \| .*$", "", example)]
    return subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=120, check=False)
