from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

import jupyter_mlstudio as studio
from jupyter_mlstudio.client import charts
from jupyter_mlstudio.client.evaluation import Evaluation, evaluate
from jupyter_mlstudio.errors import Invalid
from tests.client.gateway import Gateway


@pytest.fixture(autouse=True)
def gateway(in_run: Gateway) -> Iterator[Gateway]:
    return in_run


def split(load: Any) -> tuple[Any, Any, Any, Any]:
    X, y = load(return_X_y=True)  # noqa: N806
    return tuple(train_test_split(X, y, test_size=0.4, random_state=0))  # type: ignore[return-value]


def curves(evaluation: Evaluation, name: str) -> dict[str, Any]:
    chart = json.loads(json.dumps(evaluation.charts[name], allow_nan=False))
    return {curve["label"]: curve for curve in chart["data"]["curves"]}


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose([float(value) for value in found], expected, rtol=0, atol=1e-12)


def test_the_curves_and_metrics_of_a_binary_classifier_are_scikit_learns(gateway: Gateway) -> None:
    X, Xt, y, yt = split(load_breast_cancer)  # noqa: N806
    model = RandomForestClassifier(n_estimators=20, random_state=0).fit(X, y)
    scores, predicted = model.predict_proba(Xt)[:, 1], model.predict(Xt)

    evaluation = evaluate(model, Xt, yt)

    roc = curves(evaluation, "roc_curve")["1"]
    fpr, tpr, thresholds = sk.roc_curve(yt, scores)
    close(roc["fpr"], fpr)
    close(roc["tpr"], tpr)
    close(roc["thresholds"][1:], thresholds[1:])
    assert roc["thresholds"][0] == "Infinity"
    pr = curves(evaluation, "precision_recall_curve")["1"]
    precision, recall, thresholds = sk.precision_recall_curve(yt, scores)
    close(pr["precision"], precision)
    close(pr["recall"], recall)
    close(pr["thresholds"], thresholds)
    expected = {
        "accuracy": sk.accuracy_score(yt, predicted),
        "auc": sk.roc_auc_score(yt, scores),
        "average_precision": sk.average_precision_score(yt, scores),
        "balanced_accuracy": sk.balanced_accuracy_score(yt, predicted),
        "brier_score": sk.brier_score_loss(yt, scores),
        "f1": sk.f1_score(yt, predicted),
        "log_loss": sk.log_loss(yt, model.predict_proba(Xt)),
        "matthews_corrcoef": sk.matthews_corrcoef(yt, predicted),
        "precision": sk.precision_score(yt, predicted),
        "recall": sk.recall_score(yt, predicted),
    }
    assert evaluation.metrics == pytest.approx(expected, abs=1e-12)
    studio.flush()
    assert set(gateway.charts) == {"roc_curve", "precision_recall_curve", "confusion_matrix", "accuracy_table"}
    assert gateway.points("auc") == [(0, evaluation.metrics["auc"])]


def test_each_class_and_their_averages_have_curves_in_a_multiclass_evaluation() -> None:
    X, Xt, y, yt = split(load_iris)  # noqa: N806
    names = np.array(["setosa", "versicolor", "virginica"])
    model = RandomForestClassifier(n_estimators=5, max_depth=1, random_state=0).fit(X, names[y])
    scores = model.predict_proba(Xt)

    evaluation = evaluate(model, Xt, names[yt], name="holdout")

    roc = curves(evaluation, "roc_curve")
    assert list(roc) == ["setosa", "versicolor", "virginica", "micro average", "macro average"]
    for column, name in enumerate(names):
        assert roc[name]["auc"] == pytest.approx(sk.roc_auc_score(yt == column, scores[:, column]), abs=1e-12)
    one_hot = np.eye(3)[yt]
    macro = sk.roc_auc_score(names[yt], scores, multi_class="ovr", average="macro")
    assert roc["macro average"]["auc"] == pytest.approx(macro, abs=1e-12)
    assert roc["micro average"]["auc"] == pytest.approx(sk.roc_auc_score(one_hot, scores, average="micro"), abs=1e-12)
    assert evaluation.metrics["auc"] == pytest.approx(macro, abs=1e-12)
    assert evaluation.metrics["log_loss"] == pytest.approx(sk.log_loss(names[yt], scores), abs=1e-12)
    average = sk.average_precision_score(one_hot, scores, average="micro")
    pr = curves(evaluation, "precision_recall_curve")
    assert pr["micro average"]["average_precision"] == pytest.approx(average, abs=1e-12)


