"""What may be asked: one table of routes, which every host mounts. No rule and no SQL lives here."""
