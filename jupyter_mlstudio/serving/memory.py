"""How much memory a scoring process may take: so that neither a model nor a request takes the machine's."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_mlstudio.entities.memory import MEBIBYTE, own_sentence
from jupyter_mlstudio.errors import Invalid, StudioError, TooLarge

SOONER = 300
"""By so much of a thousand more likely than the process that started it to be ended when no memory is left."""

TOLD_S = 10.0
"""So often at most the log is told that a request needed too much."""

_told = {"at": -TOLD_S}


@contextmanager
def loading(allowance_bytes: int) -> Iterator[None]:
    """Lets the process take so much, and no more, while it loads a model or somebody's script does.

    What counts is memory that can be written (``RLIMIT_DATA``): frameworks reserve far more addresses than they use.

    Raises:
        Invalid: it took more; the message says how much.
    """
    used = _pages(5)
    if used is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = used + allowance_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
    try:
        yield
    except (MemoryError, StudioError) as error:
        if not _is_lack(error):
            raise
        raise Invalid(f"{own_sentence(allowance_bytes, MEBIBYTE)} while the model was made ready") from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def limit_memory(allowance_bytes: int) -> None:
    """Lets the process grow by so much and no more, so that one request cannot take the machine's memory; and makes it
    the one that is ended, before a server, when there is none left."""
    used = _pages(0)
    if used is None:
        return
    import resource

    adjustment = Path("/proc/self/oom_score_adj")
    adjustment.write_text(str(min(int(adjustment.read_text()) + SOONER, 1000)))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + allowance_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def tell_lack(allowance_bytes: int) -> None:
    """Writes into the log that a request needed more than the deployment may use; not with every request."""
    if time.monotonic() - _told["at"] > TOLD_S:
        _told["at"] = time.monotonic()
        print(f"a request was refused: {own_sentence(allowance_bytes, MEBIBYTE)}", file=sys.stderr, flush=True)


def _is_lack(error: BaseException | None) -> bool:
    """Whether an error came of a lack of memory, whatever it was wrapped in."""
    while error is not None:
        if isinstance(error, MemoryError | TooLarge):
            return True
        error = error.__cause__
    return False


def _pages(number: int) -> int | None:
    """One of the numbers of ``/proc/self/statm``, in bytes; only Linux counts in a way that a limit of it is of use."""
    try:
        text = Path("/proc/self/statm").read_text()
    except OSError:
        return None
    import resource

    return int(text.split()[number]) * resource.getpagesize()
