"""Checks of candidates' ONNX forms, in the worker that tried them: what they find, and what they may take."""

from __future__ import annotations

import math
import pickle
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.proofs import LATE, RICH, ROWS, SHARE, Account, Proof, proved
from jupyter_mlstudio.programs.automl_check import ModelCheck
from tests.learning.looking import Looking

rng = np.random.default_rng(0)
FRAME = pd.DataFrame(rng.normal(size=(900, 2)), columns=["a", "b"])
PLAN: Any = SimpleNamespace(X=FRAME, classes=None, folds=[(np.arange(500), np.arange(500, 900))])
COLUMNS = ColumnTransformer([("numbers", "passthrough", ["a", "b"])]).fit(FRAME)
LINEAR = families.find("Linear")


def agrees(model: Any, rows: Any) -> OnnxCheck:
    model.predict(rows)
    return OnnxCheck(ready=True, rows=len(rows))


USUAL = Proof(Looking(agrees), 0.1, 0.1, room_s=0.5, lead_s=2.0, lead_loss=0.1, first_loss=0.5)


def found_for(proof: Proof | None, plan: Any = PLAN, model: Any = None) -> tuple[OnnxCheck | None, float]:
    fitted = model or Ridge().fit(FRAME.to_numpy(), FRAME["a"])
    return proved(proof, plan, LINEAR, COLUMNS, pickle.dumps(fitted), 0, 0.3)


def test_the_model_of_a_fold_is_compared_on_rows_that_it_was_judged_on() -> None:
    seen: list[Any] = []

    def look(model: Any, rows: Any) -> OnnxCheck:
        seen.append(rows)
        return agrees(model, rows)

    found, seconds = found_for(replace(USUAL, check=Looking(look)))
    assert found is not None
    assert found.rows == ROWS
    assert set(seen[0].index) <= set(range(500, 900))
    assert 0 < seconds < 1


def test_a_classifier_is_compared_with_the_targets_own_labels() -> None:
    plan = SimpleNamespace(**{**vars(PLAN), "classes": np.array(["no", "yes"])})
    model = LogisticRegression().fit(FRAME.to_numpy(), (FRAME["a"] > 0).astype(int))
    found, _ = found_for(replace(USUAL, check=ModelCheck(), own_s=10.0, room_s=20.0), plan, model)
    assert found is not None
    assert found.ready, found.reason
    assert found.label_flips == 0
    assert found.max_abs_difference is not None
    assert found.speedup is None


def test_a_check_reaches_a_worker_that_was_not_forked() -> None:
    model = make_pipeline(COLUMNS, Ridge()).fit(FRAME, FRAME["a"])
    found = pickle.loads(pickle.dumps(ModelCheck()))(model, FRAME.iloc[:50], speed=False)
    assert found.ready, found.reason
    assert (found.rows, found.speedup) == (50, None)


def test_a_check_that_takes_too_long_is_given_up() -> None:
    def slow(model: Any, rows: Any) -> OnnxCheck:
        try:
            time.sleep(10)
        except Exception as error:  # as the converters do with what goes wrong
            return OnnxCheck(ready=False, reason=str(error))
        return OnnxCheck(ready=True)

    found, seconds = found_for(replace(USUAL, check=Looking(slow), usual_s=0.02, own_s=0.02))
    assert found is None
    assert seconds < 5


def test_the_best_have_the_most_room_and_those_behind_the_least() -> None:
    size = 4_000_000  # of a pickled model: about half a second
    assert USUAL.room(0.05, size) > 0, "a new best one"
    assert replace(USUAL, room_s=0.1).room(0.3, size) == 0
    assert USUAL.room(0.3, 0) == LATE * 0.1
    assert USUAL.room(0.9, 0) > 0
    assert replace(USUAL, room_s=0.1 * RICH - 0.01).room(0.9, 0) == 0
    assert replace(USUAL, until=time.monotonic() + 0.1).room(0.05, 0) == 0, "its worker is ended before"
    assert found_for(None) == (None, 0.0)


def test_checks_use_a_share_of_the_time() -> None:
    account = Account()
    assert account.left_s() == 0
    account.tried_s = 100.0
    assert math.isclose(account.left_s(), 100 * SHARE)
    account.spent_s = 50.0
    assert account.left_s() == 0


def test_what_a_check_will_take_is_what_others_took() -> None:
    account = Account(tried_s=100.0)
    assert account.expected_s(["Ridge"], 0) > 0.4
    account.usual = {"Ridge": 0.1, "Forest": 0.3}
    assert account.expected_s(["Ridge"], 0) < account.expected_s(["Forest"], 0)
    assert account.expected_s(["Ridge"], 10**7) > 1
    early = account.proof(Looking(agrees), "Ridge", [0.1, 0.2], 10.0, 60.0)
    assert (early.lead_loss, early.first_loss, early.own_s) == (0.1, math.inf, 0.1)
    late = account.proof(Looking(agrees), "Naive", [0.1] * 9 + [0.7, 0.9], 10.0, 600.0)
    assert (late.first_loss, late.own_s, late.lead_s) == (0.7, 0.2, 6.0)
