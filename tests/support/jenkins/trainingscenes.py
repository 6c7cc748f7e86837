"""Moments of the controller on which the training pipeline was recorded."""

from __future__ import annotations

from collections.abc import Mapping

from console.demo.controller import (
    Call,
    Controller,
    Describe,
    Input,
    OnNode,
    Parallel,
    Parameter,
    ParameterKind,
    Permission,
    Pipeline,
    Say,
    Sh,
    Stage,
    Trigger,
)
from console.demo.controller.people import BUILDER, LIMITED
from console.demo.controller.steps import Change
from tests.support.jenkins.lab import START, Moment, add_people
from tests.support.jenkins.trainings import COMMIT, FEW, MANY, OLD_COMMIT, REMOTE, TIMED_OUT, Plan, Training, abortable


class Trainings:
    """A controller with the job train, and how to bring it to a moment. Seconds everywhere."""

    def __init__(self, *, parameters: tuple[Parameter, ...] = FEW) -> None:
        self.clock = Moment(START + 5_000_000)
        self.controller = Controller(self.clock, seed="trainings", executors=6)
        self.controller.home = "/srv/jenkins_home"
        built_in = self.controller.node("(built-in)")
        built_in.labels, built_in.root = ("built-in", "docker"), "/srv/jenkins_home"
        add_people(self.controller, {}, "Administrator")
        self.plan = Plan()
        train = self.controller.add_job("train", Training(self.plan), parameters=parameters)
        cause = "release of $PROJECT at $COMMIT (delivery $DELIVERY)"
        variables = {
            "PROJECT": ("$.project", ""),
            "COMMIT": ("$.commit", ""),
            "EPOCHS": ("$.epochs", "3"),
            "DELIVERY": ("$.delivery", ""),
        }
        self.controller.add_hook(train, "hook", variables, cause)
        train.quiet_period = 2.0
        ask = Input("go", "go?")
        steps = (
            Call("properties"),
            OnNode("", (Stage("one", (Sh("one", ("+ echo one", "one", "+ sleep 2", 2.0)),)), Stage("ask", (ask,)))),
        )
        self.controller.add_job("perm-job", Pipeline(steps, declarative=False))
        for name in ("abort-fg-1", "abort-fg-40", "abort-timeout", "abort-trap-1", "abort-trap-40"):
            self.controller.add_job(name, TIMED_OUT if name == "abort-timeout" else abortable)
        self.controller.add_multibranch("my-mlops-monorepo", {"train": (COMMIT, Pipeline((Say("validated"),)))}, remote=REMOTE)
        self.controller.scan("my-mlops-monorepo")
        for item in self.controller.waiting_items:
            self.controller.cancel(item.id)

    def tick(self, seconds: float) -> None:
        self.clock.at += round(seconds * 1000)
        self.controller.advance()

    def train(
        self, number: int, values: Mapping[str, str | bool], *, by: str = "admin", seconds: float = 60, item: int | None = None
    ) -> None:
        """Start build `number` of train, and let `seconds` go by."""
        self.controller.job("train").next_number = number
        if item is not None:
            self.controller.next_queue_id = item
        self.controller.trigger("train", values, by=by, delay=0)
        self.tick(seconds)

    def hook(self, delivery: str, commit: str = COMMIT, project: str = "project-a", epochs: str = "3") -> None:
        body = f'{{"project": "{project}", "commit": "{commit}", "epochs": {epochs}, "delivery": "{delivery}"}}'
        self.controller.hook("hook", body)

    # The moments.

    def fresh(self) -> None:
        """Nothing has run yet."""

    def first(self) -> None:
        """The first training, which a webhook started."""
        self.hook("first")
        self.tick(60)

    def running(self) -> None:
        """Build 2 of train, which the operator started, is training."""
        self.plan.seconds = 500
        self.train(2, {"PROJECT": "project-a", "EPOCHS": "500", "FORCE": True}, by="operator", seconds=5)

    def operator_stopped(self) -> None:
        self.plan.reached = False
        self.running()
        self.controller.stop("train", 2, by="operator")
        self.tick(30)

    def stopped_twice(self) -> None:
        """Build 13 was stopped, and stopped again while it waited for the checkpoint."""
        self.plan.locked, self.plan.seconds, self.plan.reached, self.plan.commit = False, 600, False, OLD_COMMIT
        self.plan.finish = 32.0
        self.train(13, {"PROJECT": "project-a"}, seconds=6)
        self.controller.stop("train", 13, by="admin")
        self.tick(5)
        self.controller.stop("train", 13, by="admin")
        self.tick(90)

    def restarted(self) -> None:
        """The controller was restarted while build 14 trained; its processes lived on."""
        self.plan.locked, self.plan.seconds, self.plan.commit = False, 45, OLD_COMMIT
        self.train(14, {"PROJECT": "project-a"}, seconds=10)
        self.controller.restart(stopping=1, down=5, starting=15)
        self.tick(90)

    def alone(self) -> None:
        """Build 10 asks whether the model shall be published, on a controller with four executors."""
        node = self.controller.node("(built-in)")
        node.executors, node.slots = 4, [None] * 4
        self.publishing_ten()

    def stopped(self, number: int = 11) -> None:
        """A training that the operator stopped."""
        self.train(number - 1, {"PROJECT": "project-b"})
        self.plan.seconds, self.plan.reached = 600, False
        self.plan.commit = "df4a6496d8fc9b8e03ada2bfd827b193b4f533a9"
        files = ("projects/project-c/Dockerfile", "projects/project-d/Dockerfile")
        self.plan.changes = (
            Change(self.plan.commit, "slow checkpoint, hungry", "lab", 1795402298000, files, "lab@example.invalid"),
        )
        self.train(number, {"PROJECT": "project-c", "EPOCHS": "600"}, by="operator", seconds=5)
        self.controller.stop("train", number, by="operator")
        self.tick(30)

    def replayed(self) -> None:
        """Build 7 came from two equal requests, build 8 found that it was trained already."""
        commit = "7243f5bc6765a62deeb7485ccf8463aa55e87ad7"
        self.plan.locked = False
        self.train(6, {"PROJECT": "project-b"})
        self.hook("d-2", commit)
        self.hook("d-2", commit)
        self.tick(60)
        self.plan.done = "already trained in #7"
        self.hook("d-2", commit)
        self.tick(60)

    def hook_waits(self) -> None:
        self.controller.next_queue_id = 18
        commit = "7243f5bc6765a62deeb7485ccf8463aa55e87ad7"
        self.train(6, {"PROJECT": "project-b"})
        self.controller.next_queue_id = 18
        self.hook("d-2", commit)
        self.hook("d-2", commit)
        self.tick(0.1)

    def failed(self) -> None:
        """Build 12 of train failed with exit code 3, before there was a lock."""
        self.plan.locked, self.plan.failure = False, "training failed: exit code 3"
        self.plan.commit = OLD_COMMIT
        self.train(12, {"PROJECT": "project-a"})

    def out_of_memory(self) -> None:
        self.stopped(11)
        self.plan.changes, self.plan.reached, self.plan.seconds = (), True, 3
        self.plan.failure, self.plan.reason = "training failed: out of memory", True
        self.plan.commit = "df4a6496d8fc9b8e03ada2bfd827b193b4f533a9"
        self.train(12, {"PROJECT": "project-d", "EPOCHS": "20"}, by="operator")

    def lock_waits(self) -> None:
        """Build 22 waits for the lock that 21 holds; a build of another job asks somebody."""
        self.plan.seconds = 500
        self.controller.job("train").parameters = MANY
        self._asking(5)
        self.train(21, {"PROJECT": "project-a", "EPOCHS": "8", "FORCE": True}, seconds=3)
        build = self.controller.build("train", 21)
        build.display_name = None
        self.train(22, {"PROJECT": "project-a", "EPOCHS": "8", "FORCE": True}, seconds=1)

    def publishing(self) -> None:
        """Build 31 asks whether the model shall be published."""
        self._asking(5)
        self.train(31, {"PROJECT": "project-c", "COMMIT": "3634c5ca967996987d251627f92ff491fc397314", "ASK_PUBLISH": True})

    def published(self) -> None:
        self.publishing()
        self.controller.submit_input("train", 31, "Publish", by="operator")
        self.tick(5)

    def publishing_ten(self) -> None:
        self.train(10, {"PROJECT": "project-c", "ASK_PUBLISH": True})

    def publishing_five(self) -> None:
        self.train(5, {"PROJECT": "project-c", "ASK_PUBLISH": True})

    def release_bot(self) -> None:
        """The account for releases had more permissions at first."""
        self.controller.users["release-bot"].permissions = BUILDER

    def release_bot_waits(self) -> None:
        self.release_bot()
        self.controller.next_queue_id = 12
        self.controller.trigger("train", {}, by="release-bot", delay=30)

    def release_bot_runs(self) -> None:
        self.release_bot()
        self.running()

    def _asking(self, number: int) -> None:
        self.controller.job("perm-job").next_number = number
        self.controller.trigger("perm-job", by="admin", delay=0)
        self.tick(10)

    def permissions(self, *, others: int = 3, busy: int = 1) -> None:
        """perm-job 1 asks somebody, build 7 of train has been; further Pipelines run."""
        self.train(7, {"PROJECT": "project-a"})
        self._asking(1)
        self.controller.job("perm-job").parameters = (Parameter("A", default="1"),)
        self.plan.seconds = 5000
        for number in range(8, 8 + others):
            self.train(number, {"PROJECT": "project-a"}, seconds=4)
        for number in range(busy - 1):
            self.train(20 + number, {"PROJECT": f"project-{number}"}, seconds=4)

    def for_operator(self) -> None:
        self.permissions()
        self.controller.job("perm-job").next_number = 2
        self.controller.users["operator"].permissions |= {Permission.RUN_REPLAY}

    def for_operator_with_next(self) -> None:
        self.for_operator()
        self.controller.trigger("perm-job", {}, by="admin", delay=0)
        self.tick(3)

    def for_viewer(self) -> None:
        self.permissions(others=1, busy=3)

    def for_viewer_with_next(self) -> None:
        self.for_operator_with_next()

    def for_release_bot(self) -> None:
        self.permissions(others=1, busy=2)

    def first_again(self) -> None:
        self.first()

    def cancelling(self) -> None:
        self.for_operator()
        self.controller.next_queue_id = 73
        self.controller.trigger("perm-job", {"A": "3"}, by="operator", delay=60)

    def builder(self) -> None:
        self.permissions()
        self.controller.trigger("perm-job", {}, by="admin", delay=0)
        self.tick(3)
        self.controller.users["release-bot"].permissions = LIMITED

    def timed_out(self) -> None:
        self.controller.trigger("abort-timeout", by="admin", delay=0)
        self.tick(60)

    def abortable(self, name: str = "abort-fg-1") -> None:
        for job in ("abort-fg-1", "abort-fg-40", "abort-trap-1", "abort-trap-40"):
            self.controller.job(job).next_number = 2
            self.controller.trigger(job, by="admin", delay=0)
        for number in (11, 13):
            self.train(number, {"PROJECT": f"project-{number}"}, seconds=0.3)
        self.tick(2)

    def three_hooks(self) -> None:
        """One request for each of three projects wait in the queue."""
        self.controller.job("train").parameters = MANY
        self._asking(5)
        commit = "b54b86a7e688b0a50429c3bf8008283835bb7ca2"
        self.train(15, {"PROJECT": "project-b"}, item=90)
        self.controller.next_queue_id = 94
        for project in ("project-a", "project-c", "project-d"):
            self.hook(f"d-{project[-1]}", commit, project, "12")
        self.tick(0.1)

    def fan_out(self) -> None:
        """Build 4 of release waits for three trainings."""
        names = ("project-a", "project-c", "project-d")
        calls = tuple(Stage(name, (Trigger("train", {"PROJECT": name}),)) for name in names)
        self._release(4, Pipeline((Describe(description=", ".join(names)), Parallel(calls)), declarative=False))
        self.tick(4)

    def fan_out_done(self) -> None:
        self.plan.done = "already trained in #7"
        self.fan_out()
        self.tick(60)

    def fan_out_at_once(self) -> None:
        names = ("project-a", "project-c", "project-d")
        calls = tuple(Stage(name, (Trigger("train", {"PROJECT": name}, wait=False),)) for name in names)
        self._release(3, Pipeline((Describe(description=", ".join(names)), *calls), declarative=False))
        self.tick(30)

    def _release(self, number: int, script: Pipeline) -> None:
        wait = Parameter("WAIT", ParameterKind.BOOLEAN, default=number == 4)
        parameters = (
            Parameter("PROJECTS", default='["project-a","project-c","project-d"]'),
            Parameter("COMMIT", default="3634c5ca967996987d251627f92ff491fc397314"),
            wait,
            Parameter("EPOCHS", default="7" if number == 4 else "6"),
        )
        job = self.controller.add_job("release", script, parameters=parameters)
        job.next_number = number - 1
        for _ in range(2):
            job.script = Pipeline(()) if job.next_number < number else script
            self.controller.trigger("release", {}, by="admin", delay=0)
            self.tick(1)
