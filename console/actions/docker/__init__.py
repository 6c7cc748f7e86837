"""Acts on a Docker Engine and on the services of a Compose file."""
