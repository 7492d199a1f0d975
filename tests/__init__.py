"""The tests."""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
"""Here too is done without that grammar (see ``tests.server``): it takes each process of tests two seconds."""