def test_the_charts_of_a_named_evaluation_begin_with_its_name(gateway: Gateway) -> None:
    X, Xt, y, yt = split(load_iris)  # noqa: N806
    evaluate(RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y), Xt, yt, name="holdout")
    studio.flush()

    assert "holdout.roc_curve" in gateway.charts
    assert gateway.points("holdout.accuracy")


def test_the_confusion_matrix_is_scikit_learns() -> None:
    X, Xt, y, yt = split(load_iris)  # noqa: N806
    model = RandomForestClassifier(n_estimators=2, max_depth=1, random_state=0).fit(X, y)

    data = evaluate(model, Xt, yt).charts["confusion_matrix"]["data"]

    assert data == {"class_labels": ["0", "1", "2"], "matrix": sk.confusion_matrix(yt, model.predict(Xt)).tolist()}


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_the_accuracy_table_counts_rows_and_is_valid_in_azures_schema(load: Any) -> None:
    X, Xt, y, yt = split(load)  # noqa: N806
    model = RandomForestClassifier(n_estimators=7, max_depth=2, random_state=0).fit(X, y)
    scores = model.predict_proba(Xt)

    table = evaluate(model, Xt, yt).charts["accuracy_table"]

    data = table["data"]
    assert len(data["probability_thresholds"]) == (501 if len(model.classes_) == 2 else 101)
    assert charts.azure("accuracy_table", json.dumps(table)) == table
    for column in range(len(model.classes_)):
        for kind in ("probability", "percentile"):
            for threshold, row in zip(data[f"{kind}_thresholds"], data[f"{kind}_tables"][column], strict=True):
                said, true = scores[:, column] >= threshold, yt == column
                counts = [(said & true).sum(), (said & ~true).sum(), (~said & ~true).sum(), (~said & true).sum()]
                assert row == counts


def test_scores_of_a_decision_function_have_curves_but_no_log_loss() -> None:
    X, Xt, y, yt = split(load_breast_cancer)  # noqa: N806
    model = LinearSVC().fit(X / X.max(axis=0), y)
    Xt = Xt / X.max(axis=0)  # noqa: N806

    evaluation = evaluate(model, Xt, yt)

    area = sk.roc_auc_score(yt, model.decision_function(Xt))
    assert curves(evaluation, "roc_curve")["1"]["auc"] == pytest.approx(area, abs=1e-12)
    assert "log_loss" not in evaluation.metrics


def test_a_model_that_only_predicts_has_a_confusion_matrix_and_metrics() -> None:
    class Rule:
        def predict(self, X: Any) -> Any:  # noqa: N803
            return np.where(X[:, 0] > 0, "yes", "no")

    X = np.array([[1.0], [-1.0], [2.0], [-2.0]])  # noqa: N806
    evaluation = evaluate(Rule(), X, ["yes", "no", "no", "no"])

    assert evaluation.metrics["accuracy"] == 0.75
    assert list(evaluation.charts) == ["confusion_matrix"]


def test_a_class_that_is_missing_in_y_is_left_out_of_the_curves() -> None:
    X, _, y, _ = split(load_iris)  # noqa: N806
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)

    evaluation = evaluate(model, X[y != 2], y[y != 2])

    assert list(curves(evaluation, "roc_curve")) == ["0", "1", "micro average", "macro average"]
    assert evaluation.charts["confusion_matrix"]["data"]["class_labels"] == ["0", "1", "2"]


def test_y_of_one_class_only_has_metrics_but_no_curves() -> None:
    model = DummyClassifier(strategy="prior").fit([[0], [1]], [0, 1])

    evaluation = evaluate(model, [[0], [1]], [1, 1])

    assert "roc_curve" not in evaluation.charts
    assert "auc" not in evaluation.metrics


def test_the_positive_label_chooses_the_curve() -> None:
    X, Xt, y, yt = split(load_breast_cancer)  # noqa: N806
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)

    evaluation = evaluate(model, Xt, yt, positive_label=0)

    assert evaluation.charts["roc_curve"]["data"]["positive_label"] == "0"
    assert evaluation.metrics["recall"] == pytest.approx(sk.recall_score(yt, model.predict(Xt), pos_label=0))


