"""`make down`: the platform's services end, its data and running trainings stay."""

from __future__ import annotations

from infra.jenkins.steps import docker
from infra.jenkins.steps.problem import Exit, Problem, say

from . import compose, settings
from .place import Place

TRAINING = "mlops.managed=true"


def step() -> int:
    """The program: `make down`. Raises Problem."""
    place = Place.here()
    docker.info()
    compose.version()
    settings.alone(settings.read(place))
    there = sorted({compose.service(one) for one in compose.containers()})
    if not there:
        say("No service of the platform is here: nothing was changed.")
    elif compose.show(place, "--progress", "quiet", "down", "--remove-orphans") == 0:
        say(f"Ended: {', '.join(there)}. What they had stored stays in their volumes; make up goes on with it.")
    else:
        raise Problem("docker compose down failed: its own words are above.")
    trainings = docker.call("ps", "--filter", f"label={TRAINING}", "--format", "{{.Names}}").split()
    if trainings:
        say(f"These trainings go on, and the next make up finds them: {', '.join(trainings)}")
    return Exit.OK
