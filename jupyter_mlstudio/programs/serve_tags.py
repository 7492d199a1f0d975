"""What an endpoint is at the moment, told as tags of its run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from jupyter_mlstudio.client import active
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.programs.serve_counts import TAG
from jupyter_mlstudio.programs.serve_deployment import FAILED, IDLE, READY, Deployment
from jupyter_mlstudio.programs.serve_plan import Plan


class Tags:
    """The tags of one endpoint, set when they change.

    Args:
        url: where it answers.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._told: dict[str, str] = {}
        self._was_ready = False

    def tell_of(self, plan: Plan, deployments: Mapping[str, Deployment], used: dict[str, str], now: float) -> None:
        """Says what each deployment does, and whether those are ready that get requests.

        Args:
            used: further tags.

        Raises:
            Conflict: every deployment failed, and none could come back by itself.
        """
        states = {name: one.state(now) for name, one in deployments.items()}
        failed = [reason for state, reason in states.values() if state == FAILED]
        if states and len(failed) == len(states):
            self.tell(False, failed[0], {})
            raise Conflict(failed[0])
        carrying = {name: state for name, state in states.items() if plan.traffic.get(name)} or states
        ready = any(state in (READY, IDLE) for state, _ in carrying.values())
        ready = ready and not any(state not in (READY, IDLE, FAILED) for state, _ in carrying.values())
        reasons = [
            reason if len(states) == 1 else f"{name}: {reason}" for name, (_, reason) in states.items() if reason
        ]
        shown = {name: _shown(deployments[name], *state, plan.etag, now) for name, state in states.items()}
        first = next(iter(plan.deployments.values()), None)
        path = f"/v2/models/{segment(first.model)}" if first is not None else ""
        self.tell(ready, "; ".join(reasons), shown, used, path)

    def tell(
        self,
        ready: bool,
        reason: str,
        deployments: dict[str, dict[str, JSON]],
        further: dict[str, str] | None = None,
        path: str = "",
    ) -> None:
        """Sets the tags that have changed."""
        tags = {TAG + "url": self._url, TAG + "ready": "true" if ready else "false", TAG + "reason": reason}
        tags |= {f"{TAG}deployment.{name}": json.dumps(shown) for name, shown in deployments.items()}
        tags |= further or {}
        changed = {name: value for name, value in tags.items() if self._told.get(name) != value}
        if changed:
            self._told |= changed
            run = active.current()
            run.set_tags(changed)
            run.flush()
        if ready and not self._was_ready:
            print(f"ready at {self._url}{path}", flush=True)
        self._was_ready = ready

    def forget(self, deployment: str) -> None:
        """Says of a deployment that it is gone."""
        name = f"{TAG}deployment.{deployment}"
        self._told[name] = json.dumps({"state": "Stopped", "reason": "it was deleted", "instances": 0})
        active.current().set_tags({name: self._told[name]})


def _shown(deployment: Deployment, state: str, reason: str, etag: int, now: float) -> dict[str, JSON]:
    ready = deployment.ready(now)
    deployment.settled(etag)
    return {
        "state": state, "reason": reason, "instances": len(ready), "pids": [one.pid for one in ready],
        "version": deployment.current.planned.version, "etag": deployment.applied,
    }  # fmt: skip
