from __future__ import annotations

from tests.client.door import workspace
from tests.client.state import _own_state, in_run, run_folder

__all__ = ["_own_state", "in_run", "run_folder", "workspace"]
