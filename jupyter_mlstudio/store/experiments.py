"""How experiments are kept."""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from jupyter_mlstudio.entities.experiments import BestRun, Experiment, ExperimentColumns, Goal
from jupyter_mlstudio.entities.runs import ACTIVE, RunStatus
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store.schema import experiments, metric_names, params, run_metrics, runs, tags


def find(connection: Connection, reference: str) -> Row[Any] | None:
    """Gets a row by its name or its id, a name first."""
    row = connection.execute(select(experiments).where(experiments.c.name == reference)).first()
    if row is None and reference.isascii() and reference.isdigit() and len(reference) < 18:
        row = connection.execute(select(experiments).where(experiments.c.id == int(reference))).first()
    return row


def by_id(connection: Connection, experiment_id: str) -> Row[Any] | None:
    """Gets a row by its id alone."""
    if not (experiment_id.isascii() and experiment_id.isdigit() and len(experiment_id) < 18):
        return None
    return connection.execute(select(experiments).where(experiments.c.id == int(experiment_id))).first()


def insert(connection: Connection, name: str, description: str, primary_metric: str | None, goal: Goal) -> int:
    """Adds an experiment; returns its id."""
    values = {
        "name": name, "description": description, "primary_metric": primary_metric, "goal": goal.value,
        "created_at": utc_now(), "archived_at": None,
    }  # fmt: skip
    return int(connection.execute(experiments.insert().values(values).returning(experiments.c.id)).scalar_one())


def change(connection: Connection, id: int, values: dict[str, Any]) -> None:
    """Writes the given columns."""
    connection.execute(update(experiments).where(experiments.c.id == id).values(values))


def read(connection: Connection, row: Row[Any]) -> Experiment:
    """Builds an experiment with its counts and its best run."""
    counts = select(func.count(), func.count().filter(runs.c.status.in_([s.value for s in ACTIVE])))
    total, live = connection.execute(counts.select_from(runs).where(runs.c.experiment_id == row.id)).one()
    goal = Goal(row.goal)
    return Experiment(
        id=str(row.id),
        name=row.name,
        description=row.description,
        primary_metric=row.primary_metric,
        goal=goal,
        created_at=row.created_at,
        archived_at=row.archived_at,
        run_count=total,
        live_count=live,
        best_run=best_run(connection, row.id, row.primary_metric, goal) if row.primary_metric else None,
    )


def rows(connection: Connection, text: str, archived: bool) -> builtins.list[Row[Any]]:
    """Lists rows, the one with the latest run first."""
    latest = select(func.max(runs.c.created_at)).where(runs.c.experiment_id == experiments.c.id).scalar_subquery()
    query = select(experiments).order_by(func.coalesce(latest, experiments.c.created_at).desc())
    if not archived:
        query = query.where(experiments.c.archived_at.is_(None))
    if text:
        query = query.where(experiments.c.name.icontains(text, autoescape=True))
    return list(connection.execute(query))


def best_run(connection: Connection, id: int, metric: str, goal: Goal) -> BestRun | None:
    """Finds the finished run with the best finite last value; the earlier one wins a tie."""
    column = run_metrics.c.last
    found = connection.execute(
        select(runs.c.id, runs.c.name, column)
        .join(run_metrics, run_metrics.c.run_key == runs.c.key)
        .join(metric_names, metric_names.c.id == run_metrics.c.metric_id)
        .where(runs.c.experiment_id == id, runs.c.status == RunStatus.COMPLETED.value)
        .where(metric_names.c.name == metric, column.is_not(None))
        .order_by(column.desc() if goal is Goal.MAXIMIZE else column.asc(), runs.c.created_at, runs.c.key)
        .limit(1)
    ).first()
    return BestRun(run_id=found.id, name=found.name, value=found.last) if found else None


def columns(connection: Connection, id: int) -> ExperimentColumns:
    """Lists the names that the experiment's runs use."""

    def names(table: Any) -> builtins.list[str]:
        query = select(table.c.key).join(runs, runs.c.key == table.c.run_key).where(runs.c.experiment_id == id)
        return sorted(connection.execute(query.distinct()).scalars())

    used = (
        select(metric_names.c.name)
        .join(run_metrics, run_metrics.c.metric_id == metric_names.c.id)
        .join(runs, runs.c.key == run_metrics.c.run_key)
        .where(runs.c.experiment_id == id)
        .distinct()
    )
    return ExperimentColumns(params=names(params), metrics=sorted(connection.execute(used).scalars()), tags=names(tags))
