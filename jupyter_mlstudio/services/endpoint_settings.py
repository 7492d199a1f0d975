"""Whether an endpoint may be what it is asked to be: every setting, share and policy is checked here, by name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any, cast

from jupyter_mlstudio.entities.deployments import CanaryPolicy, DeploymentSettings
from jupyter_mlstudio.entities.endpoints import ENDPOINT_NAME
from jupyter_mlstudio.errors import Invalid

LOOPBACK = "127.0.0.1"
_BOUNDS: dict[str, tuple[float, float]] = {
    "request_timeout_ms": (1, 24 * 3600 * 1000), "max_concurrent_requests_per_instance": (1, 10_000),
    "max_queue_wait_ms": (0, 3_600_000), "min_instances": (0, 256), "max_instances": (1, 256), "idle_s": (0.5, 1e7),
    "target_utilization_percentage": (1, 100), "initial_delay_s": (0, 3600), "period_s": (0.1, 3600),
    "timeout_s": (0.1, 3600), "success_threshold": (1, 1000), "failure_threshold": (1, 1000),
    "memory_mb": (64, 1024 * 1024), "body_mb": (1, 1024), "rows": (1, 10_000_000), "threads": (1, 256),
    "sampling_rate": (0, 1), "retention_days": (0, 36_500),
}  # fmt: skip
"""The least and the most of each number."""

_POLICY: dict[str, tuple[float, float]] = {
    "wait_s": (0, 30 * 24 * 3600), "min_requests": (0, 10**9), "max_error_rate": (0, 1), "max_p95_ratio": (0.1, 1000),
    "max_disagreement": (0, 1), "max_drift": (0, 1000), "mirror": (0, 100),
}  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_TAKEN = frozenset({
    "authorization", "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection",
    "keep-alive", "te", "trailer", "upgrade", "expect", "origin", "cookie", "azureml-model-deployment", "set-cookie",
    "proxy-authorization", "proxy-authenticate", "proxy-connection", "www-authenticate",
    "inference-header-content-length",
})  # fmt: skip
_HOST = re.compile(
    r"(?=[^:]{1,253}(:|\Z))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?"
)


def checked_name(name: str, what: str) -> str:
    """Checks the name of an endpoint or a deployment."""
    if not re.fullmatch(ENDPOINT_NAME, name):
        raise Invalid(
            f"{name[:80]!r} cannot be {what} name: 3 to 32 letters, digits and dashes, a letter first, no dash at the"
            " end"
        )
    return name


def checked(settings: DeploymentSettings) -> DeploymentSettings:
    """Checks a deployment's settings.

    Raises:
        Invalid: a number is out of range; the message names it.
    """
    _check_bounds(settings, "")
    scale = settings.scale_settings
    if scale.min_instances > scale.max_instances:
        raise Invalid(f"min_instances is {scale.min_instances}, more than max_instances, {scale.max_instances}")
    if len(settings.data_collector.masked_columns) > 10_000:
        raise Invalid("masked_columns has more than 10,000 names")
    return settings


def merged(settings: DeploymentSettings, changes: Mapping[str, Any] | None) -> DeploymentSettings:
    """Settings with some fields replaced: ``{"limits": {"threads": 2}}`` leaves all others as they are."""
    for name, values in (changes or {}).items():
        part: Any = getattr(settings, name, None)
        if not is_dataclass(part) or not isinstance(values, Mapping):
            groups = ", ".join(field.name for field in fields(settings))
            raise Invalid(f"{name[:80]!r} is not a group of settings; there are {groups}")
        known = {field.name: field for field in fields(part)}
        if strange := [one for one in values if one not in known]:
            raise Invalid(f"{strange[0]!r:.80} is not a setting of {name}; there are {', '.join(known)}")
        for one, value in values.items():
            _check_type(f"{name}.{one}", value, getattr(part, one))
        group: dict[str, Any] = {name: replace(cast("Any", part), **values)}
        settings = replace(settings, **group)
    return checked(settings)


def checked_shares(shares: Mapping[str, int], deployments: Iterable[str], what: str, *, whole: bool) -> dict[str, int]:
    """Checks shares in percent: whole numbers from 0 to 100 of deployments that are there; their sum is 0 or 100.

    Args:
        whole: whether the sum matters; it does for traffic, not for copies.
    """
    there = list(deployments)
    for name, share in shares.items():
        if name not in there:
            raise Invalid(f"{what} names {name[:80]!r}, which is no deployment; there are {', '.join(there) or 'none'}")
        if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= 100:
            raise Invalid(f"{what} of {name!r} is {share!r}; a share is a whole number of percent from 0 to 100")
    total = sum(shares.values())
    if whole and total not in (0, 100):
        raise Invalid(f"the shares of {what} add up to {total}; they add up to 100, or to 0 to answer nobody")
    return {name: share for name, share in shares.items() if share}


def checked_copies(copies: Mapping[str, int], traffic: Mapping[str, int]) -> dict[str, int]:
    """Checks shares of copies beside those of the traffic: who answers everybody has nothing to be compared with."""
    shares = checked_shares(copies, traffic, "mirror_traffic", whole=False)
    if alone := next((name for name in shares if traffic[name] == 100), None):
        raise Invalid(f"mirror_traffic names {alone!r}, which gets all the traffic: copies go to other deployments")
    return shares


def checked_header(name: str) -> str:
    """Checks the name of the header that keeps a caller with one deployment; empty is none."""
    if name and (not _TOKEN.fullmatch(name) or name.lower() in _TAKEN):
        raise Invalid(f"{name[:80]!r} cannot be the sticky header: take a header of your own, such as X-Session-Id")
    return name.lower()


def checked_policy(policy: CanaryPolicy) -> CanaryPolicy:
    """Checks the policy of a canary release."""
    for name, (low, high) in _POLICY.items():
        value = getattr(policy, name)
        if value is not None and not low <= value <= high:
            raise Invalid(f"{name} is {value}; it is from {low:g} to {high:g}")
    if policy.max_drift is not None and policy.mirror == 0:
        raise Invalid("max_drift is measured on copies of the requests: set mirror to a percentage above 0")
    steps = policy.steps
    if not steps or len(steps) > 100 or any(not 1 <= step <= 100 for step in steps) or steps != sorted(set(steps)):
        raise Invalid(f"steps is {steps!r:.80}; it is a list of growing percentages from 1 to 100")
    return policy


def checked_address(host: str, allowed_hosts: Iterable[str], *, behind_proxy: bool) -> tuple[str, list[str]]:
    """Checks where an endpoint listens and under which names it may be called.

    Raises:
        Invalid: another address than loopback is asked for without saying that a proxy with TLS stands before it.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise Invalid(f"host {host[:80]!r} is not an IP address; 127.0.0.1 is this machine alone") from None
    names = [name.strip().lower() for name in allowed_hosts]
    wrong = next((name for name in names if not _HOST.fullmatch(name)), None)
    if wrong is not None:
        raise Invalid(f"{wrong[:80]!r} in allowed_hosts is not a host name")
    if not address.is_loopback and not behind_proxy:
        raise Invalid(
            f"host {host} is reachable from elsewhere, where keys would travel in clear: put a proxy with TLS before it"
            " and say so with behind_proxy, or leave it at 127.0.0.1"
        )
    if not address.is_loopback and not names:
        raise Invalid(f"host {host} needs allowed_hosts: the names under which the proxy calls the endpoint")
    if address.version != 4:
        raise Invalid(f"host {host} is not an IPv4 address")
    return host, names


def _check_bounds(part: Any, place: str) -> None:
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            _check_bounds(value, f"{place}{field.name}.")
        elif field.name in _BOUNDS:
            low, high = _BOUNDS[field.name]
            if not low <= value <= high:
                raise Invalid(f"{place}{field.name} is {value}; it is from {low:g} to {high:g}")


def _check_type(place: str, value: Any, default: Any) -> None:
    kinds: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
        words = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
        raise Invalid(f"{place} is {value!r:.80}; it is {words[type(default)]}")
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        raise Invalid(f"{place} holds something that is not text")


def as_plain(settings: DeploymentSettings) -> dict[str, Any]:
    """Settings as JSON."""
    return asdict(settings)
