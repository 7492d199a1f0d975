"""The real objectives of ``sweep-quality``: training with parameters on a grid, a loss after every part of the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Params = Mapping[str, Any]
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Objective:
    """A loss that is minimized: the log loss of unseen rows, or their share of wrong labels.

    ``curve`` trains, and answers the loss after each part of the work: iterations, epochs or folds.
    """

    name: str
    space: dict[str, str]
    curve: Callable[[Params], list[float]]


@cache
def _split(name: str, rows: int) -> Split:
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    data = getattr(datasets, f"load_{name}")()
    features, labels = data.data.astype(np.float64), data.target
    mean, deviation = features.mean(0), features.std(0) + 1e-9
    one, other, label, other_label = train_test_split(
        (features - mean) / deviation, labels, train_size=rows, random_state=0, stratify=labels
    )
    return one, label, other, other_label


def _boosting(data: str, rows: int, iterations: int) -> Callable[[Params], list[float]]:
    def curve(params: Params) -> list[float]:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.metrics import log_loss

        one, label, other, other_label = _split(data, rows)
        model = HistGradientBoostingClassifier(
            learning_rate=10.0 ** params["log_learning_rate"],
            max_leaf_nodes=2 ** params["log_leaves"],
            min_samples_leaf=params["min_samples_leaf"],
            l2_regularization=10.0 ** params["log_l2"],
            max_iter=iterations,
            early_stopping=False,
            random_state=0,
        ).fit(one, label)
        return [float(log_loss(other_label, told)) for told in model.staged_predict_proba(other)][3::4]

    return curve


def _svm(params: Params) -> list[float]:
    """A support vector classifier of digits: the share of wrong labels over 1, 2, ... 5 folds."""
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    features, labels, _rest, _labels = _split("digits", 500)
    gamma = 10.0 ** params.get("log_gamma", 0.0)
    wrong: list[float] = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels):
        model = SVC(C=10.0 ** params["log_c"], kernel=params["kernel"], gamma=gamma, max_iter=20_000)
        wrong.append(float(np.mean(model.fit(features[train], labels[train]).predict(features[test]) != labels[test])))
    return [float(np.mean(wrong[: place + 1])) for place in range(len(wrong))]


def _net(params: Params) -> list[float]:
    """A net with one hidden layer on digits: the cross entropy after each epoch."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    one, label, other, other_label = (torch.tensor(part) for part in _split("digits", 900))
    one, other = one.float(), other.float()
    width = 2 ** params["log_width"]
    model = torch.nn.Sequential(
        torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Dropout(params["dropout"]), torch.nn.Linear(width, 10)
    )
    made = torch.optim.SGD(
        model.parameters(), 10.0 ** params["log_learning_rate"], momentum=0.9, weight_decay=10.0 ** params["log_decay"]
    )
    losses: list[float] = []
    for _epoch in range(15):
        model.train()
        for rows in torch.randperm(len(one)).split(64):
            made.zero_grad()
            torch.nn.functional.cross_entropy(model(one[rows]), label[rows]).backward()
            made.step()
        model.eval()
        with torch.no_grad():
            loss = float(torch.nn.functional.cross_entropy(model(other), other_label))
        losses.append(min(loss, 1e3) if np.isfinite(loss) else 1e3)
    return losses


_BOOSTED = {
    "log_learning_rate": "quniform(-2,0,0.2)",
    "log_leaves": "int(1,6)",
    "min_samples_leaf": "choice(2,5,10,20,40)",
    "log_l2": "quniform(-2,1,1)",
}
_CURVED = "log_gamma: quniform(-5,1,0.25)"
_KERNELS = f"choice({{type: rbf, {_CURVED}}}, {{type: sigmoid, {_CURVED}}}, {{type: linear}})"

OBJECTIVES = (
    Objective(
        "boosting, digits",
        {**_BOOSTED, "log_leaves": "int(2,5)", "log_l2": "quniform(-1,1,1)"},
        _boosting("digits", 500, 40),
    ),
    Objective("boosting, breast cancer", _BOOSTED, _boosting("breast_cancer", 300, 60)),
    Objective("SVM, digits", {"kernel": _KERNELS, "log_c": "quniform(-3,3,0.5)"}, _svm),
    Objective(
        "net, digits",
        {
            "log_learning_rate": "quniform(-3,0,0.25)",
            "log_width": "int(4,7)",
            "dropout": "quniform(0,0.4,0.2)",
            "log_decay": "quniform(-4,-1,1)",
        },
        _net,
    ),
)
