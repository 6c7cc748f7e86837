"""What the demo's Jenkins has and does: jobs, nodes, four days of past, and what goes on happening."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from console.demo import training_log
from console.demo.clock import Clock
from console.demo.controller import (
    OPERATOR,
    Archive,
    Broken,
    Build,
    Case,
    Cause,
    CauseKind,
    Checkout,
    Controller,
    Describe,
    Fail,
    Input,
    Junit,
    Kind,
    Link,
    Lock,
    Monitors,
    Node,
    OnNode,
    Parallel,
    Parameter,
    ParameterKind,
    Pipeline,
    Sh,
    Stage,
    Step,
    Wait,
)
from console.demo.controller.steps import Jenkinsfile
from console.demo.jenkins import DemoJenkins
from console.demo.story import BY_NUMBER, LOADING, MANNERS, MAY_SAVE, TRAININGS, End, Training

CYCLE = 90.0
"""Seconds from one push to the next."""

KEPT = 30
_FOR_EVER = 400 * 86400.0
_DOCKERFILE = (
    (1, "ARG BASE_IMAGE=python:3.11-slim"),
    (6, "RUN pip install --no-cache-dir --require-hashes -r requirements.txt"),
    (9, "USER 1000:1000"),
)
_ASKED_TO_SAVE = (f"[finish] asking the training to stop with a checkpoint, within {MAY_SAVE}s",)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
# Asks for what #120 has trained, and so trains nothing.
_SKIPPED, _SKIPPED_AT = 124, -2.9 * _DAY - 6
_FIRST = min(one.number for one in TRAININGS if one.lasting)
# Builds of a person's own take so long.
_USUAL = 30 * _MINUTE
_AFTER = 4.0


class DemoPlatform:
    """Owns the model and its clock. Deterministic: the same clock gives the same Jenkins."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._elapsed = -5 * _DAY
        self.model = Controller(self._milliseconds, seed="demo", executors=0)
        self._pushes = 0
        self._set_up()
        self._past()
        self._elapsed = 0.0
        self.model.advance()

    def advance(self) -> None:
        """Bring it up to now, with every push in between."""
        now = (self._clock.now() - self._clock.began).total_seconds()
        while (due := (self._pushes + 0.2) * CYCLE) <= now:
            self._at(due)
            self._push()
        self._at(max(now, self._elapsed))

    def _milliseconds(self) -> int:
        moment = self._clock.began.astimezone(UTC) + timedelta(seconds=self._elapsed)
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))

    def _at(self, seconds: float) -> None:
        self._elapsed = seconds
        self.model.advance()

    def _push(self) -> None:
        """Somebody has pushed to main."""
        self._pushes += 1
        cause = Cause(CauseKind.BRANCH_EVENT, "Push event to branch main")
        self.model.trigger("mlops/main", causes=[cause])
        job = self.model.job("mlops/main")
        for number in sorted(job.builds)[:-KEPT]:
            self.model.delete_build("mlops/main", number)

    def _set_up(self) -> None:
        model = self.model
        model.add_user("operator", OPERATOR, full_name="Console operator")
        model.add_user("sato", OPERATOR, full_name="佐藤")
        model.add_node(Node("trainer-1", ("gpu", "trainer"), executors=4, exclusive=True, monitors=_monitors(model, 612)))
        model.add_node(Node("cpu-1", ("linux",), executors=2, monitors=_monitors(model, 88)))
        model.add_node(Node("trainer-2", ("arm",), executors=2, exclusive=True, link=Link.LAUNCH_FAILED, log=_REFUSED_LOG))
        train = model.add_job(
            "train",
            training,
            description="Trains one project",
            parameters=(
                Parameter("PROJECT", description="Folder under projects/"),
                Parameter("COMMIT", description="40 hexadecimal digits"),
                Parameter("DELIVERY"),
                Parameter("TIMESTAMP"),
                Parameter("FORCE", ParameterKind.BOOLEAN, default=False),
                Parameter("RESUME_FROM"),
                Parameter("OVERRIDES", ParameterKind.TEXT),
            ),
        )
        train.next_number = _FIRST
        model.add_multibranch(
            "mlops", {"main": ("3634c5ca967996987d251627f92ff491fc397314", _CHECKS)}, remote="https://git.example.org/mlops.git"
        )
        project = model.item("mlops")
        model.add_branch(project, "main", "3634c5ca967996987d251627f92ff491fc397314", _CHECKS).next_number = 86  # type: ignore[arg-type]
        model.add_branch(project, "feature/aug", "6fbcaa5340b1dd8a9de4c38b21121d50d9e440d3", _BROKEN).next_number = 3  # type: ignore[arg-type]
        model.add_job("nightly tests", _NIGHTLY).next_number = 31
        model.add_job("promote", _PROMOTE, parameters=(Parameter("MODEL"),)).next_number = 8
        model.add_job("evaluate-arm", _NIGHTLY, kind=Kind.FREESTYLE, label="trainer-2").next_number = 4
        model.add_job("backup", _NIGHTLY, kind=Kind.FREESTYLE, disabled=True)

    def _past(self) -> None:
        for at, happens in sorted(self._agenda(), key=lambda one: one[0]):
            self._at(at)
            happens()

    def _agenda(self) -> Iterator[tuple[float, Callable[[], object]]]:
        """What people and their pushes did before the world began, each with its moment."""
        for one in TRAININGS:
            if one.lasting:
                yield one.asked, partial(self._ask_for, one)
        yield _SKIPPED_AT, partial(self._release, _SKIPPED, BY_NUMBER[120])
        lost, stopped = BY_NUMBER[118], BY_NUMBER[119]
        yield lost.left or 0.0, partial(self.model.kill, "train", lost.number)
        yield (stopped.ends or 0.0) - 2.0, partial(self.model.stop, "train", stopped.number, by="operator")
        yield -2 * _DAY, partial(self._by_hand, "promote", {"MODEL": "acme/project-a build-120"})
        yield -2 * _DAY + 11 * _MINUTE, partial(self.model.stop, "promote", 8, by="sato")
        yield -_DAY, partial(self._hourly, "nightly tests", CauseKind.TIMER, "Started by timer")
        yield -5.3 * _HOUR, partial(self._by_hand, "mlops/feature/aug".replace("/aug", "%2Faug"), {})
        yield -7 * _MINUTE, partial(self._by_hand, "promote", {"MODEL": "acme/project-b build-122"})
        yield -4 * _MINUTE, partial(self.model.trigger, "evaluate-arm", by="sato")
        pushed = [Cause(CauseKind.BRANCH_EVENT, "Push event to branch main")]
        yield -40.0, partial(self.model.trigger, "mlops/main", causes=pushed)

    def _ask_for(self, training: Training) -> None:
        if not training.by:
            self._release(training.number, training)
            return
        given = {"PROJECT": training.project, "COMMIT": training.commit, **dict(training.given)}
        self.model.trigger("train", given, by=training.by)

    def _release(self, number: int, training: Training) -> None:
        text = f"release of {training.project} at {training.commit[:12]} (delivery d-{number:09})"
        given: dict[str, str | bool] = {
            "PROJECT": training.project,
            "COMMIT": training.commit,
            "DELIVERY": f"d-{number:09}",
            **dict(training.given),
        }
        self.model.trigger("train", given, causes=[Cause(CauseKind.HOOK, text)])

    def _by_hand(self, job: str, given: dict[str, str | bool]) -> None:
        self.model.trigger(job, given or None, by="operator")

    def _hourly(self, job: str, kind: CauseKind, text: str) -> None:
        self.model.trigger(job, causes=[Cause(kind, text)])


