"""The page of coverage says what is: it lists this scikit-learn, and rows that are measured again agree."""

from __future__ import annotations

import importlib.util
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import sklearn
from sklearn.utils import all_estimators

DOCS = Path(__file__).parents[1] / "docs"
SAMPLE = ("HistGradientBoostingClassifier", "SplineTransformer", "IsolationForest", "TransformedTargetRegressor", "NMF",
          "TfidfVectorizer", "TSNE", "KNeighborsRegressor", "StackingClassifier")  # fmt: skip


def page() -> str:
    return (DOCS / "coverage.md").read_text("utf-8")


def rows() -> dict[str, list[str]]:
    first, _, _ = page().partition("\n## ")
    cells = [re.split(r"(?<!\\\\) \\| ", line.strip("| ")) for line in first.splitlines() if line.startswith("| ")]
    return {cell[0]: cell for cell in cells if cell[0] != "estimator"}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_coverage", DOCS / "generate_coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_lists_every_estimator_of_this_scikit_learn() -> None:
    minor = ".".join(sklearn.__version__.split(".")[:2])
    assert f"scikit-learn {minor}." in page(), "run docs/generate_coverage.py"
    assert list(rows()) == [name for name, _ in all_estimators()]


def test_every_row_that_does_not_agree_says_why() -> None:
    lines = [line for line in page().splitlines() if line.startswith("| ") and "| yes | yes | yes |" not in line]
    assert all(line.rstrip(" |") and not line.endswith("|  |") for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_row_that_is_measured_again_is_what_the_page_says(name: str, generator: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = generator.measure(name)
    said = next(line for line in page().splitlines() if line.startswith(f"| {name} |"))
    assert ("| yes | yes | yes |" in said) == bool(found.agrees), found.reason
