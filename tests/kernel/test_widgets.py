from datetime import timedelta

import pytest

from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.kernel.widgets import card_of, script

DATA = {
    "id": "r1",
    "name": "forest-3",
    "experiment": "churn",
    "kind": "cell",
    "status": "Running",
    "reason": "",
    "created_at": "2026-11-21T00:00:00Z",
    "started_at": None,
    "duration_s": None,
    "origin": {"notebook": "quickstart.ipynb", "cell_number": 4},
    "params": {"n_estimators": "200"},
    "metrics": {"accuracy": 0.9},
    "progress": {"done": 1, "total": 5, "text": "epoch"},
    "summaries": [
        {"name": "accuracy", "last": "NaN", "sparkline": [0.8, None]},
        {"name": "system/cpu_percent", "last": 50.0, "sparkline": [50.0]},
    ],
}


def test_a_card_holds_what_is_shown_and_no_system_metrics() -> None:
    card = card_of(DATA, "epoch 1\n")
    assert card["where"] == "cell 4 of quickstart.ipynb"
    assert card["metrics"] == [{"name": "accuracy", "value": "NaN", "sparkline": [0.8, None]}]
    assert card["params"] == [("n_estimators", "200")]
    assert card["log"] == "epoch 1\n"
    assert card["live"] is True
    assert card["can_stop"] is True


def test_a_live_run_has_an_elapsed_time_that_grows() -> None:
    started = (utc_now() - timedelta(seconds=41)).isoformat()
    assert card_of({**DATA, "started_at": started})["elapsed_s"] == pytest.approx(41, abs=5)
    assert card_of(DATA)["elapsed_s"] is None


@pytest.mark.parametrize(
    ("status", "live", "can_stop"), [("Completed", False, False), ("CancelRequested", True, False)]
)
def test_only_a_run_that_goes_on_can_be_stopped(status: str, live: bool, can_stop: bool) -> None:
    card = card_of({**DATA, "status": status, "duration_s": 3.0, "started_at": None})
    assert (card["live"], card["can_stop"], card["elapsed_s"]) == (live, can_stop, 3.0)


def test_a_card_that_was_not_built_says_how_to_build_it(tmp_path) -> None:
    with pytest.raises(NotFound, match="npm run build:widget"):
        script(tmp_path / "run.js")


def test_the_built_card_is_an_anywidget_module() -> None:
    assert "export" in script()
