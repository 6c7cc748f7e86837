"""casc.yaml against what a real controller takes. An unknown key keeps Jenkins from starting, and that is found here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra import controller
from tests.infra.controller import SCHEMA
from tests.support.casc import files
from tests.support.casc.schema import wrong

RAW = files.load(controller.CASC)
VALUES = controller.values()
KEYS = list(files.keys(RAW))
TYPED = [(place, value) for place, value in files.leaves(controller.tree()) if isinstance(value, bool | int)]


def written(place: files.Place) -> str:
    return "/".join(map(str, place))


def faults(tree: Any) -> list[str]:
    return wrong(files.filled_in(tree, VALUES), SCHEMA)


def gpus(count: int) -> Any:
    """What the entry point writes; that it does is in test_controller.py."""
    locks = [
        {"name": f"trainer-1-gpu-{index}", "labels": "gpu-trainer-1", "description": f"GPU {index} of trainer-1"}
        for index in range(count)
    ]
    return {"unclassified": {"lockableResourcesManager": {"declaredResources": locks}}}


def test_the_controller_takes_it() -> None:
    assert faults(RAW) == []


def test_the_controller_takes_it_with_gpus_and_with_a_further_server() -> None:
    assert faults(controller.example()) == []
    together = files.merged(files.merged(RAW, gpus(8)), controller.example())
    assert faults(together) == []
    assert [node["permanent"]["name"] for node in together["jenkins"]["nodes"]] == ["trainer-1", "trainer-2"]
    locks = [lock["name"] for lock in together["unclassified"]["lockableResourcesManager"]["declaredResources"]]
    assert len(set(locks)) == len(locks) == 10


def test_what_a_site_adds_may_not_contradict() -> None:
    with pytest.raises(files.FilesError, match="/jenkins/numExecutors is in two files"):
        files.merged(RAW, {"jenkins": {"numExecutors": 2}})


def test_there_are_keys_to_mutate() -> None:
    assert len(KEYS) > 150
    assert len(TYPED) > 10


@pytest.mark.parametrize("place", KEYS, ids=written)
def test_a_key_that_is_misspelt_is_found(place: files.Place) -> None:
    assert faults(files.with_key(RAW, place, f"{place[-1]}x")) != []


@pytest.mark.parametrize(("place", "value"), TYPED, ids=lambda one: written(one) if isinstance(one, tuple) else str(one))
def test_a_number_or_a_yes_that_is_a_word_is_found(place: files.Place, value: object) -> None:
    assert faults(files.with_value(RAW, place, "many")) != []


@pytest.mark.parametrize(
    "place",
    [
        ("jenkins", "mode"),
        ("jenkins", "markupFormatter"),
        ("jenkins", "nodes", 0, "permanent", "mode"),
        ("jenkins", "nodes", 0, "permanent", "retentionStrategy"),
        ("credentials", "system", "domainCredentials", 0, "credentials", 0, "basicSSHUserPrivateKey", "scope"),
        ("unclassified", "globalDefaultFlowDurabilityLevel", "durabilityHint"),
        ("unclassified", "buildDiscarders", "configuredBuildDiscarders", 0),
    ],
    ids=written,
)
def test_a_word_that_is_none_of_those_is_found(place: files.Place) -> None:
    assert place in dict(files.leaves(RAW))
    assert faults(files.with_value(RAW, place, "sometimes")) != []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("jenkinz: {systemMessage: typo}", "there is no root jenkinz"),
        ("jenkins: {systemMessagee: typo}", "jenkins: has no key systemMessagee"),
        ("jenkins: {securityRealm: {nosuchrealm: {}}}", "jenkins/securityRealm: is no nosuchrealm, but one of"),
        ("jenkins: {numExecutors: many}", "jenkins/numExecutors: is no whole number"),
    ],
)
def test_what_the_recorded_controller_refused_is_refused(text: str, fault: str) -> None:
    (found,) = wrong(files.load(text), SCHEMA)
    assert found.startswith(fault)


def test_what_the_recorded_controller_exported_is_taken() -> None:
    """As far as this platform says the same things."""
    exported = files.load((controller.RECORDINGS / "casc-export.txt").read_text(encoding="utf-8"))
    ours = {
        "jenkins": ("authorizationStrategy", "crumbIssuer", "markupFormatter", "mode", "numExecutors", "quietPeriod"),
        "security": ("apiToken", "globalJobDslSecurityConfiguration"),
        "unclassified": ("buildDiscarders", "location", "timestamper", "whitelist"),
        "credentials": ("system",),
    }
    for root, names in ours.items():
        assert wrong({root: {name: exported[root][name] for name in names}}, SCHEMA) == []


def test_a_key_that_is_there_twice_is_found() -> None:
    with pytest.raises(files.FilesError, match="line 3: mode is there twice"):
        files.load("jenkins:\n  mode: NORMAL\n  mode: EXCLUSIVE\n")


def test_a_variable_without_a_value_is_found() -> None:
    with pytest.raises(files.FilesError, match="no-such has no value"):
        files.filled_in({"a": ["x ${no-such}"]}, VALUES)
