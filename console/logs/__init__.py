"""The logs of containers: followed without a loss, kept, searched. Knows streams of entries, but no Docker and no screen."""
