"""The throw-away controllers of the recordings, set up as their README and their configuration say."""

from __future__ import annotations

from collections.abc import Mapping

from console.demo.controller import (
    ADMIN,
    BUILDER,
    DEVELOPER,
    LIMITED,
    NOBODY,
    OPERATOR,
    VIEWER,
    Archive,
    Block,
    Broken,
    Build,
    Case,
    Change,
    Checkout,
    Controller,
    Fail,
    Input,
    Junit,
    Kind,
    Link,
    Monitors,
    Node,
    OnNode,
    Parallel,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Retry,
    Say,
    Sh,
    Stage,
    Timeout,
    Trigger,
    Unstable,
)
from console.demo.controller.steps import Jenkinsfile

COMMIT = "5b8c367c7a0806b75eed1771813863114e2e316a"
BROKEN_COMMIT = "6fbcaa5340b1dd8a9de4c38b21121d50d9e440d3"
REMOTE = "file:///srv/git/my-mlops-monorepo.git"
START = 1_795_394_700_000


class Moment:
    """A clock that only a test moves: milliseconds since 1970."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def value(build: Build, name: str) -> str:
    """A parameter of a build as text; empty without it."""
    found = next((one.value for one in build.parameters if one.name == name), "")
    return str(found).lower() if isinstance(found, bool) else found


def train(build: Build, changes: tuple[Change, ...] = ()) -> Pipeline:
    """The Jenkinsfile of the job `train`."""
    project, epochs = value(build, "PROJECT"), value(build, "EPOCHS")
    lines: list[str | float] = [f"+ seq 1 {epochs}"]
    for epoch in range(1, int(epochs or "0") + 1):
        for step in range(1, 5):
            line = f"epoch {epoch}/{epochs} step {step} loss=0.{9000 - epoch * 100 - step}"
            lines += [f"+ echo {line}", line, "+ sleep 0.5", 0.5]
    fail = Block("script", (Fail("training diverged"),) if value(build, "FAIL") == "true" else ())
    bad = Block("script", (Unstable("metric below the threshold"),) if value(build, "UNSTABLE") == "true" else ())
    loop = (
        'for e in $(seq 1 "$EPOCHS"); do for s in 1 2 3 4; do echo "epoch $e/$EPOCHS step $s '
        'loss=0.$((9000 - e * 100 - s))"; sleep 0.5; done; done'
    )
    sources = Checkout(REMOTE, COMMIT, step="git", lines=_GIT, changes=changes)
    image = Sh(
        "echo building image for $PROJECT; sleep 1; seq 1 20",
        (
            f"+ echo building image for {project}",
            f"building image for {project}",
            "+ sleep 1",
            1.0,
            "+ seq 1 20",
            *tuple(str(number) for number in range(1, 21)),
        ),
    )
    publish = Sh(_PUBLISH, ("+ mkdir -p out", "+ echo {acc: 0.91}"))
    return Pipeline(
        (
            Stage("Checkout", (sources,)),
            Stage("Build", (image,)),
            Stage("Train", (Sh(loop, tuple(lines), on_stop=_LAST if epochs == "30" else ("Terminated",)), fail, bad)),
            Stage("Publish", (publish, Archive("out/metrics.json", b"{acc: 0.91}\n", "out/*.json"))),
        ),
        agent="",
        post=(Say("done: ${currentBuild.currentResult}"),),
    )


_GIT = (
    "The recommended git tool is: NONE",
    "No credentials specified",
    *(f" > git a step of the plugin that no client reads, number {number} # timeout=10" for number in range(14)),
    f"Checking out Revision {COMMIT} (refs/remotes/origin/main)",
    'Commit message: "Initial monorepo"',
)

# The loop of build 7 went on for one more step while it was told to end.
_LAST = ("+ echo epoch 4/30 step 2 loss=0.8598", "epoch 4/30 step 2 loss=0.8598", "+ sleep 0.5", "Terminated")

_PUBLISH = 'mkdir -p out && echo "{"acc": 0.91}" > out/metrics.json'

TRAIN_PARAMETERS = (
    Parameter("PROJECT", ParameterKind.CHOICE, choices=("churn", "fraud", "vision"), description="Project to train"),
    Parameter("EPOCHS", default="3", description="Number of epochs"),
    Parameter("FAIL", ParameterKind.BOOLEAN, default=False, description="Fail in the training stage"),
    Parameter("UNSTABLE", ParameterKind.BOOLEAN, default=False, description="Mark the build as unstable"),
)
BRANCH_PARAMETERS = (
    Parameter("PROJECT", ParameterKind.CHOICE, choices=("churn", "fraud"), description="Project to train"),
    Parameter("EPOCHS", default="3", description="Number of epochs"),
)
DEPLOY = Input(
    "Deploy",
    "Deploy the model?",
    ok="Deploy",
    parameters=(
        Parameter("TARGET", ParameterKind.CHOICE, choices=("staging", "production"), description="where"),
        Parameter("NOTE", description="why"),
    ),
)


def _counted(name: str) -> tuple[str | float, ...]:
    return tuple(part for number in range(1, 4) for part in (f"+ echo {name} {number}", f"{name} {number}", "+ sleep 1", 1.0))


APPROVE = Pipeline(
    (
        OnNode("", (Stage("Plan", (Sh("echo planning", ("+ echo planning", "planning")),)),)),
        Stage("Approve", (DEPLOY, Say("approved: [TARGET:production, NOTE:go, APPROVER:admin]"))),
        OnNode("", (Stage("Deploy", (Sh("echo deploying", ("+ echo deploying", "deploying")),)),)),
    ),
    declarative=False,
)
PARALLEL = Pipeline(
    (
        Stage(
            "Fan out",
            (
                Parallel(
                    (
                        *tuple(
                            Stage(
                                name, (OnNode("", (Sh(f"for i in 1 2 3; do echo {name} $i; sleep 1; done", _counted(name)),)),)
                            )
                            for name in ("unit", "lint")
                        ),
                        Stage("skipped", when=False),
                    )
                ),
            ),
        ),
        Stage("Join", (Say("joined"),)),
    )
)
TESTS = Pipeline(
    (
        OnNode(
            "",
            (
                Stage(
                    "Unit",
                    (
                        Say("write the report"),
                        Junit(
                            "s",
                            (
                                Case("pkg.A", "ok", 0.1),
                                Case("pkg.A", "bad", 0.2, failure=("expected 1 got 2", "stack trace here")),
                                Case("pkg.B", "skip", skipped=True),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    declarative=False,
)
_GREETING = "h\u00e9llo \u2713 \u6a21\u578b line {} \x1b[32mgreen\x1b[0m"
_GREETINGS = tuple(
    part
    for number in range(1, 7)
    for part in (f"+ printf {_GREETING.format('%s')}", f" {number}", _GREETING.format(number), "+ sleep 0.7", 0.7)
)
UNICODE = Pipeline((OnNode("", (Sh("printf", _GREETINGS),)),), declarative=False)


def serial(build: Build) -> Pipeline:
    """The freestyle job that sleeps."""
    seconds = value(build, "SECONDS") or "20"
    return Pipeline((Sh("sleep $SECONDS", (f"+ sleep {seconds}", float(seconds))),))


def branch(build: Build) -> Jenkinsfile:
    """The Jenkinsfile of the monorepo's branches; that of the branch's first build may be broken."""
    commit = build.job.commit or COMMIT
    if commit == BROKEN_COMMIT:
        errors = ("org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:", "3 errors")
        return Broken(errors, source=commit)
    project, epochs = value(build, "PROJECT"), int(value(build, "EPOCHS") or "3")
    lines: list[str | float] = [f"+ seq 1 {epochs}"]
    for epoch in range(1, epochs + 1):
        lines += [
            f"+ echo [{project}] epoch {epoch}/{epochs} loss=0.{900 - epoch * 50}",
            f"[{project}] epoch {epoch}/{epochs}",
            "+ sleep 0.5",
            0.5,
        ]
    stages = (
        Stage("Build", (Sh("ls -la; git log -1 --oneline", ("+ ls -la", "+ git log -1 --oneline")),)),
        Stage("Train", (Sh("train", tuple(lines)),)),
        Stage("Publish", when=build.job.branch == "main"),
        Stage("Declarative: Post Actions", (Say("${currentBuild.currentResult}"),)),
    )
    sources = Checkout(REMOTE, commit, branch=build.job.branch or "")
    inner = Block("withEnv", (Block("timestamps", (Timeout(600, stages),)),))
    steps = (Stage("Declarative: Checkout SCM", (sources,)), inner)
    return Pipeline(steps, agent="", environment=True, timestamps=True, source=commit)


def shell(*output: str | float) -> Pipeline:
    """A freestyle job of one shell step."""
    return Pipeline((Sh("run", output),))


def main_lab(clock: Moment, people: Mapping[str, Mapping[str, str]]) -> Controller:
    """The controller of the first set of recordings; `people`: tokens by user id."""
    controller = Controller(clock, seed="lab", executors=4)
    controller.description = "Throw-away lab controller configured by JCasC"
    controller.home = "/srv/jenkins_home"
    built_in = controller.node("(built-in)")
    built_in.labels, built_in.root = ("controller", "built-in", "linux"), controller.home
    built_in.monitors = Monitors(1, 1, 0, 0, 1, 1, 0, 0, START, disk_path="/srv/jenkins_home")
    add_people(controller, people, "Lab Admin")
    gpu = ("cuda", "gpu-agent-1", "gpu")
    words = "GPU agent that never connects"
    controller.add_node(Node("gpu-agent-1", gpu, 2, words, inbound=True, link=Link.CONNECTING))
    controller.add_folder("team-a", display_name="Team A", description="Jobs of team A")
    controller.add_folder("team-a/nested dir")
    evaluate = Pipeline((OnNode("", (Stage("eval", (Sh("echo", ("evaluating", 1.0)),)),)),), declarative=False)
    controller.add_job(
        "team-a/evaluate", evaluate, parameters=(Parameter("RUN_ID", default="r1", description="Run to evaluate"),)
    )
    free = Kind.FREESTYLE
    controller.add_job("team-a/nested dir/copy data", shell("copied"), kind=free, description="")
    controller.add_job(
        "freestyle", shell("line 1", 1.0, "line 2", 1.0, "line 3", 1.0), kind=free, description="", concurrent=False
    )
    controller.add_job("disabled-job", shell("never"), kind=free, description="", disabled=True, concurrent=False)
    seconds = (Parameter("SECONDS", default="20"),)
    controller.add_job("serial", serial, kind=free, description="", concurrent=False, parameters=seconds, quiet_period=0)
    controller.add_job(
        "gpu-freestyle", shell("nvidia-smi"), kind=free, description="", label="gpu", concurrent=False, quiet_period=0
    )
    hooked = controller.add_job(
        "hooked", shell("REF"), kind=free, description="", concurrent=False, parameters=(Parameter("REF"),)
    )
    controller.add_hook(hooked, "lab-hook-token-1", {"REF": ("$.ref", "")}, "hook for $REF")
    needs_gpu = Pipeline((OnNode("gpu", (Sh("nvidia-smi"),)),), declarative=False)
    controller.add_job("needs-gpu", needs_gpu)
    controller.add_job("approve", APPROVE)
    words = "Trains one project"
    controller.add_job("train", train, parameters=TRAIN_PARAMETERS, description=words, concurrent=False, discarder=True)
    controller.add_job("unicode", UNICODE)
    controller.add_job("tests", TESTS)
    controller.add_job("parallel", PARALLEL)
    controller.add_multibranch(
        "my-mlops-monorepo",
        {"feature/x": ("9" * 40, branch), "no-jenkinsfile": ("0" * 40, None), "main": ("f" * 40, branch)},
        remote=REMOTE,
        display_name="ML monorepo",
        parameters=BRANCH_PARAMETERS,
    )
    return controller


def upstream_jobs(controller: Controller) -> None:
    """Jobs that were made later by hand."""
    calls = (Trigger("serial", {"SECONDS": "2"}), Trigger("disabled-job", {}))
    controller.add_job("upstream", Pipeline(calls, declarative=False))
    controller.add_job("retry", Pipeline((OnNode("", (Retry(2, (Fail(exit_code=3),)),)),), declarative=False))
    ask = Input("approve-me", "go?")
    echo = Sh("echo '<b>&amp; x'", ("+ echo <b>&amp; x", "<b>&amp; x"))
    plain = Pipeline((OnNode("", (Stage("ask", (echo, ask)),)),), declarative=False)
    controller.add_job("plain-input", plain)


def add_people(controller: Controller, tokens: Mapping[str, Mapping[str, str]], admin: str) -> None:
    """The accounts of the recordings, with the tokens and passwords that they used."""
    roles: dict[str, frozenset[Permission]] = {
        "admin": ADMIN,
        "dev": DEVELOPER,
        "viewer": VIEWER,
        "limited": LIMITED,
        "nobody": NOBODY,
        "operator": OPERATOR,
        "release-bot": LIMITED,
        "builder": BUILDER,
    }
    names = {"admin": admin, "operator": "Console operator"}
    for user, role in roles.items():
        controller.add_user(user, role, full_name=names.get(user), tokens=tokens.get(user, {}))
