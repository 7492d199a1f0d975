"""Counts what `make test` left behind: ``tally.py RESULTS PART...``; the last line is ``N passed, N failed``.

A part is either a runner with JUnit files (``pytest.xml``, ``ui-1.xml``) or a check that leaves ``NAME.ok`` when it
passes, or ``NAME.skipped`` where this machine cannot do it. A part that left none did not get to its end: one failure.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main(results: Path, parts: list[str]) -> int:
    """Prints one line a part and the total; answers 0 when nothing failed."""
    total = [0, 0]
    for part in parts:
        files = [*results.glob(f"{part}.xml"), *results.glob(f"{part}-*.xml")]
        if files:
            passed, failed, skipped = (sum(column) for column in zip(*map(_junit, files), strict=True))
        else:
            passed, skipped = (int((results / f"{part}.{end}").exists()) for end in ("ok", "skipped"))
            failed = int(passed + skipped == 0)
        if files and passed + failed == 0:
            failed = 1
        print(f"{part:14}{passed:6} passed{failed:5} failed{skipped:5} skipped")
        total[0] += passed
        total[1] += failed
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


def _junit(path: Path) -> tuple[int, int, int]:
    try:
        suites = ET.parse(path).getroot().iter("testsuite")
    except ET.ParseError:
        return 0, 1, 0
    counts = [
        [int(suite.get(name) or 0) for name in ("tests", "failures", "errors", "skipped")]
        for suite in suites
        if suite.find("testcase") is not None
    ]
    tests, failures, errors, skipped = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 1, 0, 0)
    return max(tests - failures - errors - skipped, 0), failures + errors, skipped


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
