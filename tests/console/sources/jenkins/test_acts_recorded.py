"""What a real Jenkins said to requests for builds, as recorded, and what each of its answers is called."""

from __future__ import annotations

import pytest

from console.model.jenkins import JenkinsError, Queued, Trouble
from console.sources.jenkins.address import job_path
from console.sources.jenkins.source import JenkinsServer as Source
from tests.support.jenkins.reaching import source_at
from tests.support.recorded import replaying


async def refused(jenkins: Source, job: str, parameters: dict[str, str] | None = None) -> JenkinsError:
    with pytest.raises(JenkinsError) as raised:
        await jenkins.trigger(job, parameters)
    assert "<" not in raised.value.reason
    return raised.value


@pytest.mark.parametrize(
    ("name", "job", "parameters", "expected", "told"),
    [
        ("trigger-build-on-parameterized", "train", None, Trouble.BAD_PARAMETER, "only with them (400)"),
        ("trigger-wrong-choice", "train", {"PROJECT": "nope"}, Trouble.BAD_PARAMETER, "one of: churn, fraud, vision."),
        ("trigger-wrong-choice", "train", {"PROJECT": "fraud"}, Trouble.FAULT, "Jenkins failed at job train (500)"),
        ("trigger-bad-delay", "freestyle", None, Trouble.FAULT, "Jenkins failed at job freestyle (500)"),
        ("trigger-params-on-plain-job", "freestyle", {"A": "1"}, Trouble.BAD_PARAMETER, "freestyle has no parameters."),
        ("trigger-disabled", "disabled-job", None, Trouble.DISABLED, "it is disabled"),
        ("trigger-disabled-params", "disabled-job", {"A": "1"}, Trouble.DISABLED, "it is disabled"),
        ("multibranch-dead-branch-build", "repo/old", None, Trouble.DISABLED, "its branch is gone"),
        ("trigger-missing-job", "none", None, Trouble.NOT_FOUND, "Jenkins has no job none"),
        ("trigger-on-folder", "team-a", None, Trouble.NOT_FOUND, "(a folder is none)"),
        ("perm-limited-post", "train", None, Trouble.NOT_FOUND, "or hides it from operator"),
        ("perm-viewer-post-build", "freestyle", None, Trouble.NOT_PERMITTED, "user operator lacks Job/Build"),
        ("auth-wrong-password-post-build", "freestyle", None, Trouble.NOT_AUTHENTICATED, "mlops-console login"),
        ("auth-anon-post-build", "freestyle", None, Trouble.NOT_AUTHENTICATED, "mlops-console login"),
        ("crumb-post-without", "freestyle", None, Trouble.NOT_AUTHENTICATED, "that was a password"),
        ("multibranch-scan", "my-mlops-monorepo", None, Trouble.REFUSED, "a project of branches"),
    ],
)
async def test_what_a_real_jenkins_said_to_it(
    name: str, job: str, parameters: dict[str, str] | None, expected: Trouble, told: str
) -> None:
    with replaying() as replayer:
        replayer.put(f"/{job_path(job)}/{'build' if parameters is None else 'buildWithParameters'}", name)
        replayer.put("/job/train/api/json", "job-train")
        replayer.put("/job/freestyle/api/json", "job-disabled")
        replayer.put("anonymous /api/json", "auth-anon-api-json")
        async with source_at(replayer.url) as jenkins:
            error = await refused(jenkins, job, parameters)
    assert error.trouble is expected, error.reason
    assert told in error.reason
    assert [method for method, _ in replayer.asked].count("POST") == 1


async def test_an_answer_that_names_the_job_and_no_item() -> None:
    with replaying() as replayer:
        replayer.put("/job/train/buildWithParameters", "trigger-build-on-parameterized-json")
        replayer.put("/queue/api/json", "queue-waiting")
        async with source_at(replayer.url) as jenkins:
            queued = await jenkins.trigger("train", {"PROJECT": "fraud", "EPOCHS": "1"})
            assert queued.item_id == 6
            with pytest.raises(JenkinsError) as raised:
                await jenkins.trigger("train", {"PROJECT": "fraud", "EPOCHS": "77"})
            with pytest.raises(JenkinsError, match="and 2 fit it there"):
                await jenkins.trigger("train", {"PROJECT": "fraud"})
    assert (raised.value.trouble, raised.value.unsure) == (Trouble.FAULT, True)
    assert "without saying which item of the queue it became, and it is not there any more" in raised.value.reason


async def test_an_answer_that_names_no_item_while_the_queue_cannot_be_seen() -> None:
    """It was taken: whoever asks must not take that for a refusal."""
    with replaying() as replayer:
        replayer.put("/job/train/buildWithParameters", "trigger-build-on-parameterized-json")
        async with source_at(replayer.url) as jenkins:
            error = await refused(jenkins, "train", {"PROJECT": "fraud"})
    assert (error.trouble, error.unsure) == (Trouble.NOT_JENKINS, True)
    assert error.reason.startswith("Jenkins took the request for train, and its queue cannot be looked at: ")


async def test_an_equal_request_whose_item_cannot_be_seen() -> None:
    with replaying() as replayer:
        replayer.put("/job/train/buildWithParameters", "trigger-same-params-again")
        async with source_at(replayer.url) as jenkins:
            assert await jenkins.trigger("train", {"PROJECT": "fraud", "EPOCHS": "2"}) == Queued(7, already=True)


async def test_the_redirect_of_an_action_that_does_not_exist() -> None:
    with replaying() as replayer:
        replayer.put("/job/freestyle/build", "term-freestyle")
        async with source_at(replayer.url) as jenkins:
            error = await refused(jenkins, "freestyle")
    assert error.trouble is Trouble.REFUSED
