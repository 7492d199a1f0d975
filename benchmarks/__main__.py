"""``python -m benchmarks`` lists the benchmarks, ``python -m benchmarks NAME... [OPTION...]`` runs them.

Options are for the benchmarks that have some: ``python -m benchmarks automl-rank --help`` tells them.
Each prints its table, both sides measured in that run, and ends with ``NAME: FIGURE (target T): ok`` or ``: short``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

NAMES = (
    "log-blocking",
    "series-open",
    "runs-table",
    "endpoint-start",
    "scoring-cpu",
    "scoring-scale",
    "swap-under-load",
    "server-start",
    "sweep-overhead",
    "sweep-quality",
    "sweep-view",
    "automl-rank",
    "automl-memory",
    "automl-forecast",
)


def main(arguments: list[str]) -> int:
    """Runs the named benchmarks one after the other; answers 0 when all meet their targets, 2 for unknown names."""
    first_option = next((place for place, one in enumerate(arguments) if one.startswith("-")), len(arguments))
    names, options = arguments[:first_option], arguments[first_option:]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if not names and not options:
        for name in NAMES:
            first = (import_module(_module(name)).__doc__ or "").strip().splitlines()[0]
            print(f"{name:16}{first}")
        return 0
    if not names:
        print("name a benchmark before its options", file=sys.stderr)
        return 2
    runs = {name: import_module(_module(name)).run for name in names}
    if options and (plain := [name for name, run in runs.items() if not signature(run).parameters]):
        print(f"{plain[0]} has no options", file=sys.stderr)
        return 2
    return max(int(run(options) if options else run()) for run in runs.values())


def _module(name: str) -> str:
    return f"{Path(__file__).parent.name}.{name.replace('-', '_')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
