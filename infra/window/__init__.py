"""What viewers see the Docker Engine through: a second socket that answers questions and takes no orders."""
