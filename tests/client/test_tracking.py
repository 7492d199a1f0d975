from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.client import active
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from tests.client.gateway import Gateway

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "value", [0.5, 1, np.float64(0.5), np.float32(0.5), np.int64(3), np.array(0.25), np.array([2.0])[0], float("nan")]
)
def test_real_numbers_of_every_kind_can_be_logged(in_run: Gateway, value: Any) -> None:
    studio.log_metric("x", value)
    studio.log_metric("x", value)
    studio.flush()

    expected = "NaN" if value != value else float(value)
    assert in_run.points("x") == [(0, expected), (1, expected)]


@pytest.mark.parametrize("value", [True, np.True_, "0.5", None, 1j, [1.0], np.array([1.0, 2.0]), {}])
def test_r09_what_is_not_one_real_number_is_refused_at_the_call(in_run: Gateway, value: Any) -> None:
    studio.log_metric("x", 0.5)
    with pytest.raises(Invalid, match="metric 'x'"):
        studio.log_metric("x", value)


@pytest.mark.parametrize("name", ["", " ", "a\x00b", "a\nb", "\ud800", "n" * 251, 123, None, ["x"]])
def test_r06_r07_r09_a_name_that_cannot_be_kept_is_refused_at_the_call(in_run: Gateway, name: Any) -> None:
    with pytest.raises(Invalid, match="name"):
        studio.log_metric(name, 0.5)


@pytest.mark.parametrize("name", ["a\u200bb", "a\u202eb"])
def test_r06_an_invisible_character_in_a_name_is_refused_at_the_call_and_takes_no_other_point_with_it(
    in_run: Gateway, name: str
) -> None:
    studio.log_metric("ü 👩\u200d🔬", 0.5)
    with pytest.raises(Invalid, match="invisible character"):
        studio.log_metric(name, 0.5)
    studio.flush()
    assert in_run.points("ü 👩\u200d🔬") == [(0, 0.5)]


@pytest.mark.parametrize("name", ["a/b", "", ".hidden", "x" * 121, 3])
def test_a_name_that_no_chart_can_have_is_refused_at_the_call(in_run: Gateway, name: Any) -> None:
    with pytest.raises(Invalid, match="cannot name a chart"):
        studio.log_table(name, {"a": [1]})


@pytest.mark.parametrize("step", [1.5, "3", True, 2**63])
def test_r05_a_step_that_is_no_64_bit_integer_is_refused_at_the_call(in_run: Gateway, step: Any) -> None:
    with pytest.raises(Invalid, match="step"):
        studio.log_metric("first", 0.5, step)


def test_a_wrong_value_among_several_leaves_all_of_them_out(in_run: Gateway) -> None:
    with pytest.raises(Invalid):
        studio.log_metrics({"a": 1.0, "b": "2"})  # type: ignore[dict-item]
    studio.log_metrics({"a": 3.0, "b": 4.0}, step=7)
    studio.flush()

    assert (in_run.points("a"), in_run.points("b")) == ([(7, 3.0)], [(7, 4.0)])


def test_parameters_tags_and_progress_arrive_as_text(in_run: Gateway) -> None:
    studio.log_params({"lr": 0.1, "deep": True})
    studio.set_tag("kind", "test")
    studio.progress(3, 10, "epoch 3")
    studio.flush()

    assert in_run.details("params") == {"lr": "0.1", "deep": "true"}
    assert in_run.details("tags") == {"kind": "test"}
    assert in_run.details("progress") == {"done": 3, "total": 10, "text": "epoch 3"}


def test_files_text_and_dicts_are_kept_as_artifacts(in_run: Gateway, tmp_path: Path) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "a.csv").write_text("1")
    (tmp_path / "data" / "deep" / "b.csv").write_text("2")

    assert studio.log_artifact("data/a.csv") == "a.csv"
    assert studio.log_artifact("data/a.csv", "in") == "in/a.csv"
    assert studio.log_artifacts("data", "all") == ["all/a.csv", "all/deep/b.csv"]
    assert studio.log_text("ünï", "notes/read me.txt") == "notes/read me.txt"
    assert studio.log_dict({"a": np.float32(0.5)}, "conf") == "conf.json"

    assert in_run.files["all/deep/b.csv"] == b"2"
    assert in_run.files["notes/read me.txt"].decode() == "ünï"
    assert json.loads(in_run.files["conf.json"]) == {"a": 0.5}


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a\nb", "C:\\x"])
def test_an_artifact_that_would_leave_the_run_is_refused(in_run: Gateway, name: str) -> None:
    with pytest.raises(Invalid):
        studio.log_text("x", name)


def test_a_file_that_does_not_exist_is_named(in_run: Gateway) -> None:
    with pytest.raises(NotFound, match=r"there is no file gone\.csv"):
        studio.log_artifact("gone.csv")


def test_artifacts_go_into_the_runs_folder_while_the_gateway_is_away(in_run: Gateway, run_folder: Path) -> None:
    in_run.close()

    with pytest.warns(RuntimeWarning, match="was put into"):
        studio.log_text("hello", "a/b.txt")

    assert (run_folder / "artifacts" / "a" / "b.txt").read_text() == "hello"
    assert list((run_folder / "spool").glob("*.part")) == []


