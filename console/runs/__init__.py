"""What a training run is, told from its log: how far it is, what it measured, how it does. Pure functions, no I/O."""
