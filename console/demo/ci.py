"""What the demo's Jenkins has and does: jobs, nodes, four days of past, and what goes on happening."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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

CYCLE = 90.0
"""Seconds from one push to the next."""

KEPT = 30
_FOR_EVER = 400 * 86400.0
_ASKED_TO_SAVE = ("[finish] asking the training to stop with a checkpoint, within 30s",)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_COMMITS = {
    120: "a41c9be07d5f2e8836b1c4d7e9f0a2b3c4d5e6f7",
    121: "0b7d2c5e9a8f4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
    122: "6e5d4c3b2a190817f6e5d4c3b2a190817f6e5d4c",
    123: "93c1e7a5b3d9f1c7e5a3b1d9f7c5e3a1b9d7f5c3",
    124: "a41c9be07d5f2e8836b1c4d7e9f0a2b3c4d5e6f7",
    125: "5be90c1d77aa0f1e2d3c4b5a69788796a5b4c3d2",
    126: "c0ffee5a1b2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f",
    127: "1d44b02e9c31f7a6b5c4d3e2f1a0b9c8d7e6f5a4",
    128: "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21",
    129: "9be1042ac7d85e3f6b1a0c9d8e7f6a5b4c3d2e1f",
    130: "77aa5c3e1f9b7d5a3c1e9f7b5d3a1c9e7f5b3d1a",
}
# Number, project, seconds before the world began, how long its training takes.
_PAST = (
    (120, "project-a", 4 * _DAY, 37 * _MINUTE),
    (121, "project-c", 3.9 * _DAY, 11 * _MINUTE),
    (122, "project-b", 3.7 * _DAY, 24 * _MINUTE),
    (123, "customer-churn-forecast-eu", 3 * _DAY, 52 * _MINUTE),
    (124, "project-a", 2.9 * _DAY, 0.0),
    (125, "project-a", 5 * _HOUR + 40 * _MINUTE, 36 * _MINUTE),
    (126, "vision-large", 5 * _HOUR + 80, _FOR_EVER),
    (127, "project-b", 66 * _MINUTE, 40 * _MINUTE),
    (128, "project-a", 16 * _MINUTE + 78, _FOR_EVER),
)


class DemoPlatform:
    """Owns the model and its clock. Deterministic: the same clock gives the same Jenkins."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._elapsed = -4 * _DAY - _HOUR
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
        train.next_number = _PAST[0][0]
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
        for number, project, ago, _ in _PAST:
            self._at(-ago - 6)
            self._release(number, project)
            if number == 124:
                self._at(-2 * _DAY)
                self._by_hand("promote", {"MODEL": "acme/project-a build-120"})
                self._at(-2 * _DAY + 11 * _MINUTE)
                self.model.stop("promote", 8, by="sato")
                self._at(-_DAY)
                self._hourly("nightly tests", CauseKind.TIMER, "Started by timer")
            if number == 125:
                self._at(-5.3 * _HOUR)
                self._by_hand("mlops/feature/aug".replace("/aug", "%2Faug"), {})
        self._at(-7 * _MINUTE)
        self._by_hand("promote", {"MODEL": "acme/project-b build-122"})
        self._at(-4 * _MINUTE)
        self.model.trigger("evaluate-arm", by="sato")
        self._at(-3 * _MINUTE - 6)
        self._release(129, "project-c")
        self._at(-_MINUTE - 6)
        self._release(130, "project-a")
        self._at(-40)
        self.model.trigger("mlops/main", causes=[Cause(CauseKind.BRANCH_EVENT, "Push event to branch main")])

    def _release(self, number: int, project: str) -> None:
        commit = _COMMITS[number]
        text = f"release of {project} at {commit[:12]} (delivery d-{number:09})"
        given: dict[str, str | bool] = {"PROJECT": project, "COMMIT": commit, "DELIVERY": f"d-{number:09}"}
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
    values = {one.name: one.value for one in build.parameters}
    project, commit = str(values["PROJECT"]), str(values["COMMIT"])
    took = next((took for number, _, _, took in _PAST if number == build.number), 30 * _MINUTE)
    if build.number == 124:
        return Pipeline(
            (_check(project, commit), Describe(description="already trained in #120", result="NOT_BUILT")), agent=None
        )
    gpu = "gpu-1" if project == "vision-large" else "gpu-0"
    image = Stage("image", (Sh("infra/jenkins/bin/build", ("step 1/9", 20.0, "step 6/9: pip install", 48.0, "step 9/9", 4.0)),))
    train = Stage("train", (Sh("infra/jenkins/bin/follow", tuple(_epochs(took)), on_stop=_ASKED_TO_SAVE),), post=_finish())
    publish = Stage("publish", (Sh("infra/jenkins/bin/publish", ("412 MB", 21.0, f"tagged build-{build.number}")),))
    inside: tuple[Step, ...] = (
        OnNode("gpu", (image, train, publish, Archive("out/metrics.json", b'{"val_accuracy": 0.978}\n'))),
    )
    if build.number in (121, 127):
        inside = (OnNode("gpu", (image, _failing(build.number, train))),)
    locked = Lock(f"train-{project}", (Lock(gpu, inside),))
    return Pipeline((_check(project, commit), locked), agent=None, timestamps=True)


def _failing(number: int, train: Stage) -> Stage:
    told = "out of memory: the container reached its limit of 16 GiB" if number == 127 else "loss is NaN since step 812"
    return Stage(train.name, (*train.steps[:1], Fail(told)), post=train.post)


def _check(project: str, commit: str) -> Stage:
    remote = "https://git.example.org/mlops.git"
    return Stage("check", (OnNode("linux", (Checkout(remote, commit, message=f"Release {project}"), Wait(1.2))),))


def _finish() -> tuple[Step, ...]:
    return (Sh("infra/jenkins/bin/finish", ("checkpoint kept", 2.0, "train.log copied, 1.1 MB")),)


def _epochs(seconds: float) -> list[str | float]:
    """What a training prints: an epoch each 64 s, at most 30 of them."""
    said: list[str | float] = ["container started"]
    count = min(30, int(seconds // 64))
    for epoch in range(1, count + 1):
        said += [64.0, f"epoch {epoch}/30  loss {2.4 / (1 + 0.35 * epoch):.3f}  val_acc {0.93 - 0.6 / (1 + epoch):.3f}"]
    return [*said, max(0.0, seconds - 64.0 * count)]


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
