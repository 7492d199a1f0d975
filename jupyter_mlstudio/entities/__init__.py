"""What things are: frozen dataclasses and enums of the standard library only, shared by both wings."""
