from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_mlstudio.kernel.magics import MLStudioError
from tests.client.gateway import Gateway, run_data


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A shell with the magics, whose studio is a small server; its workspace is the current folder."""
    config = Config()
    config.HistoryManager.enabled = False
    (tmp_path / ".mlstudio").mkdir()
    with Gateway() as gateway:
        monkeypatch.setenv("MLSTUDIO_URL", gateway.url)
        monkeypatch.setenv("MLSTUDIO_TOKEN", gateway.token)
        shell: Any = InteractiveShell(config=config)
        shell.gateway = gateway
        shell.run_line_magic("load_ext", "jupyter_mlstudio")
        yield shell
        shell.run_line_magic("unload_ext", "jupyter_mlstudio")


def test_loading_says_where_the_workspace_is(shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("reload_ext", "jupyter_mlstudio")

    assert capsys.readouterr().out == f"ML Studio works in {tmp_path}\n"


def test_a_cell_is_submitted_with_its_parameters(shell: Any) -> None:
    run = shell.run_cell_magic("ml_submit", "--name forest -p n_estimators=200 -p kind=gini --tag a=b", "fit()\n")

    (sent,) = shell.gateway.submitted
    assert (sent["kind"], sent["name"], sent["spec"]["cell"]) == ("cell", "forest", "fit()\n")
    assert sent["spec"]["params"] == {"n_estimators": 200, "kind": "gini"}
    assert sent["tags"] == {"a": "b"}
    assert run.name == "forest"


def test_a_parameter_can_be_a_variable_of_the_notebook(shell: Any) -> None:
    shell.user_ns["depths"] = [1, 2]
    shell.run_cell_magic("ml_submit", "-p depths=$depths", "fit()")

    assert shell.gateway.submitted[0]["spec"]["params"] == {"depths": [1, 2]}


def test_a_script_is_submitted_with_the_arguments_after_two_dashes(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    shell.run_line_magic("ml_submit", "train.py -p lr=0.1 -- --extra 'two words'")

    spec = shell.gateway.submitted[0]["spec"]
    assert (spec["script"], spec["params"], spec["args"]) == ("train.py", {"lr": 0.1}, ["--extra", "two words"])


def test_a_notebook_is_submitted(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "report.ipynb").write_text("{}")
    shell.run_line_magic("ml_submit", "report.ipynb -p year=2025")

    assert shell.gateway.submitted[0]["kind"] == "notebook"


def test_n04_a_command_keeps_its_arguments_as_they_are_written(shell: Any) -> None:
    shell.run_line_magic("ml_submit", "-p n=3 -- Rscript x.R '${{inputs.n}}' '$(touch canary)' '; ls'")

    sent = shell.gateway.submitted[0]
    assert sent["kind"] == "command"
    assert sent["spec"]["command"] == ["Rscript", "x.R", "${{inputs.n}}", "$(touch canary)", "; ls"]


def test_every_magic_prints_its_help_and_goes_on(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = [name for name in shell.magics_manager.magics["line"] if name.startswith("ml_")]
    assert len(names) == 12
    for name in names:
        shell.run_line_magic(name, "--help")
        assert f"usage: %{name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ml_submit gone.py", "there is no file 'gone.py'"),
        ("ml_submit", "nothing to submit"),
        ("ml_submit train", "write a command after --"),
        ("ml_submit -p lr -- x", "-p 'lr' is not name=value"),
        ("ml_submit -p lr=1 -p lr=2 -- x", "given twice"),
        ("ml_submit 'open", "cannot be split"),
        ("ml_submit -p lr=$none -- x", "there is no variable 'none'"),
        ("ml_run nope", "there is no runs/nope"),
        ("ml_run", r"required: run \(%ml_run --help says more\)"),
        ("ml_submit --timeout soon -- x", "not a time span"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(shell: Any, line: str, said: str) -> None:
    name, _, rest = line.partition(" ")
    with pytest.raises(MLStudioError, match=said) as caught:
        shell.run_line_magic(name, rest)

    assert len(caught.value._render_traceback_()) == 1


def test_a_failing_magic_marks_its_cell_as_failed_without_a_traceback(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    result = shell.run_cell("%ml_run nope")

    assert not result.success
    shown = capsys.readouterr().out
    assert shown.strip() == "there is no runs/nope"


def test_runs_are_listed_as_a_table(shell: Any) -> None:
    shell.gateway.runs["run3"] = run_data("run3", name="<img src=x>", metrics={"auc": 0.98765, "system/memory_mb": 1.0})
    table = shell.run_line_magic("ml_runs", "")

    assert "0.9877" in repr(table)
    assert "system/" not in repr(table)
    assert "<img" not in table._repr_html_()
    assert table[1].id == "run3"


def test_runs_that_another_run_started_are_listed_when_they_are_asked_for(shell: Any) -> None:
    shell.gateway.runs["trial"] = run_data("trial", parent_run_id="run1")

    assert "trial" not in [run.id for run in shell.run_line_magic("ml_runs", "")]
    assert "trial" in [run.id for run in shell.run_line_magic("ml_runs", "--all")]


def test_a_run_is_shown_stopped_and_followed(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_line_magic("ml_run", "run1").id == "run1"
    shell.run_line_magic("ml_logs", "run1 -f")
    assert capsys.readouterr().out == "one\ntwo\n"
    assert shell.run_line_magic("ml_stop", "run1").status == "Canceled"


def test_the_chosen_experiment_is_used_from_then_on(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("ml_experiment", "churn")
    shell.run_cell_magic("ml_submit", "", "fit()")

    assert capsys.readouterr().out == "runs go to the experiment churn\n"
    assert shell.gateway.submitted[0]["experiment"] == "churn"


def complete(shell: Any, line: str) -> list[str]:
    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(line, len(line))]


def test_options_files_and_names_of_runs_complete(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    (tmp_path / "data.csv").write_text("")

    assert "--timeout" in complete(shell, "%ml_submit --ti")
    assert complete(shell, "%ml_submit tr") == ["train.py"]
    assert "train.py" not in complete(shell, "%ml_submit da")
    assert set(complete(shell, "%ml_run ")) >= {"forest", "run1"}
    assert complete(shell, "%ml_logs ru") == ["run1"]
