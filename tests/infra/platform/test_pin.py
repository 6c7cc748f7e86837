"""`make pin`: tags resolved at a real registry by a real Engine, digests written where they belong, plugins compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from infra.jenkins.steps.problem import Problem
from infra.platform import pin, plugins
from tests.infra.platform.site import Site
from tests.support.engine import Engine
from tests.support.images import static_busybox
from tests.support.registry import Registry

COMPOSE = """# `make pin` fills in the digests: `:-}` becomes `:-@sha256:...}`.
name: mlops
services:
  jenkins:
    image: mlops/jenkins
    build:
      context: jenkins
      args:
        # Not image: HOST/old:1${OLD_DIGEST:-}
        BASE_IMAGE: HOST/jenkins/jenkins:2
        BASE_DIGEST: ${JENKINS_DIGEST:-}
  agent:
    image: mlops/agent
    build: {context: .., args: {BASE_IMAGE: HOST/ssh-agent:8, BASE_DIGEST: "${AGENT_DIGEST:-}"}}
  portainer:
    image: "HOST/portainer-ce:2${PORTAINER_DIGEST:-}"
    build:
      args:
        TOOLS_IMAGE: HOST/frpc:v0
        TOOLS_DIGEST: ${FRPC_DIGEST:-}
  frp_client:
    image: HOST/frpc:v0${FRPC_DIGEST:-}
    environment:
      FRP_DOMAIN: ${FRP_DOMAIN:-}
"""
PLUGINS = """# The controller's plugins.
git:5.10.1
mailer:1.0   # for lockable-resources
scm-api:728
"""
# What the real program prints is from its own tests: the lists on the way on stderr, the last one on stdout.
CLI = """#!/bin/busybox sh
for word in "$@"; do case $word in
    --plugin-file=*) listed=$(/bin/busybox sed 's/#.*//; s/ *$//; /^$/d; s/:/ /' "${word#*=}") ;;
esac; done
case "$*" in *--latest=false*--no-download*--list*) ;; *) echo "wrong words: $*" >&2; exit 9 ;; esac
echo >&2; echo 'All requested plugins:' >&2; echo 'dependency 1' >&2
echo 'Resulting plugin list:'
RESULT
echo
echo Done
"""
SAME = 'echo "$listed"'
OTHER = "echo 'git 5.10.1'; echo 'mailer 2.0'; echo 'structs 362.va_b_695ef4fdf9'"


@pytest.fixture
def registry(engine: Engine) -> Iterator[Registry]:
    with Registry() as running:
        for name in ("ssh-agent:8", "portainer-ce:2", "frpc:v0"):
            running.push(name, {"name": name.encode()})
        yield running
        images = engine.docker("images", "--format={{.Repository}} {{.ID}}").splitlines()
        for image in {line.split()[1] for line in images if line.startswith(running.host)}:
            engine.docker("image", "rm", "--force", image)


@pytest.fixture
def server(site: Site, engine: Engine, registry: Registry) -> Site:
    """A server whose compose file names the registry's images, and whose plugins are those that are needed."""
    site.environment |= engine.environment
    site.place.compose.write_text(COMPOSE.replace("HOST", registry.host))
    site.place.compose.chmod(0o664)
    site.place.plugins.write_text(PLUGINS)
    controller(registry, SAME)
    return site


def controller(registry: Registry, result: str) -> str:
    """Push the image whose jenkins-plugin-cli finds this result; its digest."""
    cli = CLI.replace("RESULT", result).encode()
    return registry.push(
        "jenkins/jenkins:2", {"bin/busybox": static_busybox().read_bytes(), "usr/local/bin/jenkins-plugin-cli": cli}
    )


def digest(registry: Registry, reference: str) -> str:
    return registry.push(reference, {"name": reference.encode()})


