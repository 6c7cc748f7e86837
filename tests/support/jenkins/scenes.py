"""Moments of the recorded controllers: what had happened when a request was made."""

from __future__ import annotations

from collections.abc import Mapping

from console.demo.controller import Broken, Change, Controller, Fail, Multibranch, Pipeline, Say
from tests.support.jenkins.lab import BROKEN_COMMIT, Moment, branch, main_lab, train, upstream_jobs

TRAINS: dict[int, tuple[int, dict[str, str | bool]]] = {
    1: (5, {"PROJECT": "churn", "EPOCHS": "5"}),
    2: (18, {"PROJECT": "churn", "EPOCHS": "4"}),
    3: (20, {"PROJECT": "churn", "EPOCHS": "3"}),
    4: (23, {"PROJECT": "churn", "EPOCHS": "3"}),
    5: (25, {"PROJECT": "fraud", "EPOCHS": "1", "FAIL": True}),
    6: (27, {"PROJECT": "vision", "EPOCHS": "1", "UNSTABLE": True}),
    7: (29, {"PROJECT": "vision", "EPOCHS": "30"}),
}
PROJECT = "my-mlops-monorepo"
FEATURE = f"{PROJECT}/feature%2Fx"


class Scene:
    """A controller of the first set of recordings, and how to bring it to a moment. Seconds everywhere."""

    def __init__(self) -> None:
        self.clock = Moment()
        self.controller: Controller = main_lab(self.clock, {})

    def tick(self, seconds: float) -> None:
        self.clock.at += round(seconds * 1000)
        self.controller.advance()

    def start(
        self, job: str, values: Mapping[str, str | bool] | None = None, *, item: int | None = None, delay: float = 0
    ) -> None:
        if item is not None:
            self.controller.next_queue_id = item
        self.controller.trigger(job, values, by="admin", delay=delay)

    def run(self, job: str, values: Mapping[str, str | bool] | None = None, *, seconds: float = 60) -> None:
        self.start(job, values)
        self.tick(seconds)

    def trains(self, last: int, *, seconds: float = 60, stop_at: float = 7.7) -> None:
        """Builds 1 to `last` of the job train; the last one runs for `seconds`. Number 7 is stopped."""
        for number in range(self.controller.job("train").next_number, last + 1):
            item, values = TRAINS[number]
            self.start("train", values, item=item)
            if number == 7:
                self.tick(stop_at)
                self.controller.stop("train", 7, by="admin")
                self.tick(min(seconds, 30))
            else:
                self.tick(seconds if number == last else 60)

    # The moments.

    def fresh(self) -> None:
        """Nothing has run yet."""

    def queue(self) -> None:
        """Items 6 to 9 wait, two requests each were folded into 7, 8 and 9; build 1 of train runs."""
        self.start("train", {"PROJECT": "churn", "EPOCHS": "300"}, item=5)
        self.tick(7)
        self.start("train", {"PROJECT": "fraud", "EPOCHS": "1"}, item=6, delay=30)
        item = self.controller.queue[6]
        item.parameters = item.parameters[:2]
        for values in ({"PROJECT": "fraud", "EPOCHS": "2"}, {"PROJECT": "vision", "EPOCHS": "2"}, {}):
            self.start("train", values, delay=30)
            self.start("train", values, delay=30)
        self.tick(0.3)
        self.controller.queue[6].due = self.controller.now + 4500

    def cancelled(self) -> None:
        """Item 6 was cancelled."""
        self.queue()
        self.controller.cancel(6)

    def expired(self) -> None:
        """Ten minutes after all that."""
        self.queue()
        self.tick(600)

    def blocked(self) -> None:
        """A blocked freestyle item and two of train, a node block and a freestyle job that want the offline node."""
        self.run("serial", {"SECONDS": "0.6"}, seconds=30)
        self.start("train", {"PROJECT": "churn", "EPOCHS": "50"}, item=5)
        self.start("serial", {"SECONDS": "15"}, item=12)
        self.tick(0.5)
        self.start("serial", {"SECONDS": "16"}, item=14)
        self.start("gpu-freestyle", item=15)
        self.start("train", {"EPOCHS": "4"}, item=18)
        self.start("needs-gpu", item=16)
        self.tick(0.3)
        part = next(one for one in self.controller.queue.values() if one.part is not None and one.label == "gpu")
        del self.controller.queue[part.id]
        part.id = 19
        self.controller.queue[19] = part
        self.start("train", {"EPOCHS": "3"}, item=20)
        self.tick(2.5)

    def train_runs(self) -> None:
        """Build 4 of train has just begun."""
        self.trains(4, seconds=0.215)

    def train_before_node(self) -> None:
        """The first two lines of build 4 are there."""
        self.trains(4, seconds=0.205)

    def stopping(self) -> None:
        """Build 7 of train was stopped a moment ago."""
        self.trains(7, seconds=0.05)

    def running_seven(self) -> None:
        self.trains(6)
        item, values = TRAINS[7]
        self.start("train", values, item=item)
        self.tick(7)

    def kept_five(self) -> None:
        self.trains(7)
        self.controller.build("train", 5).keep = True

    def deleted_six(self) -> None:
        self.trains(7)
        self.controller.delete_build("train", 6)

    def freestyle_stopped(self) -> None:
        """Build 3 of freestyle was stopped."""
        self.run("freestyle")
        self.run("freestyle")
        self.start("freestyle")
        self.tick(0.5)
        self.controller.stop("freestyle", 3, by="admin")
        self.tick(2)

    def freestyle_runs(self) -> None:
        self.run("freestyle")
        self.run("freestyle")
        self.start("freestyle")
        self.tick(0.5)

    def waiting_for_node(self) -> None:
        self.start("needs-gpu", item=16)
        self.tick(1)

    def stopped_waiting(self) -> None:
        self.waiting_for_node()
        self.controller.stop("needs-gpu", 1, by="admin")
        self.tick(1)

    def asking(self, number: int = 1, job: str = "approve") -> None:
        """Build `number` of approve waits for an answer."""
        upstream_jobs(self.controller)
        for _ in range(number - 1):
            self.start(job)
            self.tick(1)
            self.controller.submit_input(job, self.controller.job(job).next_number - 1, "Deploy", by="admin")
            self.tick(5)
        self.start(job)
        self.tick(1)

    def asking_plain(self) -> None:
        self.asking(job="plain-input")

    def asking_fourth(self) -> None:
        self.asking(4)

    def asking_third(self) -> None:
        self.asking(3)

    def asking_second(self) -> None:
        self.asking(2)

    def approved(self) -> None:
        self.asking()
        self.controller.submit_input("approve", 1, "Deploy", {"TARGET": "production", "NOTE": "go"}, by="admin")
        self.tick(5)

    def rejected(self) -> None:
        self.asking_second()
        self.controller.reject_input("approve", 2, "Deploy", by="admin")
        self.tick(1)

    def parallel_runs(self) -> None:
        parallel = self.controller.job("parallel")
        script, parallel.script = parallel.script, Broken(("broken",))
        self.run("parallel")
        parallel.script = script
        self.start("parallel")
        self.tick(3)

    def parallel_done(self) -> None:
        self.parallel_runs()
        self.tick(30)

    def tested(self) -> None:
        self.run("tests")

    def unicode(self) -> None:
        broken = self.controller.job("unicode")
        script, broken.script = broken.script, Pipeline((Fail("no such step"),), declarative=False, environment=True)
        self.run("unicode")
        broken.script = script
        self.run("unicode")

    def indexed(self) -> None:
        """The branches are there; their first builds were thrown away at the boot."""
        self.controller.scan(PROJECT)
        for item in self.controller.waiting_items:
            self.controller.cancel(item.id)
        self.tick(400)

    def feature_broken(self) -> None:
        self.project.branches["feature/x"] = (BROKEN_COMMIT, branch)
        self.indexed()
        job = self.controller.job(FEATURE)
        self.controller.trigger(FEATURE, by="admin", delay=0)
        self.tick(2)
        job.parameters, job.learns = job.learns or (), None

    @property
    def project(self) -> Multibranch:
        project = self.controller.item(PROJECT)
        if not isinstance(project, Multibranch):
            raise TypeError(PROJECT)
        return project

    def feature_fixed(self) -> None:
        """feature/x was repaired: build 2 is good, and main has been built once."""
        self.feature_broken()
        job = self.controller.job(FEATURE)
        job.commit = "958de8afc71dd456a7ac5ff8ed1663c4bcf72892"
        self.project.branches["feature/x"] = (job.commit, branch)
        self.run(FEATURE)
        self.run(f"{PROJECT}/main")

    def feature_third(self) -> None:
        self.feature_fixed()
        self.start(FEATURE, {"EPOCHS": "2", "PROJECT": "fraud"}, item=57)
        self.tick(30)

    def scanned(self) -> None:
        self.feature_third()
        self.controller.scan(PROJECT, by="admin")

    def feature_waits(self) -> None:
        self.feature_third()
        self.start(FEATURE, {"EPOCHS": "1", "PROJECT": "churn"}, item=80, delay=19.9)
        self.tick(0.1)

    def new_branch(self) -> None:
        self.feature_third()
        self.project.branches["feature/old"] = ("a" * 40, branch)
        self.controller.scan(PROJECT, by="admin")
        self.tick(60)

    def dead_branch(self) -> None:
        """feature/old is gone from git, and the newest build of feature/x was stopped."""
        self.new_branch()
        self.start(FEATURE, {"EPOCHS": "20", "PROJECT": "churn"})
        self.tick(2)
        self.controller.stop(FEATURE, 4, by="admin")
        self.tick(10)
        del self.project.branches["feature/old"]
        self.controller.scan(PROJECT, by="admin")

    def fresh_branch(self) -> None:
        """feature/fresh was found by a scan, its first build waits."""
        self.feature_third()
        self.tick(400)
        self.project.branches["feature/fresh"] = ("b" * 40, branch)
        self.controller.next_queue_id = 2
        self.controller.scan(PROJECT)

    def fresh_branch_built(self) -> None:
        self.fresh_branch()
        self.tick(400)

    def quiet(self) -> None:
        """Quieting down; a request came meanwhile."""
        self.freestyle_stopped()
        self.controller.quiet_down()
        self.start("freestyle", item=64)
        self.tick(0.1)

    def busy(self) -> None:
        """All four executors are busy; a fifth Pipeline and a freestyle build wait."""
        self.run("freestyle", seconds=20)
        for number in range(4):
            self.start("team-a/evaluate", {"RUN_ID": f"r{number}"})
        self.tick(0.24)
        self.start("freestyle", item=73)
        self.start("team-a/evaluate", {"RUN_ID": "r9"})
        self.tick(0.24)

    def several_kinds(self) -> None:
        """A freestyle build, a Pipeline in a folder, a branch and two Pipelines that wait for an answer."""
        for name in ("serial", "approve", "team-a/evaluate"):
            self.controller.job(name).next_number = 6
        self.controller.job("approve").next_number = 5
        self.feature_third()
        self.controller.job(FEATURE).next_number = 5
        self.start("approve")
        self.tick(1)
        self.start("approve")
        self.tick(1)
        self.start("team-a/evaluate", {"RUN_ID": "r1"})
        self.start(FEATURE, {"EPOCHS": "2", "PROJECT": "churn"})
        self.start("serial", {"SECONDS": "9"})
        self.tick(0.6)

    def restarted(self) -> None:
        """Build 10 of train ran through a restart; 6 was deleted, 8 and 9 were replayed."""
        self.trains(7)
        self.controller.delete_build("train", 6)
        self.run("train", {"EPOCHS": "1"})
        self.run("train", {"EPOCHS": "1"})
        files = ("Jenkinsfile",)
        commit = "f7b255f40b5c472cd7223bb9087e496c0db2c7bb"
        change = Change(commit, "Fix the Publish stage", "lab", 1795395050000, files, "lab@example.invalid")
        self.controller.job("train").script = lambda build: train(build, (change,))
        self.start("train", {"EPOCHS": "25"})
        self.tick(5)
        self.controller.restart(stopping=5, down=5, starting=30)
        self.tick(120)

    def downstream(self) -> None:
        upstream_jobs(self.controller)
        for _ in range(6):
            self.run("serial", {"SECONDS": "1"})
        self.start("upstream", item=118)
        self.tick(30)

    def retried(self) -> None:
        upstream_jobs(self.controller)
        self.run("retry")

    def copied(self) -> None:
        self.run("team-a/nested dir/copy data")

    def made(self) -> None:
        """A job made through the API."""
        self.controller.add_job("made", Pipeline((Say("made"),)), kind=self.controller.job("freestyle").kind)

    def toggled(self) -> None:
        self.controller.toggle_offline("gpu-agent-1", "maintenance")

    def late(self) -> None:
        """The end of the recordings: everything has run."""
        self.kept_five()
        self.controller.delete_build("train", 6)
        for script in (None, Pipeline((Say("replayed"),), declarative=False)):
            self.controller.replay("train", 4, by="admin", script=script)
            self.tick(60)
        self.freestyle_stopped()
        for job, count in {"freestyle": 2, "tests": 1, "team-a/evaluate": 5}.items():
            for _ in range(count):
                self.run(job)
        for seconds in ("1", "15", "16"):
            self.run("serial", {"SECONDS": seconds})
        for ref in ("x", "y", "z", ""):
            self.controller.hook("lab-hook-token-1", f'{{"ref": "{ref}"}}')
            self.tick(30)
        self.stopped_waiting()
        self.parallel_done()
        self.unicode()
        self.run("team-a/nested dir/copy data")
        for number in range(1, 5):
            self.start("approve")
            self.tick(1)
            if number == 2:
                self.controller.reject_input("approve", number, "Deploy", by="admin")
            else:
                self.controller.submit_input("approve", number, "Deploy", by="admin")
            self.tick(5)
        self.feature_third()
        self.controller.reload()
        self.controller.add_job("team-a/made here", Pipeline(()), kind=self.controller.job("freestyle").kind)
