"""The server's side of the platform: its secrets, its settings, its start and its pins.

Standard library only: a server that is being set up has nothing but its own Python (3.11 or newer), Docker and git.
"""
