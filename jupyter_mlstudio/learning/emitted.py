"""A model of a run as a notebook that makes it from the data, with every step of it in the open.

The notebook needs this package and the libraries of the models. It reads the same rows in the same order, with the same
seeds and number of threads, so the predictions of the winner's are those of the run's model to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning import temperature
from jupyter_mlstudio.learning.emitted_cells import document, takes_weights, variable_of
from jupyter_mlstudio.learning.parameters import has_parameters
from jupyter_mlstudio.learning.source import Source, quoted
from jupyter_mlstudio.learning.stack import shares

HOME = "jupyter_mlstudio.learning"


def notebook(
    spec: AutoMLSpec, plan: Any, found: Candidate, model: Any, *, data: str | None = None, threads: int = 1,
    won: bool = True,
) -> dict[str, JSON]:  # fmt: skip
    """Writes the notebook.

    Args:
        spec: what was asked for.
        plan: what was learnt from, or its :class:`jupyter_mlstudio.learning.sketch.Sketch`.
        found: the candidate.
        model: the model: a pipeline, or a vote or a stack of them. Its parameters are written, not its fit.
        data: path of the table; None is that of the specification. A relative one is below the workspace's root;
            without a workspace, below the folder in which the notebook is run.
        threads: that the models were fitted with.
        won: whether it is the run's own model.

    Returns:
        A notebook in nbformat 4.5.

    Raises:
        Invalid: a part of the model has no source.
    """
    return _Writer(spec, plan, found, model, data or spec.data, threads, won).notebook()


class _Writer:
    def __init__(
        self, spec: AutoMLSpec, plan: Any, found: Candidate, model: Any, data: str, threads: int, won: bool
    ) -> None:
        self.spec, self.plan, self.found = spec, plan, found
        self.model, self.degree = temperature.inside(model)
        self.data, self.threads, self.won = data, threads, won
        self.source = Source()
        self.cells: list[tuple[str, str]] = []
        self.features: dict[str, str] = {}
        self.classifies = plan.task is Task.CLASSIFICATION

    def notebook(self) -> dict[str, JSON]:
        self._head()
        self._table()
        self._plan()
        members = self._members()
        if members is None:
            self._code(f"model = {self._pipeline(self.model, '', 'model = ')}")
            fit = self._fit_single()
        else:
            fit = self._stack(members) if hasattr(self.model, "final_estimator_") else self._vote(members)
        self._fit(fit)
        if self.degree is not None:
            self._temperature(self.degree)
        self._evaluate()
        self._predict()
        place = next(number for number, (_, text) in enumerate(self.cells) if text == "IMPORTS")
        self.cells[place] = ("code", self.source.imports())
        return document(self.cells)

    def _text(self, text: str) -> None:
        self.cells.append(("markdown", text))

    def _code(self, text: str) -> None:
        self.cells.append(("code", text))

    def _head(self) -> None:
        found = self.found
        score = "" if found.score is None else f", scored {found.score:.6g} over the folds"
        which = "The winner" if self.won else f"Model {found.number}"
        does = "it predicts what the run's model predicts" if self.won else "it is fitted on all rows"
        self._text(
            f"# {found.family} for `{self.spec.target}`\n\n{which} of an AutoML run{score}, step by step. Run all"
            f" cells, and {does}; change what you like."
        )
        self._code("IMPORTS")

    def _table(self) -> None:
        self.source.use("jupyter_mlstudio.client.workspace", "find_root")
        self.source.use(f"{HOME}.reading", "read")
        self._text("## The table")
        lines = [
            "ROOT = find_root()  # the workspace's folder: paths of tables begin there",
            f"frame = read(ROOT / {quoted(self.data)})",
        ]
        for name in ("validation_data", "test_data"):
            if path := getattr(self.spec, name):
                lines.append(f"{name} = read(ROOT / {quoted(path)})")
        self._code("\n".join([*lines, "frame.head()"]))

    def _plan(self) -> None:
        spec, forecasts = self.spec, self.plan.task is Task.FORECASTING
        self._text(
            "## Types, target and folds\n\nColumns are settled in their types, rows without a target are left out, and"
            " rows are put aside for the test where that was asked for. `settings` says all of it."
        )
        kept = AutoMLSpec(
            data=self.data, target=spec.target, task=self.plan.task, primary_metric=spec.primary_metric,
            n_cross_validations=spec.n_cross_validations, validation_data=spec.validation_data,
            validation_data_size=spec.validation_data_size, test_data=spec.test_data,
            test_data_size=spec.test_data_size, weight_column=spec.weight_column, positive_label=spec.positive_label,
            featurization=spec.featurization, forecasting=spec.forecasting, seed=spec.seed,
        )  # fmt: skip
        lines = [f"settings = {self.source.write(kept, len('settings = '))}"]
        others = "".join(f", {name}={name}_data" for name in ("validation", "test") if getattr(spec, f"{name}_data"))
        maker = "make_forecast_plan" if forecasts else "make_plan"
        self.source.use(f"{HOME}.{'forecast_plan' if forecasts else 'plan'}", maker)
        lines += [f"plan = {maker}(frame, settings{others})", "X, y = plan.X, plan.y"]
        if self.classifies:
            lines.append("labels = plan.classes[y]  # y has the classes' numbers")
        self.source.use("pandas")
        lines.append(
            "pd.DataFrame([(one.name, one.role, one.missing, one.distinct, one.reason) for one in plan.columns],\n"
            '             columns=["column", "taken for", "missing", "distinct", "why"])'
        )
        self._code("\n".join(lines))

    def _members(self) -> list[tuple[str, Any]] | None:
        """Members of a vote or a stack, with their names; None for a single model."""
        if not hasattr(self.model, "estimators") or not type(self.model).__name__.startswith(("Voting", "Stacking")):
            return None
        return list(self.model.estimators)

    def _pipeline(self, model: Any, name: str, before: str) -> str:
        """The source of a pipeline, its features written as a variable of their own."""
        steps = getattr(model, "steps", None)
        if steps is None or [key for key, _ in steps] != ["features", "model"] or not has_parameters(steps[0][1]):
            return self.source.write(model, len(before))
        features, last = steps[0][1], steps[1][1]
        written = self.source.write(features, len("features = "))
        if written not in self.features:
            variable = "features" if not self.features else f"features_{len(self.features) + 1}"
            self.features[written] = variable
            place = len(self.cells)
            self.cells.insert(place, ("markdown", "## Features" if variable == "features" else "### Other features"))
            self.cells.insert(place + 1, ("code", f"{variable} = {written}\n{variable}"))
        self.source.use("sklearn.base", "clone")
        self.source.use("sklearn.pipeline", "Pipeline")
        end = self.source.write(last, len('    ("model", '))
        end = end.replace("\n", "\n    ") if "\n" in end else end
        if not name:
            self._text("## The model")
        return f'Pipeline([\n    ("features", clone({self.features[written]})),\n    ("model", {end}),\n])'

    def _fit_single(self) -> list[str]:
        target = "labels" if self.classifies else "y"
        rows, lines = self._rows(self.model, "rows")
        weights = self._weights(self.model, self.found.family).replace(".weights", f".weights{rows}")
        return [*lines, f"model.fit({f'X.iloc{rows}' if rows else 'X'}, {target}{rows}{weights})"]

    def _rows(self, model: Any, variable: str) -> tuple[str, list[str]]:
        """An index for the rows that a pipeline was fitted on, and the line that makes it; both empty for all."""
        if not hasattr(model, "learnt_from_"):
            return "", []
        if model.learnt_from_ is None:
            self._text(
                "There was no time to fit this model on all rows: the run has its copy of one fold. This notebook fits"
                " it on all of them, so it is another one."
            )
            return "", []
        fold, count = model.learnt_from_
        self.source.use(f"{HOME}.matrices", "Matrices")
        self._text(f"There was time to fit this model on {count:,} of the rows.")
        line = f"{variable} = Matrices(plan, None, settings.seed).training_rows({fold}, {count})"
        return f"[{variable}]", [line]

    def _vote(self, members: Sequence[tuple[str, Any]]) -> list[str]:
        """Writes the members and their vote; answers the lines that fit it."""
        alone = self.plan.weights is not None or any(hasattr(member, "learnt_from_") for _, member in members)
        shares = list(self.model.weights or [1.0] * len(members))
        names = self._written(members, [f"Its weight is {share:.4g}." for share in shares])
        kind = type(self.model).__name__
        self.source.use("sklearn.ensemble", kind)
        lines = [f"model = {kind}("]
        if alone:
            self.source.use("sklearn.frozen", "FrozenEstimator")
        wrapped = ["FrozenEstimator({})" if alone else "{}"] * len(names)
        lines.append("    [")
        lines += [
            f"        ({quoted(name)}, {form.format(variable)}),"
            for (name, variable), form in zip(names, wrapped, strict=True)
        ]
        lines.append("    ],")
        if self.classifies:
            lines += ['    voting="soft",', "    flatten_transform=False,"]
        lines += [f"    weights={self.source.write(shares, 12)},", ")"]
        fit = [f"model.fit(X, {'labels' if self.classifies else 'y'})"]
        if not alone:
            self._text("## The vote\n\nIts fit fits every member.")
            self._code("\n".join(lines))
            return fit
        self._text(
            "## The vote\n\nMembers are fitted by themselves, since rows have weights, or not all of them were used."
        )
        return [*self._fits(members, names), *lines, *fit]

    def _stack(self, members: Sequence[tuple[str, Any]]) -> list[str]:
        """Writes the members of a stack; answers the lines that fit them and put the model on top of them."""
        top = self.model.final_estimator_
        counts = shares(top, len(members))
        names = self._written(members, [f"It has {share:.1%} of the weights of the stack." for share in counts])
        self._text(
            "## The stack\n\nA linear model on top answers for its members. It learnt these weights in the run, from"
            " what they predicted for rows that they had not seen; the members are fitted by themselves."
        )
        self.source.use(f"{HOME}.stack", "linear", "stack")
        classes = len(self.plan.classes) if self.classifies else 0
        coef = self.source.write(np.atleast_2d(top.coef_).tolist(), len("top = linear("))
        intercept = self.source.write(np.atleast_1d(top.intercept_).tolist())
        self._code(f"top = linear(\n    {coef},\n    {intercept},\n    classes={classes},\n)")
        lines = [f"    ({quoted(name)}, {variable})," for name, variable in names]
        labels = "plan.classes" if self.classifies else "None"
        return [*self._fits(members, names), "model = stack([", *lines, f"], top, {labels})"]

    def _written(self, members: Sequence[tuple[str, Any]], said: Sequence[str]) -> list[tuple[str, str]]:
        """Writes members, each with what is said of it; answers their names and variables."""
        names = []
        for (name, member), text in zip(members, said, strict=True):
            variable = variable_of(name)
            written = self._pipeline(member, variable, f"{variable} = ")
            self._text(f"## {name.replace('_', ', number ')}\n\n{text}")
            self._code(f"{variable} = {written}")
            names.append((name, variable))
        return names

    def _fits(self, members: Sequence[tuple[str, Any]], names: Sequence[tuple[str, str]]) -> list[str]:
        """The lines that fit members one by one, on numbers of classes."""
        lines = []
        for (name, member), (_, variable) in zip(members, names, strict=True):
            rows, made = self._rows(member, f"rows_of_{variable}")
            weights = self._weights(member, name).replace(".weights", f".weights{rows}")
            lines += [*made, f"{variable}.fit({f'X.iloc{rows}' if rows else 'X'}, y{rows}{weights})"]
        return lines

    def _weights(self, model: Any, name: str) -> str:
        """How the weights of rows are given to a model that knows them."""
        if self.plan.weights is None or not takes_weights(model, name):
            return ""
        prefix = "model__" if hasattr(model, "steps") else ""
        return f", {prefix}sample_weight=plan.weights"

    def _fit(self, lines: list[str]) -> None:
        self.source.use("threadpoolctl", "threadpool_limits")
        count = "one thread" if self.threads == 1 else f"{self.threads} threads"
        self._text(f"## Fit\n\nWith {count}, as in the run: sums of floating point numbers depend on it.")
        inner = "\n".join(lines).replace("\n", "\n    ")
        self._code(f"with threadpool_limits({self.threads}):\n    {inner}\nmodel")

    def _temperature(self, degree: float) -> None:
        """Writes the cell that makes the vote surer, or less sure."""
        self.source.use(f"{HOME}.temperature", "at")
        self._text(
            "## The temperature\n\nLogarithms of the probabilities are divided by it: below 1 the vote becomes surer,"
            " above 1 less sure. The run found it on predictions for rows that the members had not seen."
        )
        self._code(f"vote = model\nmodel = at(vote, {degree!r})\nmodel")

    def _evaluate(self) -> None:
        if self.plan.task is Task.FORECASTING:
            return
        weighted = self.plan.weights is not None
        self.source.use(HOME, "metrics")
        self.source.use("sklearn.base", "clone")
        answer = "predict_proba" if self.classifies else "predict"
        common = "scale=scale, positive=plan.positive" if self.classifies else "scale=scale"
        rows = "plan.weights[judged], " if weighted else ""
        scale = "None" if self.classifies else "float(y.max() - y.min())"
        target = "labels" if self.classifies else "y"
        fit = self._weights(self.model, self.found.family).replace(".weights", ".weights[learn]")
        once = len(self.plan.folds) // self.plan.repeats
        folds = f"plan.folds[:{once}]" if self.plan.repeats > 1 else "plan.folds"
        if "sklearn.frozen" in self.source.imports() or hasattr(self.model, "final_estimator_"):
            return  # its members are fitted beforehand: a copy would be judged on rows that they know
        copy = f"clone(model).fit(X.iloc[learn], {target}[learn]{fit})"
        if self.degree is not None:
            copy = f"at(clone(vote).fit(X.iloc[learn], {target}[learn]{fit}), model.temperature_)"
        self._text("## How good it is\n\nOver folds of the run, each predicted by a copy that was fitted without it.")
        self._code(
            f"metric = metrics.find({self.spec.primary_metric!r}, plan.task)\nscale = {scale}\nscores = []\n"
            f"for learn, judged in {folds}:\n"
            f"    fold = {copy}\n"
            f"    scores.append(metric.score(y[judged], fold.{answer}(X.iloc[judged]), {rows}{common}))\n"
            "print(metric.name, scores)"
        )  # fmt: skip
        if self.plan.X_test is not None:
            self._text("On the rows that nobody looked at:")
            self._code(f"metrics.measured(plan.task, plan.y_test, model.{answer}(plan.X_test), {common})")

    def _predict(self) -> None:
        self._text("## Predict\n\n`plan.prepare` brings rows of the table's columns into the types of `X`.")
        lines = ["predictions = model.predict(X)"]
        if self.classifies:
            lines.append("probabilities = model.predict_proba(X)")
        self._code("\n".join([*lines, "predictions[:10]"]))
        self._text(
            "To keep the model as a run of its own, which can be registered and served:\n\n```python\nimport"
            ' jupyter_mlstudio as studio\n\nwith studio.start_run("again"):\n'
            "    studio.log_model(model, sample=X[:1000])\n```"
        )
