"""The memory that a run may have holds for its program too, not for its workers alone."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs.automl_memory import within

MEGABYTE = 1024**2


def allowed(more: int) -> int:
    return int(psutil.Process().memory_info().rss) + more


def test_a_table_that_needs_more_is_refused_and_the_limit_is_taken_back() -> None:
    with pytest.raises(Invalid, match="needs more memory than the run may have"), within(allowed(100 * MEGABYTE)):
        np.ones(60 * MEGABYTE)
    assert len(np.ones(60 * MEGABYTE, dtype=np.int8)) == 60 * MEGABYTE


def test_one_that_fits_is_read() -> None:
    with within(allowed(300 * MEGABYTE)):
        assert np.ones(10 * MEGABYTE).nbytes == 80 * MEGABYTE


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(Invalid, match="no column"), within(allowed(300 * MEGABYTE)):
        raise Invalid("there is no column 'a'")
    with pytest.raises(MemoryError), within(None):
        raise MemoryError
