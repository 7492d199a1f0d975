"""Measurements of the studio beside the programs it is compared with: ``python -m benchmarks NAME``."""
