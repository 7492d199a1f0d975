"""Checks that the folder is whole and its model answers: ``python verify.py``; the exit status is 0 when it does.

Each file has the digest that ``manifest.json`` names, each model is read, and ``sample.json`` is answered.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))


def main() -> int:
    """Says what is wrong, or what was checked."""
    listed = json.loads((_HERE / "manifest.json").read_text(encoding="utf-8"))["sha256"]
    wrong = [name for name, digest in listed.items() if _digest(_HERE / name) != digest]
    if wrong:
        print(f"not as they were packaged: {', '.join(wrong)}", file=sys.stderr)
        return 1
    import scoring

    try:
        model = scoring.Model(_HERE)
        models = model.verify()
        sample = json.loads((_HERE / "sample.json").read_text(encoding="utf-8"))
        rows = model.infer(sample)["outputs"][0]["shape"][0] if sample else 0
    except (ValueError, OSError) as error:
        print(f"the model does not answer: {error}", file=sys.stderr)
        return 1
    print(f"{len(listed)} files as they were packaged, {models} model{'s' * (models != 1)}, {rows} rows answered")
    return 0


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
