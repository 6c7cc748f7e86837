"""The demo's Jenkins is asked for builds, and answers as a real one."""

from __future__ import annotations

import pytest

from console.demo import demo_jenkins
from console.demo.jenkins import DemoJenkins
from console.model.jenkins import JenkinsError, QueueItem, Trouble
from console.sources.protocols import JenkinsActs
from tests.console.demo.stepping import SteppingClock


@pytest.fixture
def jenkins() -> DemoJenkins:
    return demo_jenkins(SteppingClock())


async def test_a_build_is_asked_for_and_begins(jenkins: DemoJenkins) -> None:
    acts: JenkinsActs = jenkins
    queued = await acts.trigger("train", {"PROJECT": "project-b", "COMMIT": "a" * 40})
    again = await jenkins.trigger("train", {"PROJECT": "project-b", "COMMIT": "a" * 40})
    assert (again.item_id, again.already) == (queued.item_id, True)
    waiting = await jenkins.queue_item(queued.item_id)
    assert isinstance(waiting, QueueItem)
    assert waiting.job == "train"
    assert queued.item_id in [item.id for item in (await jenkins.work()).queue]


@pytest.mark.parametrize(
    ("job", "parameters", "expected"),
    [
        ("train", None, Trouble.BAD_PARAMETER),
        ("nightly tests", {"A": "1"}, Trouble.BAD_PARAMETER),
        ("backup", None, Trouble.DISABLED),
        ("mlops", None, Trouble.REFUSED),
        ("nothing", {}, Trouble.NOT_FOUND),
    ],
)
async def test_the_demo_refuses_what_jenkins_refuses(
    jenkins: DemoJenkins, job: str, parameters: dict[str, str] | None, expected: Trouble
) -> None:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.trigger(job, parameters)
    assert raised.value.trouble is expected


async def test_an_item_that_is_not_there(jenkins: DemoJenkins) -> None:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.queue_item(10**6)
    assert raised.value.trouble is Trouble.NOT_FOUND
