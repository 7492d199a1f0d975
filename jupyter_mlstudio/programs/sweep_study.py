"""A sweep's Optuna study: a journal among the sweep's artifacts, which Optuna and its dashboard open unchanged."""

from __future__ import annotations

import contextlib
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial

from jupyter_mlstudio.entities.sweeps import EarlyTermination, Goal, Sampling, SweepSpec, Trial, TrialState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.sweep_journal import Journal
from jupyter_mlstudio.sweeps import policies, samplers, warm
from jupyter_mlstudio.sweeps.constraints import Constraints
from jupyter_mlstudio.sweeps.honest import Result
from jupyter_mlstudio.sweeps.space import POINT, Space

JOURNAL = "study.journal"
RUN, RETRIED, REASON, SAMPLES, METRICS, PARAMS = "run_id", "retried", "reason", "samples", "metrics", "params"
"""User attributes of a trial: what the studio knows of it beside Optuna."""

RETRY_OF, TRIES = "retry_of", "tries"
"""User attributes of a trial that repeats one that was killed."""

MOST_STEPS = 1000

QUICK = frozenset(
    {"Exhaustive", "RandomSampler", "QMCSampler", "TPESampler", "CmaEsSampler", "NSGAIISampler", "NSGAIIISampler"}
)
"""Samplers that choose a point in milliseconds: the journal may be locked meanwhile."""