@pytest.mark.parametrize(
    "table",
    [
        {"a": [1, 2], "b": ["x", None]},
        [{"a": 1, "b": "x"}, {"a": 2}],
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}, dtype=object),
    ],
)
def test_tables_of_every_kind_become_the_same_data(in_run: Gateway, table: Any) -> None:
    studio.log_table("t", table)
    studio.flush()

    assert in_run.charts["t"]["schema_type"] == "table"
    assert in_run.charts["t"]["data"] == {"columns": ["a", "b"], "rows": [[1, "x"], [2, None]]}


def test_figures_and_images_are_kept_and_shown_as_charts(in_run: Gateway) -> None:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])

    assert studio.log_figure(figure, "loss") == "figures/loss.png"
    assert studio.log_figure(go.Figure(go.Scatter(y=[1, 2])), "live") == "live"
    assert studio.log_image("noise", image=np.zeros((4, 4, 3))) == "images/noise.png"
    studio.flush()

    assert in_run.charts["loss"]["data"] == {"path": "figures/loss.png"}
    assert in_run.charts["live"]["schema_type"] == "plotly"
    assert in_run.files["images/noise.png"].startswith(b"\x89PNG")


def test_a_confusion_matrix_is_counted_from_labels(in_run: Gateway) -> None:
    studio.log_confusion_matrix(["a", "b", "b"], ["a", "a", "b"])
    studio.flush()

    assert in_run.charts["confusion_matrix"]["data"] == {"class_labels": ["a", "b"], "matrix": [[1, 0], [1, 1]]}


def test_azures_nine_calls_keep_what_they_are_given(in_run: Gateway) -> None:
    run = studio.active_run()
    assert run is not None
    matrix = {"schema_type": "confusion_matrix", "schema_version": "1.0.0",
              "data": {"class_labels": ["0", "1"], "matrix": [[3, 1], [0, 4]]}}  # fmt: skip
    residuals = {"schema_type": "residuals", "schema_version": "1.0.0",
                 "data": {"bin_edges": [50, 100, 200], "bin_counts": [0.88, 20]}}  # fmt: skip
    predictions = {"schema_type": "predictions", "schema_version": "1.0.0",
                   "data": {"bin_averages": [0.25, 0.75], "bin_errors": [0.013, 0.042], "bin_counts": [56, 34],
                            "bin_edges": [0.0, 0.5, 1.0]}}  # fmt: skip
    accuracy = {"schema_type": "accuracy_table", "schema_version": "1.0.1",
                "data": {"probability_tables": [[[82, 118, 0, 0], [0, 0, 118, 82]]],
                         "percentile_tables": [[[82, 118, 0, 0], [82, 67, 51, 0]]],
                         "probability_thresholds": [0.0, 1.0], "percentile_thresholds": [0.0, 0.01],
                         "class_labels": ["0"]}}  # fmt: skip
    run.log("auc", 0.9)
    run.log("note", "text")
    run.log_list("loss", [3, 2, 1])
    run.log_row("rows", epoch=1, loss=0.5)
    run.log_row("rows", epoch=2, loss=0.25)
    run.log_table("table", {"x": [1], "y": [2]})
    run.log_image("plot", image=np.zeros((2, 2)))
    run.log_confusion_matrix("matrix", matrix)
    run.log_accuracy_table("accuracy", json.dumps(accuracy))
    run.log_residuals("residuals", residuals)
    run.log_predictions("predictions", predictions)
    run.flush()

    assert in_run.points("auc") == [(0, 0.9)]
    assert in_run.details("tags") == {"note": "text"}
    assert in_run.points("loss") == [(0, 3.0), (1, 2.0), (2, 1.0)]
    assert in_run.charts["rows"]["data"]["rows"] == [[1, 0.5], [2, 0.25]]
    expected = {"matrix": matrix, "residuals": residuals, "predictions": predictions, "accuracy": accuracy}
    assert {name: in_run.charts[name] for name in expected} == expected


def test_an_accuracy_table_that_does_not_add_up_is_refused(in_run: Gateway) -> None:
    table = {"probability_tables": [[[1, 1, 0, 0], [0, 0, 1, 2]]], "percentile_tables": [[[1, 1, 0, 0], [0, 0, 1, 1]]],
             "probability_thresholds": [0, 1], "percentile_thresholds": [0, 1], "class_labels": ["a"]}  # fmt: skip
    run = studio.active_run()
    assert run is not None
    with pytest.raises(Invalid, match="do not add up"):
        run.log_accuracy_table("t", table)
    with pytest.raises(Invalid, match="not a 'residuals'"):
        run.log_residuals("t", {"schema_type": "confusion_matrix", "data": {}})


