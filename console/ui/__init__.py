"""The screen. Renders worlds, knows no client library."""