def test_weights_count_in_metrics_and_curves() -> None:
    X, Xt, y, yt = split(load_breast_cancer)  # noqa: N806
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)
    weights = np.linspace(0.5, 2.0, len(yt))

    evaluation = evaluate(model, Xt, yt, sample_weight=weights)

    scores = model.predict_proba(Xt)
    assert evaluation.metrics["auc"] == pytest.approx(sk.roc_auc_score(yt, scores[:, 1], sample_weight=weights))
    assert evaluation.metrics["log_loss"] == pytest.approx(sk.log_loss(yt, scores, sample_weight=weights))


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_area() -> None:
    random = np.random.default_rng(0)

    class Score:
        classes_ = np.array([0, 1])

        def predict(self, X: Any) -> Any:  # noqa: N803
            return (X[:, 0] > 0.5).astype(int)

        def predict_proba(self, X: Any) -> Any:  # noqa: N803
            return np.column_stack([1 - X[:, 0], X[:, 0]])

    X = random.random((40_000, 1))  # noqa: N806
    y = (random.random(40_000) < X[:, 0]).astype(int)
    evaluation = evaluate(Score(), X, y)

    curve = curves(evaluation, "roc_curve")["1"]
    assert evaluation.charts["roc_curve"]["data"]["thinned"] is True
    assert len(curve["fpr"]) == 5000
    assert (curve["fpr"][0], curve["fpr"][-1]) == (0.0, 1.0)
    assert curve["auc"] == pytest.approx(sk.roc_auc_score(y, X[:, 0]), abs=1e-12)


def test_a_regressor_has_residuals_binned_predictions_and_its_metrics(gateway: Gateway) -> None:
    X, Xt, y, yt = split(load_diabetes)  # noqa: N806
    model = LinearRegression().fit(X, y)
    predicted = model.predict(Xt)

    evaluation = evaluate(model, Xt, yt)

    assert evaluation.metrics["r2"] == pytest.approx(sk.r2_score(yt, predicted), abs=1e-12)
    assert evaluation.metrics["rmse"] == pytest.approx(sk.root_mean_squared_error(yt, predicted), abs=1e-9)
    histogram = evaluation.charts["residuals"]["data"]
    assert len(histogram["bin_edges"]) == len(histogram["bin_counts"]) + 1
    assert sum(histogram["bin_counts"]) == len(yt)
    for name in ("residuals", "predictions"):
        assert charts.azure(name, evaluation.charts[name]) == evaluation.charts[name]
    assert len(evaluation.charts["predicted_vs_true"]["data"]["true"]) == len(yt)


def test_an_evaluation_shows_its_metrics_as_text_and_table() -> None:
    bundle = Evaluation("<b>", "classification", {"auc": 0.98765, "<img>": 1.0})._repr_mimebundle_()

    assert "auc    0.9877" in bundle["text/plain"]
    assert "<img>" not in bundle["text/html"]


def test_rows_that_do_not_fit_to_the_labels_are_refused() -> None:
    model = DummyClassifier().fit([[0], [1]], [0, 1])

    with pytest.raises(Invalid, match=r"shape \(2,\) for 3 rows"):
        evaluate(model, [[0], [1]], [0, 1, 1])
    with pytest.raises(Invalid, match="does not know"):
        evaluate(model, [[0], [1]], [0, 7])


def test_an_evaluation_logs_where_the_run_is(tmp_path: Path, gateway: Gateway) -> None:
    model = DummyClassifier(strategy="prior").fit([[0], [1]], [0, 1])
    studio.evaluate(model, [[0], [1]], [0, 1])
    studio.flush()

    assert gateway.charts["confusion_matrix"]["data"]["class_labels"] == ["0", "1"]


def test_an_evaluation_adds_no_step_to_a_curve_of_the_users(gateway: Gateway) -> None:
    model = DummyClassifier(strategy="prior").fit([[0], [1]], [0, 1])
    for epoch, value in enumerate([0.1, 0.2]):
        studio.log_metric("accuracy", value, step=epoch)
    evaluation = studio.evaluate(model, [[0], [1]], [0, 1])
    studio.flush()

    assert gateway.points("accuracy") == [(0, 0.1), (1, 0.2)]
    assert gateway.points("eval/accuracy") == [(0, evaluation.metrics["accuracy"])]


def test_the_next_evaluation_goes_on_under_the_names_of_the_first(gateway: Gateway) -> None:
    model = DummyClassifier(strategy="prior").fit([[0], [1]], [0, 1])
    for _ in range(2):
        studio.evaluate(model, [[0], [1]], [0, 1])
        studio.flush()

    assert [step for step, _value in gateway.points("accuracy")] == [0, 1]
    assert gateway.points("eval/accuracy") == []