def demo_jenkins(clock: Clock) -> DemoJenkins:
    platform = DemoPlatform(clock)
    return DemoJenkins(platform.model, platform.advance, "operator")


def training(build: Build) -> Jenkinsfile:
    """The Pipeline of the job `train`, for what this build was asked to do."""
    values = {one.name: str(one.value) for one in build.parameters}
    project, commit = values["PROJECT"], values["COMMIT"]
    if build.number == _SKIPPED:
        return Pipeline(
            (_check(project, commit), Describe(description="already trained in #120", result="NOT_BUILT")), agent=None
        )
    known = BY_NUMBER.get(build.number)
    manner = MANNERS.get(project)
    inside: Step = OnNode("gpu", tuple(_stages(build.number, project, commit, known)))
    if (card := manner.gpu if manner is not None else 0) is not None:
        inside = Lock(f"gpu-{card}", (inside,))
    described = Describe(description=f"{project}@{commit[:12]}")
    return Pipeline((_check(project, commit), described, Lock(f"train-{project}", (inside,))), agent=None, timestamps=True)


def _stages(number: int, project: str, commit: str, known: Training | None) -> Iterator[Step]:
    install = known.building if known is not None else 48.0
    first, sixth, last = (f"[build] Step {number}/9 : {what}" for number, what in _DOCKERFILE)
    yield Stage("image", (Sh("infra/jenkins/bin/build", (first, 20.0, sixth, install, last, 4.0)),))
    started = f"[start] {project} #{number} runs as mlops-{project}-{number}"
    start = Sh("infra/jenkins/bin/start", (started, 1.0))
    follow = Sh("infra/jenkins/bin/follow", tuple(_followed(known)), on_stop=_ASKED_TO_SAVE)
    kept, why = _how_it_ended(known)
    finish = Sh("infra/jenkins/bin/finish", ("checkpoint kept", 2.0, "train.log copied, 1.1 MB", *kept))
    if known is not None and known.end is not End.DONE:
        fails = (Fail(why),) if known.end in (End.MEMORY, End.NAN) else ()
        described = (Describe(description=f"{known.key}: {training_log.ending(known)}"),) if known.ends is not None else ()
        yield Stage("train", (start, follow, *fails), post=(finish,), cleanup=described)
        return
    yield Stage("train", (start, follow), post=(finish,))
    repository, tag = f"acme/{project}", f"build-{number}"
    url = f"https://huggingface.co/{repository}/tree/{tag}"
    told = (
        f"[publish] 412 MB in 6 files to {repository}",
        *(part for sent in ("118 MB", "331 MB") for part in (7.0, f"[publish] {sent} of 412 MB sent")),
        7.0,
        f"[publish] {repository} {tag} is published: {url}",
    )
    yield Stage("publish", (Sh("infra/jenkins/bin/publish", told),))
    found = training_log.best(known, known.epochs) if known is not None else None
    value = round(found[0], 3) if found is not None else 0.978
    yield Archive(
        "out/metrics.json", f'{{"{known.manner.score if known is not None else "val_accuracy"}": {value}}}\n'.encode()
    )
    words = training_log.described(known) if known is not None else f"trained to the end, published to {repository} as {tag}"
    yield Describe(description=f"{project}@{commit[:12]}: {words}")


