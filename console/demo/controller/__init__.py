"""A model of a Jenkins controller: a pure state machine without network, threads or time of its own.

    controller = Controller(clock)                     # clock() is milliseconds since 1970
    controller.add_user("operator", OPERATOR, password="...", full_name="Console operator")
    controller.add_job("train", Pipeline((Stage("Train", (Sh("train", ("epoch 1", 2.5, "epoch 2")),)),), agent=""))
    item, merged = controller.trigger("train", by="operator")
    controller.advance()                               # let happen what is due by the clock, then read
    build = controller.jobs["train"].last()

Reading (call `advance()` first; every acting method does it by itself):

* `jobs` (Job by full name), `root` (the tree of folders), `item(full_name)`, `job(full_name)`
* `builds` (Build by full name and number), `build(full_name, number)`
* `queue` (QueueItem by id, those that left included for five minutes), `waiting_items`
* `nodes` (Node by name), their `slots` hold what each executor does; `runs` are the builds on their way
* a Build has `stages`, `steps_of(stage)`, `status()`, `log.read(start)`, `artifacts`, `suites`, `pending` questions
* `phase`, `session`, `quieting_down`, `people` (logins, sessions, crumbs), `now`, `next_moment()`

Setting up: `add_user`, `add_node`, `add_folder`, `add_multibranch`, `add_job`, `add_branch`, `add_hook`, `set_link`.

Acting: `trigger`, `cancel`, `stop`, `kill`, `submit_input`, `reject_input`, `replay`, `delete_build`, `scan`, `hook`,
`toggle_offline`, `launch`, `quiet_down`, `restart`, `reload`, `lose_processes`.
Each raises a RefusedError for what Jenkins refuses.

Scripts are in `steps`; a job's script may be a function of the build, so that parameters can decide. All texts are
raw: they hold whatever a real server would send, control characters included. Behaviour follows recordings of a
Jenkins 2.421 (tests/recordings/jenkins); the contract test holds this model against them.
"""

from console.demo.controller.builds import Build, Cause, CauseKind, FlowNode, Question, Status, Suite
from console.demo.controller.controller import Controller
from console.demo.controller.errors import RefusedError
from console.demo.controller.items import Folder, Item, Job, Kind, Multibranch
from console.demo.controller.nodes import Link, Monitors, Node, Work
from console.demo.controller.parameters import Parameter, ParameterKind, ParameterValue
from console.demo.controller.people import (
    ADMIN,
    BUILDER,
    DEVELOPER,
    LIMITED,
    NOBODY,
    OPERATOR,
    VIEWER,
    Permission,
    User,
)
from console.demo.controller.queueing import QueueItem, State
from console.demo.controller.steps import (
    Archive,
    Block,
    Broken,
    Call,
    Case,
    Change,
    Checkout,
    Describe,
    Fail,
    Input,
    Junit,
    Lock,
    OnNode,
    Parallel,
    Pipeline,
    Post,
    Retry,
    Say,
    Sh,
    Stage,
    Step,
    Timeout,
    Trigger,
    Try,
    Unstable,
    Wait,
    WithPost,
)
from console.demo.controller.timeline import Phase

__all__ = [
    "ADMIN",
    "BUILDER",
    "DEVELOPER",
    "LIMITED",
    "NOBODY",
    "OPERATOR",
    "VIEWER",
    "Archive",
    "Block",
    "Broken",
    "Build",
    "Call",
    "Case",
    "Cause",
    "CauseKind",
    "Change",
    "Checkout",
    "Controller",
    "Describe",
    "Fail",
    "FlowNode",
    "Folder",
    "Input",
    "Item",
    "Job",
    "Junit",
    "Kind",
    "Link",
    "Lock",
    "Monitors",
    "Multibranch",
    "Node",
    "OnNode",
    "Parallel",
    "Parameter",
    "ParameterKind",
    "ParameterValue",
    "Permission",
    "Phase",
    "Pipeline",
    "Post",
    "Question",
    "QueueItem",
    "RefusedError",
    "Retry",
    "Say",
    "Sh",
    "Stage",
    "State",
    "Status",
    "Step",
    "Suite",
    "Timeout",
    "Trigger",
    "Try",
    "Unstable",
    "User",
    "Wait",
    "WithPost",
    "Work",
]
