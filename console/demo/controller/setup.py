"""Setting up a controller: accounts, nodes, folders, jobs and builds of the past."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from console.demo.controller.builds import Build
from console.demo.controller.errors import MissingError
from console.demo.controller.items import Folder, Item, Job, Kind, Multibranch, branch_name, walk
from console.demo.controller.nodes import Link, Node
from console.demo.controller.parameters import Parameter
from console.demo.controller.people import People, Permission, User
from console.demo.controller.scheduling import Scheduling
from console.demo.controller.steps import Script


class Setup(Scheduling):
    """What stands before anything happens. `seed` makes tokens, crumbs and the session its own."""

    def __init__(self, clock: Callable[[], int], *, seed: str = "controller", executors: int = 2) -> None:
        super().__init__(clock)
        self.seed = seed
        self.people = People(seed)
        self.root = Folder("")
        self.description: str | None = None
        self.version = "2.421"
        self.stages_api = True  # False: the plugin pipeline-rest-api is absent, wfapi is 404 everywhere
        self.home = "/var/jenkins_home"
        self.restarts = 0
        self.add_node(Node("Built-In Node", executors=executors, built_in=True, root=self.home))

    @property
    def session(self) -> str:
        """X-Jenkins-Session: 8 hex digits, new with each start."""
        return hashlib.sha256(f"{self.seed} {self.restarts}".encode()).hexdigest()[:8]

    @property
    def users(self) -> dict[str, User]:
        return self.people.users

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs by their full names, branch jobs included, folders not."""
        return {item.full_name: item for item in walk(self.root) if isinstance(item, Job)}

    @property
    def builds(self) -> dict[tuple[str, int], Build]:
        """All builds by the full name of their job and their number, those that run included."""
        return {(name, number): build for name, job in self.jobs.items() for number, build in job.builds.items()}

    def add_user(
        self,
        name: str,
        permissions: Iterable[Permission],
        *,
        password: str = "",
        full_name: str | None = None,
        tokens: Mapping[str, str] | None = None,
    ) -> User:
        """An account; `tokens` are API tokens, value by name."""
        user = User(name, full_name or name, password, frozenset(permissions), dict(tokens or {}))
        self.people.users[name] = user
        return user

    def add_node(self, node: Node) -> Node:
        self.nodes[node.name] = node
        return node

    def add_folder(self, full_name: str, *, display_name: str | None = None, description: str | None = None) -> Folder:
        """A folder; those above it must be there."""
        parent, name = self._parent(full_name)
        folder = Folder(name, parent, display_name, description)
        parent.items[name] = folder
        return folder

    def add_multibranch(
        self,
        full_name: str,
        branches: Mapping[str, tuple[str, Script | None]],
        *,
        remote: str = "",
        display_name: str | None = None,
        parameters: tuple[Parameter, ...] = (),
    ) -> Multibranch:
        """A multibranch project. `branches`: (commit, Jenkinsfile or None without one) by git name; a scan makes the jobs."""
        parent, name = self._parent(full_name)
        project = Multibranch(name, parent, display_name, remote=remote, branches=dict(branches), branch_parameters=parameters)
        parent.items[name] = project
        return project

    def add_job(
        self,
        full_name: str,
        script: Script,
        *,
        kind: Kind = Kind.PIPELINE,
        parameters: tuple[Parameter, ...] = (),
        description: str | None = None,
        display_name: str | None = None,
        concurrent: bool = True,
        disabled: bool = False,
        label: str = "",
        quiet_period: float | None = None,
        discarder: bool = False,
    ) -> Job:
        """A job. `label` and `quiet_period` (seconds) are those of the job; a Pipeline asks for nodes in its steps."""
        parent, name = self._parent(full_name)
        job = Job(
            name, kind, script, parent,
            parameters=parameters, description=description, display_name=display_name, concurrent=concurrent,
            disabled=disabled, label=label, quiet_period=quiet_period, discarder=discarder,
        )  # fmt: skip
        parent.items[name] = job
        return job

    def add_branch(self, project: Multibranch, branch: str, commit: str, script: Script) -> Job:
        """The job of a branch, which knows the parameters of its Jenkinsfile only after its first build."""
        job = Job(
            branch_name(branch), Kind.PIPELINE, script, project,
            display_name=branch, branch=branch, commit=commit, learns=project.branch_parameters,
        )  # fmt: skip
        project.items[job.name] = job
        return job

    def add_hook(self, job: Job, token: str, variables: Mapping[str, tuple[str, str]], cause: str) -> None:
        """Let a webhook start `job`. `variables`: (JSON path such as `$.ref`, default) by name; `cause` may use `$NAME`."""
        job.hook_token = token
        job.hook_variables = dict(variables)
        job.hook_cause = cause

    def item(self, full_name: str) -> Item:
        """The folder or job of that full name (branches encoded); raises MissingError."""
        found: Item = self.root
        for name in full_name.split("/") if full_name else ():
            if not isinstance(found, Folder) or name not in found.items:
                raise MissingError(full_name)
            found = found.items[name]
        return found

    def job(self, full_name: str) -> Job:
        """The job of that full name; raises MissingError, also for a folder."""
        found = self.item(full_name)
        if not isinstance(found, Job):
            raise MissingError(full_name)
        return found

    def node(self, name: str) -> Node:
        """The node of that name; the built-in one is also `(built-in)`. Raises MissingError."""
        if name in {"(built-in)", "(master)"}:
            name = "Built-In Node"
        if name not in self.nodes:
            raise MissingError(name)
        return self.nodes[name]

    def lose_processes(self, name: str) -> None:
        """All processes of builds on a node die now; the steps notice it after two heartbeats and give -1."""
        self.advance()
        self.node(name).lose_processes(self.now)

    def apply_jobs(self) -> None:
        for job in self.jobs.values():
            job.forget_options()

    def set_link(self, name: str, link: Link, log: str | None = None) -> None:
        """The connection to a node changes now; `log` is what its launch log says from here on."""
        self.advance()
        node = self.node(name)
        node.link = link
        if log is not None:
            node.log = log
        if node.connected:
            node.call_waiters()
            self.maintain()

    def _parent(self, full_name: str) -> tuple[Folder, str]:
        above, _, name = full_name.rpartition("/")
        parent = self.item(above)
        if not isinstance(parent, Folder):
            raise MissingError(above)
        return parent, name