def _how_it_ended(known: Training | None) -> tuple[tuple[str, ...], str]:
    """What `finish` prints of it, and the words that the build fails with."""
    if known is None or known.ends is None:
        return (), ""
    status = {End.DONE: "ok", End.MEMORY: "out-of-memory", End.NAN: "failed", End.STOPPED: "stopped"}[known.end]
    words = training_log.ending(known).removeprefix("out of memory: ").removeprefix("failed: ")
    said = f"[finish] {known.project} #{known.number}: {status}: {words}."
    why = {
        End.MEMORY: f"out of memory: the container reached its limit of {known.memory} GiB",
        End.NAN: "loss is NaN since step 812",
    }
    return (said,), why.get(known.end, "")


def _check(project: str, commit: str) -> Stage:
    remote = "https://git.example.org/mlops.git"
    return Stage("check", (OnNode("linux", (Checkout(remote, commit, message=f"Release {project}"), Wait(1.2))),))


def _followed(known: Training | None) -> list[str | float]:
    """What the build's log has of a training: its epochs, and what it dies of."""
    said: list[str | float] = ["container started"]
    if known is None:
        return [*said, _USUAL]
    # One that is stopped is followed until then, and none is given up before its container has ended.
    more = _MINUTE if known.end is End.STOPPED else _AFTER
    seconds = _FOR_EVER if known.seconds is None else known.seconds + more
    passed = 0.0
    for epoch in range(1, known.done_by(known.begins + seconds) + 1):
        at = LOADING + epoch * known.epoch
        now = training_log.loss(known, epoch * known.manner.steps)
        score = training_log.score(known, epoch)
        said += [at - passed, f"epoch {epoch}/{known.epochs}  loss {now:.3f}  {known.manner.score} {score:.3f}"]
        passed = at
    return [*said, max(0.0, seconds - passed), *training_log.last_words(known)]


