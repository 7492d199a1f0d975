"""Several deployments behind an endpoint, from user code: shares of the traffic, copies, canary releases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, TimedOut

WAIT_S = 600.0
_GROUPS = {
    "request_settings": ("request_timeout_ms", "max_concurrent_requests_per_instance", "max_queue_wait_ms"),
    "scale_settings": ("min_instances", "max_instances", "idle_s", "target_utilization_percentage"),
    "limits": ("memory_mb", "body_mb", "rows", "threads"),
}
_WHOLE = ("liveness_probe", "readiness_probe", "data_collector")


class Version(Protocol):
    """A registered model version."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def version(self) -> int:
        """The version's number."""


_Self = TypeVar("_Self", bound="Deployments")


def settings(given: Mapping[str, JSON]) -> dict[str, JSON]:
    """Settings of a deployment by group, from their names alone: ``max_instances=2`` is one of ``scale_settings``."""
    found: dict[str, JSON] = {}
    for name, value in given.items():
        group = next((group for group, names in _GROUPS.items() if name in names), None)
        if group is not None:
            found.setdefault(group, {})[name] = value
        elif name in (*_WHOLE, *_GROUPS):
            found[name] = {**found.get(name, {}), **dict(value)}
        else:
            known = ", ".join([*(one for names in _GROUPS.values() for one in names), *_WHOLE])
            raise Invalid(f"{name!r} is not a setting of a deployment; there are {known}")
    return found


def model_and_version(model: Version | str, version: int | str) -> tuple[str, str]:
    """Reads a version: an object, or ``name``, ``name:version`` or ``name@alias``."""
    if not isinstance(model, str):
        return model.name, str(model.version)
    name, _, given = model.replace("@", ":", 1).partition(":")
    return name, given or str(version)


class Deployments(ABC):
    """What an endpoint can do with its deployments."""

    name: Any
    _data: dict[str, JSON]

    @property
    def deployments(self) -> list[dict[str, JSON]]:
        """Each with its version, state, share of the traffic, settings and counts."""
        return list(self._read()["deployments"])

    @property
    def traffic(self) -> dict[str, int]:
        """Shares in percent by deployment."""
        return dict(self._read()["traffic"])

    def add(
        self: _Self,
        deployment: str,
        model: Version | str,
        version: int | str = "latest",
        script: str | None = None,
        kind: str | None = None,
        allow_code: bool = False,
        wait: bool = True,
        **options: JSON,
    ) -> _Self:
        """Adds a deployment, which gets no traffic until it is given a share.

        Args:
            script: a scoring script in the workspace with ``init()`` and ``run(raw_data)``; needs ``allow_code``.
            kind: ``onnx``, ``script``, or ``native`` for the original model; the last two need ``allow_code``.
            options: settings, e.g. ``max_instances=2``, ``min_instances=0``, ``threads=2``, ``request_timeout_ms=500``,
                ``data_collector={"enabled": True}``.
        """
        registered, number = model_and_version(model, version)
        body = {
            "name": deployment, "model": registered, "version": number, "settings": settings(options),
            "kind": kind or ("onnx" if script is None else "script"), "script": script, "allow_code": allow_code,
        }  # fmt: skip
        self._data = self._ask_studio().post(self._at("deployments"), body, timeout_s=120.0)
        return self.settle() if wait else self

    def change(
        self: _Self,
        deployment: str,
        version: int | str | None = None,
        model: Version | str | None = None,
        restart: bool = False,
        wait: bool = True,
        **options: JSON,
    ) -> _Self:
        """Changes a deployment's version or settings; new processes take over when they are ready, and none fails."""
        body: dict[str, JSON] = {"restart": restart}
        if model is not None:
            body["model"], body["version"] = model_and_version(model, version or "latest")
        elif version is not None:
            body["version"] = str(version)
        if options:
            body["settings"] = settings(options)
        self._data = self._ask_studio().patch(self._at("deployments", deployment), body)
        return self.settle() if wait else self

    def swap(self: _Self, version: int | str, wait: bool = True) -> _Self:
        """Serves another version in the deployment that has most of the traffic, without failing a request."""
        traffic = self.traffic
        return self.change(max(traffic, key=lambda name: traffic[name]), version=version, wait=wait)

    def remove(self: _Self, deployment: str) -> _Self:
        """Removes a deployment that has no share of the traffic."""
        self._ask_studio().delete(self._at("deployments", deployment))
        self._read()
        return self

    def split(self: _Self, shares: Mapping[str, int], wait: bool = True) -> _Self:
        """Shares the traffic: ``split({"blue": 90, "green": 10})``, in percent; who is not named gets none."""
        self._data = self._ask_studio().patch(self._at(), {"traffic": dict(shares)})
        return self.settle() if wait else self

    def mirror(self: _Self, percent: Mapping[str, int], wait: bool = True) -> _Self:
        """Sends copies of so many requests in a hundred to deployments, and compares their answers with those given."""
        self._data = self._ask_studio().patch(self._at(), {"mirror_traffic": dict(percent)})
        return self.settle() if wait else self

    def stick_to(self: _Self, header: str) -> _Self:
        """Sends requests with the same value in a header to the same deployment; empty: to any."""
        self._data = self._ask_studio().patch(self._at(), {"sticky_header": header})
        return self

    def canary(self: _Self, deployment: str, **policy: JSON) -> _Self:
        """Lets a deployment take the traffic over step by step, and give it back by itself when it is worse.

        Args:
            policy: ``steps=[5, 25, 50, 100]``, ``wait_s``, ``min_requests``, ``max_error_rate``, ``max_p95_ratio``,
                and ``max_disagreement`` and ``max_drift`` with ``mirror`` percent of copies to measure them on.
        """
        self._data = self._ask_studio().post(self._at("canary"), {"deployment": deployment, "policy": policy})
        return self

    def stop_canary(self: _Self) -> _Self:
        """Stops a canary release and gives the traffic back."""
        self._ask_studio().delete(self._at("canary"))
        self._read()
        return self

    def differences(self, deployment: str | None = None, limit: int = 100) -> list[dict[str, JSON]]:
        """Copied requests whose answers were compared, newest first."""
        query = {"deployment": deployment, "max_results": limit}
        return list(self._ask_studio().get(self._at("differences"), query))

    def settle(self: _Self, timeout_s: float = WAIT_S) -> _Self:
        """Waits until every deployment goes by the latest change.

        Raises:
            Conflict: one failed; the message says why.
            TimedOut: it is still under way.
        """
        for data in self._ask_studio().follow(self._at(), timeout_s):
            self._data = data
            if data["state"] in ("Failed", "Stopped"):
                raise Conflict(f"endpoint {self.name} is {data['state'].lower()}: {data['reason']}")
            failed = next((one for one in data["deployments"] if one["applied"] and one["state"] == "Failed"), None)
            if failed is not None:
                raise Conflict(f"deployment {failed['name']} of {self.name} failed: {failed['reason']}")
            kept = next((one for one in data["deployments"] if "is not served" in one["reason"]), None)
            if kept is not None:
                raise Conflict(f"deployment {kept['name']} of {self.name} stays as it was: {kept['reason']}")
            if all(one["applied"] and one["state"] != "Starting" for one in data["deployments"]):
                return self
        raise TimedOut(f"endpoint {self.name} does not go by the change after {timeout_s:g} s")

    def _read(self) -> dict[str, JSON]:
        self._data = self._ask_studio().get(self._at())
        return self._data

    def _at(self, *parts: str) -> str:
        return "/".join(("endpoints", segment(self.name), *map(segment, parts)))

    @abstractmethod
    def _ask_studio(self) -> Connection: ...
