"""Who receives requests, and where each worker passes on what is not for its own deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.serve_deployment import Deployment
from jupyter_mlstudio.programs.serve_generation import Generation
from jupyter_mlstudio.programs.serve_plan import Plan
from jupyter_mlstudio.programs.serve_worker import Worker


@dataclass(frozen=True)
class RouteTable:
    """What the plan and the state of the deployments make of it. Times are of the monotonic clock, in seconds.

    ``porch`` is a deployment without a model that only receives, None where none is needed.
    """

    plan: Plan
    deployments: Mapping[str, Deployment]
    porch: Deployment | None

    def fronts(self, now: float) -> list[Worker]:
        """The workers that receive requests: those of the deployment that answers most of them itself."""
        for deployment in (*(one for one in self._by_traffic() if one.receives), self.porch):
            if deployment is not None and (ready := deployment.ready(now)):
                return ready
        return []

    def comes_first(self, generation: Generation) -> bool:
        """Whether a generation will receive requests as soon as it can, while nobody does."""
        ranked = [one for one in self._by_traffic() if one.receives and not one.current.failed]
        first = ranked[0] if ranked else self.porch
        return first is not None and generation in first.generations()

    def told(self, now: float, front: bool, fronts: int) -> dict[str, JSON]:
        """What a worker is told: whether it receives, how many do, the shares, and where each deployment listens."""
        return {
            "front": front, "fronts": fronts, "sticky_header": self.plan.sticky_header,
            "traffic": {name: share for name, share in self.plan.traffic.items() if name in self.deployments},
            "mirror": {name: share for name, share in self.plan.mirror.items() if name in self.deployments},
            "deployments": {name: _target(one, now) for name, one in self.deployments.items()},
        }  # fmt: skip

    def _by_traffic(self) -> list[Deployment]:
        return sorted(self.deployments.values(), key=lambda one: -self.plan.traffic.get(one.planned.name, 0))


def _target(deployment: Deployment, now: float) -> dict[str, JSON]:
    planned, (state, reason) = deployment.current.planned, deployment.state(now)
    names = ("request_timeout_s", "max_concurrent_requests")
    limits: dict[str, JSON] = {name: planned.limits[name] for name in names if name in planned.limits}
    return {
        "model": planned.model, "version": str(planned.version), "kind": planned.kind, "state": state, "reason": reason,
        "sockets": [str(one.path) for one in deployment.ready(now)], **limits,
    }  # fmt: skip
