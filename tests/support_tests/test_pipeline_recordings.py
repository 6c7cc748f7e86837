"""The harness that runs Jenkinsfiles does what recordings of a real Jenkins show, with the Jenkinsfile of the recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pipeline.runner import Build, lint, run
from tests.support.recorded import series
from tests.support_tests.pipeline_reference import Reference, body, sent, shape, stages

LOCK = '      options { lock(resource: "train-${params.PROJECT}") }\n'


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    return Reference(tmp_path)


def test_a_training_has_the_stages_and_the_order_of_the_recorded_one(reference: Reference) -> None:
    with run(reference.text, causes=["release of project-a"], **reference.arguments()) as build:
        assert build.result() == "SUCCESS", build.console
        assert shape(build.console) == shape(body("pipeline/train-log"))
        assert build.statuses() == stages("pipeline/train-wfapi")
        assert build.display_name == f"#1 project-a@{reference.commit[:12]}"
        assert build.description == f"project-a@{reference.commit[:12]}: acc 0.9, 3 epochs"
        assert sorted(build.archived) == ["out/checkpoint.json", "train.log"]
        assert build.held == ["train-project-a"]


def test_a_stop_ends_the_step_and_post_runs_as_recorded(reference: Reference) -> None:
    with run(reference.text, **reference.arguments(EPOCHS="9999")) as build:
        build.until("epoch 3")
        build.stop()
        assert build.result() == "ABORTED"
        assert "Sending interrupt signal to process" in build.console
        assert [line for line in shape(build.console) if line != "Aborted by"] == [
            line for line in shape(body("pipeline/abort-by-operator-log")) if line != "Aborted by"
        ]
        last = series("pipeline/abort-train-stages")[-1].json
        assert build.statuses() == {one["name"]: one["status"] for one in last["stages"]}
        assert build.description == f"project-a@{reference.commit[:12]}: aborted"


def test_a_second_stop_ends_the_step_in_post_and_cleanup_still_runs(reference: Reference) -> None:
    text = reference.text.replace(LOCK, "")
    with run(text, **reference.arguments(EPOCHS="9999", SLOW="yes")) as build:
        build.until("epoch 2").stop()
        build.until("[training] stopping").stop()
        assert build.result() == "ABORTED"
        assert shape(build.console) == shape(body("pipeline/abort-twice-log"))


def test_a_training_that_fails_ends_as_recorded(reference: Reference) -> None:
    with run(reference.text.replace(LOCK, ""), **reference.arguments(FAIL="3")) as build:
        assert build.result() == "FAILURE"
        assert shape(build.console) == shape(body("pipeline/train-fail-log"))
        assert build.statuses() == stages("pipeline/train-fail-wfapi")


def test_a_refused_request_skips_the_stages_below_as_recorded(reference: Reference) -> None:
    with run(reference.text, **reference.arguments(PROJECT="nope")) as build:
        assert build.result() == "FAILURE"
        recorded = [
            line.replace("3634c5ca9679", reference.commit[:12]) for line in shape(body("pipeline/gwt-unknown-project-log"))
        ]
        assert shape(build.console) == recorded


def test_an_approved_input_runs_on_as_recorded(reference: Reference) -> None:
    with run(reference.text, **reference.arguments(ASK_PUBLISH=True)) as build:
        build.until("Input requested")
        assert build.statuses()["Publish"] == "PAUSED_PENDING_INPUT"
        with pytest.raises(PermissionError, match="viewer may not answer the input Publish: only operator"):
            build.approve(by="viewer")
        build.approve()
        assert build.result() == "SUCCESS"
        assert shape(build.console) == shape(body("pipeline/input-publish-log").replace("project-c", "project-a"))
        assert f"publishing project-a@{reference.commit[:12]}, approved by operator" in build.console


def test_a_branch_is_only_validated_as_recorded(reference: Reference) -> None:
    arguments = reference.arguments() | {"job": "mlops/train", "branch": "main", "params": {}}
    with run(reference.text, **arguments) as build:
        assert build.result() == "SUCCESS"
        assert shape(build.console) == shape(body("pipeline/validate-branch-log"))
        assert build.statuses() == {
            one["name"]: one["status"] for one in body("pipeline/validate-branch-called-train-wfapi")["stages"]
        }


@pytest.mark.parametrize("later", [False, True])
def test_what_was_trained_before_or_after_is_not_trained_again(reference: Reference, later: bool) -> None:
    name = f"#4 project-a@{reference.commit[:12]}"
    history = [Build(3, "FAILURE", name)] + ([] if later else [Build(2, "SUCCESS", name)])
    newer = [Build(6, "SUCCESS", name)] if later else []
    with run(reference.text, build=4, history=history, newer=newer, **reference.arguments()) as build:
        assert build.result() == "NOT_BUILT"
        assert str(build.description).endswith(f"already trained in #{6 if later else 2}")
        assert build.statuses()["Train"] == "NOT_EXECUTED"


REFUSED = [
    "pipeline/lint-train-bad-option",
    "pipeline/lint-train-bad-when",
    "pipeline/lint-train-wrong-lock-option",
    "lint-bad-option",
    "lint-no-agent",
    "lint-one-line-when",
    "lint-scripted",
    "lint-unclosed",
    "lint-wrong-param",
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_linter_of_jenkins_refuses_is_refused_at_the_same_place(name: str) -> None:
    errors = lint(sent(name)).errors
    recorded = [line for line in body(name).splitlines() if line.startswith(("WorkflowScript", "Jenkinsfile content"))]
    assert [error.split(" Valid option types")[0].splitlines()[0] for error in errors] == [
        line.split(" Valid option types")[0] for line in recorded
    ]


def test_a_bad_file_is_refused_before_anything_runs(reference: Reference) -> None:
    with run(sent("pipeline/lint-train-bad-option"), **reference.arguments()) as build:
        assert build.result() == "FAILURE"
        assert build.stages == []
        assert 'Invalid option type "timestampz"' in build.refused[0]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pipeline/lint-train-unknown-step", "No such DSL method 'eror'"),
        ("pipeline/lint-train-unknown-step-in-steps", "No such DSL method 'ecko'"),
        ("pipeline/lint-train-wrong-lock", 'Invalid parameter "lable", did you mean "label"?'),
    ],
)
def test_what_the_linter_of_jenkins_misses_is_refused_by_its_name(name: str, what: str) -> None:
    found = lint(sent(name))
    assert body(name).strip() == "Jenkinsfile successfully validated."
    assert found.errors == []
    assert [what in one for one in found.more] == [True]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pipeline/lint-train-bad-var", "No such property: parms for class: WorkflowScript"),
        ("pipeline/lint-train-sandbox", "Scripts not permitted to use new groovy.json.JsonSlurperClassic"),
        ("pipeline/lint-train-bad-credential", "Could not find credentials entry with ID 'no-such-id'"),
        ("pipeline/lint-train-missing-script", "ci/nothing.sh: not found"),
    ],
)
def test_what_only_shows_when_it_runs_fails_the_build(reference: Reference, name: str, what: str) -> None:
    text = sent(name)
    assert lint(text).errors == []
    with run(text, **reference.arguments()) as build:
        assert build.result() == "FAILURE"
        assert what in build.console