def _monitors(model: Controller, free: int) -> Monitors:
    gigabyte = 10**9
    return Monitors(
        available_memory=96 * gigabyte,
        total_memory=256 * gigabyte,
        available_swap=0,
        total_swap=0,
        temporary_space=40 * gigabyte,
        disk_space=free * gigabyte,
        response=3,
        clock_difference=0,
        at=model.now,
    )


_UNIT = tuple(Case("tests.unit", f"test_{number}", 0.02) for number in range(412))
_CHECKS = Pipeline(
    (
        Stage(
            "checkout", (Checkout("https://git.example.org/mlops.git", "3634c5ca967996987d251627f92ff491fc397314"), Wait(1.5))
        ),
        Parallel(
            (
                Stage("unit", (Sh("make test", ("collected 412 items", 9.0, "412 passed"), 0), Junit("unit", _UNIT)), True),
                Stage("lint", (Sh("make lint", ("ruff", 3.0, "mypy", 3.0, "all good")),)),
                Stage("infra", (Sh("make lint-infra", ("hadolint", 2.0, "shellcheck")),)),
            )
        ),
        Stage(
            "package",
            (Sh("make package", ("built", 4.0)), Archive("dist/mlops_console-0.1.0.whl", b"PK\x03\x04 an invented wheel")),
        ),
    ),
    agent="linux",
)
_BROKEN = Broken(
    (
        "org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:",
        "WorkflowScript: 11: Expected a symbol @ line 11, column 24.",
        "       stage('Publish') { when { branch 'main' } steps {",
        "                          ^",
    )
)
_NIGHTLY = Pipeline(
    (
        Stage(
            "slow tests",
            (
                OnNode(
                    "linux",
                    (
                        Sh("make test-slow", ("340 tests", 700.0, "2 failed, 338 passed")),
                        Junit(
                            "slow",
                            (
                                *(Case("tests.slow.TestHub", f"upload {number}", 1.2) for number in range(6)),
                                Case("tests.slow.TestHub", "resumes", 4.0, ("expected 412 MB, got 411 MB", "")),
                                Case("tests.slow.TestGpu", "two cards", 0.0, None, skipped=True),
                                Case("tests.slow.TestClock", "summer time", 0.1, ("23:59 != 00:59", "")),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    agent=None,
)
_PROMOTE = Pipeline(
    (
        Stage("compare", (OnNode("linux", (Sh("compare", ("rmse 2.41, before 2.47", 5.0)),)),)),
        Stage("approve", (Input("promote", "Serve acme/project-b build-122 to everybody?", "Promote"),)),
        Stage("promote", (OnNode("linux", (Sh("promote", ("done",)),)),)),
    ),
    agent=None,
)
_REFUSED_LOG = """SSHLauncher{host='10.20.0.12', port=22, credentialsId='agent-key'}
[SSH] Opening SSH connection to 10.20.0.12:22.
Connection refused
SSH Connection failed with IOException: "Connection refused", retrying in 5 seconds. There are 1 more retries left.
Connection refused
[SSH] Connection closed.
"""
