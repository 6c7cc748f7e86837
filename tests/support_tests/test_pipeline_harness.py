"""What the harness for Jenkinsfiles promises beside the recordings: nodes, locks, credentials, signals, the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.pipeline.runner import Node, lint, run
from tests.support.pipeline.shell import marked
from tests.support_tests.pipeline_reference import Reference, body, shape

TRAINER = Node("trainer-1", frozenset({"trainer"}), {"FROM_NODE": "yes"})


def pipeline(steps: str, post: str = "", before: str = "") -> str:
    """One stage on the trainer."""
    after = f"post {{\n{post}\n}}" if post else ""
    return (
        f"pipeline {{\nagent none\nstages {{\nstage('One') {{\n{before}\nagent {{ label 'trainer' }}\n"
        f"steps {{\n{steps}\n}}\n{after}\n}}\n}}\n}}\n"
    )


def told(text: str, folder: Path, **more: Any) -> str:
    """The console of a build that ends by itself."""
    with run(text, folder=folder, nodes=[TRAINER], **more) as build:
        build.result()
        return build.console


def test_a_stop_while_the_node_is_gone_finishes_when_it_is_back_as_recorded(tmp_path: Path) -> None:
    text = """
    pipeline {
      agent none
      options { timestamps() }
      stages {
        stage('Training') {
          stages {
            stage('Train') {
              agent { label 'trainer' }
              steps {
                script {
                  sh 'cp -r "$SOURCE/ci" .; ci/training.sh start'
                  sh 'ci/training.sh follow'
                }
              }
              post { always { sh 'ci/training.sh finish' } }
            }
          }
          post { always { script { node('trainer') { sh 'ci/training.sh finish' } } } }
        }
      }
    }
    """
    source = {"SOURCE": str(Reference(tmp_path).repository), "EPOCHS": "9999"}
    with run(text, folder=tmp_path / "run", nodes=[Node(env=source)]) as build:
        build.until("epoch 3").cut()
        build.until("Cannot contact trainer-1: hudson.remoting.ChannelClosedException").stop()
        build.until("‘trainer-1’ is offline")
        assert build.building
        assert "Could not connect to trainer-1 to send interrupt signal to process" in build.console
        assert "AgentOfflineException: Unable to create live FilePath for trainer-1" in build.console
        build.back()
        assert build.result() == "ABORTED"
        assert shape(build.console) == shape(body("agent/build-stop-while-node-gone-outer-finish-log"))
        assert build.statuses() == {"Training": "SUCCESS", "Train": "ABORTED"}


def test_a_step_whose_script_is_killed_or_lost_gives_the_recorded_codes(tmp_path: Path) -> None:
    follow = "for (int i = 0; i < 2; i++) { echo \"gave ${sh(returnStatus: true, script: 'echo here; sleep 99')}\" }"
    with run(pipeline(f"script {{ {follow} }}"), folder=tmp_path) as build:
        build.until("here\n", count=2).kill_script()
        build.until("gave 137")
        build.until("here\n", count=4).lose_step()
        assert build.result() == "SUCCESS"
        assert "\nKilled\n" in build.console
        assert "wrapper script does not seem to be touching the log file" in build.console
        assert build.console.index("gave 137") < build.console.index("gave -1")
        assert [step.code for step in build.steps] == [137, -1]


def test_a_process_that_does_not_end_is_given_up_and_lives_on(tmp_path: Path) -> None:
    text = pipeline("sh \"trap '' TERM; echo deaf; while :; do sleep 0.1 || :; done\"", "aborted { echo 'after' }")
    with run(text, folder=tmp_path, patience=0.5) as build:
        build.until("deaf\n", count=2).stop()
        assert build.result() == "ABORTED"
        assert "After 0.5s process did not stop" in build.console
        assert "\nafter\n" in build.console
        marks = set(build.marks)
        assert any(marked(mark) for mark in marks)
    assert not any(marked(mark) for mark in marks)


def test_a_timeout_aborts_and_what_is_around_it_goes_on(tmp_path: Path) -> None:
    text = pipeline("timeout(time: 6, unit: 'HOURS') { sh 'echo begun; sleep 99' }", "aborted { sh 'echo finish' }")
    with run(text, folder=tmp_path) as build:
        build.until("begun\n", count=2).time_out()
        assert build.result() == "ABORTED"
        wanted = ["Timeout set to expire in 6 hr 0 min", "Cancelling nested steps due to timeout", "Sending interrupt signal"]
        places = [build.console.index(one) for one in [*wanted, "+ echo finish", "Timeout has been exceeded"]]
        assert places == sorted(places)


def test_locks_are_waited_for_and_given_back(tmp_path: Path) -> None:
    inner = "lock(label: 'gpu', quantity: 2, variable: 'GPU') { sh 'echo GPU=$GPU' }"
    missing = "try { lock(label: 'no-such') { } } catch (e) { echo \"no: ${e}\" }"
    text = pipeline(f"script {{ {missing}\n lock('project-a') {{ {inner} }} }}")
    resources = {"gpu-0": ["gpu"], "gpu-1": ["gpu"], "gpu-2": ["gpu"]}
    with run(text, folder=tmp_path, resources=resources, locked={"project-a": "train #3"}) as build:
        build.until("[project-a] is locked by train #3, waiting...")
        assert build.held == []
        build.free("project-a")
        assert build.result() == "SUCCESS"
        assert "no: java.lang.IllegalArgumentException: The label does not exist: no-such" in build.console
        assert "GPU=gpu-0,gpu-1\n" in build.console
        assert [event for event in build.events if event[0] in {"lock", "unlock"}] == [
            ("lock", "project-a"),
            ("lock", "gpu-0,gpu-1"),
            ("unlock", "gpu-0,gpu-1"),
            ("unlock", "project-a"),
        ]


@pytest.mark.parametrize("what", ["lock", "node", "input"])
def test_a_stop_ends_every_kind_of_waiting(tmp_path: Path, what: str) -> None:
    text = pipeline("lock('a') { echo 'in' }" if what == "lock" else "input 'go on?'" if what == "input" else "echo 'in'")
    waits: dict[str, dict[str, Any]] = {"lock": {"locked": {"a": "train #3"}}, "node": {"gone": ["trainer-1"]}, "input": {}}
    with run(text, folder=tmp_path, nodes=[TRAINER], **waits[what]) as build:
        build.until({"lock": "waiting...", "node": "is offline", "input": "Input requested"}[what]).stop()
        assert build.result() == "ABORTED"
        assert "\nin\n" not in build.console
        assert build.statuses() == {"One": "ABORTED"}


def test_a_rejected_input_aborts(tmp_path: Path) -> None:
    with run(pipeline("input message: 'go on?', id: 'go'"), folder=tmp_path, nodes=[TRAINER]) as build:
        build.until("Input requested")
        build.reject(by="admin")
        assert build.result() == "ABORTED"
        assert "Rejected by admin" in build.console


def test_an_input_without_before_input_asks_although_its_condition_is_false(tmp_path: Path) -> None:
    reference = Reference(tmp_path)
    text = reference.text.replace("beforeInput true", "").replace("beforeOptions true", "").replace("beforeAgent true", "")
    with run(text, **reference.arguments()) as build:
        build.until("Input requested").stop()
        assert build.result() == "ABORTED"


def test_secrets_are_bound_by_file_or_text_and_masked(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0p")
    binding = "withCredentials([string(credentialsId: 'word', variable: 'W'), file(credentialsId: 'token', variable: 'T')])"
    text = pipeline(f"{binding} {{ sh 'echo $W; cat $T' }}\nsh 'echo \"[$W]\"'")
    with run(text, folder=tmp_path / "run", nodes=[TRAINER], credentials={"word": "s3cret", "token": token}) as build:
        assert build.result() == "SUCCESS"
        assert "s3cret" not in build.console
        assert "\n+ echo ****\n****\n+ cat ****\nt0p" in build.console
        assert "\n[]\n" in build.console
        assert ("credentials", "word") in build.events
        assert build.steps[0].env["W"] == "s3cret"


def test_what_reaches_a_step_is_what_reaches_it_in_jenkins(tmp_path: Path) -> None:
    text = pipeline(
        "script { env.A = 'assigned'; env.B = 'assigned' }\n"
        "withEnv(['C=around', 'PATH+X=/extra']) {\n"
        "sh 'echo $A,$B,$C,$PROJECT,$FORCE,$FROM_NODE,$JOB_NAME,$BUILD_TAG; echo $PATH' }",
        before="environment { A = 'block' }",
    )
    text = text.replace("stages {", 'environment { OUTSIDE = "${env.FROM_NODE}" }\nstages {', 1)
    with run(text, folder=tmp_path, nodes=[TRAINER], params={"PROJECT": "p", "FORCE": True}) as build:
        assert build.result() == "SUCCESS"
        # The block around wins over an assignment; node properties are known on the node only.
        assert "\nblock,assigned,around,p,true,yes,train,jenkins-train-1\n" in build.console
        assert "\n/extra:" in build.console
        assert build.steps[0].env["OUTSIDE"] == "null"


def test_post_runs_in_the_order_of_jenkins(tmp_path: Path) -> None:
    names = ["cleanup", "success", "unsuccessful", "failure", "always", "aborted", "changed", "notBuilt"]
    console = told(pipeline("error 'no'", "\n".join(f"{name} {{ echo 'ran {name}' }}" for name in names)), tmp_path)
    assert [line[4:] for line in console.splitlines() if line.startswith("ran ")] == [
        "always",
        "changed",
        "failure",
        "unsuccessful",
        "cleanup",
    ]


PERMITTED = [
    "'a b'.tokenize(' ')",
    "'abc'.take(2)",
    "'a1'.replaceAll('[0-9]', '')",
    "'12'.toInteger() + 1",
    "[1, 2].any { it > 1 }",
    "[a: 1].collect { k, v -> k }",
    "currentBuild.getBuildCauses().any { it.shortDescription?.contains('x') }",
    "'x' ==~ /[a-z]/",
    "env.NODE_NAME ?: 'none'",
]
REFUSED = {
    "'a1'.findAll('[0-9]')": "method java.lang.String findAll java.lang.String",
    "'id'.execute()": "method java.lang.String execute",
    "new File('/etc/passwd').text": "new java.io.File java.lang.String",
    "currentBuild.rawBuild": "field Build rawBuild",
    "System.getenv('HOME')": "staticMethod java.lang.System getenv java.lang.String",
    "Long.parseLong('1')": "staticMethod java.lang.Long parseLong java.lang.String",
    "new groovy.json.JsonSlurperClassic()": "new groovy.json.JsonSlurperClassic",
    "'abc'.bytes": "field java.lang.String bytes",
}


def test_the_sandbox_lets_pass_what_is_listed_and_refuses_the_rest_by_name(tmp_path: Path) -> None:
    every = [*PERMITTED, *REFUSED]
    tries = "\n".join(
        f'try {{ def v = {code}; echo "{at} good" }} catch (e) {{ echo "{at} ${{e}}" }}' for at, code in enumerate(every)
    )
    lines = told(pipeline(f"script {{\n{tries}\n}}"), tmp_path).splitlines()
    for at, code in enumerate(every):
        found = next(line for line in lines if line.startswith(f"{at} "))
        assert found.endswith("good" if code in PERMITTED else f"Scripts not permitted to use {REFUSED.get(code)}"), code


def test_what_the_engine_does_not_know_is_refused_by_its_name() -> None:
    found = lint(pipeline("script { parallel a: { echo 'x' } }\nsh script: 'x', returnstatus: true\nstash 'y'"))
    assert [one.split(" @ ")[0].split(": ", 2)[2] for one in found.errors + found.more] == [
        'Invalid parameter "returnstatus", did you mean "returnStatus"?',
        "The harness does not play the step parallel.",
        "The harness does not play the step stash.",
    ]


@pytest.mark.parametrize("code", ["if (1 !in [2]) { }", "x ?= 1", "def f = String::valueOf", "a?[0]", "def l = 0<..2"])
def test_syntax_that_the_groovy_of_jenkins_does_not_have_is_refused(code: str) -> None:
    assert lint(pipeline(f"script {{ {code} }}")).errors != []


def test_a_step_without_a_node_says_so(tmp_path: Path) -> None:
    text = "pipeline {\nagent none\nstages {\nstage('One') {\nsteps { sh 'id' }\n}\n}\n}\n"
    assert "Attempted to execute a step that requires a node context while ‘agent none’ was specified." in told(text, tmp_path)


def test_parameters_cannot_be_changed(tmp_path: Path) -> None:
    console = told(pipeline("script { params.PROJECT = 'other' }"), tmp_path, params={"PROJECT": "p"})
    assert "java.lang.UnsupportedOperationException" in console


def test_archived_files_are_those_of_the_patterns_and_none_is_an_error(tmp_path: Path) -> None:
    text = pipeline(
        "sh 'mkdir -p out/a; touch out/a/x.json out/y.log z.log'\narchiveArtifacts 'out/**/*.json,*.log'\narchiveArtifacts 'no'"
    )
    with run(text, folder=tmp_path, nodes=[TRAINER]) as build:
        assert build.result() == "FAILURE"
        assert sorted(build.archived) == ["out/a/x.json", "z.log"]
        assert 'No artifacts found that match the file pattern "no". Configuration error?' in build.console


@pytest.mark.parametrize(
    ("flag", "seen"),
    [
        ("", {"lock", "Input requested", "node"}),
        ("beforeAgent true", {"lock", "Input requested"}),
        ("beforeInput true", {"lock"}),
        ("beforeOptions true", set()),
    ],
)
def test_a_condition_is_asked_where_its_flag_says(tmp_path: Path, flag: str, seen: set[str]) -> None:
    before = f"when {{ {flag}\nexpression {{ false }} }}\noptions {{ lock('a') }}\ninput {{ message 'go on?' }}"
    with run(pipeline("echo 'in'", before=before), folder=tmp_path, nodes=[TRAINER]) as build:
        if "Input requested" in seen:
            build.approve()
        assert build.result() == "SUCCESS"
        assert build.statuses() == {"One": "NOT_EXECUTED"}
        found = {event for event, _ in build.events} | ({"Input requested"} if "Input requested" in build.console else set())
        assert found - {"stage", "unlock", "release"} == seen


def test_the_post_of_a_stage_of_stages_runs_after_its_lock_is_given_back(tmp_path: Path) -> None:
    text = """
    pipeline {
      agent none
      stages {
        stage('Outer') {
          options { lock('a') }
          stages { stage('Inner') { steps { echo 'inside' } } }
          post { always { node('trainer') { sh 'echo after' } } }
        }
      }
    }
    """
    with run(text, folder=tmp_path, nodes=[TRAINER]) as build:
        assert build.result() == "SUCCESS"
        order = [event for event, _ in build.events if event != "stage"]
        assert order == ["lock", "unlock", "node", "sh", "release"]
