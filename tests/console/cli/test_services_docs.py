"""Every example of docs/services-and-disk.md, as a shell runs it, on the invented server."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest

from tests.console.real.program import environment, run

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs" / "schemas"
EXAMPLES = re.findall(r"^    (mlops-console .+)$", (ROOT / "docs" / "services-and-disk.md").read_text(), re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_does_what_the_page_says(example: str, tmp_path: Path) -> None:
    words = shlex.split(example)[1:]
    done = run(environment(None, tmp_path), "--demo", *words)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    if "--json" in words:
        document = json.loads(done.stdout)
        schema = json.loads((SCHEMAS / f"{document['kind']}.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document["demo"] is True
    else:
        assert done.stdout.strip()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["service", "restart", "portainer"], 2, "without a terminal it wants --yes"),
        (["service", "restart"], 2, "name the services, or say --all"),
        (["service", "fly", "portainer"], 2, "'fly' is not one of"),
        (["service", "stop", "portaner", "--yes"], 2, "the file declares no service portaner. Did you mean portainer?"),
        (["service", "down", "gate"], 2, "down is for all services together"),
        (["service", "up", "gate", "--grace", "5"], 2, "--grace is for what ends something"),
        (["service", "stop", "gate", "--grace", "-1"], 2, "no number of seconds"),
        (["service", "recreate", "cache", "metrics", "--yes"], 0, ""),
        (["service", "stop", "gate", "--yes"], 2, "--confirm gate"),
        (["service", "stop", "gate", "--confirm", "jenkins"], 2, "does not fit this plan"),
        (["container", "stop", "nobody", "--yes"], 2, "there is no container nobody"),
        (["container", "kill", "mlops-cache-1", "--yes"], 2, "--confirm mlops-cache-1"),
        (["prune"], 2, "without a terminal it wants --yes"),
        (["prune", "--keep", "9" * 5000], 2, "is no number from 1"),
        (["container", "stop", "mlops-cache-1", "--grace", "9" * 5000], 2, "no number of seconds"),
        (["prune", "--volume", "a", "--volume", "b"], 2, "one --volume at a time"),
        (["prune", "--spare", "nobody", "--yes"], 2, "there is nothing called nobody that could stay"),
        (["prune", "--keep", "0"], 2, "--keep 0 is no number from 1"),
        (["prune", "--older-than", "soon"], 2, "no span of time"),
        (["prune", "--volume", "mlops_hf_cache", "--yes"], 1, "Nothing can go"),
        (["prune", "--volume", "mlops_hf_cache", "--volumes", "--older-than", "0", "--yes"], 0, ""),
        (["--read-only", "prune", "--yes"], 2, "acts are off"),
        (["--read-only", "service", "stop", "gate", "--yes"], 2, "acts are off"),
        (["--read-only", "df"], 0, ""),
    ],
)
def test_wrong_use_is_told_what_to_do(words: list[str], status: int, said: str, tmp_path: Path) -> None:
    done = run(environment(None, tmp_path), "--demo", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), (done.stdout, done.stderr)
    assert said in done.stderr


def test_a_volume_that_the_file_declares_is_not_even_offered_by_name(tmp_path: Path) -> None:
    done = run(environment(None, tmp_path), "--demo", "prune", "--volume", "mlops_hf_cache", "--dry-run", "--json")
    document = json.loads(done.stdout)
    kept = {one["id"]: one["reason"] for one in document["keep"]}
    assert kept["volume/mlops_hf_cache"] == "declared in compose"
    assert (done.returncode, document["remove"], document["bytes"]) == (1, [], 0)
    assert document["refused"] == "Nothing can go: everything is needed, or the rule keeps it."