def test_each_tag_is_pinned_by_what_it_stands_for_now(server: Site, registry: Registry) -> None:
    done = server.run("infra/bin/pin")
    assert done.returncode == 0, done.stdout + done.stderr
    host, jenkins = registry.host, controller(registry, SAME)
    agent, portainer, frpc = (digest(registry, name) for name in ("ssh-agent:8", "portainer-ce:2", "frpc:v0"))
    before = COMPOSE.replace("HOST", host)
    expected = before.replace("JENKINS_DIGEST:-", f"JENKINS_DIGEST:-@{jenkins}").replace(
        "AGENT_DIGEST:-", f"AGENT_DIGEST:-@{agent}"
    )
    expected = expected.replace("PORTAINER_DIGEST:-", f"PORTAINER_DIGEST:-@{portainer}")
    assert server.place.compose.read_text() == expected.replace("FRPC_DIGEST:-", f"FRPC_DIGEST:-@{frpc}")
    assert server.place.compose.stat().st_mode & 0o7777 == 0o664
    assert done.stdout.splitlines() == [
        f"JENKINS_DIGEST  {host}/jenkins/jenkins:2  {jenkins}  was not pinned",
        f"AGENT_DIGEST  {host}/ssh-agent:8  {agent}  was not pinned",
        f"PORTAINER_DIGEST  {host}/portainer-ce:2  {portainer}  was not pinned",
        f"FRPC_DIGEST  {host}/frpc:v0  {frpc}  was not pinned",
        "infra/docker-compose.yml is written. Look at the change (git diff), commit it, then: make up",
        "infra/jenkins/plugins.txt has every plugin in the version that is needed.",
    ]


def test_what_it_wrote_is_what_the_engine_takes(server: Site, registry: Registry, engine: Engine) -> None:
    server.run("infra/bin/pin").check_returncode()
    image = re.search(r"image: (\S+/frpc:v0)\$\{FRPC_DIGEST:-(\S+)\}", server.place.compose.read_text())
    assert image
    assert engine.docker("pull", "--quiet", image[1] + image[2]).strip() == image[1] + image[2]


def test_a_second_one_changes_nothing_and_a_moved_tag_is_told(server: Site, registry: Registry) -> None:
    server.run("infra/bin/pin").check_returncode()
    before = server.place.compose.read_text()
    again = server.run("infra/bin/pin")
    assert again.returncode == 0
    assert again.stdout.count("  is the same\n") == 4
    assert "infra/docker-compose.yml had these digests already: nothing was changed.\n" in again.stdout
    assert server.place.compose.read_text() == before
    old, new = digest(registry, "frpc:v0"), registry.push("frpc:v0", {"name": b"moved"})
    moved = server.run("infra/bin/pin")
    assert f"FRPC_DIGEST  {registry.host}/frpc:v0  {new}  was {old}\n" in moved.stdout
    assert server.place.compose.read_text() == before.replace(old, new)


def test_nothing_is_written_when_one_cannot_be_resolved(server: Site, registry: Registry) -> None:
    before = server.place.compose.read_text()
    registry.take_away("frpc:v0")
    registry.take_away("ssh-agent:8")
    done = server.run("make", "pin", "WRITE=plugins")
    assert done.returncode == 2
    assert "pin: These could not be resolved, so nothing was written:\n" in done.stderr
    for name in ("frpc:v0", "ssh-agent:8"):
        assert re.search(rf"^{registry.host}/{name}: .*manifest unknown", done.stderr, re.MULTILINE), done.stderr
    assert server.place.compose.read_text() == before
    assert server.place.plugins.read_text() == PLUGINS


def test_an_image_that_only_a_dockerfile_names_is_told(server: Site, registry: Registry) -> None:
    folder = server.place.infra / "publish"
    folder.mkdir()
    lines = (
        f"ARG BASE_IMAGE={registry.host}/python:3",
        f"FROM {registry.host}/frpc:v0 AS tools",
        "FROM ${BASE_IMAGE}",
        "COPY --from=tools /name /",
    )
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    python = digest(registry, "python:3")
    done = server.run("infra/bin/pin")
    assert done.returncode == 0, done.stderr
    assert (
        f"infra/publish/Dockerfile names {registry.host}/python:3, and infra/docker-compose.yml has no digest variable for it. "
        f"By hand: {registry.host}/python:3@{python}\n"
    ) in done.stdout


