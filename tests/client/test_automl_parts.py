from __future__ import annotations

import pandas as pd
import pytest

from jupyter_mlstudio.client.automl_parts import forecast_parts
from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.errors import Conflict


def part(store: str | None, run_id: str, failed: str = "") -> Partition:
    return Partition(key={"store": store}, run_id=run_id, rows=2, fingerprint="", failed=failed)


def doubled(run_id: str, own: pd.DataFrame, ahead: pd.DataFrame | None) -> pd.DataFrame:
    assert "store" not in own
    assert ahead is None or len(ahead) == 1
    return pd.DataFrame({"by": [run_id], "sold": [2.0 * own["sold"].iloc[-1]]})


def test_each_part_of_a_table_is_forecast_by_its_own_model() -> None:
    table = pd.DataFrame({"store": ["a", "b", None, "c"], "sold": [1.0, 2.0, 3.0, 4.0]})
    parts = [part("a", "r1"), part("b", "r2"), part(None, "r3"), part("c", "r4", failed="one value"), part("d", "r5")]
    found = forecast_parts(parts, table, table, doubled)
    assert found["by"].tolist() == ["r1", "r2", "r3"]
    assert found["sold"].tolist() == [2.0, 4.0, 6.0]
    assert found["store"].isna().tolist() == [False, False, True]
    with pytest.raises(Conflict, match="no part of this table has a model"):
        forecast_parts(parts[3:], table, None, doubled)
