"""The public face: what is promised is there, is documented, and costs a bare Python nothing."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import jupyter_mlstudio as studio

ROOT = Path(__file__).parents[1]

PROMISED = [  # one a line, so that a change shows as a line
    "__version__",
    "active_run",
    "start_run",
    "AutoMLRun",
    "get_automl",
    "list_automl",
    "automl",
    "automl_yaml",
    "BatchEndpoint",
    "batch_endpoint",
    "batch_endpoints",
    "deploy_batch",
    "connect",
    "Endpoint",
    "get_endpoint",
    "list_endpoints",
    "CatBoost",
    "Estimator",
    "Keras",
    "LightGBM",
    "PyTorch",
    "SKLearn",
    "TensorFlow",
    "XGBoost",
    "Evaluation",
    "evaluate",
    "Experiment",
    "Workspace",
    "log_model",
    "ModelVersion",
    "deploy",
    "register_model",
    "package",
    "parallel",
    "profile_model",
    "Model",
    "get_model",
    "list_models",
    "Run",
    "get_run",
    "list_runs",
    "set_experiment",
    "space",
    "submit",
    "sweep",
    "Sweep",
    "get_sweep",
    "list_sweeps",
    "flush",
    "log_artifact",
    "log_artifacts",
    "log_confusion_matrix",
    "log_dict",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "params",
    "progress",
    "set_tag",
    "set_tags",
    "StudioError",
    "RunDetails",
]


def test_the_public_face_is_what_is_written_down_here() -> None:
    """A name that goes from here breaks somebody's notebook; one that comes is promised for good."""
    assert studio.__all__ == PROMISED


def test_every_name_is_there_with_a_docstring_that_says_what_it_is_for() -> None:
    for name in set(PROMISED) - {"__version__"}:
        thing = getattr(studio, name)
        text = inspect.getdoc(thing)
        assert text, name
        assert text.splitlines()[0].endswith((".", ":")) or "." in text.splitlines()[0], name
        assert thing.__module__.startswith("jupyter_mlstudio."), name


def test_what_a_class_or_function_promises_is_documented_too() -> None:
    for name in PROMISED:
        thing = getattr(studio, name)
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                public = not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
                assert not public or inspect.getdoc(value), f"{name}.{member}"


def test_a_bare_python_imports_and_knows_every_name(tmp_path: Path) -> None:
    """Without site-packages, as a run's own environment may be: nothing but the standard library and this folder."""
    (tmp_path / "jupyter_mlstudio").symlink_to(ROOT / "jupyter_mlstudio", target_is_directory=True)
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import jupyter_mlstudio as studio
for name in studio.__all__:
    getattr(studio, name)
allowed = sys.stdlib_module_names | {{"jupyter_mlstudio"}}
strangers = sorted({{name.split(".")[0] for name in sys.modules}} - allowed - {{"__main__"}})
assert not [name for name in strangers if not name.startswith("_")], strangers
print("bare")
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "bare\n", done.stderr


def test_no_room_hides_a_public_name_once_it_is_imported() -> None:
    rooms = {path.stem for path in (ROOT / "jupyter_mlstudio").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert rooms & set(PROMISED) == set()


def test_importing_the_package_imports_nothing_of_it() -> None:
    code = "import sys; import jupyter_mlstudio; print([n for n in sys.modules if n.startswith('jupyter_mlstudio.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
