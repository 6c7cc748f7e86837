"""The programs' tables and the platform's own files say the same."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from infra.platform import catalogue, compose, pin, plugins, settings
from infra.platform.place import Place
from tests.infra.platform.site import ROOT

PLACE = Place(ROOT)
COMPOSE = PLACE.compose.read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]


def readers(name: str) -> set[str]:
    """The services that a secret is mounted into."""
    return {service for service, about in SERVICES.items() if name in about.get("secrets", ())}


@pytest.mark.parametrize("one", catalogue.SECRETS, ids=lambda one: str(one.name))
def test_a_rotation_names_the_services_that_read_it(one: catalogue.Secret) -> None:
    halves = {one.name.removesuffix(".pub"), f"{one.name.removesuffix('.pub')}.pub"}
    assert set(one.services) == set().union(*map(readers, halves))


def test_every_secret_that_is_mounted_is_made() -> None:
    mounted = yaml.safe_load(COMPOSE)["secrets"]
    assert {about["file"] for about in mounted.values()} == {f"secrets/{name}" for name in mounted}
    # This one is for whoever sets Portainer up, outside of any container.
    assert {one.name for one in catalogue.SECRETS} - set(mounted) == {"portainer-developer-password"}
    assert set(mounted) <= {one.name for one in catalogue.SECRETS}


def test_every_image_has_a_pin() -> None:
    found = {one.reference for one in pin.find(COMPOSE)}
    for name, about in SERVICES.items():
        arguments = about.get("build", {}).get("args", {})
        wanted = {value for key, value in arguments.items() if key.endswith("_IMAGE")} or {about["image"].partition("$")[0]}
        assert wanted <= found, name
    assert pin.CONTROLLER in {one.variable for one in pin.find(COMPOSE)}


def test_every_setting_of_the_compose_file_is_in_the_example() -> None:
    used = set(
        re.findall(r"\$\{(\w+)[:}]", "\n".join(line for line in COMPOSE.splitlines() if not line.lstrip().startswith("#")))
    )
    example = settings.parse(PLACE.example.read_text(encoding="utf-8"), "infra/.env.example")
    assert {name for name in used if not name.endswith("_DIGEST")} == set(example)


def test_the_oldest_compose_is_the_one_that_is_documented() -> None:
    said = re.search(r"Compose v(\d+)\.(\d+) or newer", (ROOT / "docs" / "platform.md").read_text(encoding="utf-8"))
    assert said
    assert (int(said[1]), int(said[2])) == compose.OLDEST


def test_plugins_are_read_whole() -> None:
    text = PLACE.plugins.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(plugins.listed(text)) == len(lines) > 50


@pytest.mark.parametrize("path", ["infra/secrets/webhook-hmac", "infra/.env"])
def test_git_takes_no_secret_and_no_settings(path: str) -> None:
    assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0
    assert subprocess.run(["git", "check-ignore", "--quiet", "infra/.env.example"], cwd=ROOT, check=False).returncode == 1
