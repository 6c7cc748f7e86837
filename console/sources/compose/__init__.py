"""The Compose file as Compose itself reads it: which services are declared, and what a container of each would be labelled."""

from console.sources.compose.source import ComposeCli

__all__ = ["ComposeCli"]
