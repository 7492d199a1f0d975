"""What a sweep's run executes: it asks a study for parameters, has trials done, follows them, prunes and tells.

The study is a journal on disk and trials are known by keys, so that the program may be killed at any moment: begun
again, by the run's supervisor or by a run that goes on with it, it takes up what is under way and repeats what was
lost, and the number of trials is what was asked for.
"""

from __future__ import annotations

import contextlib
import sys
import time
import uuid
from collections.abc import Mapping

import msgspec
from optuna.trial import TrialState as OptunaState

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.entities.sweeps import SweepPhase, SweepSpec, Trial, TrialState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.sweep_asked import Asked
from jupyter_mlstudio.programs.sweep_events import Begun, End, Ended, Event, NotFinite, Reported, mean
from jupyter_mlstudio.programs.sweep_live import Live, UnderWay
from jupyter_mlstudio.programs.sweep_past import past_of
from jupyter_mlstudio.programs.sweep_study import RUN, TRIES, Book
from jupyter_mlstudio.programs.sweep_tally import Tally, write_results
from jupyter_mlstudio.programs.sweep_told import Teller

LOOK_S, WAIT_S = 0.25, 0.02
INTERRUPTED = "interrupted: the sweep's program ended meanwhile"


class Sweep:
    """One sweep.

    Args:
        job: its options say what to sweep: ``sweep``, ``work_kind``, ``work`` and ``resume_from``.
    """

    def __init__(self, job: context.Job) -> None:
        options = job.spec["options"]
        self._spec = msgspec.convert(options["sweep"], SweepSpec)
        self._job = job
        self._gateway = connect()
        self._teller = Teller(self._gateway, job.run_id)
        before = options.get("resume_from")
        folder = job.run_folder.parent / str(before) / "artifacts" if before else None
        self._book = Book(job.run_folder / "artifacts", job.name, self._spec, folder)
        self._asked = Asked(self._spec, self._book, self._teller, job.run_id)
        self._tally = Tally(self._spec, self._book, self._teller)
        self._news = time.monotonic()
        self._ending = ""
        self._live = UnderWay(job, self._spec, self._book, self._gateway, self._announce)
        self._began = self._beginning()

    def run(self) -> int:
        """Has trials done until there are enough, or somebody wants no more."""
        try:
            self._take_up()
            self._steer()
            self._begin_more()
            while not self._is_over():
                self._steer()
                events = self._live.poll(WAIT_S)
                with self._book.together() if self._live.are_calls else contextlib.nullcontext():
                    for event in events:
                        self._happened(event)
                    self._begin_more()
                self._check_times()
                self._tally.tell_progress(self._asked.limits.max_total_trials)
                self._tally.tell_lead()
                self._teller.send()
            return self._finish()
        finally:
            self._live.close()

    def _beginning(self) -> float:
        """When the run's work began, by this process's clock: before it, when the program was begun again."""
        key, now = f"began:{self._job.run_id}", time.time()
        known = self._book.study.user_attrs.get(key)
        if known is None:
            self._book.study.set_user_attr(key, now)
        return time.monotonic() - max(0.0, now - float(known or now))

    def _take_up(self) -> None:
        """Tells of what was done before, and goes on with what was under way or repeats it."""
        if self._book.new:
            self._book.study.set_user_attr("uuid", self._job.run_id)
            self._warm_start()
            for point in self._spec.enqueued:
                self._book.enqueue(point)
        for lost in self._book.unrepeated():
            self._book.repeat(lost.number, self._book.told(lost).params, self._tries(lost.number))
        for found in self._book.trials():
            if found.state == OptunaState.RUNNING:
                params = self._book.follow(found)
                run_id = str(found.user_attrs.get(RUN) or uuid.uuid4().hex)
                if self._live.are_calls:
                    self._book.end(found.number, TrialState.FAIL, INTERRUPTED, retried=True)
                    self._book.repeat(found.number, params, self._tries(found.number))
                    self._teller.trial(self._book.told(self._book.frozen(found.number), run_id))
                else:
                    self._start(found.number, found._trial_id, run_id, params, again=True)
            else:
                told = self._book.told(found)
                self._teller.trial(told)
                self._count(told)
        self._teller.phase(SweepPhase.RUNNING)
        self._teller.send(now=True)
        total = self._spec.limits.max_total_trials
        print(f"{self._job.name}: {self._tally.over} of {total} trials are done", flush=True)

    def _warm_start(self) -> None:
        if self._spec.warm_start:
            known = self._book.warm_start(past_of(self._job.run_folder, self._spec.objectives))
            print(f"warm start: {len(known.trials)} past results are known", flush=True)
            for reason, count in known.left_out.items():
                print(f"warm start: {count} left out: {reason}", flush=True)

    def _is_over(self) -> bool:
        if self._live:
            return False
        if self._ending:
            return True
        if self._tally.over >= self._asked.limits.max_total_trials:
            return True
        if self._exhausted():
            self._ending = "every point of the space was tried"
            return True
        return False

    def _exhausted(self) -> bool:
        return bool(self._spec.space) and self._book.exhausted()

    def _steer(self) -> None:
        """Reads what people ask for and does it."""
        control = self._asked.look(time.monotonic() - self._news)
        if control is None:
            return
        for number in control.stopped:
            self._live.stop(number, "stopped")
        if control.stop and not self._ending:
            self._end_early("stopped")

    def _begin_more(self) -> None:
        limits = self._asked.limits
        while (
            not self._asked.control.paused
            and not self._ending
            and len(self._live) < limits.max_concurrent_trials
            and self._tally.over + len(self._live) < limits.max_total_trials
        ):
            if self._exhausted():
                return
            run_id = uuid.uuid4().hex
            number, trial_id, params = self._book.ask(run_id)
            self._start(number, trial_id, run_id, params)

    def _start(
        self, number: int, trial_id: int, run_id: str, params: Mapping[str, JSON], *, again: bool = False
    ) -> None:
        failed = self._live.start(number, trial_id, run_id, params, again=again)
        if failed is not None:
            self._happened(failed)

    def _happened(self, event: Event) -> None:
        live = self._live.get(event.number)
        if live is None:
            return
        self._news = time.monotonic()
        if isinstance(event, Begun):
            if event.run_id != live.run_id:
                self._book.set_run(event.number, event.run_id)
            live.run_id = event.run_id
            if not event.waits:
                live.began = live.began or time.monotonic()
            if not self._live.are_calls:
                self._teller.trial(self._book.told(self._book.frozen(event.number), live.run_id))
            else:
                live.tell_at = time.monotonic() + LOOK_S
        elif isinstance(event, Reported):
            if self._book.report(event.number, event.steps) and not live.reason:
                live.pruned = True
                reason = f"pruned: {self._spec.early_termination.policy} after step {event.steps[-1][0]}"
                self._live.stop(event.number, reason)
            self._teller.trial(self._book.told(self._book.frozen(event.number), live.run_id))
        else:
            self._ended(event, live)

    def _ended(self, event: Ended, live: Live) -> None:
        metrics = dict(event.metrics)
        if event.end is End.DONE:
            try:
                values = mean(event.samples or [metrics], self._spec.objectives)
                self._book.complete(event.number, values, metrics, list(event.samples))
            except NotFinite as error:
                self._book.end(event.number, TrialState.FAIL, str(error))
        elif event.end is End.PRUNED or live.pruned:
            reason = live.reason or f"pruned: {event.reason}"
            self._book.end(event.number, TrialState.PRUNED, reason)
        else:
            tries = self._tries(event.number) + (event.end is End.KILLED)
            again = event.end is End.LOST or (event.end is End.KILLED and tries <= self._asked.limits.max_retries)
            again = again and not self._ending
            self._book.end(event.number, TrialState.FAIL, event.reason, retried=again)
            if again:
                self._book.repeat(event.number, live.params, tries)
        told = self._book.told(self._book.frozen(event.number), live.run_id)
        self._teller.trial(told, metrics if self._live.are_calls and told.state is TrialState.COMPLETE else None)
        self._live.forget(event.number)
        self._count(told)
        said = f": {told.reason}" if told.reason else ""
        shown = ", ".join(f"{value:.6g}" for value in told.values if value is not None)
        state = "failed" if told.state is TrialState.FAIL else told.state.value.lower()
        print(f"trial {told.number} {state}{f' {shown}' if shown else ''}{said}", flush=True)

    def _tries(self, number: int) -> int:
        return int(self._book.frozen(number).user_attrs.get(TRIES, 0))

    def _count(self, told: Trial) -> None:
        if self._tally.count(told) and not self._ending:
            wanted = self._asked.limits.exit_score
            if wanted is not None and self._tally.has_reached(wanted):
                self._end_early(f"the score {self._tally.best:.6g} is as good as was asked for ({wanted:g})")

    def _check_times(self) -> None:
        limits, now = self._asked.limits, time.monotonic()
        if limits.timeout_s is not None and now - self._began > limits.timeout_s and not self._ending:
            self._end_early(f"over its time limit of {limits.timeout_s:g} s")
        for number in self._live.untold():
            self._announce(number, at_once=False)
        self._live.stop_late(limits.trial_timeout_s)

    def _end_early(self, why: str) -> None:
        self._ending = why
        print(f"ending: {why}", flush=True)
        self._teller.phase(SweepPhase.STOPPING)
        for number in self._live:
            self._live.stop(number, "stopped: the sweep ended")

    def _announce(self, number: int, *, at_once: bool = True) -> None:
        """Makes sure that a trial's run is there, since something wants to log to it."""
        live = self._live.get(number)
        if live is not None:
            live.tell_at = None
            self._teller.trial(self._book.told(self._book.frozen(number), live.run_id))
            self._teller.send(now=at_once)

    def _finish(self) -> int:
        told = [self._book.told(found) for found in self._book.trials()]
        complete = write_results(self._job.run_folder / "artifacts", told, self._spec.objectives)
        self._tally.tell_progress(self._asked.limits.max_total_trials, now=True)
        self._tally.tell_lead(now=True)
        self._teller.phase(SweepPhase.ENDED)
        self._teller.send(now=True)
        why = f"; {self._ending}" if self._ending else ""
        print(f"{self._tally.over} trials, {len(complete)} complete{why}", flush=True)
        failed = [one for one in told if one.state is TrialState.FAIL and not one.retried]
        if failed and not complete and not self._ending.startswith("stopped"):
            raise Invalid(f"no trial was completed; the first, trial {failed[0].number}: {failed[0].reason}")
        return 0


def run(job: context.Job) -> int:
    """Executes the sweep that the run's options describe."""
    return Sweep(job).run()


if __name__ == "__main__":
    sys.exit(context.execute(run))
