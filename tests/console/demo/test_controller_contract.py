"""The model controller against the recordings of a real one: the same requests over HTTP, the same answers.

Each recording is replayed at the moment of the recorded controller that `scenes` describes. What the rules of
comparison are stands in `recordings`. Exchanges that are not reproduced are printed, each with its reason.
"""

from __future__ import annotations

import re

import pytest

from tests.support.jenkins.agents import Agents
from tests.support.jenkins.corners import Corners
from tests.support.jenkins.moments import AGENT, MAIN, PIPELINE, moment_of
from tests.support.jenkins.recordings import Exchange, exchanges
from tests.support.jenkins.replay import give_secrets, replay, secrets
from tests.support.jenkins.scenes import Scene

# Addresses that no client asks for: configuration, linter, scripts, plugins, other formats, webhooks of other systems.
NO_ADDRESS_OF_A_CLIENT = re.compile(
    r"/(configuration-as-code|pipeline-model-converter|scriptText|pluginManager|overallLoad|lockable-resources|me|tcpSlaveAgent\w*|git)\b"
    r"|/api/xml|/api/$|progressiveHtml|createItem|CpsFlowDefinition|/log/\?consoleFull|/log/all|github-webhook|generic-webhook-trigger"
)
# What the model does not reproduce, and why. Everything else has to be the same.
KNOWN: dict[str, str] = {
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
