"""``python -m jupyter_mlstudio.cli``."""

from __future__ import annotations

import sys

from jupyter_mlstudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
