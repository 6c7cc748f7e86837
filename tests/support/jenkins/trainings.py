"""The controllers on which the training pipeline and the agents were recorded (folders `pipeline` and `agent`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.demo.controller import (
    Archive,
    Block,
    Build,
    Call,
    Change,
    Checkout,
    Describe,
    Fail,
    Input,
    Lock,
    OnNode,
    Parameter,
    ParameterKind,
    Pipeline,
    Post,
    Say,
    Sh,
    Stage,
    Step,
    Timeout,
    Try,
)
from tests.support.jenkins.lab import value

OLD_COMMIT = "9a61d31e07453760d2d5918c43aa6ff54ddeeeb6"
COMMIT = "7fa01469cc8ec92aa950f1c9b4d66c7bcd0d3b9a"
REMOTE = "file:///srv/git/monorepo.git"
METRICS = b'{"epoch": 3, "epochs": 3, "loss": 0.1153, "acc": 0.9955}'
FEW = (
    Parameter("PROJECT"),
    Parameter("COMMIT"),
    Parameter("EPOCHS", default="3"),
    Parameter("FORCE", ParameterKind.BOOLEAN, default=False),
    Parameter("ASK_PUBLISH", ParameterKind.BOOLEAN, default=False),
)
MANY = (
    *FEW,
    Parameter("EPOCH_SECONDS", default="1"),
    Parameter("SLOW_STOP", default="0"),
    Parameter("EAT_MB", default="0"),
    Parameter("FAIL"),
    Parameter("FLOOD", default="0"),
    Parameter("STOP_GRACE", default="60"),
)


@dataclass(slots=True)
class Plan:
    """What becomes of the trainings: `failure` is the message of a failed one, `done` skips what was trained before."""

    failure: str = ""
    done: str = ""
    reason: bool = False
    commit: str = COMMIT
    changes: tuple[Change, ...] = ()
    locked: bool = True
    seconds: float = 3.0
    finish: float = 0.0
    reached: bool = True
    gpu: bool = False
    lost: bool = False


class Training:
    """The Jenkinsfile of the job `train`: one for the training, another part for the validation of a branch."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __call__(self, build: Build) -> Pipeline:
        plan = self.plan
        branch = build.job.branch
        project, ask = value(build, "PROJECT"), value(build, "ASK_PUBLISH") == "true"
        commit = value(build, "COMMIT") or plan.commit
        name = f"{project}@{commit[:12]}"
        go_on = not plan.done
        labels = {"managed": "true", "project": project, "commit": commit, "job": "train", "build": build.number}
        image = f"mlops/{project}:{commit[:12]} " + " ".join(f"--label mlops.{key}={text}" for key, text in labels.items())
        output = (f"+ git archive {commit}:projects/{project}", f"+ docker build -q -t {image} -", 0.3)
        inside_node = (
            self._check(build, project, commit),
            Stage("Build image", (Sh("docker build", output),), when=go_on),
            self._train(name, when=go_on),
        )
        on_node = OnNode(
            "", (Checkout(REMOTE, commit, branch="origin/main", changes=plan.changes), Block("withEnv", inside_node))
        )
        training: Step = Lock(f"train-{project}", (on_node,)) if plan.locked else on_node
        ask_first = Input("publish", "Publish this model to the Hub?", ok="Publish", submitter_parameter="APPROVER")
        upload = OnNode("", (Checkout(REMOTE, commit, branch="origin/main"), Block("withEnv", (Say("published"),))))
        publish = Stage("Publish", (Timeout(3600, (ask_first, Block("withEnv", (upload,)))),), when=ask)
        last = () if plan.reached else (Post((Block("script"),)),)
        if branch is None:
            stages = (Stage("Validate branch", when=False), Stage("Training", (training,)), publish, *last)
        else:
            inside = (Stage("Check request"), Stage("Build image"), Stage("Train"))
            stages = (self._validate(build, branch), Stage("Training", inside, when=False), Stage("Publish", when=False))
        inner = Timeout(6 * 3600, stages)
        steps = (Block("withEnv", (Block("timestamps", (inner,)),)),)
        return Pipeline(steps, timestamps=True, environment=True, source=f"git {REMOTE}" if branch is None else plan.commit)

    def _validate(self, build: Build, branch: str) -> Stage:
        """Every project is built, none is trained."""
        lines = ["+ set -eu", "+ bash -n ci/training.sh"]
        for project in ("project-a", "project-b"):
            place = f"projects/{project}"
            labels = {"managed": "true", "project": project, "commit": build.job.commit, "purpose": "validate"}
            shown = " ".join(f"--label mlops.{key}={text}" for key, text in labels.items())
            lines += [f"+ basename {place}/", f"+ p={project}", f"+ test -f {place}//Dockerfile", f"+ bash -n {place}//run.sh"]
            lines += [f"+ docker build -q {shown} {place}/"]
        steps = (Block("script"), Sh("validate", tuple(lines)))
        sources = Checkout(REMOTE, build.job.commit or "", branch=branch)
        return Stage("Validate branch", (OnNode("", (sources, Block("withEnv", steps))),))

    def _check(self, build: Build, project: str, commit: str) -> Stage:
        name = f"{project}@{commit[:12]}"
        asked: list[Step] = [
            Sh(
                "check",
                (f"+ git merge-base --is-ancestor {commit} HEAD", f"+ git cat-file -e {commit}:projects/{project}/Dockerfile"),
            ),
            Sh("gpus", ("+ ci/training.sh setting GPUS",)),
            Sh("memory", ("+ ci/training.sh setting MEMORY",)),
            Describe(display_name=f"#{build.number} {name}"),
        ]
        if self.plan.done:
            asked.append(Describe(description=f"{name}: {self.plan.done}", result="NOT_BUILT"))
        return Stage("Check request", (Block("script", tuple(asked)),))

    def _train(self, name: str, *, when: bool) -> Stage:
        plan = self.plan
        start = Sh("start", ("+ rm -rf train.log reason.txt out", "+ ci/training.sh start"))
        follow = Sh("follow", ("+ ci/training.sh follow", plan.seconds), on_stop=("Terminated",))
        inner: tuple[Step, ...] = (start, follow)
        if plan.lost:
            inner = (start, replace(follow, return_status=True), Sh("follow", ("+ ci/training.sh follow",)))
        finish = Sh("finish", ("+ ci/training.sh finish", plan.finish), on_stop=("Terminated",))
        metric: tuple[Step, ...] = (
            Block(
                "script",
                (Sh("metric", ("+ ci/training.sh metric acc",)), Describe(description=f"{name}: acc 0.9955, 3 epochs")),
            ),
        )
        more: tuple[tuple[str, bytes], ...] = (("out/metrics.json", METRICS), ("train.log", b"epoch\n"))
        if plan.failure:
            words = plan.failure.replace("failed:", "failed,")
            why: tuple[Step, ...] = (Call("fileExists"), Call("readFile")) if plan.reason else (Call("fileExists"),)
            inner = (start, follow, *why, Describe(description=f"{name}: {words}"), Fail(plan.failure))
            metric, more = (), (("train.log", b"epoch\n"),)
        elif plan.gpu:
            inner = (Lock("gpu", (start, Fail("the container could not be started")), quantity=1),)
            metric, more = (), (("train.log", b"epoch\n"),)
        elif not plan.reached:
            metric, more = (Describe(description=f"{name}: aborted"),), (("train.log", b"epoch\n"),)
        kept = Archive("out/checkpoint.json", b"{}", more=more)
        return Stage("Train", (Block("script", inner),), when=when, post=(finish, *metric), cleanup=(finish, kept))


