"""Each request that ends, answers or switches something is the one that a real Jenkins got, and its answer is read rightly."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from console.model.asking import Definition, FieldKind, Needs, Question, Stop
from console.model.build import BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.sources.protocols import ActingJenkins
from console.text import clean
from tests.support.jenkins.reaching import source_at
from tests.support.recorded import Exchange, Replayer, recorded, replaying

Call = Callable[[ActingJenkins], Awaitable[object]]
KEPT = "/job/train/5/api/json"


def ref(job: str, number: int) -> BuildRef:
    return BuildRef(clean(job), number)


def kept() -> Exchange:
    """Of a build that is kept there is no recording: it is this one, but for that."""
    found = recorded("build-success")
    assert '"keepLog":false' in found.body
    return replace(found, body=found.body.replace('"keepLog":false', '"keepLog":true'))


def surroundings(replayer: Replayer) -> None:
    """What is looked at before and after."""
    for path, name in {
        "/job/approve/1": "input-pending",
        "/job/approve/2": "input-pending",
        "/job/approve/4": "input-after-bad-choice",
        "/job/plain-input/1": "input-pending-no-parameters",
        "/job/train/10": "pipeline/input-publish-pending",
        "/job/train/31": "pipeline/input-publish-pending",
        "/job/train/5": "pipeline/input-publish-pending",
        "/job/perm-job/1": "pipeline/perm-operator-pending-input",
    }.items():
        replayer.put(f"{path}/wfapi/pendingInputActions", name)
    replayer.put("/queue/item/6/api/json", "queue-item-cancelled")
    replayer.put("/job/my-mlops-monorepo/api/json", "multibranch-api")
    replayer.put("/job/my-mlops-monorepo/job/main/api/json", "multibranch-branch-after-first")
    replayer.put("/job/perm-job/api/json", "job-train")
    replayer.put("/job/perm-job/1/api/json", "build-success")
    replayer.put(KEPT, "build-success", kept())
    replayer.put("/computer/gpu-agent-1/api/json", "computer-offline-node", "computer-after-toggle")
    replayer.put("/computer/(built-in)/api/json", "computer-built-in")


def fields(query: str, form: str) -> list[tuple[str, str]]:
    """What is told, whichever way: Jenkins takes both (trigger-with-params-query, trigger-train-with-params-form)."""
    return sorted((name, value.replace(": ", ":").replace(", ", ",")) for name, value in parse_qsl(f"{query}&{form}"))


DEPLOY = {"TARGET": "production", "NOTE": "go"}
MOON = {"TARGET": "moon"}
TAKEN: dict[str, Call] = {
    "stop-running": lambda jenkins: jenkins.stop(ref("train", 7), Stop.STOP),
    "stop-finished": lambda jenkins: jenkins.stop(ref("train", 7), Stop.STOP),
    "stop-freestyle": lambda jenkins: jenkins.stop(ref("freestyle", 3), Stop.STOP),
    "stop-pipeline-waiting-for-node": lambda jenkins: jenkins.stop(ref("needs-gpu", 1), Stop.STOP),
    "pipeline/abort-by-operator": lambda jenkins: jenkins.stop(ref("train", 2), Stop.STOP),
    "pipeline/abort-twice-second-stop": lambda jenkins: jenkins.stop(ref("train", 13), Stop.STOP),
    "pipeline/perm-operator-stop": lambda jenkins: jenkins.stop(ref("perm-job", 1), Stop.STOP),
    "term-finished": lambda jenkins: jenkins.stop(ref("train", 7), Stop.TERM),
    "kill-finished": lambda jenkins: jenkins.stop(ref("train", 7), Stop.KILL),
    "queue-cancel": lambda jenkins: jenkins.cancel(6),
    "pipeline/operator-cancel": lambda jenkins: jenkins.cancel(12),
    "pipeline/perm-operator-cancel-queue": lambda jenkins: jenkins.cancel(73),
    "input-submit": lambda jenkins: jenkins.answer(ref("approve", 1), "Deploy", DEPLOY),
    "pipeline/input-publish-approve": lambda jenkins: jenkins.answer(ref("train", 10), "Publish", {}),
    "pipeline/perm-operator-input": lambda jenkins: jenkins.answer(ref("perm-job", 1), "Go", {}),
    "input-abort": lambda jenkins: jenkins.reject(ref("approve", 2), "Deploy"),
    "pipeline/operator-input-abort": lambda jenkins: jenkins.reject(ref("train", 5), "Publish"),
    "multibranch-scan": lambda jenkins: jenkins.scan("my-mlops-monorepo"),
    "item-disable": lambda jenkins: jenkins.set_enabled("made", on=False),
    "item-enable": lambda jenkins: jenkins.set_enabled("made", on=True),
    "build-toggle-keep": lambda jenkins: jenkins.set_kept(ref("train", 5), on=True),
    "computer-toggle-offline": lambda jenkins: jenkins.set_offline("gpu-agent-1", "maintenance"),
}
REFUSED: dict[str, tuple[Call, Trouble, str | None, str]] = {
    "stop-no-permission": (
        lambda jenkins: jenkins.stop(ref("train", 7), Stop.STOP),
        Trouble.NOT_PERMITTED, "Job/Cancel", "Jenkins: user operator lacks Job/Cancel.",
    ),
    "pipeline/release-bot-stop": (
        lambda jenkins: jenkins.stop(ref("train", 2), Stop.STOP),
        Trouble.NOT_PERMITTED, "Job/Cancel", "Jenkins: user operator lacks Job/Cancel.",
    ),
    "pipeline/perm-release-bot-stop": (
        lambda jenkins: jenkins.stop(ref("perm-job", 1), Stop.STOP),
        Trouble.NOT_FOUND, None, "Jenkins has no build perm-job #1, or hides it from operator.",
    ),
    "stop-missing-build": (
        lambda jenkins: jenkins.stop(ref("train", 99999), Stop.STOP),
        Trouble.NOT_FOUND, None, "Jenkins has no build train #99999, or hides it from operator.",
    ),
    "term-freestyle": (
        lambda jenkins: jenkins.stop(ref("freestyle", 3), Stop.TERM),
        Trouble.REFUSED, None,
        "Jenkins knows no term of freestyle #3: only builds of Pipelines have it. What it knows is stop.",
    ),
    "queue-cancel-missing": (
        lambda jenkins: jenkins.cancel(999999),
        Trouble.NOT_FOUND, None, "Item 999999 is not in the queue any more, or Jenkins hides it from operator.",
    ),
    "perm-viewer-queue-cancel": (
        lambda jenkins: jenkins.cancel(999999),
        Trouble.NOT_FOUND, None, "Item 999999 is not in the queue any more, or Jenkins hides it from operator.",
    ),
    "queue-cancel-again": (
        lambda jenkins: jenkins.cancel(6), Trouble.NOT_FOUND, None, "Item 6 was cancelled already.",
    ),
    "queue-cancel-no-permission": (
        lambda jenkins: jenkins.cancel(8), Trouble.NOT_PERMITTED, "Job/Cancel", "Jenkins: user operator lacks Job/Cancel.",
    ),
    "pipeline/release-bot-cancel": (
        lambda jenkins: jenkins.cancel(12), Trouble.NOT_PERMITTED, "Job/Cancel", "Jenkins: user operator lacks Job/Cancel.",
    ),
    "pipeline/input-publish-viewer": (
        lambda jenkins: jenkins.answer(ref("train", 31), "Publish", {}),
        Trouble.NOT_PERMITTED, None,
        "Jenkins does not take the answer of operator to Publish of train #31, which is still asked: that takes Job/Build, "
        "and to be one of those whom the question names, where it names any.",
    ),
    "pipeline/perm-operator-disable-job": (
        lambda jenkins: jenkins.set_enabled("perm-job", on=False),
        Trouble.NOT_PERMITTED, "Job/Configure", "Jenkins: user operator lacks Job/Configure.",
    ),
    "multibranch-branch-disable": (
        lambda jenkins: jenkins.set_enabled("my-mlops-monorepo/main", on=False),
        Trouble.REFUSED, None, "my-mlops-monorepo/main is a branch: it belongs to its project",
    ),
    "pipeline/perm-operator-keep": (
        lambda jenkins: jenkins.set_kept(ref("perm-job", 1), on=True),
        Trouble.NOT_PERMITTED, "Run/Update", "Jenkins: user operator lacks Run/Update.",
    ),
    "pipeline/perm-operator-node-offline": (
        lambda jenkins: jenkins.set_offline("(built-in)", "x"),
        Trouble.NOT_PERMITTED, "Agent/Disconnect", "Jenkins: user operator lacks Agent/Disconnect.",
    ),
}  # fmt: skip


async def sent_as_recorded(name: str, call: Call, prepare: Callable[[Replayer], None]) -> JenkinsError | None:
    """What became of it, after its one POST was held against the recorded one."""
    one = recorded(name)
    with replaying() as replayer:
        prepare(replayer)
        replayer.put(one.url.partition("?")[0], name)
        error = None
        async with source_at(replayer.url) as jenkins:
            try:
                await call(jenkins)
            except JenkinsError as raised:
                error = raised
        posts = [at for at, (method, _) in enumerate(replayer.asked) if method == "POST"]
    assert len(posts) == 1
    (at,) = posts
    ours, theirs = urlsplit(replayer.asked[at][1]), urlsplit(one.url)
    assert one.method == "POST"
    assert ours.path == theirs.path
    assert fields(ours.query, replayer.bodies[at]) == fields(theirs.query, one.sent)
    form = replayer.headers[at].get("content-type")
    assert form == ("application/x-www-form-urlencoded" if replayer.bodies[at] else None)
    return error


@pytest.mark.parametrize("name", TAKEN)
async def test_what_a_real_jenkins_took(name: str) -> None:
    assert await sent_as_recorded(name, TAKEN[name], surroundings) is None


@pytest.mark.parametrize("name", REFUSED)
async def test_what_a_real_jenkins_refused(name: str) -> None:
    call, trouble, permission, told = REFUSED[name]
    error = await sent_as_recorded(name, call, surroundings)
    assert error is not None
    assert (error.trouble, error.permission, error.unsure) == (trouble, permission, False)
    assert error.reason.startswith(told)
    assert "<" not in error.reason


async def test_a_choice_that_a_real_jenkins_did_not_take() -> None:
    """What was recorded left a field out; here each has its default."""
    one = recorded("input-submit-bad-choice")
    with replaying() as replayer:
        surroundings(replayer)
        replayer.put("/job/approve/4/wfapi/inputSubmit", one)
        async with source_at(replayer.url) as jenkins:
            with pytest.raises(JenkinsError) as raised:
                await jenkins.answer(ref("approve", 4), "Deploy", MOON)
    assert raised.value.trouble is Trouble.BAD_PARAMETER
    assert raised.value.reason == "TARGET of approve #4 cannot be moon. It is one of: staging, production."
    ours, theirs = dict(parse_qsl(next(filter(None, replayer.bodies)))), dict(parse_qsl(one.sent))
    assert ours["json"].replace(', {"name": "NOTE", "value": ""}', "") == theirs["json"]


@pytest.mark.parametrize(("given", "sent"), [({}, True), ({"NOTE": "false"}, False), ({"NOTE": "true"}, True)])
async def test_a_boolean_is_sent_as_one(given: dict[str, str], sent: bool) -> None:
    """As Jenkins' own form does it. There is no recording of such a question: it is this one with another type."""
    pending = recorded("input-pending")
    boolean = pending.body.replace("StringParameterDefinition", "BooleanParameterDefinition").replace("null", "true")
    with replaying() as replayer:
        replayer.put("/job/approve/1/wfapi/pendingInputActions", replace(pending, body=boolean))
        replayer.put("/job/approve/1/wfapi/inputSubmit", "input-submit")
        async with source_at(replayer.url) as jenkins:
            await jenkins.answer(ref("approve", 1), "Deploy", given)
    told = json.loads(dict(parse_qsl(replayer.bodies[-1]))["json"])
    assert told == {"parameter": [{"name": "TARGET", "value": "staging"}, {"name": "NOTE", "value": sent}]}


