"""What a Pipeline of the model does: a small script of typed steps.

Seconds are real seconds of the controller's clock. A line is text without its line feed; it may hold colours
and anything else that a training can print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.demo.controller.parameters import Parameter, Value

if TYPE_CHECKING:
    from console.demo.controller.builds import Build


@dataclass(frozen=True, slots=True)
class Say:
    """`echo`: prints at once. `${currentBuild.currentResult}` in the line becomes the result so far."""

    line: str


@dataclass(frozen=True, slots=True)
class Wait:
    """`sleep`: holds the Pipeline for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Sh:
    """A shell step. `output` is what it prints: a string is a line, a number a pause in seconds.

    After a stop it takes `stop_seconds` (of which Jenkins waits for 20) and prints `on_stop`.
    A process lives on while its node or the controller is away; what it printed meanwhile comes in one go.
    `exit_code` other than 0 fails the build, unless `return_status`.
    """

    script: str
    output: tuple[str | float, ...] = ()
    exit_code: int = 0
    stop_seconds: float = 0.5
    on_stop: tuple[str, ...] = ()
    return_status: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One commit since the build before. `at` is its moment in milliseconds since 1970."""

    commit: str
    message: str
    author: str
    at: int
    files: tuple[str, ...] = ()
    email: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Gets the sources; leaves the build data from which a client learns the commit (40 hex digits).

    `lines` is what it prints, a few words about the commit when it is empty.
    """

    remote: str
    commit: str
    branch: str = "refs/remotes/origin/main"
    message: str = ""
    step: str = "checkout"
    lines: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Archive:
    """Keeps files: `path` with `content`, and each (path, content) of `more`.

    A path is relative to the workspace, e.g. `out/metrics.json`; `pattern` is what the script asked for.
    """

    path: str
    content: bytes
    pattern: str = ""
    more: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; `failure` is (message, stack trace). `skipped` and `failure` exclude each other. Seconds."""

    class_name: str
    name: str
    duration: float = 0.0
    failure: tuple[str, str] | None = None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Junit:
    """Records test results; a failed case makes the build UNSTABLE."""

    suite: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """`error`: ends the Pipeline as FAILURE. With an `exit_code` it is a shell step that fails with it."""

    message: str = ""
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Unstable:
    """Goes on, but the stage and the build become UNSTABLE."""

    message: str


@dataclass(frozen=True, slots=True)
class Describe:
    """Sets what `currentBuild` offers. A `result` (e.g. NOT_BUILT) can only get worse later on."""

    display_name: str | None = None
    description: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Asks a person. The server capitalizes the first letter of `id`; `submitter` names user ids, empty is anybody.

    With parameters or a `submitter_parameter` (the name that gets the user id) the console says only "Input requested".
    """

    id: str
    message: str
    ok: str = "Proceed"
    parameters: tuple[Parameter, ...] = ()
    submitter: tuple[str, ...] = ()
    submitter_parameter: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """`build job:`. `job` is a full name; waits for it unless `wait` is False, and takes over a bad result."""

    job: str
    parameters: Mapping[str, Value]
    wait: bool = True


@dataclass(frozen=True, slots=True)
class OnNode:
    """`node(label)`: takes an executor for `steps`. The empty label is any node. Waits in the queue as a part of its build."""

    label: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """`lock(resource)`: one build at a time. Who waits for it holds nothing and stands in no queue.

    With a `quantity` the `resource` is a label, and so many of the resources that bear it are wanted.
    """

    resource: str
    steps: tuple[Step, ...]
    quantity: int = 0

    @property
    def shown(self) -> str:
        """As the console names it."""
        return f"Label: {self.resource}, Quantity: {self.quantity}" if self.quantity else self.resource


@dataclass(frozen=True, slots=True)
class Timeout:
    """Interrupts its steps after `seconds`; the build is ABORTED then."""

    seconds: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Retry:
    """`retry(times)`: does its steps again after a failure, but not after a stop."""

    times: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class WithPost:
    """The inside of a stage with a `post` section, where an agent or variables stand around both."""

    steps: tuple[Step, ...]
    post: tuple[Step, ...] = ()
    cleanup: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Try:
    """`try` and `finally` of a script: `always` runs whatever became of the steps. Prints nothing itself.

    With `catches` it is `try` and `catch`: `always` runs only after an error, and the script goes on.
    """

    steps: tuple[Step, ...]
    always: tuple[Step, ...]
    catches: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A step that only shows its name in the console, such as `properties`."""

    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block without an effect of its own in this model: `script`, `withEnv`, `timestamps`, `withCredentials`."""

    name: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """The `post` section of a Pipeline, a stage of its own: it runs whatever became of the stages before it."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage. `when=False` skips it; `post` and then `cleanup` run after its steps whatever became of them.

    `ask` is its input directive, which comes before `when`: also a stage that is then skipped asks first.
    """

    name: str
    steps: tuple[Step, ...] = ()
    when: bool = True
    post: tuple[Step, ...] = ()
    cleanup: tuple[Step, ...] = ()
    ask: Input | None = None


@dataclass(frozen=True, slots=True)
class Parallel:
    """Stages that run at the same time; each one is the branch of its name."""

    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole Jenkinsfile.

    `agent` is the label of a top-level agent: None for none, empty for any. `post` runs at the end in any case.
    `source` is printed as "Obtained Jenkinsfile from ...". Not `declarative`: a failure skips nothing, it just ends.
    With an `environment` a build has an action more (EnvActionImpl), as declarative Pipelines that set variables have.
    """

    steps: tuple[Step, ...]
    agent: str | None = None
    post: tuple[Step, ...] = ()
    timestamps: bool = False
    declarative: bool = True
    source: str | None = None
    environment: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A Jenkinsfile that does not compile: FAILURE without a stage. `errors` are the compiler's lines."""

    errors: tuple[str, ...]
    source: str | None = None


Step = (
    Say | Wait | Sh | Checkout | Archive | Junit | Fail | Unstable | Describe | Input
    | Trigger | OnNode | Lock | Timeout | Post | WithPost | Retry | Try | Call | Block | Stage | Parallel
)  # fmt: skip
Jenkinsfile = Pipeline | Broken
Script = Jenkinsfile | Callable[["Build"], Jenkinsfile]
