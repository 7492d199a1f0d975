"""How things are kept: SQLAlchemy Core, one file per noun. Only the studio wing opens it."""
