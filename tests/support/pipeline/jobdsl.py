"""Evaluates the Job DSL scripts of a casc.yaml without a Jenkins: which jobs they make, as data."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.pipeline.java import command


class JobDslError(Exception):
    """What Job DSL, or Configuration as Code before it, refuses; the message names it."""


@dataclass(frozen=True)
class Call:
    """One call: its values, and the calls in its block."""

    name: str
    args: tuple[Any, ...]
    calls: tuple[Call, ...]

    def find(self, *names: str) -> list[Call]:
        """The calls below this one along these names: `find("parameters", "stringParam")`."""
        found = [self]
        for name in names:
            found = [call for one in found for call in one.calls if call.name == name]
        return found

    def value(self, *names: str) -> Any:
        """The only value of the only call along these names; JobDslError if there is another number of them."""
        found = self.find(*names)
        if len(found) != 1 or len(found[0].args) != 1:
            raise JobDslError(f"{len(found)} calls of {'.'.join(names)}, not one with one value")
        return found[0].args[0]


def evaluate(script: str) -> list[Call]:
    """The calls that a script makes at its top: one for each job. JobDslError for what does not exist in Job DSL."""
    message = json.dumps({"mode": "jobdsl", "text": script}) + "\n"
    done = subprocess.run(command(), input=message, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    if answer.get("error"):
        raise JobDslError(answer["error"])
    return [_call(one) for one in answer["calls"]]


def jobs(casc: str, variables: Mapping[str, str], secrets: Path | None = None) -> list[Call]:
    """The jobs of a casc.yaml. `secrets`: the folder that stands for /run/secrets, whose files are variables too."""
    values = dict(variables)
    if secrets is not None:
        values |= {path.name: path.read_text(encoding="utf-8").strip() for path in secrets.iterdir()}
    found = []
    for script in _scripts(casc):
        text = substitute(script, values)
        found += evaluate(text if secrets is None else text.replace("/run/secrets", str(secrets)))
    return found


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """What Configuration as Code makes of a value: `${name}` is replaced, `^${name}` stays as `${name}`.

    An unknown name becomes empty there, with one line in a log; here it is a JobDslError.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        name, _, default = match[2].partition(":-")
        if name in variables:
            return variables[name]
        if ":-" in match[2]:
            return default
        raise JobDslError(f"casc.yaml uses ${{{name}}}, which nothing sets")

    return re.sub(r"(\^?)\$\{([^}]*)\}", replaced, text)


def _scripts(casc: str) -> Iterator[str]:
    for one in yaml.safe_load(casc).get("jobs") or []:
        yield one["script"]


def _call(one: Mapping[str, Any]) -> Call:
    return Call(one["name"], tuple(one["args"]), tuple(_call(each) for each in one["calls"]))
