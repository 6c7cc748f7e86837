"""The Engine's own JSON, recorded from Engine 20.10.24, turned into model objects; and JSON of any shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.container import Container, ContainerState, Health
from console.sources.docker_engine import parse
from console.text import Clean

RECORDINGS = Path(__file__).parent / "recordings"


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def strings_of(value: object) -> list[str]:
    """Every string in a model object, however deep."""
    if isinstance(value, Enum):
        return []
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for field in fields(value) for text in strings_of(getattr(value, field.name))]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings_of(part)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in strings_of(item)]
    return []


def test_a_list_of_containers() -> None:
    found: dict[str, Container] = {
        c.name: c for c in (parse.listed(item) for item in recorded("containers-20.10")) if c is not None
    }
    assert found["t1"].state is ContainerState.EXITED
    assert found["t1"].exit_code == 137
    assert found["ex"].exit_code == 3
    assert found["bad"].health is Health.UNHEALTHY
    assert found["t2"].health is Health.NONE
    assert found["t2"].exit_code is None
    assert found["t2"].image == "busybox:test"


def test_an_inspected_container() -> None:
    found = parse.inspected(recorded("inspect-full-20.10"))
    assert found is not None
    assert (found.name, found.project, found.service) == ("full", "p", "web")
    details = found.details
    assert details is not None
    assert details.memory_limit == 64 << 20
    assert details.restart_policy == "on-failure"
    assert details.user == "1000:1000"
    assert details.command == "sleep 1000"
    assert details.finished_at is None
    assert [(v.name, v.value) for v in details.environment[:2]] == [("TOKEN", "s3cret"), ("A", "b")]
    assert "s3cret" not in repr(found)
    assert [(m.kind, m.target, m.read_only) for m in found.mounts] == [("bind", "/data", True), ("volume", "/n", False)]
    assert (9000, "udp", None) in [(p.container_port, p.protocol, p.host_port) for p in found.ports]


@pytest.mark.parametrize(
    ("status", "code"), [("exited", 3), ("dead", 3), ("removing", 3), ("running", None), ("created", None)]
)
def test_whoever_has_ended_has_an_exit_code_also_while_it_is_removed(status: str, code: int | None) -> None:
    container = parse.inspected({"Id": "a" * 64, "State": {"Status": status, "ExitCode": 3}})
    assert container is not None
    assert container.exit_code == code


def test_secrets_in_commands_and_in_what_a_check_says_are_stars() -> None:
    raw = recorded("inspect-bad-20.10")
    raw["Path"], raw["Args"] = "redis", ["--requirepass", "hunter 2", "--port", "80"]
    raw["Config"]["Healthcheck"]["Test"] = ["CMD-SHELL", "redis-cli --pass hunter3 ping"]
    raw["State"]["Health"]["Log"][-1]["Output"] = "1\nAuthorization: Bearer hunter4\n2"
    found = parse.inspected(raw)
    assert found is not None
    assert found.details is not None
    assert found.details.command == "redis --requirepass ******** --port 80"
    assert found.details.probe is not None
    assert found.details.probe.command == "redis-cli --pass ******** ping"
    assert found.details.probes[-1].output == "1\nAuthorization: Bearer ********\n2"


def test_probes_of_an_unhealthy_container() -> None:
    found = parse.inspected(recorded("inspect-bad-20.10"))
    assert found is not None
    assert found.details is not None
    assert found.health is Health.UNHEALTHY
    assert found.details.failing_streak >= 2
    assert found.details.probes[-1].exit_code == 1
    assert found.details.probes[-1].output == "nope"
    assert found.details.probe is not None
    assert (found.details.probe.interval, found.details.probe.retries) == (1.0, 2)
    assert found.details.probe.command == "echo nope; exit 1"


def test_stats_leave_the_page_cache_out() -> None:
    raw = recorded("stats-20.10-cgroup1")
    found = parse.stats(raw)
    assert found is not None
    cache = raw["memory_stats"]["stats"]["total_inactive_file"]
    assert found.memory == raw["memory_stats"]["usage"] - cache
    assert found.memory_limit == raw["memory_stats"]["limit"]


def test_cpu_is_the_share_of_one_core_between_two_readings() -> None:
    found = parse.stats(
        {
            "read": "2026-11-23T10:00:02Z",
            "preread": "2026-11-23T10:00:00Z",
            "cpu_stats": {"cpu_usage": {"total_usage": 9_000_000_000}},
            "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000_000}},
            "memory_stats": {"usage": 10, "stats": {"inactive_file": 4}},
        }
    )
    assert found is not None
    assert found.cpu == pytest.approx(400.0)
    assert (found.memory, found.memory_limit) == (6, None)


def test_an_event_of_a_probe_that_fails() -> None:
    found = parse.event(
        {
            "Type": "container",
            "Action": "health_status: unhealthy",
            "Actor": {"ID": "abc", "Attributes": {"name": "web", "exitCode": "137"}},
            "time": 1795413618,
            "timeNano": 1795413618123456789,
        }
    )
    assert found is not None
    assert (found.action, found.detail, found.name, found.exit_code) == ("health_status", "unhealthy", "web", 137)
    assert found.time_nano == 1795413618123456789


def test_moments() -> None:
    assert parse.moment("2026-11-23T10:27:36.860201885Z") == datetime(2026, 11, 23, 10, 27, 36, 860201, tzinfo=UTC)
    assert parse.moment("2026-11-23T19:27:36+09:00") == datetime(2026, 11, 23, 10, 27, 36, tzinfo=UTC)
    assert parse.moment("0001-01-01T00:00:00Z") is None
    assert parse.moment("yesterday") is None
    assert parse.moment(5) is None


def test_a_link_does_not_rename_a_container() -> None:
    found = parse.listed({"Id": "a" * 64, "Names": ["/other/alias", "/own"], "State": "running"})
    assert found is not None
    assert found.name == "own"


HOSTILE = "\x1b]52;c;aGk=\x07[@click=app.quit]x[/]\u202e\x9b2J"


@pytest.mark.parametrize("name", ["inspect-full-20.10", "inspect-bad-20.10"])
def test_every_string_has_passed_the_gate(name: str) -> None:
    def poison(value: Any) -> Any:
        if isinstance(value, dict):
            return {key + (HOSTILE if key.startswith("com.") else ""): poison(item) for key, item in value.items()}
        if isinstance(value, list):
            return [poison(item) for item in value]
        return value + HOSTILE if isinstance(value, str) else value

    found = parse.inspected(poison(recorded(name)))
    texts = strings_of(found)
    assert len(texts) >= 10
    for text in texts:
        assert isinstance(text, Clean), text
        assert not set(text) & set("\x1b\x07\x9b\u202e"), text


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _twisted(name: str) -> st.SearchStrategy[Any]:
    """A recorded answer with one of its values replaced by any other JSON."""
    raw = recorded(name)
    paths: list[tuple[Any, ...]] = []

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        if path:
            paths.append(path)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            walk(item, (*path, key))

    walk(raw, ())

    def replaced(path: tuple[Any, ...], new: Any) -> Any:
        copy = json.loads(json.dumps(raw))
        place = copy
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = new
        return copy

    return st.builds(replaced, st.sampled_from(paths), _ANY_JSON)


@given(value=_twisted("inspect-bad-20.10"))
def test_an_odd_inspection_is_never_an_error(value: Any) -> None:
    parse.inspected(value)


@given(value=_twisted("containers-20.10"))
def test_an_odd_list_is_never_an_error(value: Any) -> None:
    for item in value if isinstance(value, list) else [value]:
        parse.listed(item)


@given(value=_twisted("stats-20.10-cgroup1"))
def test_odd_stats_are_never_an_error(value: Any) -> None:
    parse.stats(value)


@pytest.mark.parametrize("read", [parse.listed, parse.inspected, parse.event, parse.stats])
def test_something_else_altogether_is_nothing(read: Callable[[object], object]) -> None:
    odd: tuple[object, ...] = (None, [], 5, "text", {}, {"Id": 5}, {"Type": "container"})
    for value in odd:
        assert read(value) is None


@pytest.mark.parametrize(
    ("log", "size"),
    [
        ({"Type": "json-file", "Config": {}}, None),
        ({"Type": "json-file", "Config": {"max-size": "20m", "max-file": "5"}}, 20_000_000),
        ({"Type": "json-file", "Config": {"max-size": "200k"}}, 200_000),
        ({"Type": "json-file", "Config": {"max-size": "1G"}}, 1_000_000_000),
        ({"Type": "json-file", "Config": {"max-size": "5000"}}, 5000),
        ({"Type": "json-file", "Config": {"max-size": "-1"}}, None),
        ({"Type": "json-file", "Config": {"max-size": "0"}}, None),
        ({"Type": "local", "Config": {}}, 20_000_000),
        ({"Type": "local", "Config": {"max-size": "50k"}}, 50_000),
        ({"Type": "none"}, None),
        (None, None),
    ],
)
def test_when_a_log_rotates(log: object, size: int | None) -> None:
    """The Engine reads sizes as powers of 1000 (go-units, FromHumanSize)."""
    found = parse.inspected({"Id": "a", "HostConfig": {"LogConfig": log}, "Config": {"Tty": True}})
    assert found is not None
    assert found.details is not None
    assert (found.details.log_rotates, found.details.tty) == (size, True)