def test_plugins_that_differ_are_told_and_left(server: Site, registry: Registry) -> None:
    controller(registry, OTHER)
    done = server.run("infra/bin/pin")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-4:] == [
        "mailer: infra/jenkins/plugins.txt has 1.0, and 2.0 is needed.",
        "scm-api 728 is in infra/jenkins/plugins.txt, and nothing would install it.",
        "structs 362.va_b_695ef4fdf9 is needed, and infra/jenkins/plugins.txt does not have it.",
        "infra/jenkins/plugins.txt is as it was. To put this into it: make pin WRITE=plugins",
    ]
    assert server.place.plugins.read_text() == PLUGINS
    assert "JENKINS_DIGEST:-@sha256:" in server.place.compose.read_text()


def test_plugins_are_written_when_that_is_asked_for(server: Site, registry: Registry) -> None:
    controller(registry, OTHER)
    server.run("infra/bin/pin", WRITE="plugins").check_returncode()
    expected = PLUGINS.replace("mailer:1.0", "mailer:2.0") + "structs:362.va_b_695ef4fdf9\n"
    assert server.place.plugins.read_text() == expected


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("echo 'Unable to open update centre' >&2; exit 1", "jenkins-plugin-cli failed: Unable to open update centre"),
        ("exec 1>&2", "pin: jenkins-plugin-cli of "),
    ],
)
def test_plugins_that_cannot_be_compared_are_told(server: Site, registry: Registry, result: str, words: str) -> None:
    text = CLI.replace("echo 'Resulting plugin list:'\nRESULT", result)
    registry.push(
        "jenkins/jenkins:2",
        {"bin/busybox": static_busybox().read_bytes(), "usr/local/bin/jenkins-plugin-cli": text.encode()},
    )
    done = server.run("infra/bin/pin", WRITE="plugins")
    assert done.returncode == 1
    assert words in done.stderr
    assert server.place.plugins.read_text() == PLUGINS
    assert "JENKINS_DIGEST:-@sha256:" in server.place.compose.read_text()


def test_without_a_list_of_plugins_there_is_nothing_to_compare(server: Site) -> None:
    server.place.plugins.unlink()
    done = server.run("infra/bin/pin")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "infra/jenkins/plugins.txt is missing: the plugins were not compared.",
    )


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"WRITE": "all"}, 2, "pin: WRITE is 'all'; the one thing to write besides the digests is WRITE=plugins.\n"),
        ({"DOCKER_HOST": "unix:///nobody"}, 3, "pin: The Docker Engine cannot be reached: "),
    ],
)
def test_wrong_use_is_a_sentence(server: Site, more: dict[str, str], status: int, words: str) -> None:
    done = server.run("infra/bin/pin", **more)
    assert done.returncode == status
    assert done.stderr.startswith(words)


def test_one_variable_beside_two_images_is_refused() -> None:
    text = COMPOSE.replace("frp_client:\n    image: HOST/frpc:v0", "frp_client:\n    image: HOST/frpc:v1")
    with pytest.raises(
        Problem, match=r"FRPC_DIGEST stands beside HOST/frpc:v0 and beside HOST/frpc:v1 in infra/docker-compose\.yml"
    ):
        pin.find(text)


def test_a_file_without_pins_is_refused() -> None:
    with pytest.raises(Problem, match="no image with a digest variable"):
        pin.find("services:\n  a:\n    image: busybox:1\n")


def test_versions_with_points_are_no_patterns() -> None:
    found = [plugins.Difference("a", "1.0", "2.0")]
    assert plugins.written("a:100\na:1.0.1\na:1.0\n", found) == "a:100\na:1.0.1\na:2.0\n"
