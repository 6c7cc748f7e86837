"""What is shown of a container, and what is not."""

from __future__ import annotations

import json
from typing import Any

from console.actions.docker.inspecting import facts
from console.sources.reach import Reach
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

SECRETS = ("hunter2", "hunter3", "hunter4", "hunter5", "hunter6", "hunter7", "hunter8")
RAW: dict[str, Any] = {
    "Id": "abc",
    "Args": ["--token", "hunter3", "--password=hunter4", "--keep", "x", "-v"],
    "Path": "sh -c 'API_KEY=hunter5 run'",
    "NetworkSettings": {"SandboxKey": "/var/run/docker/netns/abc", "Ports": {}, "Networks": None},
    "Config": {
        "Env": ["PATH=/bin", "A=hunter2", "BARE", 5],
        "Labels": {"org.token": "hunter6", "mlops.project": "project-a", "url": "https://me:hunter8@host/x"},
        "Hostname": "\x1b[31mred",
        "StopTimeout": 5,
        "Tty": False,
    },
    "HostConfig": {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": "hunter7", "max-size": "1m"}}, "Shm": 1.5},
}


def test_secrets_are_stars_and_the_rest_is_there() -> None:
    told = facts(RAW, values=False)
    text = json.dumps(told)
    assert not [one for one in SECRETS if one in text]
    assert "\\u001b" not in text
    shown: Any = told
    assert shown["Config"]["Env"] == ["PATH=********", "A=********", "BARE"]
    assert shown["Config"]["Labels"] == {
        "org.token": "********",
        "mlops.project": "project-a",
        "url": "https://me:********@host/x",
    }
    assert shown["Args"] == ["--token", "********", "--password=********", "--keep", "x", "-v"]
    assert shown["NetworkSettings"] == {"SandboxKey": "/var/run/docker/netns/abc", "Ports": {}, "Networks": None}
    assert shown["HostConfig"]["LogConfig"]["Config"] == {"splunk-token": "********", "max-size": "1m"}
    assert (shown["Config"]["StopTimeout"], shown["Config"]["Tty"], shown["HostConfig"]["Shm"]) == (5, False, 1.5)


def test_values_are_shown_when_asked_for_and_other_secrets_are_not() -> None:
    told: Any = facts(RAW, values=True)
    assert told["Config"]["Env"] == ["PATH=/bin", "A=hunter2", "BARE"]
    text = json.dumps(told)
    assert not [one for one in SECRETS[1:] if one in text]


def test_what_is_nested_without_end_ends() -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    assert '"..."' in json.dumps(facts(deep, values=False))


def test_what_is_plainly_a_secret_in_arguments_and_in_what_a_check_said() -> None:
    raw = {
        "Config": {"Cmd": ["redis", "--requirepass", "hunter2", "--password", "-hunter3", 5, "sh", "x --password hunter4"]},
        "State": {"Health": {"Log": [{"Output": "Authorization: Bearer hunter5\n"}]}},
        "HostConfig": {"Annotations": {"org/pass": "hunter6"}},
    }
    told: Any = facts(raw, values=False)
    assert not [one for one in SECRETS if one in json.dumps(told)]
    stars = "********"
    assert told["Config"]["Cmd"][:6] == ["redis", "--requirepass", stars, "--password", stars, 5]


async def test_a_real_one(own: Engine, reach: Reach) -> None:
    options = ("--network=none", "-e", "S=hunter2", "--label", "my.password=hunter6")
    made = own.docker("create", *options, BUSYBOX, "sh", "-c", "TOKEN=hunter5 x").strip()
    try:
        told: Any = facts(await reach.acts.raw(made), values=False)
        text = json.dumps(told)
        assert not [one for one in SECRETS if one in text]
        assert told["Id"] == made
        assert "S=********" in told["Config"]["Env"]
        assert told["State"]["Status"] == "created"
    finally:
        own.docker("rm", made)
