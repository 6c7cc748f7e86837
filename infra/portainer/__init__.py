"""What Portainer needs once after its first start: an environment, a team, a user with few rights.

The program is ../bin/portainer-setup; Python's standard library is all that it needs.
"""
