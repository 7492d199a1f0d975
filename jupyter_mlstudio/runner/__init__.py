"""Who runs one run: its supervisor and gateway, and the door through which kernels and scripts reach the studio."""
