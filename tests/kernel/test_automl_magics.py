from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.kernel.magics import MLStudioError
from tests.kernel.test_magics import shell

__all__ = ["shell"]


def test_a_data_frame_of_the_notebook_is_learnt_from(shell: Any) -> None:
    shell.run_cell("import pandas as pd\ndf = pd.DataFrame({'age': [1, 2], 'churn': ['yes', 'no']})")

    made = shell.run_line_magic("ml_automl", "df --target churn --minutes 2 --positive-label yes --block SVM --tag a=b")

    (sent,) = shell.gateway.submitted
    assert (made.id, set(sent["uploads"]), sent["tags"]) == ("automl1", {"data"}, {"a": "b"})
    spec = sent["automl"]
    assert (spec["target"], spec["positive_label"], spec["limits"]["timeout_s"]) == ("churn", "yes", 120.0)
    assert spec["training"]["blocked_training_algorithms"] == ["SVM"]


def test_a_file_is_learnt_from_and_shares_of_its_rows_are_held_out(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("day,units\n")

    shell.run_line_magic("ml_automl", "sales.csv -t units --time day --horizon 7 --validation 0.2 --test sales.csv")
    shell.run_line_magic(
        "ml_automl",
        "sales.csv -t units --time day --frequency W --aggregate sum --feature-lags --unknown-ahead wind",
    )

    spec = shell.gateway.submitted[0]["automl"]
    assert (spec["data"], spec["test_data"], spec["validation_data_size"]) == ("sales.csv", "sales.csv", 0.2)
    assert spec["forecasting"] == {"time_column_name": "day", "forecast_horizon": 7}
    assert shell.gateway.submitted[1]["automl"]["forecasting"] == {
        "time_column_name": "day", "frequency": "W", "target_aggregate_function": "sum", "feature_lags": "auto",
        "features_unknown_at_forecast_time": ["wind"],
    }  # fmt: skip


def test_what_is_no_table_is_said_in_one_line(shell: Any) -> None:
    shell.run_cell("x = 3")
    for line, said in (("nothing --target a", "no data frame and no file"), ("x --target a", "is a int"),
                       ("", "nothing to learn from"), ("--minutes", "expected one argument")):  # fmt: skip
        with pytest.raises(MLStudioError, match=said):
            shell.run_line_magic("ml_automl", line)
