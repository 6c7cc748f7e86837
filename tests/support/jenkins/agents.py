"""Moments of the controllers on which the agents were recorded."""

from __future__ import annotations

from console.demo.controller import (
    Archive,
    Block,
    Checkout,
    Controller,
    Describe,
    Fail,
    Link,
    Monitors,
    Node,
    OnNode,
    Parameter,
    Pipeline,
    Say,
    Sh,
    Stage,
    Step,
    WithPost,
)
from tests.support.jenkins.lab import START, Moment, add_people

NODE_LABELS = ("trainer", "trainer-1", "gpu")
PARAMETERS = (Parameter("PROJECT"), Parameter("EPOCHS", default="4"), Parameter("DELIVERY"), Parameter("TIMESTAMP"))


class Agents:
    """A controller without executors of its own, and how to bring it to a moment. Seconds everywhere."""

    def __init__(self) -> None:
        self.clock = Moment(START + 25_000_000)
        self.controller = agent_lab(self.clock)

    def tick(self, seconds: float) -> None:
        self.clock.at += round(seconds * 1000)
        self.controller.advance()

    def start(self, job: str, number: int, script: Pipeline, *, by: str = "admin", seconds: float = 60) -> None:
        self.controller.add_job(job, script).next_number = number
        self.controller.trigger(job, by=by, delay=0)
        self.tick(seconds)

    # The moments.

    def fresh(self) -> None:
        """The training machine is on line."""

    def unnamed(self) -> None:
        """The first controller described its machine otherwise."""
        node = self.controller.node("trainer-1")
        node.description, node.monitors, node.root = None, monitors("/home/jenkins/work"), "/home/jenkins/work"
        self.controller.node("(built-in)").monitors = monitors("/opt/platform/home")

    def host_key(self) -> None:
        self.unnamed()
        log = (
            "[11/23/26 07:50:11] [SSH] Opening SSH connection\nKey exchange was not finished, connection is closed.\n"
            + "x" * 4000
        )
        self.controller.set_link("trainer-1", Link.CONNECTING, log)

    def refused(self) -> None:
        self.unnamed()
        self.controller.set_link("trainer-1", Link.BROKEN, "ERROR: Connection terminated\n" + "x" * 3788)

    def broken(self) -> None:
        """The connection of a working node was cut."""
        self.start("train", 9, self._long(), seconds=3)
        self.controller.set_link("trainer-1", Link.BROKEN, "terminated\n" + "x" * 2700)

    def bad_nodes_while_training(self) -> None:
        add_bad_nodes(self.controller)
        self.start("train", 9, self._long(), seconds=3)

    def bad_nodes_later(self) -> None:
        add_bad_nodes(self.controller)
        sizes = {"no-java": 2440, "patient": 1984, "refused": 2959, "silent": 771, "wrong-host-key": 3738, "wrong-key": 832}
        refused = "ERROR: Server rejected the 1 private key(s) for jenkins (credentialId:agent-wrong-key/method:publickey)"
        errors = dict.fromkeys(("refused", "wrong-host-key"), "ERROR: Connection is not established!") | {"wrong-key": refused}
        for name, size in sizes.items():
            link = Link.CONNECTING if name in {"patient", "silent"} else Link.LAUNCH_FAILED
            error = errors.get(name, "line") + "\n"
            self.controller.set_link(name, link, "\x1b[8mha:////AAAA\x1b[0m" + error + "x" * (size - len(error) - 20))

    def may_connect(self) -> None:
        """The operator was allowed to connect nodes later on."""
        add_bad_nodes(self.controller)
        user = self.controller.users["operator"]
        user.permissions |= {
            permission for permission in type(next(iter(user.permissions))) if permission.name == "AGENT_CONNECT"
        }

    def waiting(self) -> None:
        """Build 12 of train wants the node, which is gone."""
        self.controller.set_link("trainer-1", Link.BROKEN)
        self.controller.next_queue_id = 14
        check = Stage("Check request", (Block("script", (Say("scheduled"),)),))
        train = Stage("Train", (OnNode("trainer-1", (Sh("train", (100.0,)),)),))
        self.start("train", 12, Pipeline((check, train), declarative=True), seconds=5)

    def stopped(self) -> None:
        """Build 7 of train was stopped on the agent."""
        self.unnamed()
        self.start("train", 7, self._short(100.0, "epoch 9"), seconds=10)
        self.controller.stop("train", 7, by="admin")
        self.tick(10)

    def killed(self) -> None:
        """The controller was killed while build 3 trained, and started again."""
        self.unnamed()
        self.start("train", 3, self._short(45.0, "epoch 44", "epoch 45"), seconds=11.3)
        self.controller.restart(stopping=0, down=2, starting=5)
        self.tick(90)

    def down_at_end(self) -> None:
        """The controller was down when the training of build 11 ended."""
        self.unnamed()
        self.start("train", 11, self._short(25.0, "epoch 24", "epoch 25"), seconds=11.3)
        self.controller.restart(stopping=0, down=60, starting=15)
        self.tick(120)

    def cut(self, number: int = 9, epochs: int = 45, away: float = 12) -> None:
        """The connection was cut in the third epoch and was back after a while."""
        self._train(number, epochs)
        self.controller.set_link("trainer-1", Link.BROKEN)
        self.tick(away)
        self.controller.set_link("trainer-1", Link.ONLINE)
        self.tick(200)

    def cut_for_long(self) -> None:
        """The same for so long that the training had ended meanwhile."""
        self.cut(10, 60, 171)

    def stopped_while_gone(self) -> None:
        """The connection was cut, then somebody pressed stop, then the node came back."""
        lost = Node("patient", ("patient",), 1, exclusive=True, root="/home/jenkins/agent-patient")
        self.controller.add_node(lost)
        self._train(1, 60, job="train2", node="patient")
        self.controller.set_link("patient", Link.BROKEN)
        self.tick(12)
        self.controller.set_link("patient", Link.ONLINE)
        self.tick(21.7)
        # Nobody had noticed yet that it was gone again.
        self.controller.set_link("patient", Link.BROKEN)
        self.controller.stop("train2", 1, by="operator")
        self.tick(60)

    def replaced(self) -> None:
        """The agent and all its processes were killed while the container trained on: the step was begun again."""
        again: tuple[str | float, ...] = (
            "+ ci/training.sh follow",
            *(f"epoch {epoch}" for epoch in range(4, 643)),
            30.0,
            "Killed",
        )
        first: tuple[str | float, ...] = ("+ ci/training.sh follow", "epoch 1", "epoch 2", "epoch 3", 60.0)
        steps: tuple[Step, ...] = (
            Sh("follow", first, return_status=True),
            Say("follow gave -1"),
            Sh("follow", again, exit_code=137, return_status=True),
            Say("follow gave 137"),
            Fail("training failed: exit code 137"),
        )
        self._train(12, 642, project="project-lost", delivery="t-17954214859", follow=steps)
        self.controller.set_link("trainer-1", Link.BROKEN)
        self.controller.node("trainer-1").lose_processes(self.controller.now)
        self.tick(22)
        self.controller.set_link("trainer-1", Link.ONLINE)
        self.tick(900)

    def finished_outside(self) -> None:
        """The same, but the stage around the training finishes it once more, in a node block of its own that waits."""
        self.controller.node("trainer-1").root = "/home/jenkins/agent2"
        begin = ("+ rm -f train.log", "+ cp -r /srv/git/my-mlops-monorepo/ci .", "+ ci/training.sh start")
        epochs: tuple[str | float, ...] = tuple(part for epoch in range(1, 41) for part in (f"epoch {epoch}", 1.0))
        finish = Sh("finish", ("+ ci/training.sh finish",))
        inner = Block("script", (Sh("start", begin), Sh("follow", ("+ ci/training.sh follow", 0.5, *epochs))))
        train = Stage("Train", (OnNode("trainer-1", (WithPost((inner,), post=(finish,)),)),))
        outside = Stage("Training", (train,), post=(Block("script", (OnNode("trainer-1", (finish,)),)),))
        script = Pipeline((Block("timestamps", (outside,)),), timestamps=True)
        self.start("train3", 1, script, seconds=3.5)
        self.controller.set_link("trainer-1", Link.BROKEN)
        self.tick(5)
        self.controller.stop("train3", 1, by="operator")
        self.tick(35)
        self.controller.set_link("trainer-1", Link.ONLINE)
        self.tick(30)

    def down_two_minutes(self) -> None:
        """The controller was down for two minutes while build 2 trained to its end."""
        self.controller.node("trainer-1").root = "/home/jenkins/agent2"
        self._train(2, 60, seconds=6.8, project="project-down", delivery="t-17954223611")
        self.controller.restart(stopping=0.5, down=120, starting=20)
        self.tick(200)

    def _train(
        self,
        number: int,
        epochs: int,
        *,
        job: str = "train",
        node: str = "trainer-1",
        seconds: float = 3.5,
        project: str = "project-a",
        delivery: str = "t-17954210196",
        follow: tuple[Step, ...] = (),
    ) -> None:
        """Start a training and let it train for some seconds. `follow` are the steps that follow it, where it is not one."""
        lines: tuple[str | float, ...] = ("+ ci/training.sh follow", 0.5)
        lines += tuple(part for epoch in range(1, epochs + 1) for part in (f"epoch {epoch}", 1.0))
        hooked = job == "train"
        begin: tuple[str, ...] = ("+ rm -f train.log", "+ ci/training.sh start")
        if not hooked:
            begin = (begin[0], "+ cp -r /srv/git/my-mlops-monorepo/ci .", begin[1])
        finish = Sh("finish", ("+ ci/training.sh finish",))
        last: tuple[Step, ...] = (Say("follow gave 0"),) if hooked else ()
        inner = Block("script", (Sh("start", begin), *(follow or (Sh("follow", lines), *last))))
        kept = (finish, Archive("train.log", b"epoch")) if hooked else (finish,)
        body: tuple[Step, ...] = (WithPost((inner,), post=(finish,), cleanup=kept),)
        if hooked:
            body = (Checkout("file:///srv/git/my-mlops-monorepo", "f" * 40, branch="origin/main"), Block("withEnv", body))
        stages = (
            Stage("Validate branch", when=False),
            Stage("Check request", (Block("script", (Say("timeInMillis"),)),)),
            Stage("Train", (OnNode(node, body),)),
        )
        source = "git file:///srv/git/my-mlops-monorepo" if hooked else None
        script = Pipeline((Block("timestamps", stages),), timestamps=True, source=source)
        made = self.controller.add_job(job, script, quiet_period=0)
        made.next_number = number
        if hooked:
            self.controller.add_hook(made, "hook", {}, f"release of {project} (delivery {delivery})")
            self.controller.hook("hook", "{}")
        else:
            self.controller.trigger(job, by="admin", delay=0)
        self.tick(seconds)

    def seen_before(self) -> None:
        """Build 10 was refused with error(), between 9 and 11."""
        parameters = (
            Parameter("DELIVERY", default="e1"),
            Parameter("TIMESTAMP", default="1795420199"),
            Parameter("EPOCHS", default="2"),
        )
        words = "delivery already seen in #9"
        refuse = Block("script", (Say("a"), Describe(description=words, result="NOT_BUILT"), Fail(words)))
        script = Pipeline((Stage("Check request", (refuse,)), Stage("Train", (Say("no"),))), environment=True)
        job = self.controller.add_job("train", script, parameters=parameters)
        job.next_number = 9
        for _ in range(3):
            self.controller.trigger("train", {}, by="admin", delay=0)
            self.tick(10)

    def refused_replay(self) -> None:
        """Build 3 was refused without an error: the later stages were skipped."""
        self._hooked(2)
        self._refusing("refused: delivery d-000000001 was seen in #1")
        self._hook("d-000000001", 1795420943)
        self.tick(30)

    def refused_replay_and_one_more(self) -> None:
        self.refused_replay()
        self._hook("d-000000004", 1795420950)
        self.tick(30)

    def rebuilt(self) -> None:
        """The operator rebuilt build 1, whose delivery was seen before."""
        self._hooked(1)
        body = '{"project": "project-hb", "epochs": 200, "delivery": "t-17954221209", "timestamp": 1795422120}'
        self.controller.hook("hook", body)
        self.tick(30)
        self._hook("other", 1)
        self.tick(30)
        self._refusing("refused: delivery t-17954221209 was seen in #1")
        self.controller.replay("train", 1, by="operator")
        self.tick(30)

    def queue(self) -> None:
        """The same delivery twice is one item, another delivery another one."""
        self._hooked(1)
        self.controller.next_queue_id = 10
        self._hook("d-000000001", 1795420943)
        self._hook("d-000000001", 1795420943)
        self._hook("d-000000002", 1795420943)
        self.tick(0.1)

    def _hooked(self, number: int) -> None:
        script = Pipeline((Stage("Check request", (Say("fine"),)),), environment=True)
        job = self.controller.add_job("train", script, parameters=PARAMETERS, quiet_period=2)
        variables = {one.name: (f"$.{one.name.lower()}", "") for one in PARAMETERS}
        self.controller.add_hook(job, "hook", variables, "release of $PROJECT (delivery $DELIVERY)")
        job.next_number = number
        if number == 2:
            self._hook("d-000000002", 1795420943)
            self.tick(30)

    def _hook(self, delivery: str, moment: int) -> None:
        body = f'{{"project": "project-a", "epochs": 4, "delivery": "{delivery}", "timestamp": {moment}}}'
        self.controller.hook("hook", body)

    def _refusing(self, words: str) -> None:
        check: tuple[Step, ...] = (Say("a"), Say(words), Describe(description=words, result="NOT_BUILT"))
        stages = (
            Stage("Validate branch", when=False),
            Stage("Check request", (Block("script", check),)),
            Stage("Train", when=False),
        )
        source = "git file:///srv/git/my-mlops-monorepo"
        inner = Pipeline((Block("timestamps", stages),), timestamps=True, environment=True, source=source)
        self.controller.job("train").script = inner

    def _short(self, seconds: float, *last: str) -> Pipeline:
        lines: tuple[str | float, ...] = ("+ /opt/platform/t.sh follow",)
        lines += tuple(part for number in range(1, int(seconds) + 1) for part in (1.0, f"epoch {number}"))
        start = Sh("start", ("+ /opt/platform/t.sh start",))
        finish = Sh("finish", ("+ /opt/platform/t.sh finish", *last))
        body = WithPost((start, Sh("follow", lines, on_stop=("Terminated",))), post=(finish,))
        train = Stage("Train", (OnNode("trainer-1", (body,)),))
        return Pipeline((Stage("Check request", (Block("script", (Say("scheduled"),)),)), train))

    def _long(self) -> Pipeline:
        return Pipeline((OnNode("trainer-1", (Sh("train", (500.0,)),)),), declarative=False)


