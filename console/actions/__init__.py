"""What a person does to the systems: each act makes a plan first, is then carried out once, and leaves a trace."""
