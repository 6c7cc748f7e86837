"""GPUs by NVIDIA's own library (NVML), and who uses them by /proc. Needs no root."""
