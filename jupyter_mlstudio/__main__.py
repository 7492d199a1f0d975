"""``python -m jupyter_mlstudio`` is ``jupyter mlstudio``."""

import sys

from jupyter_mlstudio.cli import main

sys.exit(main())
