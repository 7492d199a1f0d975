"""Experiments over HTTP."""

from __future__ import annotations

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.experiments import Experiment, ExperimentColumns, Goal
from jupyter_mlstudio.studio import Studio


class ExperimentsQuery(Query):
    q: str = ""
    archived: bool = False


class NewExperiment(Body):
    name: str
    description: str = ""
    primary_metric: str | None = None
    goal: Goal = Goal.MAXIMIZE


class ExperimentChange(Body):
    name: str | None = None
    description: str | None = None
    primary_metric: str | None = None
    goal: Goal | None = None
    archived: bool | None = None


def list_experiments(studio: Studio, call: Call[ExperimentsQuery, NoBody]) -> list[Experiment]:
    """Lists experiments, the one with the latest run first."""
    return studio.experiments.list(text=call.query.q, archived=call.query.archived)


def create_experiment(studio: Studio, call: Call[NoQuery, NewExperiment]) -> Experiment:
    """Creates an experiment; a taken name is a conflict."""
    new = call.body
    return studio.experiments.create(new.name, new.description, new.primary_metric, new.goal)


def get_experiment(studio: Studio, call: Call[NoQuery, NoBody]) -> Experiment:
    """Gets one experiment by its id or name."""
    return studio.experiments.get(call.path["experiment_id"])


def update_experiment(studio: Studio, call: Call[NoQuery, ExperimentChange]) -> Experiment:
    """Changes the fields that are given."""
    return studio.experiments.update(call.path["experiment_id"], **call.body.model_dump(exclude_unset=True))


def experiment_columns(studio: Studio, call: Call[NoQuery, NoBody]) -> ExperimentColumns:
    """Lists the parameters, metrics and tags that the experiment's runs have."""
    return studio.experiments.columns(call.path["experiment_id"])


_ID = "experiments/{experiment_id}"
ROUTES = [
    Route(method="GET", path="experiments", operation="listExperiments", handler=list_experiments,
          action="read", resource="experiments", query=ExperimentsQuery, answer=list[Experiment], gateway=True),
    Route(method="POST", path="experiments", operation="createExperiment", handler=create_experiment,
          action="write", resource="experiments", body=NewExperiment, answer=Experiment, status=201),
    Route(method="GET", path=_ID, operation="getExperiment", handler=get_experiment,
          action="read", resource="experiments", answer=Experiment, gateway=True),
    Route(method="PATCH", path=_ID, operation="updateExperiment", handler=update_experiment,
          action="write", resource="experiments", body=ExperimentChange, answer=Experiment),
    Route(method="GET", path=_ID + "/columns", operation="experimentColumns", handler=experiment_columns,
          action="read", resource="experiments", answer=ExperimentColumns),
]  # fmt: skip
