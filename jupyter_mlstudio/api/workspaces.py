"""Workspaces, compute targets and the change feed over HTTP."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.targets import ComputeTarget
from jupyter_mlstudio.entities.workspaces import ChangeList, Check, WorkspaceInfo
from jupyter_mlstudio.studio import Studio


class ChangesQuery(Query):
    """``since`` and ``epoch`` are what the last answer held."""

    since: int = Field(default=0, ge=0, le=2**63 - 1)
    epoch: str = ""


class NewWorkspace(Body):
    """``path`` is a folder below the server's root."""

    path: str


class TargetChange(Body):
    slots: int = Field(ge=1, le=256)


def list_workspaces(studio: Studio, call: Call[NoQuery, NoBody]) -> list[WorkspaceInfo]:
    """Lists the workspaces that this server knows, the current one first."""
    return studio.known_workspaces()


def open_workspace(studio: Studio, call: Call[NoQuery, NewWorkspace]) -> WorkspaceInfo:
    """Opens the workspace of a folder, and makes it when there is none."""
    return studio.open_workspace(call.body.path)


def diagnose(studio: Studio, call: Call[NoQuery, NoBody]) -> list[Check]:
    """Checks database, files, disk, ports, GPU and converters, and says what to do about what is not well."""
    return studio.diagnose()


def list_compute(studio: Studio, call: Call[NoQuery, NoBody]) -> list[ComputeTarget]:
    """Lists compute targets with what they have and what is taken."""
    return studio.compute.list()


def update_compute(studio: Studio, call: Call[NoQuery, TargetChange]) -> ComputeTarget:
    """Changes how many runs may be active at once."""
    return studio.compute.set_slots(call.path["name"], call.body.slots)


def list_changes(studio: Studio, call: Call[ChangesQuery, NoBody]) -> ChangeList:
    """Lists what changed after a sequence number."""
    return studio.changes.since(call.query.since, call.query.epoch)


ROUTES = [
    Route(method="GET", path="workspaces", operation="listWorkspaces", handler=list_workspaces,
          action="read", resource="workspaces", answer=list[WorkspaceInfo]),
    Route(method="POST", path="workspaces", operation="openWorkspace", handler=open_workspace,
          action="write", resource="workspaces", body=NewWorkspace, answer=WorkspaceInfo, status=201),
    Route(method="GET", path="workspaces/current/checks", operation="diagnose", handler=diagnose,
          action="read", resource="workspaces", answer=list[Check]),
    Route(method="GET", path="compute", operation="listCompute", handler=list_compute,
          action="read", resource="compute", answer=list[ComputeTarget]),
    Route(method="PATCH", path="compute/{name}", operation="updateCompute", handler=update_compute,
          action="write", resource="compute", body=TargetChange, answer=ComputeTarget),
    Route(method="GET", path="changes", operation="listChanges", handler=list_changes,
          action="read", resource="changes", query=ChangesQuery, answer=ChangeList),
]  # fmt: skip
