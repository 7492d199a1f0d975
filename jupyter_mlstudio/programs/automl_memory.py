"""The memory that an AutoML run's program may have while it reads a table, or explains; workers have limits too."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs.answering import no_memory

LEAST_BYTES = 64 * 1024**2


@contextlib.contextmanager
def within(memory_bytes: int | None, what: str = "the table") -> Iterator[None]:
    """Lets this process have no more than so much memory meanwhile, where the system can be told so.

    What it has already counts; what is only reserved does not.

    Args:
        memory_bytes: the most; None is no limit.
        what: needs it, as the error says.

    Raises:
        Invalid: it was not enough.
    """
    lift = _limit(memory_bytes)
    try:
        yield
    except (MemoryError, StudioError, ValueError, RuntimeError, OSError) as error:
        if memory_bytes is None or not no_memory(error):
            raise
        gigabytes = memory_bytes / 1e9
        raise Invalid(
            f"{what} needs more memory than the run may have ({gigabytes:.3g} GB): allow more, or give fewer rows or"
            " columns"
        ) from error
    finally:
        lift()


def _limit(memory_bytes: int | None) -> Callable[[], None]:
    """Sets the limit; answers what takes it back. RLIMIT_DATA counts what is private and written to, not files."""
    if memory_bytes is None:
        return lambda: None
    try:
        import resource

        import psutil

        has = psutil.Process().memory_info()
        before = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = has.data + max(memory_bytes - has.rss, LEAST_BYTES)
        most = wanted if before[1] == resource.RLIM_INFINITY else min(wanted, before[1])
        resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    except (ImportError, AttributeError, ValueError, OSError):
        return lambda: None
    return lambda: resource.setrlimit(resource.RLIMIT_DATA, before)
