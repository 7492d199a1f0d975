"""Converters: one file for each framework whose models can be served."""
