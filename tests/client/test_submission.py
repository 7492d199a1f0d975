from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.client.submission import seconds, size_bytes
from jupyter_mlstudio.errors import Invalid, NotFound
from tests.client.gateway import Gateway

SCALE = 3


def helper(x: float) -> float:
    return math.sqrt(x) * SCALE


def job(x: float = 4.0, label: str = "a") -> None:
    values = np.array([helper(x)])
    print(label, values.tolist(), Path("x").name)


def sent(gateway: Gateway) -> dict[str, Any]:
    return gateway.submitted[-1]


@pytest.fixture(autouse=True)
def root(tmp_path: Path) -> Path:
    (tmp_path / ".mlstudio").mkdir(exist_ok=True)
    return tmp_path


def test_a_script_is_submitted_from_the_working_folder(in_run: Gateway, root: Path, monkeypatch: Any) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "train.py").write_text("")
    monkeypatch.chdir(root / "sub")

    run = studio.submit("train.py", params={"lr": np.float64(0.1)}, args=["--x"], timeout="2h", memory="2GB", cpus=2)

    spec = sent(in_run)["spec"]
    assert (sent(in_run)["kind"], spec["script"], spec["folder"]) == ("script", "train.py", "sub")
    assert (spec["params"], spec["args"], spec["python"]) == ({"lr": 0.1}, ["--x"], sys.executable)
    assert spec["resources"] == {"cpus": 2.0, "memory_bytes": 2_000_000_000, "gpus": 0}
    assert spec["limits"] == {"wall_time_s": 7200.0, "memory_bytes": None}
    assert sent(in_run)["request_id"]
    assert sent(in_run)["origin"]["script"] == "sub/train.py"
    assert run.id == "run2"


def test_a_script_that_lies_elsewhere_runs_in_its_own_folder(in_run: Gateway, root: Path, monkeypatch: Any) -> None:
    for name in ("a", "b"):
        (root / name).mkdir()
    (root / "a" / "train.py").write_text("")
    monkeypatch.chdir(root / "b")

    studio.submit("../a/train.py")
    assert (sent(in_run)["spec"]["script"], sent(in_run)["spec"]["folder"]) == ("train.py", "a")
    with pytest.raises(Invalid, match="does not lie below the working folder"):
        studio.submit("../a/train.py", folder=".")


def test_cells_notebooks_and_commands_are_told_apart(in_run: Gateway, root: Path) -> None:
    (root / "report.ipynb").write_text("{}")
    studio.submit("report.ipynb", params={"year": 2025})
    assert (sent(in_run)["kind"], sent(in_run)["spec"]["notebook"]) == ("notebook", "report.ipynb")
    studio.submit("x = 1\nprint(x)")
    assert (sent(in_run)["kind"], sent(in_run)["spec"]["cell"]) == ("cell", "x = 1\nprint(x)")
    studio.submit(["Rscript", "x.R", "${{inputs.n}}"], params={"n": 3})
    assert (sent(in_run)["kind"], sent(in_run)["spec"]["command"][0]) == ("command", "Rscript")


def test_a_function_becomes_a_cell_with_what_it_uses(in_run: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    studio.submit(job, params={"x": 9.0})

    source = sent(in_run)["spec"]["cell"]
    exec(compile(source, "<cell>", "exec"), {"x": 9.0, "__name__": "cell"})
    assert capsys.readouterr().out == "a [9.0] x\n"


def test_a_function_that_needs_what_the_run_does_not_have_is_refused(in_run: Gateway) -> None:
    local = object()

    def closure() -> None:
        print(local)

    with pytest.raises(Invalid, match="uses local of the function around it"):
        studio.submit(closure)
    with pytest.raises(Invalid, match="define a function with def"):
        studio.submit(lambda: 1)


@pytest.mark.parametrize("name", ["-c", "-m", "--x.py"])
def test_n05_a_path_that_looks_like_an_option_is_refused(in_run: Gateway, root: Path, name: str) -> None:
    (root / "--x.py").write_text("")
    if name.endswith(".py"):
        with pytest.raises(Invalid, match="looks like an option"):
            studio.submit(name)
    else:
        assert studio.submit(name).id == "run2"  # the text of a cell, which Python refuses when it runs
        assert sent(in_run)["kind"] == "cell"


def test_n05_a_script_outside_of_the_workspace_is_refused_also_through_a_link(
    in_run: Gateway, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "train.py"
    outside.write_text("")
    (root / "link.py").symlink_to(outside)

    for path in (outside, "link.py"):
        with pytest.raises(Invalid, match="outside of the workspace"):
            studio.submit(path)
    assert in_run.submitted == []


def test_a_file_that_does_not_exist_is_named_and_nothing_is_submitted(in_run: Gateway) -> None:
    with pytest.raises(NotFound, match=r"gone\.py"):
        studio.submit("gone.py")
    assert in_run.submitted == []


@pytest.mark.parametrize("name", ["x=1\nimport os #", "class", "a-b", "__import__"])
def test_n01_a_parameter_that_is_no_variable_name_is_refused(in_run: Gateway, name: str) -> None:
    with pytest.raises(Invalid):
        studio.submit("pass\n", params={name: 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x", {"a": float("nan")}])
def test_r03_a_parameter_that_json_cannot_hold_is_refused(in_run: Gateway, value: Any) -> None:
    with pytest.raises(Invalid, match="JSON cannot hold"):
        studio.submit("pass\n", params={"lr": value})


@pytest.mark.parametrize(("text", "size"), [("2GB", 2e9), ("512 MiB", 2**29), (7, 7), ("1.5k", 1500), ("0", 0)])
def test_sizes_are_read(text: Any, size: float) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize(("text", "time"), [(90, 90), ("30min", 1800), ("2h", 7200), ("1.5 d", 129_600)])
def test_time_spans_are_read(text: Any, time: float) -> None:
    assert seconds(text) == time


@pytest.mark.parametrize("text", ["soon", "-1", "", "2 weeks", -5])
def test_what_is_no_time_span_is_refused(text: Any) -> None:
    with pytest.raises(Invalid, match="not a time span"):
        seconds(text)
