"""What a serve run executes: it keeps the endpoint's socket, and the processes behind it as the plan says.

The socket stays open while processes are replaced, so that callers wait instead of being refused. A process begins to
load its libraries before the model version is ready, so that both take their time at once.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import select
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, StudioError
from jupyter_mlstudio.programs import context, serve_plan
from jupyter_mlstudio.programs.serve_canary import CHANGING, Canary
from jupyter_mlstudio.programs.serve_counts import Counts
from jupyter_mlstudio.programs.serve_deployment import IDLE, Deployment
from jupyter_mlstudio.programs.serve_generation import Generation
from jupyter_mlstudio.programs.serve_plan import Plan, PlanFile, Planned
from jupyter_mlstudio.programs.serve_port import LOOPBACK, folder_of_sockets, listen, url_of
from jupyter_mlstudio.programs.serve_routes import RouteTable
from jupyter_mlstudio.programs.serve_tags import Tags
from jupyter_mlstudio.programs.serve_versions import config_of
from jupyter_mlstudio.programs.serve_worker import Message, Worker, end_all

TICK_S = 0.1
"""So often at least it looks after everything; and reads the plan again when that was changed."""

SECOND_S = 1.0
PORCH = Planned(name="", kind="bare", model="", version=0, onnx="")
"""Receives requests where nothing else may: before deployments that execute what somebody else wrote."""


class Server:
    """The endpoint's parent process."""

    def __init__(self, options: dict[str, JSON]) -> None:
        self._options = options
        self._parent = os.getppid()
        self._listening = listen(options.get("port"), str(options.get("host") or LOOPBACK))
        self._folder = Path(options["keys_file"]).parent
        self._sockets = folder_of_sockets(self._folder)
        self._numbers = itertools.count(1)
        self._events: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self._deployments: dict[str, Deployment] = {}
        self._porch: Deployment | None = None
        self._gone: list[Deployment] = []
        self._plan_file = PlanFile(Path(options["plan"])) if options.get("plan") else None
        self._plan = serve_plan.of_options(options) if self._plan_file is None else self._read_plan()
        self._counts = Counts(int(options.get("requests", 0)), int(options.get("errors", 0)))
        self._answered: dict[str, int] = {}
        self._canary = Canary(self._plan.endpoint)
        self._tags = Tags(url_of(self._listening))
        self._is_watched = False
        self._second = time.monotonic()

    def run(self) -> int:
        """Serves until the run is stopped."""
        try:
            self._go_by(self._plan)
            while os.getppid() == self._parent:
                self._hear()
                self._mind()
            return 1
        finally:
            end_all([worker for one in (*self._all(), *self._gone) for worker in one.workers()])
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _read_plan(self) -> Plan:
        assert self._plan_file is not None
        plan = self._plan_file.changed()
        if plan is None:
            raise Conflict("the endpoint's plan cannot be read: restart the endpoint, which writes it anew")
        return plan

    def _go_by(self, plan: Plan) -> None:
        """Makes deployments what the plan says."""
        self._plan = plan
        self._counts.plan(plan)
        now = time.monotonic()
        for name, planned in plan.deployments.items():
            if name in self._deployments:
                self._deployments[name].plan(planned)
            else:
                self._deployments[name] = Deployment(planned, self._begin, now)
        for name in [name for name in self._deployments if name not in plan.deployments]:
            gone = self._deployments.pop(name)
            gone.leave(now)
            self._gone.append(gone)
            self._tags.forget(name)

    def _all(self) -> list[Deployment]:
        return [*self._deployments.values(), *([self._porch] if self._porch is not None else [])]

    # What is heard

    def _hear(self) -> None:
        """Takes note of what was said; waits for it a little."""
        with contextlib.suppress(queue.Empty):
            event = self._events.get(timeout=TICK_S)
            while True:
                self._take(event)
                event = self._events.get_nowait()

    def _take(self, event: tuple[Any, ...]) -> None:
        now = time.monotonic()
        match event:
            case ("said", Worker() as worker, None):
                worker.owner.lost(worker, now)
            case ("said", Worker() as worker, message):
                self._said(worker, message, now)
            case ("found", Generation() as generation, StudioError() as error):
                generation.fail(error.message)
            case ("found", Generation() as generation, config):
                generation.found(config)
            case ("knock",):
                self._is_watched = False
                self._knocked(now)

    def _said(self, worker: Worker, message: dict[str, JSON], now: float) -> None:
        generation: Generation = worker.owner
        generation.heard(worker, message, now)
        if "stats" in message:
            name = generation.planned.name
            self._answered[name] = self._answered.get(name, 0) + self._counts.heard(worker, name)
        elif (wanted := self._deployments.get(str(message.get("want")))) is not None:
            wanted.wake(now)
        if "ready" in message:
            self._rebalance(worker, now)

    def _rebalance(self, new: Worker, now: float) -> None:
        """Has the other workers of a deployment give some of their connections to a new one."""
        others = [one for one in new.owner.ready(now) if one is not new]
        for one in others:
            one.tell({"shed": 1 / (len(others) + 1)})

    def _knocked(self, now: float) -> None:
        """Somebody waits at the socket and all deployments sleep: the one that gets most is woken."""
        sleeping = [one for one in self._deployments.values() if one.state(now)[0] == IDLE]
        if sleeping:
            max(sleeping, key=lambda one: self._plan.traffic.get(one.planned.name, 0)).wake(now)

    # What is done

    def _mind(self) -> None:
        now = time.monotonic()
        if self._plan_file is not None and (plan := self._plan_file.changed()) is not None:
            self._go_by(plan)
        self._mind_porch(now)
        for deployment in (*self._all(), *self._gone):
            deployment.mind(now)
        self._gone = [one for one in self._gone if one.workers()]
        self._route(now)
        if now - self._second >= SECOND_S:
            self._second = now
            self._each_second(now)
        self._tags.tell_of(self._plan, self._deployments, self._counts.used(), now)
        if not self._is_watched and not any(one.current.wanted for one in self._all()) and self._deployments:
            self._watch()

    def _each_second(self, now: float) -> None:
        queues = {}
        for name, deployment in self._deployments.items():
            deployment.scale(self._answered.pop(name, 0), now)
            queues[name] = deployment.queue()
        self._counts.log(queues)
        workers = [worker for one in self._all() for worker in one.workers()]
        if len(workers) > 1:
            board = self._counts.board()
            for worker in workers:
                if worker.ready:
                    worker.tell({"board": board})
        states = {name: (CHANGING, "") if one.next else one.state(now) for name, one in self._deployments.items()}
        self._canary.judge(self._plan, self._counts, states)

    def _mind_porch(self, now: float) -> None:
        """Has a process that only receives requests where no other one may, or can."""
        receiving = any(one.receives and one.current.wanted and not one.current.failed for one in self._all_but_porch())
        others = any(not one.receives for one in self._deployments.values())
        if others and not receiving and self._porch is None:
            self._porch = Deployment(PORCH, self._begin, now)
        elif self._porch is not None and not others:
            self._porch.leave(now)
            self._gone.append(self._porch)
            self._porch = None

    def _all_but_porch(self) -> list[Deployment]:
        return list(self._deployments.values())

    # Processes

    def _begin(self, planned: Planned, count: int) -> Generation:
        generation = Generation(planned, self._spawn, self._configure, count)
        if planned is PORCH:
            generation.config = {
                "model": "", "version": "", "onnx": "", "sha256": "", "kind": PORCH.kind, "deployment": ""
            }  # fmt: skip
        else:
            threading.Thread(target=self._look_up, args=(generation,), daemon=True).start()
        generation.mind(time.monotonic())
        return generation

    def _look_up(self, generation: Generation) -> None:
        try:
            self._events.put(("found", generation, config_of(generation.planned, lambda: bool(generation.failed))))
        except StudioError as error:
            self._events.put(("found", generation, error))

    def _spawn(self, generation: Generation) -> Worker:
        path = self._sockets / str(next(self._numbers))
        worker = Worker(generation.planned.kind, self._listening, path, self._heard)
        worker.owner = generation
        return worker

    def _heard(self, worker: Worker, message: Message) -> None:
        self._events.put(("said", worker, message))

    def _configure(self, generation: Generation, worker: Worker) -> None:
        """Tells a worker what to serve; the first one receives requests as soon as it can."""
        now = time.monotonic()
        table = self._table()
        fronts = table.fronts(now)
        front = generation in [one.owner for one in fronts] or (not fronts and table.comes_first(generation))
        requests, errors = self._counts.totals() if self._is_only(generation) else (0, 0)
        assert generation.config is not None
        worker.configure(generation.config | {
            "endpoint": self._plan.endpoint, "keys_file": self._options["keys_file"], "socket": str(worker.path),
            "mirror_folder": str(self._folder / "mirror"), "collected_folder": str(self._folder / "collected"),
            "requests": requests, "errors": errors, "hosts": self._hosts(),
            "routes": table.told(now, front, max(len(fronts), 1)),
        })  # fmt: skip

    def _hosts(self) -> list[str]:
        """Names that a caller may reach it by, besides those of this machine."""
        return [*(self._options.get("allowed_hosts") or ()), str(self._listening.getsockname()[0])]

    def _is_only(self, generation: Generation) -> bool:
        """Whether its one worker is all that there is, so that it can show the endpoint's counts itself."""
        return len(self._deployments) == 1 and generation.planned.scale.max_instances <= 1

    def _route(self, now: float) -> None:
        """Tells every process the routes that have changed for it."""
        table = self._table()
        fronts = table.fronts(now)
        for deployment in (*self._all(), *self._gone):
            for generation in deployment.generations():
                for worker in (*generation.workers, *generation.leaving):
                    if worker.ready and (fronts or worker in generation.leaving):
                        worker.route(table.told(now, worker in fronts, max(len(fronts), 1)))

    def _table(self) -> RouteTable:
        return RouteTable(self._plan, self._deployments, self._porch)

    def _watch(self) -> None:
        """Waits for somebody at the socket, without receiving anybody."""
        self._is_watched = True

        def wait() -> None:
            select.select([self._listening], [], [])
            self._events.put(("knock",))

        threading.Thread(target=wait, daemon=True).start()


def run(job: context.Job) -> int:
    """Serves the endpoint that the run's options name."""
    return Server(dict(job.spec.get("options") or {})).run()


if __name__ == "__main__":
    context.leave(context.execute(run, record=False))