async def test_a_question_that_somebody_else_answered() -> None:
    """The answer comes too late: Jenkins says 500, and nothing is asked any more."""
    one = recorded("input-submit-again")
    with replaying() as replayer:
        replayer.put("/job/approve/1/wfapi/pendingInputActions", "input-pending", "input-pending-none")
        replayer.put("/job/approve/1/wfapi/inputSubmit", one)
        async with source_at(replayer.url) as jenkins:
            with pytest.raises(JenkinsError) as raised:
                await jenkins.answer(ref("approve", 1), "Deploy", {})
            assert [method for method, _ in replayer.asked] == ["GET", "POST", "GET"]
            with pytest.raises(JenkinsError, match="is not asked any more"):
                await jenkins.answer(ref("approve", 1), "Deploy", {})
    assert raised.value.trouble is Trouble.NOT_FOUND
    assert "is not asked any more" in raised.value.reason


@pytest.mark.parametrize(
    ("name", "pending", "trouble", "permission", "told"),
    [
        ("input-wrong-id", ["input-pending"], Trouble.NOT_FOUND, None, "Jenkins has no question Deploy of approve #1"),
        ("input-wrong-id", ["input-pending", "input-pending-none"], Trouble.NOT_FOUND, None, "is not asked any more"),
        ("input-submit-no-permission", ["input-pending"], Trouble.NOT_PERMITTED, "Job/Build", "You need to have Job/Build"),
        ("input-submit-again", ["input-pending"], Trouble.NOT_PERMITTED, None, "which is still asked"),
        ("trigger-build-on-parameterized", ["input-pending"], Trouble.BAD_PARAMETER, None, "refuses what was sent"),
        ("trigger-build-on-parameterized", ["input-pending", "input-pending-none"], Trouble.NOT_FOUND, None, "not asked any"),
    ],
)  # fmt: skip
async def test_a_no_that_is_not_taken(
    name: str, pending: list[str], trouble: Trouble, permission: str | None, told: str
) -> None:
    with replaying() as replayer:
        replayer.put("/job/approve/1/wfapi/pendingInputActions", *pending)
        replayer.put("/job/approve/1/input/Deploy/abort", name)
        async with source_at(replayer.url) as jenkins:
            with pytest.raises(JenkinsError) as raised:
                await jenkins.reject(ref("approve", 1), "Deploy")
    assert (raised.value.trouble, raised.value.permission) == (trouble, permission)
    assert told in raised.value.reason


