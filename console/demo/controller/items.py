"""Folders, multibranch projects and jobs, with the names and addresses that Jenkins gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from console.demo.controller.parameters import Parameter
from console.demo.controller.rawlog import RawLog

if TYPE_CHECKING:
    from console.demo.controller.builds import Build
    from console.demo.controller.steps import Script

# What Jenkins leaves as it is in a path (Util.rawEncode): `%` itself becomes %25, a blank %20.
_PLAIN = frozenset("!$&'()*+,-.0123456789=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")


def encode(name: str) -> str:
    """One path element of an address, percent-encoded as UTF-8."""
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in name.encode())


def branch_name(branch: str) -> str:
    """The job name of a git branch: `feature/x` is `feature%2Fx` already before it becomes part of an address."""
    return encode(branch)


class Kind(StrEnum):
    """The Java class of an item."""

    PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
    FREESTYLE = "hudson.model.FreeStyleProject"
    FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
    MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"


@dataclass(slots=True)
class Folder:
    """Holds items. The root has the empty name and no parent."""

    name: str
    parent: Folder | None = None
    display_name: str | None = None
    description: str | None = None
    items: dict[str, Item] = field(default_factory=dict)
    kind: Kind = Kind.FOLDER

    @property
    def full_name(self) -> str:
        return _full_name(self)

    @property
    def path(self) -> str:
        """The address below the root of the controller, e.g. `job/team-a/`; empty for the root itself."""
        return _path(self)

    @property
    def full_display_name(self) -> str:
        return _full_display_name(self)

    def sorted_items(self) -> list[Item]:
        """The items in the order of the server: by name, without regard to case."""
        return sorted(self.items.values(), key=lambda item: item.name.casefold())


@dataclass(slots=True)
class Multibranch(Folder):
    """A project of branches. `branches` says what git has now: name to (commit, Jenkinsfile or None without one)."""

    remote: str = ""
    branches: dict[str, tuple[str, Script | None]] = field(default_factory=dict)
    branch_parameters: tuple[Parameter, ...] = ()
    kind: Kind = Kind.MULTIBRANCH
    indexing: RawLog = field(default_factory=RawLog)


@dataclass(slots=True)
class Job:
    """Something that can be built.

    `branch` is the branch of a multibranch project; such a job knows its parameters (`learns`) only after its
    first build. A `dead` branch is gone from git. `quiet_period` in seconds, None is the controller's own.
    """

    name: str
    kind: Kind
    script: Script
    parent: Folder
    parameters: tuple[Parameter, ...] = ()
    display_name: str | None = None
    description: str | None = None
    disabled: bool = False
    concurrent: bool = True
    label: str = ""
    quiet_period: float | None = None
    branch: str | None = None
    commit: str | None = None
    dead: bool = False
    learns: tuple[Parameter, ...] | None = None
    hook_token: str | None = None
    hook_variables: dict[str, tuple[str, str]] = field(default_factory=dict)
    hook_cause: str = "Generic Cause"
    discarder: bool = False
    forgotten: tuple[bool, bool] | None = None
    config: str | None = None
    builds: dict[int, Build] = field(default_factory=dict)
    next_number: int = 1

    @property
    def full_name(self) -> str:
        return _full_name(self)

    @property
    def path(self) -> str:
        """The address below the root of the controller, e.g. `job/team-a/job/nested%20dir/`."""
        return _path(self)

    @property
    def full_display_name(self) -> str:
        return _full_display_name(self)

    @property
    def buildable(self) -> bool:
        return not self.disabled and not self.dead

    def forget_options(self) -> None:
        """The job is written anew: what its Jenkinsfile had set is not in force until a build has read it again."""
        if self.kind is Kind.PIPELINE and self.branch is None and self.forgotten is None:
            self.forgotten = (self.concurrent, self.discarder)
            self.concurrent, self.discarder = True, False

    def read_options(self) -> None:
        """A build has read the Jenkinsfile."""
        if self.forgotten is not None:
            (self.concurrent, self.discarder), self.forgotten = self.forgotten, None

    def newest_first(self) -> list[Build]:
        return [self.builds[number] for number in sorted(self.builds, reverse=True)]

    def last(self, *results: str) -> Build | None:
        """The newest build with one of these results, whether or not it has ended; any build without results."""
        return next(
            (build for build in self.newest_first() if not results or (build.result in results and not build.building)), None
        )

    def last_completed(self) -> Build | None:
        return next((build for build in self.newest_first() if not build.building), None)

    @property
    def color(self) -> str:
        """blue, yellow, red, aborted, notbuilt, disabled; with `_anime` while a build runs."""
        if not self.buildable:
            return "disabled"
        done = self.last_completed()
        result = done.result if done else None
        base = {"SUCCESS": "blue", "UNSTABLE": "yellow", "FAILURE": "red", "ABORTED": "aborted"}.get(result or "", "notbuilt")
        return f"{base}_anime" if any(build.building for build in self.builds.values()) else base

    def estimate(self) -> int:
        """estimatedDuration: milliseconds, -1 when nothing is known."""
        done = [build for build in self.newest_first() if not build.building]
        good = [build.duration for build in done if build.result in {"SUCCESS", "UNSTABLE"}][:3]
        other = good or [build.duration for build in done if build.result not in {"ABORTED", "NOT_BUILT"}][:3]
        return round(sum(other) / len(other)) if other else -1


Item = Folder | Job


def walk(folder: Folder) -> Iterator[Item]:
    """All items below a folder, in the order of the server, folders before what they hold."""
    for item in folder.sorted_items():
        yield item
        if isinstance(item, Folder):
            yield from walk(item)


def _full_name(item: Item) -> str:
    above = item.parent.full_name if item.parent else ""
    return f"{above}/{item.name}" if above else item.name


def _path(item: Item) -> str:
    return f"{item.parent.path}job/{encode(item.name)}/" if item.parent else ""


def _full_display_name(item: Item) -> str:
    above = item.parent.full_display_name if item.parent else ""
    own = item.display_name or item.name
    return f"{above} » {own}" if above else own
