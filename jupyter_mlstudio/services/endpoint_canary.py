"""Canary releases as the studio keeps them: how one begins, goes on and ends. The endpoint's processes decide when."""

from __future__ import annotations

from dataclasses import replace

from jupyter_mlstudio.entities.deployments import Canary, CanaryEvent, CanaryPolicy, CanaryState
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict

JOURNAL_LIMIT = 200
_ENDS = {"promote": CanaryState.PROMOTED, "rollback": CanaryState.ROLLED_BACK, "stop": CanaryState.STOPPED}


def begun(
    known: Canary | None, deployment: str, policy: CanaryPolicy, shares: dict[str, int]
) -> tuple[Canary, dict[str, int]]:
    """Begins a release; answers it and the traffic of its first step.

    Raises:
        Conflict: there is one already, or nobody to take traffic from.
    """
    refuse_running(known, "a second canary release")
    others = {name: share for name, share in shares.items() if name != deployment and share}
    if not others:
        raise Conflict(f"no other deployment than {deployment!r} gets traffic: there is nothing to compare it with")
    before = {name: share for name, share in shares.items() if share}
    traffic = shifted(others, deployment, policy.steps[0])
    canary = Canary(
        deployment=deployment, policy=policy, state=CanaryState.RUNNING, step=0, started_at=utc_now(), before=before
    )
    return replace(canary, journal=noted(canary, "start", traffic, "it was started", {})), traffic


def running(canary: Canary | None, endpoint: str) -> Canary:
    """The release that is under way.

    Raises:
        Conflict: there is none.
    """
    if canary is None or canary.state is not CanaryState.RUNNING:
        raise Conflict(f"endpoint {endpoint} has no canary release under way")
    return canary


def refuse_running(canary: Canary | None, what: str) -> None:
    """Refuses a change that would get in a release's way."""
    if canary is not None and canary.state is CanaryState.RUNNING:
        raise Conflict(f"a canary release of {canary.deployment!r} is under way: stop it before you change {what}")


def ended(canary: Canary, action: str, traffic: dict[str, int], why: str, measured: dict[str, JSON]) -> Canary:
    """A release that is over."""
    return replace(canary, state=_ENDS[action], journal=noted(canary, action, traffic, why, measured))


def noted(
    canary: Canary, action: str, traffic: dict[str, int], why: str, measured: dict[str, JSON]
) -> list[CanaryEvent]:
    """The journal with one more entry."""
    event = CanaryEvent(at=utc_now(), action=action, traffic=traffic, why=why[:1000], measured=measured)
    return [*canary.journal, event][-JOURNAL_LIMIT:]


def copies(canary: Canary) -> int:
    """Of how many requests in a hundred the deployment gets copies."""
    return canary.policy.mirror if canary.state is CanaryState.RUNNING else 0


def shifted(others: dict[str, int], deployment: str, percent: int) -> dict[str, int]:
    """Gives a deployment its share and the others the rest, in the proportion they have; the sum is 100."""
    whole, rest = sum(others.values()), 100 - percent
    given = {name: share * rest // whole for name, share in others.items()}
    order = sorted(others, key=lambda name: (-(others[name] * rest % whole), name))
    for name in order[: rest - sum(given.values())]:
        given[name] += 1
    return {name: share for name, share in {**given, deployment: percent}.items() if share}
