"""One Jenkins controller over HTTP: what is watched, started and followed goes through httpx."""