def test_inside_a_submitted_run_start_run_is_that_run_and_does_not_end_it(in_run: Gateway) -> None:
    with studio.start_run(tags={"a": "b"}) as run:
        assert run.id == "run1"
        with pytest.raises(Conflict, match="run1 is active"):
            studio.start_run()
    studio.log_metric("after", 1.0)
    studio.flush()

    assert in_run.finished == []
    assert in_run.points("after")
    assert in_run.details("tags") == {"a": "b"}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, run_folder: Path) -> Any:
    """This process is no run, and the studio is a small server."""
    with Gateway() as gateway:
        monkeypatch.setenv("MLSTUDIO_URL", gateway.url)
        monkeypatch.setenv("MLSTUDIO_TOKEN", gateway.token)
        yield gateway
        from tests.client.state import forget

        forget()


def test_a_run_of_this_process_is_completed_by_its_block(outside: Gateway) -> None:
    with studio.start_run("mine", experiment="churn") as run:
        run.log("auc", 0.5)
        assert os.environ["MLFLOW_RUN_ID"] == "run1"
        assert studio.active_run() is run

    assert (outside.submitted[0]["name"], outside.submitted[0]["experiment"]) == ("mine", "churn")
    assert outside.submitted[0]["pid"] == os.getpid()
    assert outside.points("auc") == [(0, 0.5)]
    assert outside.finished == [{"failed": False, "reason": ""}]
    assert "MLFLOW_RUN_ID" not in os.environ
    assert "MLSTUDIO_RUN_ID" not in os.environ


def test_an_exception_fails_the_run_of_its_block_with_the_exception_as_reason(outside: Gateway) -> None:
    with pytest.raises(ValueError, match="bad"), studio.start_run():
        raise ValueError("bad\nsecond line")

    assert outside.finished == [{"failed": True, "reason": "ValueError: bad"}]


def test_a_second_run_while_one_is_active_is_refused(outside: Gateway) -> None:
    run = studio.start_run()
    with pytest.raises(Conflict, match="complete"):
        studio.start_run()
    run.complete()
    studio.start_run().fail("enough")

    assert outside.finished == [{"failed": False, "reason": ""}, {"failed": True, "reason": "enough"}]


def test_the_first_logged_value_starts_a_run_when_there_is_none(
    outside: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.log_metric("loss", 0.5)
    studio.flush()

    assert "logging to run run1" in capsys.readouterr().err
    assert outside.points("loss") == [(0, 0.5)]


def test_user_code_goes_on_when_no_run_can_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLSTUDIO_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("MLSTUDIO_TOKEN", "x")
    with pytest.warns(RuntimeWarning, match="not kept"):
        studio.log_metric("loss", 0.5)
    studio.log_metric("loss", 0.5)
    studio.log_param("a", 1)
    studio.log_table("t", {"a": [1]})
    studio.log_text("x", "x.txt")
    studio.flush()

    assert isinstance(active._active, active.Nowhere)
    with pytest.raises(Invalid):
        studio.log_metric("loss", "x")  # type: ignore[arg-type]


def script(gateway: Gateway, folder: Path, text: str, **env: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], cwd=folder, env=variables, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def test_what_a_process_logged_is_flushed_at_its_end(tmp_path: Path, run_folder: Path) -> None:
    with Gateway() as gateway:
        text = "import jupyter_mlstudio as s\nfor i in range(1000): s.log_metric('loss', i / 7)"
        done = script(gateway, tmp_path, text, **gateway.environment(run_folder))

        assert done.returncode == 0, done.stderr
        assert len(gateway.points("loss")) == 1000


def test_a_plain_script_has_a_run_that_fails_with_its_exception(tmp_path: Path, run_folder: Path) -> None:
    with Gateway() as gateway:
        text = "import jupyter_mlstudio as s\ns.log_metric('loss', 1.0)\nraise ValueError('bad data')"
        done = script(gateway, tmp_path, text, MLSTUDIO_URL=gateway.url, MLSTUDIO_TOKEN=gateway.token)

        assert done.returncode == 1
        assert gateway.finished == [{"failed": True, "reason": "ValueError: bad data"}]


def test_worker_processes_log_to_the_run_of_their_parent(tmp_path: Path, run_folder: Path) -> None:
    with Gateway() as gateway:
        text = """
            import multiprocessing, sys
            import jupyter_mlstudio as s
            def job(n):
                s.log_metric("child", float(n), step=n)
            if __name__ == "__main__":
                with s.start_run():
                    s.log_metric("parent", 1.0)
                    children = [multiprocessing.get_context("fork").Process(target=job, args=(n,)) for n in range(3)]
                    for child in children: child.start()
                    for child in children: child.join()
        """
        done = script(gateway, tmp_path, text, MLSTUDIO_URL=gateway.url, MLSTUDIO_TOKEN=gateway.token)

        assert done.returncode == 0, done.stderr
        assert gateway.points("parent") == [(0, 1.0)]
        assert sorted(gateway.points("child")) == [(0, 0.0), (1, 1.0), (2, 2.0)]
        assert gateway.finished == [{"failed": False, "reason": ""}]


def test_parameters_of_the_run_keep_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSTUDIO_PARAMS", '{"lr": 0.1, "on": true}')

    assert studio.params() == {"lr": 0.1, "on": True}
