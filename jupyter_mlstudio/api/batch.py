"""Batch endpoints over HTTP: make one, invoke it with a reference to data, look at its jobs."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.batch import BatchEndpoint, BatchSettings
from jupyter_mlstudio.entities.runs import Run, RunPage
from jupyter_mlstudio.studio import Studio


class BatchQuery(Query):
    q: str = ""


class NewBatchEndpoint(Body):
    """``version`` is a number, an alias or ``latest``; ``script`` a scoring script in the workspace."""

    name: str
    model: str
    version: str = "latest"
    description: str = ""
    settings: BatchSettings = Field(default_factory=BatchSettings)
    script: str | None = None
    request_id: str | None = None


class BatchEndpointChange(Body):
    description: str | None = None
    default_deployment: str | None = None


class NewBatchDeployment(Body):
    model: str
    version: str = "latest"
    settings: BatchSettings = Field(default_factory=BatchSettings)
    script: str | None = None


class Invocation(Body):
    """``data`` is a file, folder or pattern below the workspace's root, or ``runs:/<run id>/<path>``.

    ``settings`` are fields of the deployment's settings that are different for this job.
    """

    data: str
    deployment: str | None = None
    settings: dict[str, object] = Field(default_factory=dict)
    experiment: str | None = None
    request_id: str | None = None


def list_batch_endpoints(studio: Studio, call: Call[BatchQuery, NoBody]) -> list[BatchEndpoint]:
    """Lists batch endpoints by name."""
    return studio.batch.list(call.query.q)


def create_batch_endpoint(studio: Studio, call: Call[NoQuery, NewBatchEndpoint]) -> BatchEndpoint:
    """Makes a batch endpoint with a first deployment, which is the default one."""
    new = call.body
    return studio.batch.create(
        new.name, new.model, new.version, new.description, new.settings, new.script, new.request_id, call.caller.user
    )


def get_batch_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> BatchEndpoint:
    """Gets one batch endpoint."""
    return studio.batch.get(call.path["name"])


def update_batch_endpoint(studio: Studio, call: Call[NoQuery, BatchEndpointChange]) -> BatchEndpoint:
    """Changes the description or the default deployment."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.batch.update(call.path["name"], if_match=call.if_match, **change)


def delete_batch_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes a batch endpoint; its jobs and the model versions stay."""
    studio.batch.delete(call.path["name"])


def put_batch_deployment(studio: Studio, call: Call[NoQuery, NewBatchDeployment]) -> BatchEndpoint:
    """Adds a deployment, or replaces it; jobs that are under way go on as they were."""
    new = call.body
    where = call.path
    return studio.batch.deploy(where["name"], where["deployment"], new.model, new.version, new.settings, new.script)


def delete_batch_deployment(studio: Studio, call: Call[NoQuery, NoBody]) -> BatchEndpoint:
    """Removes a deployment; refused for the default one."""
    return studio.batch.remove(call.path["name"], call.path["deployment"])


def invoke_batch_endpoint(studio: Studio, call: Call[NoQuery, Invocation]) -> Run:
    """Scores a data set; answers at once with the run that does it."""
    new = call.body
    return studio.batch.invoke(
        call.path["name"], new.data, new.deployment, new.settings, new.experiment, new.request_id, call.caller.user
    )


def list_batch_jobs(studio: Studio, call: Call[NoQuery, NoBody]) -> RunPage:
    """Lists the jobs of a batch endpoint, live ones first and then the newest."""
    return studio.batch.jobs(call.path["name"])


_ID = "batch-endpoints/{name}"
_DEPLOYMENT = _ID + "/deployments/{deployment}"
ROUTES = [
    Route(method="GET", path="batch-endpoints", operation="listBatchEndpoints", handler=list_batch_endpoints,
          action="read", resource="endpoints", query=BatchQuery, answer=list[BatchEndpoint]),
    Route(method="POST", path="batch-endpoints", operation="createBatchEndpoint", handler=create_batch_endpoint,
          action="execute", resource="endpoints", body=NewBatchEndpoint, answer=BatchEndpoint, status=201),
    Route(method="GET", path=_ID, operation="getBatchEndpoint", handler=get_batch_endpoint,
          action="read", resource="endpoints", answer=BatchEndpoint),
    Route(method="PATCH", path=_ID, operation="updateBatchEndpoint", handler=update_batch_endpoint,
          action="write", resource="endpoints", body=BatchEndpointChange, answer=BatchEndpoint),
    Route(method="DELETE", path=_ID, operation="deleteBatchEndpoint", handler=delete_batch_endpoint,
          action="execute", resource="endpoints", answer=None, status=204),
    Route(method="PUT", path=_DEPLOYMENT, operation="putBatchDeployment", handler=put_batch_deployment,
          action="execute", resource="endpoints", body=NewBatchDeployment, answer=BatchEndpoint),
    Route(method="DELETE", path=_DEPLOYMENT, operation="deleteBatchDeployment", handler=delete_batch_deployment,
          action="execute", resource="endpoints", answer=BatchEndpoint),
    Route(method="GET", path=_ID + "/jobs", operation="listBatchJobs", handler=list_batch_jobs,
          action="read", resource="endpoints", answer=RunPage),
    Route(method="POST", path=_ID + "/jobs", operation="invokeBatchEndpoint", handler=invoke_batch_endpoint,
          action="execute", resource="endpoints", body=Invocation, answer=Run, status=201),
]  # fmt: skip
