"""What an endpoint is at the moment, told as tags of its run."""

from __future__ import annotations

import json

from jupyter_mlstudio.client import active
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.serve_counts import TAG


class Tags:
    """The tags of one endpoint, set when they change.

    Args:
        url: where it answers.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._told: dict[str, str] = {}
        self._was_ready = False

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
