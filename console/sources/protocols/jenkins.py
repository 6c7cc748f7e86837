"""Jenkins. What only watches, what acts, and what administrators look up are apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from console.model.asking import Definition, Needs, Question, Stop
    from console.model.build import Build, BuildRef, FailedTest, FilePart, LogPart, Stages
    from console.model.jenkins import Controller, Job, LeftItem, Monitors, Plugin, Queued, QueueItem, Work
    from console.text import Clean


class Jenkins(Protocol):
    """One Jenkins controller, read only. Every method raises `JenkinsError`, which knows the trouble and says it to people.

    All moments are in this machine's clock. Jobs are named as Jenkins writes them (`my-repo/feature%2Fx`).
    """

    @property
    def url(self) -> Clean:
        """Where it is, without a slash at the end."""
        ...

    @property
    def controller(self) -> Controller:
        """What the answers so far told of Jenkins itself."""
        ...

    async def who(self) -> Clean | None:
        """The user that the token belongs to; None when Jenkins takes us for nobody."""
        ...

    async def work(self) -> Work:
        """What runs and what waits: two small requests."""
        ...

    async def jobs(self) -> tuple[Job, ...]:
        """Everything that can be built, with its newest build (without details): one request."""
        ...

    async def builds(self, job: str, count: int) -> tuple[Build, ...]:
        """The newest builds of one job, newest first, with details. Costs the controller much the first time."""
        ...

    async def build(self, ref: BuildRef) -> Build:
        """One build with details and artifacts."""
        ...

    async def stages(self, ref: BuildRef) -> Stages:
        """Its stages so far. A freestyle build has none and is not found."""
        ...

    async def stage_steps(self, ref: BuildRef, stage: str) -> tuple[tuple[Clean, Clean], ...]:
        """Id and name of each step of a stage: the logs belong to the steps."""
        ...

    async def tests(self, ref: BuildRef) -> tuple[FailedTest, ...]:
        """The tests that failed."""
        ...

    async def log_size(self, ref: BuildRef, step: str | None = None) -> int:
        """How many bytes the log (of one step) has so far, counted as `log` counts them."""
        ...

    def log(self, ref: BuildRef, start: int, step: str | None = None) -> AsyncGenerator[LogPart]:
        """The log from byte `start` on to where it ends now, in parts; the last one is empty and comes always.

        Only 0 and what a part gave as `end` are good places to start: others may be in the middle of a letter.
        """
        ...

    async def node_log(self, node: str) -> Clean:
        """What the node's log page says of the last try to connect. Needs Agent/Connect."""
        ...

    async def monitors(self, node: str) -> Monitors | None:
        """What the node's monitors measured; None without Agent/Connect."""
        ...

    def artifact(self, ref: BuildRef, path: str) -> AsyncGenerator[FilePart]:
        """A file that the build keeps, in parts as they come. One that ends too early is an error, not a short file."""
        ...

    async def queue_item(self, item_id: int) -> QueueItem | LeftItem:
        """One item of the queue, also for five minutes after it has left; then it is not found.

        After a start that failed the ids begin at 1 again: whoever keeps one compares the job as well.
        """
        ...

    async def parameters(self, job: str) -> tuple[Definition, ...]:
        """What the job declares, in its order. A branch knows its own only after its first build."""
        ...

    async def questions(self, ref: BuildRef) -> tuple[Question, ...]:
        """What the build waits to be told by a person now."""
        ...

    async def aclose(self) -> None: ...


class JenkinsActs(Protocol):
    """What can be started, ended and switched at a Jenkins. Apart from `Jenkins`, so that what only watches cannot act.

    Every method raises `JenkinsError`; nothing is ever sent twice. Where the connection broke after the request was sent,
    `error.unsure` is set: Jenkins may have taken it.
    """

    async def trigger(self, job: str, parameters: Mapping[str, str] | None, *, delay: int | None = None) -> Queued:
        """Ask for a build. `parameters` None is for a job that has none; those left out get their defaults, unknown ones are
        ignored by Jenkins. `delay` are seconds until it may begin, None is the job's own quiet period.
        """
        ...

    async def stop(self, ref: BuildRef, how: Stop) -> None:
        """Tell a build to end. It goes on for a while; on one that has ended nothing happens. A build of a freestyle job
        knows only `STOP` (recording term-freestyle)."""
        ...

    async def cancel(self, item_id: int) -> None:
        """Take an item out of the queue. One that has left it, or was cancelled, is not found."""
        ...

    async def answer(self, ref: BuildRef, question: str, values: Mapping[str, str]) -> None:
        """Say yes to a question of a build; fields that are left out get their defaults. One that is not asked (any more) is
        not found, a person who may not answer is not permitted: Jenkins says 500 to both, so the question is looked for."""
        ...

    async def reject(self, ref: BuildRef, question: str) -> None:
        """Say no: the build ends as aborted. As for `answer`."""
        ...

    async def scan(self, project: str) -> None:
        """Have a project of branches look for new ones and changed ones."""
        ...

    async def set_enabled(self, job: str, *, on: bool) -> None:
        """Let the job be built, or let it not. A branch cannot be switched: it belongs to its project."""
        ...

    async def set_kept(self, ref: BuildRef, *, on: bool) -> bool:
        """Keep a build from being discarded, or let it be. False when it was so already: Jenkins only knows how to toggle,
        so it is looked at before and after."""
        ...

    async def set_offline(self, node: str, reason: str | None) -> bool:
        """Take a node off line with a reason; None brings it back. False when it was so already, as for `set_kept`."""
        ...

    async def lacks(self, needs: Needs, job: str, ended: BuildRef | None = None) -> bool | None:
        """Whether the user lacks a permission, found out without any effect; None where that cannot be told beforehand.

        `ended` is a build of the job that has ended, whatever came of it: stopping it once more does nothing, and is refused
        to whoever may not (recordings stop-finished, stop-no-permission).
        """
        ...


class ActingJenkins(Jenkins, JenkinsActs, Protocol):
    """Both."""


class JenkinsAdmin(Protocol):
    """What administrators look up. Every method raises `JenkinsError`."""

    async def version(self) -> Clean: ...

    async def configuration(self, job: str) -> Clean:
        """The job's config.xml. Needs Job/ExtendedRead, or Job/Configure."""
        ...

    async def plugins(self) -> tuple[Plugin, ...]:
        """What is installed, by name. Needs Overall/SystemRead, or Overall/Administer."""
        ...

    async def aclose(self) -> None: ...
