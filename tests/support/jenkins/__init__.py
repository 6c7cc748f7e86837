"""A Jenkins controller for tests: the model of `console.demo.controller` behind a real HTTP server.

    with JenkinsServer(controller) as server:
        client = Client(server.url, ...)
        server.fault(Fault.HANG, seconds=3, match="/queue/")

Give the controller a clock that the test moves, or `lambda: time.time_ns() // 1_000_000` for the real one.
A test that moves the clock or touches the controller while requests are under way holds `server.lock`.
"""

from tests.support.jenkins.faults import Fault
from tests.support.jenkins.server import JenkinsServer

__all__ = ["Fault", "JenkinsServer"]
