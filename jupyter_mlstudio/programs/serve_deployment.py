"""A deployment: the generation of workers that serves it, the one that is to take over, and how many there are."""

from __future__ import annotations

from collections.abc import Callable

from jupyter_mlstudio.programs.serve_generation import Generation
from jupyter_mlstudio.programs.serve_plan import ONNX, Planned
from jupyter_mlstudio.programs.serve_worker import Worker

STARTING, READY, IDLE, FAILED = "Starting", "Ready", "Idle", "Failed"
STRAINED_SAMPLES = 2
"""So many seconds in a row it must be too much before there is one worker more."""

MARGIN = 0.8
"""One worker less must leave the others at so much of the target at most."""


class Deployment:
    """A deployment of the endpoint, whatever becomes of its workers.

    Args:
        begin: makes a generation of so many workers.
    """

    def __init__(self, planned: Planned, begin: Callable[[Planned, int], Generation], now: float) -> None:
        self.planned = planned
        self._begin = begin
        self.current = begin(planned, max(1, planned.scale.min_instances))
        self.next: Generation | None = None
        self._parting: list[Generation] = []
        self._refused = ""
        self._note = ""
        self.applied = 0
        """The last change of the plan by which all of its workers go."""
        self._active_at = self._roomy_since = now
        self._strained = 0

    def plan(self, planned: Planned) -> None:
        """Goes by a new plan: new workers take over where what they serve has changed, and only when they are ready."""
        self.planned = planned
        if planned.identity == self.current.planned.identity:
            self._drop_next()
            self.current.planned = planned
            self._note = self._refused = ""
        elif self.next is not None and planned.identity == self.next.planned.identity:
            self.next.planned = planned
        elif planned.identity != self._refused:
            self._drop_next()
            self._note = self._refused = ""
            self.next = self._begin(planned, max(1, planned.scale.min_instances, self.current.wanted))

    def settled(self, etag: int) -> None:
        """Takes note of a plan that needs no new workers, or whose workers have taken over."""
        if self.next is None and self.planned.identity == self.current.planned.identity:
            self.applied = etag

    def generations(self) -> list[Generation]:
        """All that have workers."""
        return [one for one in (self.current, self.next, *self._parting) if one is not None]

    def workers(self) -> list[Worker]:
        """All its processes, those that leave included."""
        return [worker for one in self.generations() for worker in (*one.workers, *one.leaving)]

    def ready(self, now: float) -> list[Worker]:
        """The workers that serve it now."""
        return self.current.ready(now)

    def state(self, now: float) -> tuple[str, str]:
        """What it does now, and why."""
        if self.current.failed:
            if self.next is not None:
                return STARTING, ""
            return FAILED, self._note or self.current.failed
        if self.ready(now):
            return READY, self._note
        if self.current.wanted == 0:
            return IDLE, self._note
        if self.current.silent(now):
            return STARTING, "the scoring process does not answer"
        return STARTING, self.current.reason

    def mind(self, now: float) -> None:
        """Looks after its workers; hands over to new ones when these are ready."""
        self.current.mind(now)
        if self.next is not None:
            self.next.mind(now)
            if self.next.failed:
                self._keep_current(self.next)
            elif len(self.next.ready(now)) >= self.next.wanted:
                self._hand_over(now)
        for one in self._parting:
            one.mind(now)
        self._parting = [one for one in self._parting if one.leaving]

    def wake(self, now: float) -> None:
        """Makes sure that there is a worker, since a request needs one."""
        self._active_at = now
        if not self.current.failed:
            self.current.wanted = max(self.current.wanted, 1)

    def leave(self, now: float) -> None:
        """Lets all its workers go, without failing a request."""
        self._drop_next()
        self.current.leave(now)

    def scale(self, requests: int, now: float) -> None:
        """Decides once a second how many workers there shall be, by what those that are there have to do."""
        scale, current = self.planned.scale, self.current
        queue, load = self.queue(), self._utilization()
        if requests or queue:
            self._active_at = now
        if current.failed or current.config is None:
            return
        most = max(scale.max_instances, scale.min_instances, 1)
        self._strained = self._strained + 1 if queue or load > scale.target_utilization_percentage else 0
        if self._strained:
            self._roomy_since = now
        if current.wanted < scale.min_instances or current.wanted > most:
            current.wanted = min(max(current.wanted, scale.min_instances), most)
        elif self._strained >= STRAINED_SAMPLES and len(self.ready(now)) == current.wanted < most:
            current.wanted += 1
            self._strained = 0
        elif current.wanted > max(scale.min_instances, 1) and self._has_room_for_less(load, now):
            current.wanted -= 1
            self._roomy_since = now
        elif not scale.min_instances and current.wanted and now - self._active_at > scale.idle_s and self.ready(now):
            current.wanted = 0

    def queue(self) -> int:
        """Requests that wait in its workers."""
        return sum(int(one.stats.get("queue", 0)) for one in self.current.workers)

    @property
    def receives(self) -> bool:
        """Whether its workers may receive requests from outside: not those that execute what somebody else wrote."""
        return self.planned.kind == ONNX

    def _utilization(self) -> float:
        """Percent of a second that its workers compute, on average."""
        threads = max(int(self.planned.limits.get("threads", 1)), 1)
        used = [float(one.stats.get("used_s", 0.0)) / threads for one in self.current.workers if one.ready]
        return 100 * sum(used) / len(used) if used else 0.0

    def _has_room_for_less(self, load: float, now: float) -> bool:
        wanted = self.current.wanted
        if load * wanted / (wanted - 1) > MARGIN * self.planned.scale.target_utilization_percentage:
            self._roomy_since = now
        return now - self._roomy_since > self.planned.scale.idle_s

    def _hand_over(self, now: float) -> None:
        assert self.next is not None
        self._parting.append(self.current)
        self.current.leave(now)
        self.current, self.next = self.next, None
        self._active_at = now
        self._note = ""

    def _keep_current(self, failed: Generation) -> None:
        """A version that cannot be served takes nothing away from the one that is."""
        self._refused = failed.planned.identity
        version = f"version {failed.planned.version} of {failed.planned.model}"
        self._note = f"{version} is not served: {failed.failed}"
        self._parting.append(failed)
        self.next = None

    def _drop_next(self) -> None:
        if self.next is not None:
            self.next.stop()
            self.next = None
