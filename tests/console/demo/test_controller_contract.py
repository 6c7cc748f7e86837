"""The model controller against the recordings of a real one: the same requests over HTTP, the same answers.

Each recording is replayed at the moment of the recorded controller that `scenes` describes. What the rules of
comparison are stands in `recordings`. Exchanges that are not reproduced are printed, each with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.jenkins.agents import Agents
from tests.support.jenkins.corners import Corners
from tests.support.jenkins.moments import AGENT, MAIN, PIPELINE, moment_of
from tests.support.jenkins.recordings import Exchange, Got, compare, exchanges
from tests.support.jenkins.replay import give_secrets, replay, secrets
from tests.support.jenkins.scenes import Scene

# Addresses that no client asks for: configuration, linter, scripts, plugins, other formats, webhooks of other systems.
NO_ADDRESS_OF_A_CLIENT = re.compile(
    r"/(configuration-as-code|pipeline-model-converter|scriptText|pluginManager|overallLoad|lockable-resources|me|tcpSlaveAgent\w*|git)\b"
    r"|/api/xml|/api/$|progressiveHtml|createItem|CpsFlowDefinition|/log/\?consoleFull|/log/all|github-webhook|generic-webhook-trigger"
)
# What the model does not reproduce, and why. Everything else has to be the same.
KNOWN: dict[str, str] = {
    "pipeline/gwt-path-project-log": "a build that the scene does not play; what explains ends is held to it",
    "pipeline/gwt-short-commit-log": "a build that the scene does not play; what explains ends is held to it",
    "pipeline/gwt-unknown-commit-log": "a build that the scene does not play; what explains ends is held to it",
    "pipeline/gwt-unknown-project-log": "a build that the scene does not play; the harness of the pipeline is held to it",
    "pipeline/labels-branch-log": "what a shell script printed while names for Docker were tried out",
}

SCENES = {
    "": (Scene, MAIN),
    "pipeline": (Corners, PIPELINE),
    "agent": (Agents, AGENT),
}


def play(one: Exchange, known: dict[str, dict[str, str]]) -> list[str]:
    """What is different when the request of a recording is made at the same moment of the model."""
    folder, _, name = one.name.rpartition("/")
    make, moments = SCENES[folder]
    scene = make()
    give_secrets(scene.controller, known)
    moment = moment_of(moments, name)
    number = re.fullmatch(r"after_(\d)", moment)
    if number is not None and isinstance(scene, Scene):
        scene.trains(int(number[1]))
    else:
        getattr(scene, moment)()
    made = re.search(r"/queue/item/(\d+)/$", one.headers.get("location", ""))
    if made is not None and one.status == 201:
        # So many requests had come before: the recordings do not hold all of them.
        scene.controller.next_queue_id = int(made[1])
    return replay(scene.controller, one)


@pytest.fixture(scope="module")
def played() -> dict[str, list[str]]:
    """What is different, by recording; empty lists for what is reproduced."""
    recorded = [one for one in exchanges() if not NO_ADDRESS_OF_A_CLIENT.search(one.url)]
    known = {folder: secrets(one for one in recorded if one.name.rpartition("/")[0] == folder) for folder in SCENES}
    return {one.name: play(one, known[one.name.rpartition("/")[0]]) for one in recorded}


def test_the_model_answers_as_the_recorded_controllers_did(played: dict[str, list[str]]) -> None:
    missing = {name: found for name, found in played.items() if found}
    for name, found in missing.items():
        print(f"not reproduced: {name}: {KNOWN.get(name, '?')} ({'; '.join(found[:3])})")  # noqa: T201 (the list is wanted)
    print(f"{len(played) - len(missing)} of {len(played)} exchanges are reproduced")  # noqa: T201
    assert set(missing) == set(KNOWN)
    assert len(played) > 400


def itself(one: Exchange) -> Got:
    """The recorded answer as if the model had given it."""
    body = one.body if isinstance(one.body, str) else json.dumps(one.body)
    return Got(one.status, dict(one.headers), body)


def header(name: str, value: str | None) -> Callable[[Got], Got]:
    def change(got: Got) -> Got:
        headers = {key: text for key, text in got.headers.items() if key != name}
        return replace(got, headers=headers if value is None else {**headers, name: value})

    return change


def words(old: str, new: str) -> Callable[[Got], Got]:
    return lambda got: replace(got, body=got.body.replace(old, new))


WRONG: dict[str, tuple[str, Callable[[Got], Got]]] = {
    "status": ("build-success", lambda got: replace(got, status=204)),
    "more-data": ("log-running-no-start", header("x-more-data", "false")),
    "no-more-data": ("log-running-no-start", header("x-more-data", None)),
    "text-size": ("log-finished-start-0", header("x-text-size", "200")),
    "permission": ("perm-viewer-post-build", header("x-required-permission", "hudson.model.Item.Read")),
    "location": ("trigger-same-params-again", header("location", "http://127.0.0.1:1/queue/item/4/")),
    "no-location": ("trigger-same-params-again", header("location", None)),
    "session": ("root-api-json", header("x-jenkins-session", None)),
    "packed": ("auth-token-api-json-gzip", header("content-encoding", None)),
    "why": ("queue-blocked-and-buildable", words("is already in progress", "runs")),
    "stuck": ("queue-blocked-and-buildable", words('"stuck":true', '"stuck":false')),
    "reason": ("agent/node-connection-broken", words("Connection was broken", "")),
    "stage": ("wfapi-describe-failure", words('"status":"FAILED"', '"status":"SUCCESS"')),
    "class": ("build-success", words("hudson.model.CauseAction", "hudson.model.OtherAction")),
    "key": ("build-success", words('"building":', '"buildin":')),
    "type": ("build-success", words('"number":4', '"number":"4"')),
    "line": ("log-console-text", words("Finished: SUCCESS", "")),
    "order": ("log-console-text", lambda got: replace(got, body="\n".join(reversed(got.body.split("\n"))))),
    "line-ends": ("log-finished-start-0", words("\r\n", "\n")),
    "encoding": ("multibranch-branch-single-encoded", words("feature%2Fx/", "feature%252Fx/")),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_answer_that_is_wrong_in_one_thing_is_not_taken_for_the_recorded_one(what: str) -> None:
    name, change = WRONG[what]
    one = next(each for each in exchanges() if each.name == name)
    good = itself(one)
    assert compare(one, good) == []
    bad = change(good)
    assert bad != good
    assert compare(one, bad)
