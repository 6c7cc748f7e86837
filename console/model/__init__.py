"""What the world is: frozen facts and pure functions over them. Every string in here has passed the text gate."""
