"""Schemas of the events that the server emits."""
