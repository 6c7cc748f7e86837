"""`make destroy`: the services, their data, networks and images go; what it keeps it says before it asks."""

from __future__ import annotations

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import compose, down, keeping, settings
from .keeping import KEPT, Shelf
from .place import Place

_IMAGES = ("mlops/jenkins", "mlops/agent", "mlops/portainer")


def step() -> int:
    """The program: `make destroy`. Raises Problem, OSError."""
    keeping.need_root("make destroy")
    place = Place.here()
    docker.info()
    compose.version()
    settings.alone(settings.read(place))
    trainings = docker.call("ps", "--filter", f"label={down.TRAINING}", "--format", "{{.Names}}").split()
    say("It removes: the five services, their networks and images, and their volumes: Jenkins with all its builds, the agent")
    say("with all run folders (models and checkpoints that are nowhere else), Portainer with its users.")
    say(f"It keeps: {', '.join(_kept(place, trainings))}.")
    keeping.confirm("This cannot be undone.")
    if compose.show(place, "--progress", "quiet", "down", "--remove-orphans", "--volumes") != 0:
        raise Problem("docker compose down failed: its own words are above.")
    for image in _IMAGES:
        if docker.inspect("image", image):
            docker.call("image", "rm", image)
    left = [data.name for data in KEPT if data.path() is not None]
    if left:
        raise Problem(f"{', '.join(left)} is still there: who uses it? docker ps --all --filter volume={left[0]}")
    say("The platform is gone. make up begins anew with the same secrets; make restore brings a backup back.")
    return Exit.OK


def _kept(place: Place, trainings: list[str]) -> list[str]:
    shelf = Shelf.here()
    number = len(shelf.backups())
    return [
        f"{number} backups in {shelf.folder}" if number else f"backups (there are none in {shelf.folder})",
        "their key",
        "secrets and settings (infra/secrets, infra/.env)",
        "this checkout",
        "Docker, the console and users of this server",
        "images and caches of trainings",
        f"trainings that run ({', '.join(trainings)})" if trainings else "trainings (none runs)",
    ]
