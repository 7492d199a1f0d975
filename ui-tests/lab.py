"""``jupyter lab`` without an optional part of jsonschema, a grammar of addresses in all scripts.

Building it takes most of the start of each server, and nothing here is checked by it.
"""

import sys

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

from jupyterlab.labapp import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
