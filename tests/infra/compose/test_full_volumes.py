"""A disk that is full: the probe of whoever has to write on it says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.platform import Answer, Platform

PROJECT = "full"
# The same file, with volumes of a megabyte and without the ports that the running platform has.
SMALL = """\
services:
  jenkins: {ports: !reset []}
  portainer: {ports: !reset []}
volumes:
  jenkins-home: &one {driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m,uid=1000,gid=1000,mode=0755"}}
  agent-work: *one
  agent-home: *one
  portainer-data: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m,mode=0755"}}
"""


@pytest.fixture(scope="module")
def small(platform_or_reason: object) -> Iterator[Platform]:
    """A second project with small volumes beside the platform."""
    if isinstance(platform_or_reason, str):
        pytest.skip(platform_or_reason)
    platform: Platform = platform_or_reason.platform  # type: ignore[attr-defined]
    override = platform.folder / "small.yml"
    override.write_text(SMALL)
    files = (override,)
    platform.compose("up", "--detach", "jenkins", "agent", "portainer", project=PROJECT, files=files)
    yield platform
    platform.compose("down", "--volumes", "--timeout=1", project=PROJECT, files=files)


@pytest.mark.parametrize(
    ("service", "folder", "user", "sentence"),
    [
        (
            "jenkins",
            "/var/jenkins_home",
            "",
            "the volume jenkins-home (/var/jenkins_home) cannot be written to: is the disk full?",
        ),
        (
            "agent",
            "/home/jenkins/agent",
            "jenkins",
            "the volume of /home/jenkins/agent is full: make room on its disk (docker system df shows what takes it)",
        ),
        (
            "agent",
            "/home/jenkins",
            "jenkins",
            "the volume of /home/jenkins is full: make room on its disk (docker system df shows what takes it)",
        ),
        ("portainer", "/data", "", "the volume portainer-data (/data) cannot be written to: is the disk full?"),
    ],
)
def test_a_full_volume_is_told_by_its_name(small: Platform, service: str, folder: str, user: str, sentence: str) -> None:
    small.until_good(service, PROJECT)
    fill = f"i=0; while echo 0123456789abcdef >>{folder}/filler; do i=$((i+1)); done 2>/dev/null"
    if service != "portainer":
        fill = f"cat /dev/zero >{folder}/filler"
    small.call(service, "sh", "-c", fill, user=user, project=PROJECT)
    assert small.probe(service, PROJECT) == Answer(1, sentence)
    small.call(service, "rm", f"{folder}/filler", user=user, project=PROJECT)
    assert small.probe(service, PROJECT).status == 0
