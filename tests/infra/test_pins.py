"""What the platform is pinned to: versions that are known to exist and to go together, each in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra import controller
from tests.infra.controller import ROOT

PLUGINS = (controller.FOLDER / "plugins.txt").read_text(encoding="utf-8")
# Read from the tags of the plugins and from the set that the Jenkins project itself runs.
KNOWN_PLUGINS = set((controller.RECORDINGS / "plugin-versions.txt").read_text(encoding="utf-8").splitlines())
# Read from the tags of the images. No digest is known here: `make pin` looks them up.
KNOWN_IMAGES = {
    "jenkins/jenkins:2.568.2-jdk21",
    "jenkins/ssh-agent:8.9.0-jdk21",
    "portainer/portainer-ce:2.30.0",
    "ghcr.io/fatedier/frpc:v0.70.1",
    "ghcr.io/fatedier/frps:v0.70.1",
    "nginxinc/nginx-unprivileged:1.27.3",
    "python:3.11-slim-bookworm",
}
# Word of casc.yaml, of its jobs or of the Jenkinsfile: the plugin without which it is none.
NEEDS = {
    "casc": {
        "globalMatrix": "matrix-auth",
        "ssh": "ssh-slaves",
        "basicSSHUserPrivateKey": "ssh-credentials",
        "usernamePassword": "credentials",
        "string": "plain-credentials",
        "file": "plain-credentials",
        "globalJobDslSecurityConfiguration": "job-dsl",
        "whitelist": "generic-webhook-trigger",
        "globalDefaultFlowDurabilityLevel": "workflow-api",
        "timestamper": "timestamper",
    },
    "jobs": {
        "multibranchPipelineJob": "workflow-multibranch",
        "branchSource": "branch-api",
        "git": "git",
        "headRegexFilter": "scm-api",
        "periodicFolderTrigger": "cloudbees-folder",
        "pipelineJob": "workflow-job",
        "pipelineTriggers": "workflow-job",
        "genericTrigger": "generic-webhook-trigger",
        "cpsScm": "workflow-cps",
    },
    "pipeline": {
        "pipeline": "pipeline-model-definition",
        "timestamps": "timestamper",
        "lock": "lockable-resources",
        "withCredentials": "credentials-binding",
        "input": "pipeline-input-step",
        "stage": "pipeline-stage-step",
        "sh": "workflow-durable-task-step",
        "node": "workflow-durable-task-step",
        "archiveArtifacts": "workflow-basic-steps",
        "writeFile": "workflow-basic-steps",
    },
}
# What nothing in the files names: configuration as code itself, stages as JSON for the console, steps that survive a restart.
ALSO_NEEDED = {"configuration-as-code", "pipeline-rest-api", "durable-task"}
# What they need of one another, as far as it could be read.
DEPENDENCIES = {
    "generic-webhook-trigger": {"gson-api", "json-path-api", "asm-api"},
    "lockable-resources": {"caffeine-api", "mailer", "matrix-project"},
    "ssh-slaves": {"trilead-api"},
}


def plugins() -> dict[str, str]:
    lines = [line for line in PLUGINS.splitlines() if not line.startswith("#")]
    return dict(line.split(":") for line in lines)


def said(word: str, where: str) -> bool:
    texts = {
        "casc": controller.CASC.split("\njobs:")[0],
        "jobs": controller.CASC.split("\njobs:")[1],
        "pipeline": (ROOT / "Jenkinsfile").read_text(encoding="utf-8"),
    }
    return re.search(rf"\b{word}\b\s*[:({{ ]", texts[where]) is not None


def test_plugins_are_written_one_way() -> None:
    lines = [line for line in PLUGINS.splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+:[0-9][A-Za-z0-9._-]*", line)] == []
    names = [line.split(":")[0] for line in lines]
    assert names == sorted(set(names))


def test_no_version_is_invented() -> None:
    assert {f"{name}:{version}" for name, version in plugins().items()} - KNOWN_PLUGINS == set()


@pytest.mark.parametrize(
    ("where", "word", "plugin"), [(where, word, plugin) for where, words in NEEDS.items() for word, plugin in words.items()]
)
def test_what_is_used_is_installed(where: str, word: str, plugin: str) -> None:
    assert said(word, where), (
        "no longer used: take it out of this list, and the plugin out of plugins.txt if nothing else needs it"
    )
    assert plugin in plugins()


def test_what_nothing_names_is_installed_too() -> None:
    assert plugins().keys() >= ALSO_NEEDED


def test_what_they_need_of_one_another_is_pinned() -> None:
    for plugin, needed in DEPENDENCIES.items():
        assert plugin in plugins()
        assert plugins().keys() >= needed, plugin


def test_the_controller_knows_no_docker() -> None:
    assert [name for name in plugins() if "docker" in name] == []
    instructions = [
        line for line in (controller.FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
    ]
    assert [line for line in instructions if "docker" in line.lower()] == []
    mounted = [str(volume) for volume in controller.service()["volumes"]]
    assert [volume for volume in mounted if "sock" in volume] == []


def dockerfiles() -> list[Path]:
    return sorted((ROOT / "infra").rglob("Dockerfile"))


def compose_images(service: dict[str, Any]) -> list[str]:
    """The images of others that a service is, or is built on, without their digests."""
    arguments = service.get("build", {}).get("args", {})
    found = [value for name, value in arguments.items() if name.endswith("_IMAGE")]
    image = re.sub(r"\$\{\w+_DIGEST:-(@sha256:[0-9a-f]{64})?\}$", "", service["image"])
    return [*found, *([] if "build" in service else [image])]


def test_images_are_those_that_are_known() -> None:
    files = ("docker-compose.yml", "frp/public/docker-compose.yml")
    trees = [yaml.safe_load((ROOT / "infra" / file).read_text(encoding="utf-8")) for file in files]
    services = {name: service for tree in trees for name, service in tree["services"].items()}
    used = {image for service in services.values() for image in compose_images(service)}
    assert used - KNOWN_IMAGES == set()
    # nginx is in both files.
    assert len(used) >= len(services) - 2
    for path in dockerfiles():
        text = path.read_text(encoding="utf-8")
        defaults = dict(re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE))
        named = {value for name, value in defaults.items() if name.endswith("_IMAGE")}
        assert named - KNOWN_IMAGES == set(), path
        for source in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
            assert source.startswith("${") or source in KNOWN_IMAGES, path


def test_a_dockerfile_has_the_same_base_as_compose() -> None:
    """Its own default is for who builds it by hand."""
    services = yaml.safe_load((ROOT / "infra" / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for service in services.values():
        if "build" not in service:
            continue
        build = service["build"]
        path = ROOT / "infra" / build["context"] / build.get("dockerfile", "Dockerfile")
        if not path.exists():
            continue
        defaults = dict(re.findall(r"^ARG (\w+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        for name, value in build["args"].items():
            if name.endswith("_IMAGE"):
                assert defaults[name] == value, path


def test_no_digest_is_invented() -> None:
    """`make pin` writes them into docker-compose.yml, as the default of a variable, and nobody else anywhere."""
    for path in [*dockerfiles(), ROOT / "infra" / "docker-compose.yml"]:
        for digest in re.findall(r".*sha256:.*", path.read_text(encoding="utf-8")):
            assert digest.lstrip().startswith("#") or re.search(r"_DIGEST:-@sha256:[0-9a-f]{64}\}", digest), path
