"""The engine of :mod:`jupyter_mlstudio.learning` as an AutoML run uses it: which part of it a task needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_candidates import Way
from jupyter_mlstudio.entities.automl_explanations import Explanation
from jupyter_mlstudio.entities.automl_tables import Column
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.automl_files import table_path

if TYPE_CHECKING:
    from pandas import DataFrame


WAYS_COLUMNS = 1000
"""Of more columns the ways into the members of an ensemble are not told one by one."""


@dataclass(frozen=True)
class Tables:
    """The tables of a run, read."""

    data: DataFrame
    validation: DataFrame | None = None
    test: DataFrame | None = None


def tables_of(spec: AutoMLSpec, runs: Path) -> Tables:
    """Reads the tables that a specification names.

    Raises:
        Invalid: one of them is no table, with row and column where that can be said. NotFound: it is gone.
    """
    from jupyter_mlstudio.learning.reading import read

    paths = paths_of(spec, runs)
    found = {name: read(path) for name, path in paths.items()}
    return Tables(found["data"], found.get("validation_data"), found.get("test_data"))


def paths_of(spec: AutoMLSpec, runs: Path, root: Path | None = None) -> dict[str, Path]:
    """Where the tables lie that a specification names; ``root`` is the workspace's, by default that of this run."""
    root = root or Path(os.environ["MLSTUDIO_WORKSPACE"])
    named = {name: getattr(spec, name) for name in ("data", "validation_data", "test_data")}
    return {name: table_path(root, runs, text) for name, text in named.items() if text is not None}


def plan_of(spec: AutoMLSpec, tables: Tables) -> Any:
    """Looks at the tables and decides what is learnt from them, and how it is judged.

    Raises:
        Invalid: they cannot be learnt from; it says why, for each reason with the column and a remedy.
    """
    if spec.task is Task.FORECASTING:
        from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan

        return make_forecast_plan(tables.data, spec, validation=tables.validation, test=tables.test)
    from jupyter_mlstudio.learning.plan import make_plan

    return make_plan(tables.data, spec, validation=tables.validation, test=tables.test)


def metric_of(spec: AutoMLSpec, plan: Any) -> tuple[str, Goal]:
    """The primary metric of a task, and which way is better."""
    from jupyter_mlstudio.learning import forecast_metrics, metrics

    forecasts = plan.task is Task.FORECASTING
    found = forecast_metrics.find(spec.primary_metric) if forecasts else metrics.find(spec.primary_metric, plan.task)
    return found.name, found.goal


def search_of(plan: Any, spec: AutoMLSpec, folder: Path, began: float) -> Any:
    """Makes the search; on a folder that has been searched in, it goes on where it was."""
    from jupyter_mlstudio.learning.search import Search
    from jupyter_mlstudio.programs.automl_check import ModelCheck

    if spec.task is Task.FORECASTING:
        from jupyter_mlstudio.learning.forecast_search import ForecastSearch

        return ForecastSearch(plan, spec, folder, check=ModelCheck(), began=began)
    return Search(plan, spec, folder, check=ModelCheck(), began=began)


def sketch_of(plan: Any, search: Any, spec: AutoMLSpec) -> bytes:
    """What notebooks of candidates are written from later."""
    from jupyter_mlstudio.learning.sketch import sketch, written

    shape = None if plan.task is Task.FORECASTING else search.shape
    return written(sketch(plan, shape, search.threads(), spec.seed))


def asked(**values: Any) -> Any:
    """What people ask for, as the search takes it."""
    from jupyter_mlstudio.learning.search import Asked

    return Asked(**values)


def columns_of(outcome: Any, plan: Any) -> list[Column]:
    """The columns with the steps that the winner has; of an ensemble see :func:`ways_of`."""
    from jupyter_mlstudio.learning.families import FAMILIES

    winner = outcome.winner
    form = next((family.form_for(winner.params) for family in FAMILIES if family.name == winner.family), None)
    return list(plan.columns) if form is None or plan.task is Task.FORECASTING else plan.columns_for(form)


def ways_of(outcome: Any, plan: Any) -> list[Way]:
    """How columns become features for the members of an ensemble; members of one form of model share a way."""
    from jupyter_mlstudio.learning.families import FAMILIES

    if plan.task is Task.FORECASTING or not outcome.winner.weights or len(plan.columns) > WAYS_COLUMNS:
        return []
    families = {family.name: family for family in FAMILIES}
    tried = {one.number: one for one in outcome.candidates if one.family in families}
    members: dict[str, list[int]] = {}
    for number in map(int, outcome.winner.weights):
        if (one := tried.get(number)) is not None:
            members.setdefault(families[one.family].form_for(one.params), []).append(number)
    return [
        Way(members=numbers, steps={one.name: one.steps for one in plan.columns_for(form) if one.steps})
        for form, numbers in members.items()
    ]


def diagram_of(outcome: Any) -> str:
    """The winner as a drawing, HTML without scripts."""
    from jupyter_mlstudio.learning.diagram import diagram

    return diagram(outcome.model)


def explanation_of(
    outcome: Any, plan: Any, spec: AutoMLSpec, deadline: float, say: Callable[[Explanation], None]
) -> Explanation:
    """What the winner rests on, as far as it can be told until a time of ``time.monotonic()``; ``say`` takes parts."""
    from jupyter_mlstudio.learning.explain import explain

    fit_s = outcome.winner.fit_s
    return explain(outcome.model, plan, spec.primary_metric, seed=spec.seed, deadline=deadline, fit_s=fit_s, say=say)


def forecasting_of(plan: Any) -> dict[str, JSON]:
    """What the model of a forecast needs beside it."""
    from jupyter_mlstudio.learning.forecast import to_json

    return to_json(plan.maker, plan.spread)


def notebook_of(outcome: Any, plan: Any, spec: AutoMLSpec, runs: Path, threads: int) -> dict[str, JSON]:
    """A notebook that makes the winner again, with the paths of tables below the workspace's root."""
    from jupyter_mlstudio.learning.emitted import notebook

    whole = below_root(spec, runs, Path(os.environ["MLSTUDIO_WORKSPACE"]))
    return notebook(whole, plan, outcome.winner, outcome.model, data=whole.data, threads=threads)


def below_root(spec: AutoMLSpec, runs: Path, root: Path) -> AutoMLSpec:
    """The request with the paths of its tables below the workspace's root."""
    paths = paths_of(spec, runs, root)
    below: dict[str, Any] = {name: path.relative_to(root.resolve()).as_posix() for name, path in paths.items()}
    return replace(spec, **below)


def forecast_of(plan: Any) -> dict[str, JSON] | None:
    """What a forecast's model needs beside it: how rows are made of a table, and how far it may be off."""
    if plan.task is not Task.FORECASTING:
        return None
    from jupyter_mlstudio.learning.forecast import to_json

    return to_json(plan.maker, plan.spread)
