"""What is asked for: the `tree=` of each request, as lean as it can be.

`builds[...]` makes the controller load every build of the job, so it is only asked for one job at a time; `lastBuild` loads one
(jenkins-recordings, measure-lazy-loading).
"""

from __future__ import annotations

JOB_LEVELS = 6
"""How deep folders are looked into: a multibranch project in four folders is the deepest that is shown."""

_LAST = "lastBuild[number,result,building,timestamp,duration,estimatedDuration]"
_RUNNING = "currentExecutable[url,number,queueId]"

NODES = (
    "computer[displayName,offline,offlineCause,offlineCauseReason,temporarilyOffline,numExecutors,assignedLabels[name],"
    f"executors[{_RUNNING}],oneOffExecutors[{_RUNNING}]]"
)
# Enough to see that anything of NODES or QUEUE has changed that is not only the wording of a reason.
NODES_NOW = (
    "computer[offline,offlineCause,executors[currentExecutable[number,queueId]],oneOffExecutors[currentExecutable[queueId]]]"
)
QUEUE_NOW = "items[id,stuck]"
QUEUE = (
    "items[id,why,stuck,pending,inQueueSince,timestamp,task[name,url],"
    "actions[causes[shortDescription,userId,upstreamProject,upstreamBuild],parameters[name,value]]]"
)
ITEM = (
    "id,why,stuck,pending,inQueueSince,timestamp,cancelled,executable[number,url],task[name,url],"
    "actions[causes[shortDescription,userId,upstreamProject,upstreamBuild],parameters[name,value]]"
)
KIND = "number"
ITEM_CAUSES = "actions[causes[shortDescription]]"
KIND_OF_ITEM = "name"
PARAMETERS = "property[parameterDefinitions[name,type,description,choices,defaultParameterValue[value]]]"
PROBED = "buildable,inQueue,lastBuild[building],property[parameterDefinitions[name]]"
ENDED = "building"
NODE = "description,offlineCause[timestamp,description],monitorData[*]"
_CAUSES = "causes[shortDescription,userId,userName,upstreamProject,upstreamBuild]"
BUILD = (
    "number,url,building,result,timestamp,duration,estimatedDuration,displayName,description,queueId,keepLog,"
    f"actions[{_CAUSES},parameters[name,value],lastBuiltRevision[SHA1],totalCount,failCount,skipCount]"
)
ARTIFACTS = "artifacts[fileName,relativePath]"
TESTS = "suites[name,cases[className,name,status,errorDetails,age]]"


def jobs() -> str:
    """Everything that can be built, with its newest build, through folders."""
    fields = f"url,color,{_LAST}"
    tree = fields
    for _ in range(JOB_LEVELS - 1):
        tree = f"{fields},jobs[{tree}]"
    return f"quietingDown,jobs[{tree}]"


def builds(count: int) -> str:
    return f"builds[{BUILD}]{{0,{count}}}"
