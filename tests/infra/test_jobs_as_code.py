"""The jobs that casc.yaml makes: its scripts of Job DSL, run by the Groovy that Jenkins has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra import controller
from tests.support.casc import files
from tests.support.groovy import running

SCRIPTS = [entry["script"] for entry in files.load(controller.CASC)["jobs"]]
# Steps, console and requests know them by these names.
PARAMETERS = {
    "PROJECT": "stringParam",
    "COMMIT": "stringParam",
    "DELIVERY": "stringParam",
    "TIMESTAMP": "stringParam",
    "FORCE": "booleanParam",
    "RESUME_FROM": "stringParam",
    "OVERRIDES": "textParam",
}
# Every word of Job DSL that is said, and where. Job DSL knows them (seen on a controller, or in the plugin's own description of
# its words): another one ends the start of Jenkins, so it belongs here only once it was seen there.
WORDS = {
    "multibranchPipelineJob": {
        "displayName",
        "description",
        "branchSources/branchSource/source/git/id",
        "branchSources/branchSource/source/git/remote",
        "branchSources/branchSource/source/git/credentialsId",
        "branchSources/branchSource/source/git/traits/gitBranchDiscovery",
        "branchSources/branchSource/source/git/traits/headRegexFilter/regex",
        "factory/workflowBranchProjectFactory/scriptPath",
        "triggers/periodicFolderTrigger/interval",
        "orphanedItemStrategy/discardOldItems/numToKeep",
    },
    "pipelineJob": {
        "description",
        "parameters/stringParam",
        "parameters/booleanParam",
        "parameters/textParam",
        *(
            f"properties/pipelineTriggers/triggers/genericTrigger/{word}"
            for word in (
                *(f"genericVariables/genericVariable/{of}" for of in ("key", "value", "expressionType", "regexpFilter")),
                "genericVariables/genericVariable/defaultValue",
                *("tokenCredentialId", "causeString", "regexpFilterText", "regexpFilterExpression"),
                *("printContributedVariables", "printPostContent", "silentResponse"),
            )
        ),
        "definition/cpsScm/scm/git/remote/url",
        "definition/cpsScm/scm/git/remote/credentials",
        "definition/cpsScm/scm/git/branch",
        "definition/cpsScm/scriptPath",
        "definition/cpsScm/lightweight",
    },
}

Job = dict[str, Any]
Maker = Callable[..., dict[str, Job]]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Runs all scripts, with another secret and other settings where given; the jobs by name."""
    made: dict[tuple[object, ...], dict[str, Job]] = {}

    def run(access: str = "none", **settings: str) -> dict[str, Job]:
        key = (access, *sorted(settings.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("jobs")
            (folder / "git-token").write_text(f"{access}\n", encoding="utf-8")
            jobs = _said(folder, {**controller.values(), **settings})
            made[key] = {job["arguments"][0]: job for job in jobs}
        return made[key]

    return run


def _said(folder: Path, values: dict[str, str]) -> list[Job]:
    sources: list[str] = []
    for script in SCRIPTS:
        source = folder / f"job{len(sources)}.groovy"
        source.write_text(files.filled_in(script, values).replace("/run/secrets/", f"{folder}/"), encoding="utf-8")
        sources.append(str(source))
    ended = running.run(running.HERE / "JobDsl.groovy", *sources)
    assert ended.returncode == 0, ended.stderr
    jobs: list[Job] = json.loads(ended.stdout)
    return jobs


def inside(job: Job, path: str) -> list[Job]:
    """The words at `path` below one word."""
    found = [job]
    for name in path.split("/"):
        found = [word for one in found for word in one["inside"] or () if word["name"] == name]
    return found


def said(job: Job, path: str) -> Any:
    """The one argument of the one word at `path`."""
    (word,) = inside(job, path)
    (argument,) = word["arguments"]
    return argument


def paths(job: Job, above: str = "") -> Iterator[str]:
    for word in job["inside"]:
        path = f"{above}{word['name']}"
        yield from paths(word, f"{path}/") if word["inside"] else [path]


def matches(pattern: str, texts: list[str], folder: Path) -> list[dict[str, bool]]:
    asked = folder / "asked.json"
    asked.write_text(json.dumps({"pattern": pattern, "texts": texts}), encoding="utf-8")
    ended = running.run(running.HERE / "Matching.groovy", str(asked))
    assert ended.returncode == 0, ended.stderr
    answers: list[dict[str, bool]] = json.loads(ended.stdout)
    return answers


def test_there_are_these_two(make: Maker) -> None:
    assert {name: job["name"] for name, job in make().items()} == {
        "my-mlops-monorepo": "multibranchPipelineJob",
        "train": "pipelineJob",
    }


def test_every_word_is_one_that_job_dsl_knows(make: Maker) -> None:
    for job in make(access="given").values():
        assert set(paths(job)) == WORDS[job["name"]]


def test_a_token_is_used_only_where_one_is_given(make: Maker) -> None:
    without, with_one = make(), make(access="given")
    branches = "branchSources/branchSource/source/git/credentialsId"
    training = "definition/cpsScm/scm/git/remote/credentials"
    assert inside(without["my-mlops-monorepo"], branches) == inside(without["train"], training) == []
    assert said(with_one["my-mlops-monorepo"], branches) == said(with_one["train"], training) == "git"


def test_the_parameters_are_those_that_everything_agrees_on(make: Maker) -> None:
    (parameters,) = inside(make()["train"], "parameters")
    assert {word["arguments"][0]: word["name"] for word in parameters["inside"]} == PARAMETERS
    assert list(PARAMETERS) == [word["arguments"][0] for word in parameters["inside"]]
    for word in parameters["inside"]:
        assert word["arguments"][1] == (False if word["name"] == "booleanParam" else "")


def test_both_are_fetched_from_the_same_place(make: Maker) -> None:
    jobs = make(RELEASE_BRANCH="stable", MLOPS_REPOSITORY_URL="https://git.example.org/other.git")
    assert (
        said(jobs["my-mlops-monorepo"], "branchSources/branchSource/source/git/remote") == "https://git.example.org/other.git"
    )
    assert said(jobs["train"], "definition/cpsScm/scm/git/remote/url") == "https://git.example.org/other.git"
    assert said(jobs["train"], "definition/cpsScm/scm/git/branch") == "*/stable"
    assert said(jobs["my-mlops-monorepo"], "factory/workflowBranchProjectFactory/scriptPath") == "Jenkinsfile"
    assert said(jobs["train"], "definition/cpsScm/scriptPath") == "Jenkinsfile"


@pytest.mark.parametrize(
    ("branch", "inside_names", "outside_names"),
    [
        (
            "main",
            ["main", "release/1.0", "release/2026-11", "release/*"],
            [
                *("feature/x", "train", "Main", "RELEASE/4", "xrelease/1", "releases", "maintenance", "mainx", "xmain"),
                *("release", "release/", "release/1.0-hotfix/deep", "release/a/b", "main/x", "feature/main", ""),
            ],
        ),
        # Of two names that differ in one sign only one is reviewed.
        ("v1.0", ["v1.0", "release/1"], ["v1x0", "v1-0", "main", "v1.0.1"]),
        ("release/main", ["release/main"], ["main"]),
    ],
)
def test_only_reviewed_branches_are_built(
    make: Maker, tmp_path: Path, branch: str, inside_names: list[str], outside_names: list[str]
) -> None:
    job = make(RELEASE_BRANCH=branch)["my-mlops-monorepo"]
    pattern = said(job, "branchSources/branchSource/source/git/traits/headRegexFilter/regex")
    names = [*inside_names, *outside_names]
    built = [name for name, answer in zip(names, matches(pattern, names, tmp_path), strict=True) if answer["whole"]]
    assert built == inside_names


TRIGGER = "properties/pipelineTriggers/triggers/genericTrigger"


def test_the_webhook_sets_parameters_and_nothing_else(make: Maker) -> None:
    """FORCE is not among them: whoever can send a request cannot make what is trained be trained again."""
    variables = inside(make()["train"], f"{TRIGGER}/genericVariables/genericVariable")
    keys = [said(one, "key") for one in variables]
    assert keys == ["PROJECT", "COMMIT", "DELIVERY", "TIMESTAMP"]
    assert set(keys) <= set(PARAMETERS)
    for one in variables:
        assert said(one, "value") == f"$.{said(one, 'key').lower()}"
        assert said(one, "expressionType") == "JSONPath"
        # A filter removes what matches, and makes another value of a bad one.
        assert said(one, "regexpFilter") == ""
        # Empty would be: the newest commit, and no check of the request.
        assert "missing" in said(one, "defaultValue")


def test_what_the_webhook_got_is_not_printed(make: Maker) -> None:
    for word in ("printContributedVariables", "printPostContent"):
        assert said(make()["train"], f"{TRIGGER}/{word}") is False


def test_its_token_is_a_credential_that_there_is(make: Maker) -> None:
    name = said(make()["train"], f"{TRIGGER}/tokenCredentialId")
    kinds = controller.tree()["credentials"]["system"]["domainCredentials"][0]["credentials"]
    assert {"string": {"scope": "GLOBAL", "id": name}} in [
        {kind: {key: one[key] for key in ("scope", "id")}} for entry in kinds for kind, one in entry.items()
    ]


def test_the_delivery_is_in_the_cause(make: Maker) -> None:
    """That is where a request that comes twice is noticed."""
    assert said(make()["train"], f"{TRIGGER}/causeString") == "release of $PROJECT (delivery $DELIVERY)"


RECORDED = json.loads((controller.RECORDINGS / "webhook-requests.json").read_text(encoding="utf-8"))
GOOD = {"project": "project-a", "commit": "7243f5bc6765a62deeb7485ccf8463aa55e87ad7"}
GOOD |= {"delivery": "d-000000001", "timestamp": "1795413618"}


def resolved(body: str, name: str, default: str) -> str:
    """What the plugin makes of `$.name`."""
    try:
        value = json.loads(body).get(name)
    except json.JSONDecodeError:
        value = None
    if value is None or value == "":
        return default
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("request_", RECORDED, ids=lambda one: one["name"])
def test_variables_are_made_here_as_they_were_recorded(request_: dict[str, Any]) -> None:
    for variable, value in request_["resolved"].items():
        if variable in ("PROJECT", "COMMIT", "DELIVERY"):
            default = value if value in ("", "missing") else "?"
            assert resolved(request_["body"], variable.lower(), default) == value


def started(job: Job, bodies: list[str], folder: Path) -> list[bool]:
    """Which of these bodies start a build."""
    texts = []
    for body in bodies:
        text = said(job, f"{TRIGGER}/regexpFilterText")
        for one in inside(job, f"{TRIGGER}/genericVariables/genericVariable"):
            path, default = said(one, "value"), said(one, "defaultValue")
            text = re.sub(rf"\${said(one, 'key')}\b", lambda _: resolved(body, path[2:], default), text)  # noqa: B023
        texts.append(text)
    pattern = said(job, f"{TRIGGER}/regexpFilterExpression")
    return [answer["found"] for answer in matches(pattern, texts, folder)]


def test_a_whole_request_starts_a_build(make: Maker, tmp_path: Path) -> None:
    good = [
        GOOD,
        {**GOOD, "timestamp": 1795413618},
        {**GOOD, "project": "a" * 63, "delivery": "D" * 64},
        {**GOOD, "repository": "org/models", "ref": "main", "pull_request": 7},
    ]
    assert started(make()["train"], [json.dumps(one) for one in good], tmp_path) == [True] * len(good)


def test_a_request_that_lacks_something_or_says_something_else_does_not(make: Maker, tmp_path: Path) -> None:
    bad: list[object] = [{key: value for key, value in GOOD.items() if key != gone} for gone in GOOD]
    bad += [{**GOOD, key: value} for key in GOOD for value in ("", None, "a; id", "$(id)", [1], {"a": 1}, "x\ny", "(missing)")]
    bad += [{**GOOD, "project": value} for value in ("../x", "../../etc", "Project", "-a", "a" * 64, "a b", "a/b", "a\n")]
    bad += [{**GOOD, "commit": value} for value in ("3634c5ca9679", "main", GOOD["commit"].upper(), GOOD["commit"] + "0")]
    bad += [{**GOOD, "delivery": value} for value in ("short", "d" * 65, "d 0000000001", "d_000000001", "(delivery d-1)")]
    bad += [{**GOOD, "timestamp": value} for value in ("12; id", "12345678", "1" * 12, "-1795413618", "1795413618\n", 1.5)]
    bodies = [json.dumps(one) for one in bad] + [one["body"] for one in RECORDED]
    builds = started(make()["train"], bodies, tmp_path)
    assert [body for body, build in zip(bodies, builds, strict=True) if build] == []
