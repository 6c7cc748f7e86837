"""What is done to containers, to the services of the Compose file, and to what fills the disk."""