async def test_a_switch_that_somebody_else_turned_back() -> None:
    with replaying() as replayer:
        surroundings(replayer)
        replayer.put(KEPT, "build-success")
        replayer.put("/job/train/5/toggleLogKeep", "build-toggle-keep")
        async with source_at(replayer.url) as jenkins:
            with pytest.raises(JenkinsError) as raised:
                await jenkins.set_kept(ref("train", 5), on=True)
    assert (raised.value.trouble, raised.value.unsure) == (Trouble.REFUSED, False)
    assert raised.value.reason.startswith("Somebody else switched build train #5 at the same moment")


# What is asked


async def test_the_questions_of_a_real_jenkins() -> None:
    with replaying() as replayer:
        surroundings(replayer)
        async with source_at(replayer.url) as jenkins:
            (deploy,) = await jenkins.questions(ref("approve", 1))
            plain = await jenkins.questions(ref("plain-input", 1))
    offered = (clean("staging"), clean("production"))
    assert deploy.fields == (
        Definition(clean("TARGET"), FieldKind.CHOICE, clean("where"), clean("staging"), offered),
        Definition(clean("NOTE"), FieldKind.TEXT, clean("why"), clean("")),
    )
    assert (deploy.id, deploy.message, deploy.proceed) == ("Deploy", "Deploy the model?", "Deploy")
    assert plain == (Question(clean("Approve-me"), clean("go?"), clean("Proceed")),)


