from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.kernel.display import RunDetails, show
from tests.client.gateway import Gateway, run_data

SCRIPT = "<img src=x onerror=window.__x=1>"


def test_a_run_shows_itself_live_still_and_as_text(tmp_path: Path) -> None:
    data = run_data("run1", status="Completed", params={"depth": "8"}, metrics={"auc": 0.987654, "n": 3.0})

    bundle = card.bundle(data, tmp_path)

    assert set(bundle) == {card.MIME, "text/html", "text/plain"}
    assert (bundle[card.MIME]["run_id"], bundle[card.MIME]["name"]) == ("run1", "forest")
    assert bundle["text/plain"] == "forest ✓ completed  00:41  auc 0.9877  n 3  (Default, run1)"
    assert "<code>8</code>" in bundle["text/html"]
    json.dumps(bundle, allow_nan=False)


def test_x01_markup_in_any_text_of_a_run_is_text_in_its_card(tmp_path: Path) -> None:
    data = run_data(
        SCRIPT, name=SCRIPT, experiment=SCRIPT, reason=SCRIPT, params={SCRIPT: SCRIPT}, metrics={SCRIPT: 1.0},
        origin={"notebook": SCRIPT, "cell_number": 4},
    )  # fmt: skip

    shown = card.bundle(data, tmp_path)["text/html"]

    assert "<img" not in shown
    assert shown.count("&lt;img") == 7


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-∞"),
        (1e-320, "1e-320"),
        (-0.0, "-0"),
        (2**53 + 2, "9.007e+15"),
        (0.12345, "0.1235"),
    ],
)
def test_x12_numbers_are_shown_with_four_digits_and_what_is_not_finite_by_name(value: Any, shown: str) -> None:
    assert card.number(value) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.25, "0.2 s"), (41, "00:41"), (75, "01:15"), (3840, "1 h 04 min")])
def test_a_time_span_is_readable(seconds: float, shown: str) -> None:
    assert card.duration(seconds) == shown


def test_showing_a_run_does_not_fail_when_the_studio_is_gone() -> None:
    run = Run(run_data("run1"), Connection("http://127.0.0.1:1", "x"))
    run._read_at = -10.0

    assert "forest" in run._repr_mimebundle_()["text/plain"]


def test_run_details_shows_the_run(in_run: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    RunDetails("run1").show()

    assert "forest" in capsys.readouterr().out


def test_things_that_cannot_be_shown_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def _repr_mimebundle_(self) -> dict[str, str]:
            raise OSError("gone")

    show(Broken())

    assert "cannot be shown: gone" in capsys.readouterr().err
