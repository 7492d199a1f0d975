"""A canary release that goes on, or back, by itself: more and more of the traffic for a deployment, as long as it errs
no more, is no slower, and neither disagrees nor drifts more than its policy allows.

What it decides it reports to the studio, which changes the plan: the studio's records stay the truth, and the endpoint
goes by the plan as after anybody else's change.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.programs.serve_counts import Count, Counts
from jupyter_mlstudio.programs.serve_plan import Plan
from jupyter_mlstudio.serving.stats import quantile_ms

RETRY_S = 5.0
CHANGING = "Changing"
"""The state of a deployment whose new version has not taken over yet."""

FEW = 20
"""Guards that compare numbers of requests say nothing before there were so many."""


class Canary:
    """The canary release of one endpoint, if its plan has one."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._step: tuple[Any, ...] | None = None
        self._since = 0.0
        self._not_before = 0.0

    def judge(self, plan: Plan, counts: Counts, states: Mapping[str, tuple[str, str]]) -> None:
        """Decides, once a second, whether it stays, goes on or goes back."""
        canary = plan.canary
        now = time.monotonic()
        if not canary or canary.get("state") != "Running" or now < self._not_before:
            return
        name, policy = str(canary["deployment"]), canary["policy"]
        step = (name, canary.get("started_at"), int(canary.get("step", 0)))
        if states.get(name, ("",))[0] == CHANGING:
            self._step = None  # what is measured now would be of the version before
        elif step != self._step:
            self._step, self._since = step, now
            for one in plan.deployments:
                counts.of(one).begin_step()
        if self._since == now or self._step is None:
            return
        others = [counts.of(one) for one in plan.deployments if one != name]
        measured = measure(counts.of(name), others) | {"seconds": round(now - self._since, 1)}
        why = breach(policy, measured, states.get(name, ("Failed", "it is gone")))
        if why:
            self._report("rollback", 0, canary.get("before") or shares(plan.traffic, name, 0), why, measured)
        elif now - self._since >= float(policy["wait_s"]) and measured["requests"] >= int(policy["min_requests"]):
            self._go_on(plan, name, policy, int(canary.get("step", 0)) + 1, measured)

    def _go_on(self, plan: Plan, name: str, policy: Mapping[str, Any], step: int, measured: dict[str, JSON]) -> None:
        steps = [int(share) for share in policy["steps"]]
        if step >= len(steps):
            why = f"all {len(steps)} steps were passed"
            self._report("promote", len(steps) - 1, shares(plan.traffic, name, 100), why, measured)
        else:
            why = f"{measured['requests']} requests in {measured['seconds']:.0f} s within all limits"
            self._report("step", step, shares(plan.traffic, name, steps[step]), why, measured)

    def _report(self, action: str, step: int, traffic: dict[str, int], why: str, measured: dict[str, JSON]) -> None:
        body = {"action": action, "step": step, "traffic": traffic, "why": why, "measured": measured}
        print(f"canary: {action}, {traffic}: {why}", flush=True)
        try:
            connect().post(f"endpoints/{segment(self._endpoint)}/canary/report", body)
            self._not_before = time.monotonic() + 1.0  # until the plan says so
        except StudioError as error:
            print(f"the canary's step could not be reported: {error.message}", file=sys.stderr)
            self._not_before = time.monotonic() + RETRY_S


def measure(canary: Count, others: list[Count]) -> dict[str, JSON]:
    """What a step has shown so far."""
    requests, errors = canary.step["requests"], canary.step["errors"]
    merged: dict[int, int] = {}
    for one in others:
        for bucket, count in one.step_buckets.items():
            merged[bucket] = merged.get(bucket, 0) + count
    p95_ms = quantile_ms(list(canary.step_buckets.items()), 0.95)
    baseline_ms = quantile_ms(list(merged.items()), 0.95)
    copies = canary.step_mirror["copies"]
    drift = canary.step_drift.worst()
    return {
        "requests": requests,
        "errors": errors,
        "error_rate": errors / requests if requests else 0.0,
        "p95_ms": p95_ms,
        "baseline_p95_ms": baseline_ms,
        "baseline_requests": sum(one.step["requests"] for one in others),
        "p95_ratio": p95_ms / baseline_ms if p95_ms and baseline_ms else None,
        "copies": copies,
        "disagreement": canary.step_mirror["disagreements"] / copies if copies else None,
        "drift": None if drift is None else round(drift[0], 4),
        "drift_output": None if drift is None else drift[1],
    }


def breach(policy: Mapping[str, Any], measured: Mapping[str, Any], state: tuple[str, str]) -> str:
    """Says which limit was passed, and by how much; empty when none was."""
    if state[0] == "Failed":
        return f"the deployment has failed: {state[1]}"
    enough = min(int(policy["min_requests"]), FEW)
    if measured["requests"] >= enough and measured["error_rate"] > float(policy["max_error_rate"]):
        return (
            f"{measured['errors']} of {measured['requests']} requests failed ({measured['error_rate']:.1%}), more than"
            f" the {float(policy['max_error_rate']):.1%} that are allowed"
        )
    ratio = measured["p95_ratio"]
    many = measured["requests"] >= FEW and measured["baseline_requests"] >= FEW
    if many and ratio is not None and ratio > float(policy["max_p95_ratio"]):
        return (
            f"95 % of the requests took up to {measured['p95_ms']:.3g} ms, {ratio:.2f} times the"
            f" {measured['baseline_p95_ms']:.3g} ms of the others; {float(policy['max_p95_ratio']):g} times are allowed"
        )
    share = measured["disagreement"]
    if measured["copies"] >= enough and share is not None and share > float(policy["max_disagreement"]):
        return (
            f"{share:.1%} of {measured['copies']} answers disagree with those that were given, more than the"
            f" {float(policy['max_disagreement']):.1%} that are allowed"
        )
    return _drift(policy, measured) if measured["copies"] >= enough else ""


def _drift(policy: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """Says how far the answers have drifted, when that is more than is allowed."""
    allowed, drift = policy.get("max_drift"), measured["drift"]
    if allowed is None or drift is None or drift <= float(allowed):
        return ""
    output = measured["drift_output"] or "the answer"
    return (
        f"the answers have drifted: the population stability index of {output!r} is {drift:.3g} after"
        f" {measured['copies']} copies, more than the {float(allowed):g} that is allowed"
    )


def shares(traffic: Mapping[str, int], canary: str, percent: int) -> dict[str, int]:
    """Gives a deployment its share and the others the rest, in the proportion they have; the sum stays 100."""
    others = {name: share for name, share in traffic.items() if name != canary}
    whole, rest = sum(others.values()), 100 - percent
    if not others:
        return {canary: 100}
    weights = others if whole else {name: 1 if name == min(others) else 0 for name in others}
    whole = sum(weights.values())
    given = {name: weight * rest // whole for name, weight in weights.items()}
    order = sorted(weights, key=lambda name: (-(weights[name] * rest % whole), name))
    for name in order[: rest - sum(given.values())]:
        given[name] += 1
    return given | {canary: percent}
