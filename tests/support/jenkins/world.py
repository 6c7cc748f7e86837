"""A model controller with a clock that the test moves."""

from __future__ import annotations

from console.demo.controller import ADMIN, Build, Controller, Pipeline, Step

START = 1_795_394_700_000
EPOCHS: tuple[str | float, ...] = tuple(part for epoch in range(1, 61) for part in (f"epoch {epoch}", 1.0))


class World:
    """A controller with one account, and a clock that the test moves."""

    def __init__(self) -> None:
        self.at = START
        self.controller = Controller(lambda: self.at)
        self.controller.add_user("admin", ADMIN, full_name="Administrator")
        self.controller.add_user("operator", ADMIN, full_name="Console operator")

    def tick(self, seconds: float) -> None:
        """Let `seconds` go by."""
        self.at += round(seconds * 1000)
        self.controller.advance()

    def start(self, *steps: Step, job: str = "train", delay: float = 0, agent: str | None = "") -> Build:
        """Make a job of these steps, start it, and answer its build."""
        if job not in self.controller.jobs:
            self.controller.add_job(job, Pipeline(steps, agent=agent))
        self.controller.trigger(job, by="admin", delay=delay)
        self.tick(0.5)
        return self.build(job)

    def build(self, job: str = "train") -> Build:
        """The newest build of a job."""
        build = self.controller.job(job).last()
        assert build is not None
        return build


def text(build: Build) -> list[str]:
    """The lines of a console."""
    return build.log.read()[0].splitlines()


def shown(build: Build) -> list[tuple[str, str]]:
    """Names and statuses of the stages."""
    return [(stage.name, str(stage.status)) for stage in build.stages]
