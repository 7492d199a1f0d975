from __future__ import annotations

import ast
import inspect
from pathlib import Path

import nbformat
import pytest

import jupyter_mlstudio as studio

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def test_everything_that_is_promised_can_be_had_and_is_documented() -> None:
    for name in studio.__all__:
        thing = getattr(studio, name)
        assert name == "__version__" or inspect.getdoc(thing), name
    assert set(studio.__all__) <= set(dir(studio))


def test_what_the_type_checker_sees_is_what_is_promised() -> None:
    tree = ast.parse(Path(studio.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]

    assert seen == studio.__all__


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'log_everything'"):
        studio.log_everything  # noqa: B018


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_example_is_a_valid_notebook_without_outputs_and_uses_only_what_exists(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        assert (cell.outputs, cell.execution_count) == ([], None)
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        used = [
            node.attr
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "studio"
        ]
        assert set(used) <= set(studio.__all__)