def abortable(build: Build) -> Pipeline:
    """A training in one shell step, whose last checkpoint takes 1 s or 40 s, in the foreground or behind a trap."""
    name = build.job.name
    _, kind, seconds = name.split("-")
    left = f"+ docker ps -a --filter name={name}-{build.number} --format left: {{{{.Names}}}} {{{{.Status}}}}"
    run = Sh(kind, (f"+ exec ci/{kind}.sh", 100.0), stop_seconds=float(seconds))
    watched = Try((run,), (Say("post starts"), Sh("left", (left,))))
    train = Stage("Train", (Block("withEnv", (watched,)),))
    inside = Block("timestamps", (Block("dir", (Sh("copy", ("+ cp -r /srv/src/. .",)), train)),))
    return Pipeline((OnNode("", (inside,)),), declarative=False, timestamps=True)


_FOLLOW = Sh("train", ("+ ci/training.sh start", "+ ci/training.sh follow", 60.0), on_stop=("Terminated",))
_FINISH = Sh("finish", ("+ ci/training.sh finish",))
_TIMED = Block("withEnv", (Try((Timeout(8, (_FOLLOW,)),), (_FINISH,)),))
TIMED_OUT = Pipeline(
    (OnNode("", (Block("timestamps", (Sh("copy", ("+ cp -r /srv/src/. .",)), _TIMED)),)),),
    declarative=False,
    environment=True,
)
