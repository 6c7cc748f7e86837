"""What is done to a Docker Engine: its containers, images, volumes and build cache."""

from console.sources.docker_acts.source import DockerActs

__all__ = ["DockerActs"]
