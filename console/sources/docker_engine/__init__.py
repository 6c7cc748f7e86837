"""The Docker Engine: reads and streams over its HTTP API."""

from console.sources.docker_engine.endpoint import Endpoint, find_endpoint, parse_address
from console.sources.docker_engine.source import DockerEngine

__all__ = ["DockerEngine", "Endpoint", "find_endpoint", "parse_address"]