async def test_a_build_of_a_real_jenkins_that_cannot_ask() -> None:
    with replaying() as replayer:
        replayer.put("/job/freestyle/3/wfapi/pendingInputActions", "wfapi-on-freestyle")
        replayer.put("/job/freestyle/3/api/json", "build-freestyle")
        replayer.put("/job/perm-job/1/wfapi/pendingInputActions", "pipeline/perm-release-bot-pending-input")
        replayer.put("/job/perm-job/1/api/json", "job-missing")
        async with source_at(replayer.url) as jenkins:
            assert await jenkins.questions(ref("freestyle", 3)) == ()
            with pytest.raises(JenkinsError, match="Jenkins has no build perm-job #1"):
                await jenkins.questions(ref("perm-job", 1))


async def test_what_the_jobs_of_a_real_jenkins_declare() -> None:
    with replaying() as replayer:
        for path, name in {
            "/job/train": "job-train",
            "/job/repo/job/feature%252Fx": "multibranch-branch-after-first",
            "/job/off": "job-disabled",
            "/job/team-a": "job-folder",
        }.items():
            replayer.put(f"{path}/api/json", name)
        async with source_at(replayer.url) as jenkins:
            told = await jenkins.parameters("train")
            branch = await jenkins.parameters("repo/feature%2Fx")
            assert await jenkins.parameters("off") == await jenkins.parameters("team-a") == ()
    assert [(one.name, one.kind, one.default) for one in told] == [
        ("PROJECT", FieldKind.CHOICE, "churn"),
        ("EPOCHS", FieldKind.TEXT, "3"),
        ("FAIL", FieldKind.BOOLEAN, "false"),
        ("UNSTABLE", FieldKind.BOOLEAN, "false"),
    ]
    assert told[0].choices == ("churn", "fraud", "vision")
    assert told[1].description == "Number of epochs"
    assert all(one.exact for one in told)
    assert [one.name for one in branch] == ["PROJECT", "EPOCHS"]