def open_study(config: Mapping[str, JSON], number: int = 0, known: Any = None) -> optuna.Study:
    """Opens a study for a worker, whose function asks for its parameters itself.

    With a seed each trial has a sampler of its own, seeded from the seed and its number, so that what is chosen does
    not depend on which worker does it.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampling = Sampling(**config["sampling"])
    if sampling.seed is not None:
        sampling = replace(sampling, seed=(sampling.seed * 1_000_003 + number) % 2**32)
    space = Space(dict(config["space"]))
    directions = [Goal(goal).value for goal in config["goals"]]
    sampler = samplers.make(sampling, space, len(directions))
    if sampling.seed is None:
        sampler.reseed_rng()
    if known is not None:
        known.sampler = sampler
        return known  # type: ignore[no-any-return]
    pruner = policies.make(EarlyTermination(**config["early_termination"]))
    storage = JournalStorage(Journal(Path(config["journal"])))
    return optuna.load_study(study_name=str(config["study"]), storage=storage, sampler=sampler, pruner=pruner)


class Book:
    """A study and what the studio tells of its trials.

    Args:
        folder: where the journal is.
        name: of the study.
        spec: of the sweep.
        before: the folder of the sweep that this one goes on with.
    """

    def __init__(self, folder: Path, name: str, spec: SweepSpec, before: Path | None = None) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / JOURNAL
        if before is not None and not path.exists() and (before / JOURNAL).is_file():
            temporary = path.with_suffix(".part")
            shutil.copyfile(before / JOURNAL, temporary)
            temporary.replace(path)
        # Only one program of a sweep runs at a time: a lock that is there now is of one that was killed.
        Path(f"{path}.lock").unlink(missing_ok=True)
        self.path = path
        self.spec = spec
        self._constraints = Constraints(spec.constraints)
        self._base = samplers.base(spec.sampling)
        self.space = Space(dict(spec.space), self._base)
        self._goals = [objective.goal for objective in spec.objectives]
        self._journal = Journal(path)
        storage = JournalStorage(self._journal)
        known = [one.study_name for one in storage.get_all_studies()]
        self.study = optuna.create_study(
            study_name=known[0] if known else name, storage=storage, load_if_exists=True,
            directions=[goal.value for goal in self._goals], pruner=policies.make(spec.early_termination),
            sampler=samplers.make(spec.sampling, self.space, len(self._goals)),
        )  # fmt: skip
        self.new = not known
        if self.new:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.study.set_metric_names([objective.primary_metric for objective in spec.objectives])
            self.study.set_user_attr("sweep", name)
        self._live: dict[int, optuna.Trial] = {}
        self._values: dict[int, dict[str, JSON]] = {}

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Writes what is told and asked inside in one go, where it is asked for nothing that takes long to choose."""
        sampler = getattr(self.study.sampler, "inner", self.study.sampler)
        with self._journal.together() if type(sampler).__name__ in QUICK else contextlib.nullcontext():
            yield

    @property
    def config(self) -> dict[str, JSON]:
        """What a worker needs to open the study."""
        spec = self.spec
        return {
            "journal": str(self.path), "study": self.study.study_name, "sampling": asdict(spec.sampling),
            "early_termination": asdict(spec.early_termination), "space": dict(self.space.space),
            "goals": [goal.value for goal in self._goals],
            "objectives": [objective.primary_metric for objective in spec.objectives],
        }  # fmt: skip

    def change_space(self, space: dict[str, dict[str, JSON]]) -> None:
        """Goes on with other bounds."""
        if space != self.space.space:
            self.space = Space(space, self._base)
            self.study.sampler = samplers.make(self.spec.sampling, self.space, len(self._goals))

    def warm_start(self, past: Sequence[warm.Past]) -> warm.Known:
        """Tells the sampler results that it did not ask for."""
        known = warm.known(self.space, past)
        for trial in known.trials:
            self.study.add_trial(trial)
        return known

    def enqueue(self, point: Mapping[str, JSON], **attributes: JSON) -> None:
        """Has a point tried next; parameters that it leaves out are sampled.

        Raises:
            Invalid: the point does not lie in the space.
        """
        if self.space.space:
            self.space.enqueue(self.study, point, dict(attributes))
        else:
            self.study.enqueue_trial(dict(point), user_attrs=dict(attributes))

    def repeat(self, number: int, params: Mapping[str, JSON], tries: int) -> None:
        """Has a trial's parameters tried again, also where the bounds of the space were changed since."""
        hidden = self.space.hide(params, anyhow=True) if self.space.space else dict(params)
        self.study.enqueue_trial(hidden, user_attrs={RETRY_OF: number, TRIES: tries, POINT: dict(params)})

    def unrepeated(self) -> list[FrozenTrial]:
        """Lists trials that were to be tried again and are not: the program was killed in between."""
        everything = self.study.get_trials(deepcopy=False)
        repeated = {one.user_attrs.get(RETRY_OF) for one in everything}
        return [one for one in everything if one.user_attrs.get(RETRIED) and one.number not in repeated]

    def exhausted(self) -> bool:
        """Whether every point has been tried, and none waits."""
        waiting = (optuna.trial.TrialState.WAITING,)
        return samplers.left(self.study) == 0 and not self.study.get_trials(deepcopy=False, states=waiting)

    def ask(self, run_id: str) -> tuple[int, int, dict[str, JSON]]:
        """Begins a trial; answers its number, its id in the storage, and its parameters."""
        trial = self.study.ask()
        params = self.space.suggest(trial) if self.space.space else {}
        trial.set_user_attr(RUN, run_id)
        if params and params != trial.params:  # what the study has already is not written twice
            trial.set_user_attr(PARAMS, params)
        self._live[trial.number], self._values[trial.number] = trial, params
        return trial.number, trial._trial_id, params

    def set_run(self, number: int, run_id: str) -> None:
        """Notes which run a trial is."""
        self._live[number].set_user_attr(RUN, run_id)

    def follow(self, found: FrozenTrial) -> dict[str, JSON]:
        """Takes a trial up again that was under way when the sweep's program ended; answers its parameters."""
        trial = optuna.trial.Trial(self.study, found._trial_id)
        params = dict(found.user_attrs.get(PARAMS) or {})
        if not params and self.space.space:  # it was killed while it asked
            params = self.space.suggest(trial)
            trial.set_user_attr(PARAMS, params)
        self._live[trial.number], self._values[trial.number] = trial, params
        return params

    def report(self, number: int, steps: Sequence[tuple[int, float]]) -> bool:
        """Tells reported values; answers whether the trial should end early."""
        trial = self._live[number]
        prune = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a step that was told before the program was begun again
            for step, value in steps:
                if math.isfinite(value):
                    with contextlib.suppress(ValueError):  # a negative step
                        trial.report(value, step)
                        prune = prune or (len(self._goals) == 1 and trial.should_prune())
        return prune

    def complete(self, number: int, values: list[float], metrics: Mapping[str, float], samples: list[Any]) -> str:
        """Tells values; answers which constraint does not hold, empty when all do."""
        trial = self._live.pop(number)
        reason = ""
        if self.spec.constraints:
            reason = self._constraints.tell(trial, self.params(number), metrics).reason
        if reason:
            trial.set_user_attr(REASON, reason)
        if len(samples) > 1:
            trial.set_user_attr(SAMPLES, samples)
        self.study.tell(trial, values)
        return reason

    def end(self, number: int, state: TrialState, reason: str, *, retried: bool = False) -> None:
        """Tells that a trial was pruned or failed; one that was ``retried`` is not counted."""
        trial = self._live.pop(number)
        trial.set_user_attr(REASON, reason)
        if retried:
            trial.set_user_attr(RETRIED, True)
        if state is TrialState.PRUNED:
            self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def params(self, number: int) -> dict[str, JSON]:
        """Returns a trial's parameters, also those that its function asked for itself."""
        known = self._values.get(number)
        if known:
            return known
        found = self.frozen(number)
        return dict(found.user_attrs.get(PARAMS) or (self.space.show(found.params) or found.params))

    def frozen(self, number: int) -> FrozenTrial:
        """Reads a trial as the storage has it."""
        storage, study = self.study._storage, self.study._study_id
        return storage.get_trial(storage.get_trial_id_from_study_id_trial_number(study, number))

    def trials(self) -> list[FrozenTrial]:
        """Reads the sweep's own trials: not those that it was told of at the start, nor what waits."""
        waiting = optuna.trial.TrialState.WAITING
        return [
            one
            for one in self.study.get_trials(deepcopy=False)
            if warm.FROM not in one.user_attrs and one.state != waiting
        ]

    def told(self, found: FrozenTrial, run_id: str | None = None) -> Trial:
        """Builds what the studio shows of a trial."""
        attributes = found.user_attrs
        params = self._values.get(found.number) or attributes.get(PARAMS)
        values: list[float | None] = [None] * len(self._goals)
        if found.state == optuna.trial.TrialState.COMPLETE:
            values = [float(value) for value in found.values]
        steps = sorted(one for one in found.intermediate_values.items() if math.isfinite(one[1]))
        stride = max(1, math.ceil(len(steps) / MOST_STEPS))
        if found.state == optuna.trial.TrialState.PRUNED and steps and len(self._goals) == 1:
            values = [steps[-1][1]]
        reason = str(attributes.get(REASON, ""))
        feasible = found.state != optuna.trial.TrialState.COMPLETE or not reason
        return Trial(
            number=found.number, run_id=run_id or str(attributes.get(RUN, "")), state=TrialState(found.state.name),
            params=dict(params if params is not None else self.space.show(found.params) or found.params),
            values=values, steps=steps[::stride], feasible=feasible, reason=reason,
            started_at=_time(found.datetime_start), ended_at=_time(found.datetime_complete),
            retried=bool(attributes.get(RETRIED)),
        )  # fmt: skip

    def results(self) -> list[Result]:
        """Lists complete, feasible trials with the values of their seeds, for saying how sure the best is."""
        name = self.spec.objectives[0].primary_metric
        return [
            Result(
                number=one.number, value=one.values[0], params=one.params,
                samples=[float(sample[name]) for sample in one.user_attrs.get(SAMPLES, ()) if name in sample],
            )
            for one in self.trials()
            if one.state == optuna.trial.TrialState.COMPLETE and REASON not in one.user_attrs
        ]  # fmt: skip


def _time(at: Any) -> str | None:
    return None if at is None else at.astimezone().isoformat()
