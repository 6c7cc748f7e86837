"""What the rest of the console asks of a system. The real sources and the demo world both look like this."""

from console.sources.protocols.docker import (
    NO_VARIABLES,
    Compose,
    ComposeActs,
    ContainerEngine,
    EngineActs,
    EngineDaemon,
    EngineDisk,
    GpuTrial,
    Patient,
)
from console.sources.protocols.jenkins import ActingJenkins, Jenkins, JenkinsActs, JenkinsAdmin
from console.sources.protocols.machine import Files, Gpus, KnowsGpuPast, KnowsMachinePast, Machine, RunFolders, Units
from console.sources.protocols.web import Knocks

__all__ = [
    "NO_VARIABLES",
    "ActingJenkins",
    "Compose",
    "ComposeActs",
    "ContainerEngine",
    "EngineActs",
    "EngineDaemon",
    "EngineDisk",
    "Files",
    "GpuTrial",
    "Gpus",
    "Jenkins",
    "JenkinsActs",
    "JenkinsAdmin",
    "Knocks",
    "KnowsGpuPast",
    "KnowsMachinePast",
    "Machine",
    "Patient",
    "RunFolders",
    "Units",
]