# What can be found out


@pytest.mark.parametrize(
    ("needs", "name", "expected"),
    [
        (Needs.BUILD, "trigger-build-on-parameterized", False),
        (Needs.BUILD, "perm-viewer-post-build", True),
        (Needs.BUILD, "perm-limited-post", None),
        (Needs.BUILD, "trigger-disabled", None),
        (Needs.CANCEL, "stop-finished", False),
        (Needs.CANCEL, "stop-no-permission", True),
        (Needs.CANCEL, "stop-missing-build", None),
        (Needs.CANCEL, "term-freestyle", None),
        (Needs.BUILD, "auth-wrong-password-post-build", Trouble.NOT_AUTHENTICATED),
        (Needs.CANCEL, "crumb-post-without", Trouble.NOT_AUTHENTICATED),
    ],
)
async def test_what_a_real_jenkins_gives_away(needs: Needs, name: str, expected: bool | Trouble | None) -> None:
    idle = replace(
        recorded("job-train"),
        body='{"_class":"x","buildable":true,"inQueue":false,"lastBuild":null,'
        '"property":[{"parameterDefinitions":[{"name":"PROJECT"}]}]}',
    )
    with replaying() as replayer:
        replayer.put("/job/train/api/json", idle)
        replayer.put("/job/train/7/api/json", "build-aborted")
        replayer.put("/job/train/build" if needs is Needs.BUILD else "/job/train/7/stop", name)
        replayer.put("anonymous /api/json", "auth-anon-api-json")
        raising: AbstractContextManager[object] = nullcontext()
        if isinstance(expected, Trouble):
            raising = pytest.raises(JenkinsError)
        async with source_at(replayer.url) as jenkins:
            with raising as raised:
                assert await jenkins.lacks(needs, "train", ref("train", 7)) is expected
    if isinstance(expected, Trouble):
        assert raised.value.trouble is expected
    assert [method for method, _ in replayer.asked].count("POST") == 1


async def test_a_question_that_started_something_is_taken_back() -> None:
    """The parameters were gone a moment later: what began then waits an hour, and is cancelled at once."""
    idle = replace(
        recorded("job-train"),
        body='{"_class":"x","buildable":true,"inQueue":false,"property":[{"parameterDefinitions":[{"name":"PROJECT"}]}]}',
    )
    with replaying() as replayer:
        replayer.put("/job/train/api/json", idle)
        replayer.put("/job/train/build", "trigger-plain")
        replayer.put("/queue/cancelItem", "queue-cancel")
        async with source_at(replayer.url) as jenkins:
            assert await jenkins.lacks(Needs.BUILD, "train") is False
            item = dict(recorded("trigger-plain").headers)["location"].split("/")[-2]
            assert replayer.asked[-1] == ("POST", f"/queue/cancelItem?id={item}")
            replayer.put("/queue/cancelItem", "queue-cancel-no-permission")
            with pytest.raises(JenkinsError, match=f"begins in an hour: cancel item {item} of the queue"):
                await jenkins.lacks(Needs.BUILD, "train")
