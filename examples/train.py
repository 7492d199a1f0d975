"""Trains a linear classifier on handwritten digits, one epoch after the other.

Run it by itself (``python train.py --lr 0.1``) or as a run (``%ml_submit train.py -p lr=0.1``): it logs the same.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

import jupyter_mlstudio as studio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--epochs", type=int, default=20, help="how often all rows are seen")
    given = parser.parse_args()
    studio.log_params(vars(given))

    X, y = load_digits(return_X_y=True)  # noqa: N806
    X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, stratify=y, random_state=0)  # noqa: N806
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=given.lr, random_state=0)
    for epoch in range(1, given.epochs + 1):
        model.partial_fit(X_train, y_train, classes=np.unique(y))
        loss = log_loss(y_test, model.predict_proba(X_test))
        accuracy = accuracy_score(y_test, model.predict(X_test))
        studio.log_metrics({"log_loss": loss, "accuracy": accuracy}, step=epoch)
        studio.progress(epoch, given.epochs, f"epoch {epoch} of {given.epochs}")
        print(f"epoch {epoch:3d}  loss {loss:.4f}  accuracy {accuracy:.4f}")

    studio.evaluate(model, X_test, y_test)
    studio.log_model(model, sample=X_test)


if __name__ == "__main__":
    main()
