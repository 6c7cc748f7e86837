"""NVIDIA's library as far as the console calls it, on machines without a GPU: see `nvml.c` for what it answers."""
