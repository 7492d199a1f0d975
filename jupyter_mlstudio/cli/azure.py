"""Endpoints as Azure Machine Learning's YAML describes them: ``onlineEndpoint`` and ``onlineDeployment``.

Source: Azure Machine Learning, "CLI (v2) online endpoint YAML schema" and "CLI (v2) managed online deployment YAML
schema". What has no meaning on one machine (instance types, identities, environments) is named and left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.azure_files import content_of
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.deployments import model_and_version
from jupyter_mlstudio.client.endpoints import Endpoint
from jupyter_mlstudio.client.session import below
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.client.workspace import find_root
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, NotFound

_ENDPOINT = {"$schema", "name", "description", "auth_mode", "traffic", "mirror_traffic"}
_DEPLOYMENT = {
    "$schema", "name", "endpoint_name", "model", "code_configuration", "request_settings", "liveness_probe",
    "readiness_probe", "scale_settings", "instance_count", "data_collector", "type",
}  # fmt: skip
_PROBE = {"initial_delay": "initial_delay_s", "period": "period_s", "timeout": "timeout_s"}
_COUNTS = ("success_threshold", "failure_threshold")
_REQUEST = ("request_timeout_ms", "max_concurrent_requests_per_instance", "max_queue_wait_ms")


def apply(path: Path, endpoint: str | None = None, *, allow_code: bool = False) -> tuple[Endpoint, list[str]]:
    """Makes or changes what a file describes; answers the endpoint, and what of the file was left out.

    Raises:
        Invalid: the file is neither an endpoint's nor a deployment's.
    """
    content = content_of(path)
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise Invalid(f"{path.name} has no name: it is neither an endpoint nor a deployment")
    if "model" in content or "endpoint_name" in content:
        return _deployment(content, endpoint, path.parent, allow_code=allow_code)
    return _online_endpoint(content)


def _online_endpoint(content: Mapping[str, Any]) -> tuple[Endpoint, list[str]]:
    left_out = sorted(set(content) - _ENDPOINT)
    if content.get("auth_mode", "key") != "key":
        left_out.append(f"auth_mode {content['auth_mode']}: endpoints here have keys")
    connection = connect()
    name = content["name"]
    try:
        endpoint = Endpoint(connection.get(f"endpoints/{segment(name)}"), connection)
    except NotFound:
        body = {"name": name, "description": str(content.get("description") or "")}
        issued = connection.post("endpoints", body)
        endpoint = Endpoint(issued["endpoint"], connection, issued["keys"])
    change: dict[str, JSON] = {}
    if "description" in content:
        change["description"] = str(content["description"] or "")
    for key in ("traffic", "mirror_traffic"):
        shares = content.get(key)
        if shares:
            there = {one["name"] for one in endpoint.deployments}
            change[key] = {str(one): share for one, share in shares.items() if str(one) in there}
            left_out += [f"{key} of {one}: there is no such deployment yet" for one in shares if str(one) not in there]
    if change:
        connection.patch(f"endpoints/{segment(name)}", change)
    return endpoint.refresh(), left_out


def _deployment(
    content: Mapping[str, Any], endpoint: str | None, folder: Path, *, allow_code: bool
) -> tuple[Endpoint, list[str]]:
    name = str(content.get("endpoint_name") or endpoint or "")
    if not name:
        raise Invalid("the deployment names no endpoint: give one with --endpoint")
    left_out = sorted(set(content) - _DEPLOYMENT)
    settings = _settings(content, left_out)
    model, version = _model(content.get("model"))
    connection = connect()
    known = Endpoint(connection.get(f"endpoints/{segment(name)}"), connection)
    if content["name"] in known.traffic:
        return known.change(content["name"], version, model, **settings), left_out
    script = None
    if code := content.get("code_configuration"):
        place = folder / str(code.get("code", ".")) / str(code.get("scoring_script", "score.py"))
        script = below(place, find_root())
    known.add(content["name"], model, version, script=script, allow_code=allow_code, **settings)
    return known, left_out


def _model(given: Any) -> tuple[str, str]:
    if not isinstance(given, str):
        raise Invalid("the model is text here: NAME, NAME:VERSION, NAME@ALIAS or azureml:NAME:VERSION")
    return model_and_version(re.sub(r"^azureml:(?!//)", "", given), "latest")


def _settings(content: Mapping[str, Any], left_out: list[str]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for key, value in (content.get("request_settings") or {}).items():
        if key in _REQUEST:
            found[key] = value
        else:
            left_out.append(f"request_settings.{key}")
    for name in ("liveness_probe", "readiness_probe"):
        probe = content.get(name) or {}
        read = {_PROBE.get(key, key): value for key, value in probe.items() if key in (*_PROBE, *_COUNTS)}
        if read:
            found[name] = read
    scale = content.get("scale_settings") or {}
    if scale.get("type") == "target_utilization":
        found |= {key: scale[key] for key in ("min_instances", "max_instances") if key in scale}
        if "target_utilization_percentage" in scale:
            found["target_utilization_percentage"] = float(scale["target_utilization_percentage"])
    elif "instance_count" in content:
        found |= {"min_instances": content["instance_count"], "max_instances": content["instance_count"]}
    collector = content.get("data_collector") or {}
    if collector:
        collections = collector.get("collections") or {}
        wanted = any(str(one.get("enabled", "true")).lower() == "true" for one in collections.values())
        found["data_collector"] = {"enabled": wanted, "sampling_rate": float(collector.get("sampling_rate", 1.0))}
    return found
