"""Further moments of that controller: stops, locks by label, processes that are lost, scripts of other times."""

from __future__ import annotations

from console.demo.controller import (
    Archive,
    Block,
    Change,
    Checkout,
    Describe,
    Input,
    Lock,
    Multibranch,
    OnNode,
    Parallel,
    Pipeline,
    Say,
    Sh,
    Stage,
    Step,
    Timeout,
    Trigger,
    Try,
)
from tests.support.jenkins.lab import START
from tests.support.jenkins.trainings import COMMIT, OLD_COMMIT, REMOTE, Training
from tests.support.jenkins.trainingscenes import Trainings


class Corners(Trainings):
    """See `Trainings`."""

    def aborted(self) -> None:
        """Each of the four ways was stopped after seven seconds."""
        self.abortable()
        self.tick(5)
        for job in ("abort-fg-1", "abort-fg-40", "abort-trap-1", "abort-trap-40"):
            self.controller.stop(job, 2, by="admin")
        self.tick(60)

    def no_gpu(self) -> None:
        """Build 40 had the lock of a GPU on a machine that has none."""
        self._two_gpus()
        self.plan.gpu, self.plan.commit = True, "8e2a9532ad87a373a2506fe2b3f0f9f3f0b2a1c4"
        self.train(40, {"PROJECT": "project-b"})

    def lock_corners(self) -> None:
        """Two resources at once, a label that does not exist, more than there are."""
        self._two_gpus()
        steps = (
            Lock("gpu", (Say("GPU=gpu-0,gpu-1"),), quantity=2),
            Try((Timeout(4, (Lock("no-such", (Say("never"),), quantity=1),)),), (Say("no-such label"),), catches=True),
            Try((Timeout(4, (Lock("gpu", (Say("never"),), quantity=3),)),), (Say("too many"),), catches=True),
        )
        self.controller.add_job("lab-locks", Pipeline(steps, declarative=False))
        self.controller.trigger("lab-locks", by="admin", delay=0)
        self.tick(30)

    def _two_gpus(self) -> None:
        self.controller.resources.update({"gpu-0": "gpu", "gpu-1": "gpu"})

    def three_run(self) -> None:
        """Two of three requested trainings have a node, the third waits for the lock of its project."""
        self.three_hooks()
        self.controller.locks["train-project-c"] = self.controller.build("train", 15)
        self.tick(5.5)

    def just_restarted(self) -> None:
        """The controller is up again; build 14 and a branch run on."""
        self._branch_runs()
        self.plan.locked, self.plan.seconds = False, 45
        self.train(14, {"PROJECT": "project-a"}, seconds=10)
        self.controller.restart(stopping=1, down=5, starting=15)
        self.tick(25)

    def just_restarted_fifteen(self) -> None:
        self._branch_runs()
        self.plan.locked, self.plan.seconds = False, 45
        self.train(15, {"PROJECT": "project-a"}, seconds=10)
        self.controller.restart(stopping=1, down=5, starting=15)
        self.tick(25)

    def just_restarted_late(self) -> None:
        self._asking(5)
        self.plan.seconds = 45
        self.train(39, {"PROJECT": "project-a"}, seconds=10)
        self.controller.restart(stopping=1, down=5, starting=15)
        self.tick(25)

    def _branch_runs(self) -> None:
        project = self.controller.item("my-mlops-monorepo")
        assert isinstance(project, Multibranch)
        script = Pipeline((OnNode("", (Sh("validate", (600.0,)),)),))
        job = self.controller.add_branch(project, "main", COMMIT, script)
        self.controller.trigger(job.full_name, by="admin", delay=0)
        self.tick(2)

    def processes_lost(
        self, number: int = 15, commit: str = OLD_COMMIT, *, heartbeat: float = 300, locked: bool = False
    ) -> None:
        """The container of the controller was restarted, and the processes of the step were lost with it."""
        self.plan.locked, self.plan.seconds, self.plan.commit, self.plan.lost = locked, 45, commit, True
        self.controller.heartbeat = heartbeat
        self.train(number, {"PROJECT": "project-a"}, seconds=10)
        self.controller.restart(stopping=1, down=5, starting=15)
        self.controller.lose_processes("(built-in)")
        self.tick(900)

    def processes_lost_and_noticed(self) -> None:
        self.processes_lost(39, "8e2a9532ad87a373a2506fe2b3f0f9f3f0b2a1c4", heartbeat=20, locked=True)

    def asked_before_when(self) -> None:
        """An older script asked in a directive of the stage: also for a build that is not to be published."""
        check = (Sh("one"), Sh("two"), Sh("three"))
        train = (Block("script", (Sh("start"), Sh("follow"))),)
        after = (Sh("finish"), Block("script", (Sh("metric"),)), Archive("train.log", b"epoch"))
        inner: Step = Timeout(
            6 * 3600,
            (
                Stage("Validate branch", when=False),
                Stage("Check request", (Describe(display_name="#5 project-a@00cb108cbe68"), Block("script", check))),
                Stage("Build image", (Sh("build"),)),
                Stage("Train", train, post=after),
                Stage("Approve publishing", when=False, ask=Input("publish", "Publish this model to the Hub?")),
            ),
        )
        for name in ("timestamps", "withEnv", "withEnv"):
            inner = Block(name, (inner,))
        changes = (Change(COMMIT, "ask before publishing", "lab", START, ("Jenkinsfile",)),)
        sources = Stage("Declarative: Checkout SCM", (Checkout(REMOTE, COMMIT, changes=changes),))
        job = self.controller.job("train")
        job.script = Pipeline((sources, inner), agent="")
        self.train(5, {"PROJECT": "project-a"})

    def validated(self) -> None:
        """A branch, and one that is called train, were validated."""
        project = self.controller.item("my-mlops-monorepo")
        assert isinstance(project, Multibranch)
        for branch in ("feature/x", "train"):
            project.branches[branch] = (OLD_COMMIT, Training(self.plan))
        self.controller.scan("my-mlops-monorepo")
        self.tick(60)

    def fan_out_stopped(self) -> None:
        """Build 5 of release was stopped while two trainings ran; the second one had got its number first."""
        self.plan.seconds, self.plan.locked = 500, False
        self.plan.commit = "3634c5ca9679" + "0" * 28
        calls = tuple(Stage(name, (Trigger("train", {"PROJECT": name}),)) for name in ("project-c", "project-a"))
        self.controller.job("train").next_number = 29
        self._release(5, Pipeline((Describe(description="project-a, project-c"), Parallel(calls)), declarative=False))
        self.tick(5)
        self.controller.stop("release", 5, by="admin")
        self.tick(60)
