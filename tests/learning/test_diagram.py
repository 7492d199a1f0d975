"""A model as a drawing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlstudio.learning.diagram import diagram, outline

EVIL = '<img src=x onerror=alert(1)>"><script>alert(2)</script>'


def model() -> Any:
    columns = ColumnTransformer([("numbers", StandardScaler(), ["a", EVIL])], remainder="passthrough")
    forest = Pipeline([("features", columns), ("model", RandomForestClassifier(7))])
    return VotingClassifier([("forest_1", forest), ("linear_2", LogisticRegression(C=0.25))], voting="soft")


def test_a_drawing_has_its_steps_and_what_was_set_and_nothing_that_runs_or_fetches() -> None:
    found = diagram(model().fit(pd.DataFrame(np.eye(4)[:, :2], columns=["a", EVIL]), [0, 1, 0, 1]))
    for wanted in ("VotingClassifier", "forest_1", "StandardScaler", "RandomForestClassifier", "0.25", "<style>"):
        assert wanted in found
    tags = " ".join(re.findall(r"<[^>]*>", found.partition("</style>")[2]))
    assert not re.search(r"<(script|img|iframe|button|link|a)\b|\shref=|\ssrc=|\son\w+=", tags, re.I)
    assert not re.search(r"url\(|@import|javascript:", found)
    assert "min_weight_fraction_leaf" not in found


def test_boxes_open_without_a_script_and_every_element_is_closed() -> None:
    found = diagram(model())
    assert found.count("<div") == found.count("</div>")
    assert re.search(r'<input [^>]*type="checkbox"', found)
    labels = set(re.findall(r'<label for="([^"]+)"', found))
    assert labels <= set(re.findall(r'<input [^>]*id="([^"]+)"', found))


def test_as_data_it_has_parts_within_parts() -> None:
    found: Any = outline(model())
    assert found["type"] == "VotingClassifier"
    assert found["parameters"] == {"voting": "'soft'"}
    forest, linear = found["parts"]
    assert linear == {"name": "linear_2", "type": "LogisticRegression", "parameters": {"C": "0.25"}, "parts": []}
    assert [part["name"] for part in forest["parts"]] == ["features", "model"]
    assert forest["parts"][0]["parts"][0]["columns"] == ["a", EVIL]