def agent_lab(clock: Moment) -> Controller:
    """The controller of the agents: no executors of its own, one training machine over SSH."""
    controller = Controller(clock, seed="agents", executors=0)
    add_people(controller, {}, "admin")
    controller.users["operator"].full_name = "operator"
    controller.node("(built-in)").monitors = monitors("/var/jenkins_home")
    node = Node("trainer-1", NODE_LABELS, 2, "training machine", exclusive=True)
    node.monitors = monitors("/home/jenkins/agent")
    controller.add_node(node)
    return controller


def monitors(path: str) -> Monitors:
    return Monitors(1, 1, 0, 0, 1, 1, 0, 0, START, disk_path=path)


def add_bad_nodes(controller: Controller) -> None:
    """Nodes that cannot be reached, each for another reason."""
    for name, link in {
        "no-java": Link.LAUNCH_FAILED,
        "patient": Link.CONNECTING,
        "refused": Link.CONNECTING,
        "silent": Link.CONNECTING,
        "wrong-host-key": Link.CONNECTING,
        "wrong-key": Link.LAUNCH_FAILED,
    }.items():
        controller.add_node(Node(name, (name,), 1, link=link, exclusive=True))
    ordered = dict(sorted(controller.nodes.items(), key=lambda entry: (not entry[1].built_in, entry[0])))
    controller.nodes.clear()
    controller.nodes.update(ordered)
