"""Sweeps as user code sees them: steer one, read what its trials found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import sweep_request
from jupyter_mlstudio.client.above import Above
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.runs import PAGE, Run, get_run
from jupyter_mlstudio.client.space import distributions
from jupyter_mlstudio.client.trials import TrialTable, trial_of
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.sweeps import Importance, Lead, Trial
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Unavailable

PAGE_TRIALS = 5000
SWEEPS = "attributes.kind = 'sweep'"


class Sweep(Above):
    """Work that is tried with many parameters; each try is a run below the sweep's own.

    Args:
        run: the sweep's own run.
    """

    _resource = "sweeps"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._trials: dict[int, Trial] = {}
        self._cursor = 0

    @property
    def phase(self) -> str:
        """``Running``, ``Paused``, ``Stopping`` or ``Ended``."""
        return str(self.data["phase"])

    @property
    def trials(self) -> TrialTable:
        """All trials, in the order of their numbers; ``trials.frame()`` is a data frame."""
        while True:
            page = self._ask().get(self._path("/trials"), {"after": str(self._cursor), "limit": str(PAGE_TRIALS)})
            for found in map(trial_of, page["trials"]):
                self._trials[found.number] = found
            self._cursor = max(self._cursor, int(page["cursor"]))
            if len(page["trials"]) < PAGE_TRIALS:
                break
        return TrialTable([self._trials[number] for number in sorted(self._trials)], self._metrics())

    @property
    def best_trial(self) -> Trial:
        """The complete trial with the best value.

        Raises:
            NotFound: no trial is complete yet.
            Conflict: there are several objectives, so none is the best; see :attr:`front`.
        """
        data = self.data
        if data["best"] is None:
            if len(data["spec"]["objectives"]) > 1:
                raise Conflict(f"{self.name} has several objectives, so no trial is the best; choose one of its front")
            raise NotFound(f"{self.name} has no complete trial with a finite value yet")
        return trial_of(data["best"])

    @property
    def best_run(self) -> Run:
        """The run of the best trial."""
        return self.trial_run(self.best_trial)

    @property
    def best_params(self) -> dict[str, JSON]:
        """The parameters of the best trial, those that all trials have included."""
        return {**self.data["spec"]["fixed"], **self.best_trial.params}

    @property
    def best_value(self) -> float:
        """The best trial's value of the objective."""
        value = self.best_trial.values[0]
        assert value is not None
        return value

    @property
    def front(self) -> list[Trial]:
        """The trials that no other one is better than in every objective."""
        numbers = set(self.data["front"])
        return [trial for trial in self.trials if trial.number in numbers]

    @property
    def lead(self) -> Lead:
        """How sure it is that the best trial is the best."""
        lead = dict(self.data["lead"])
        bounds = {name: None if lead[name] is None else float(lead[name]) for name in ("low", "high")}
        return Lead(**{**lead, **bounds})

    def trial_run(self, trial: Trial | int) -> Run:
        """The run of a trial, given itself or by its number."""
        if isinstance(trial, int):
            found = next((one for one in self.trials if one.number == trial), None)
            if found is None:
                raise NotFound(f"{self.name} has no trial {trial}")
            trial = found
        connection = self._ask()
        return Run(connection.get(f"runs/{trial.run_id}"), connection)

    def pause(self) -> Sweep:
        """Starts no more trials for the time being; those that run go on."""
        return self._change(paused=True)

    def resume(self, **limits: object) -> Sweep:
        """Goes on after a pause; one that is over is gone on with as a new run, which is returned.

        Args:
            limits: what is to be different, as in :meth:`set`; e.g. ``trials=80``.
        """
        if self.run.ended:
            body = {"limits": sweep_request.limits_of(limits)}
            return Sweep(Run(self._ask().post(self._path("/resume"), body), self.run._connection))
        return self._change(paused=False, limits=sweep_request.limits_of(limits))

    def stop(self) -> Sweep:
        """Ends it with its live trials; what is complete is kept."""
        return self._change(stop=True)

    def stop_trial(self, number: int) -> Sweep:
        """Ends one trial; the sweep goes on."""
        self._ask().post(self._path(f"/trials/{int(number)}/stop"))
        return self

    def enqueue(self, params: Mapping[str, object] | None = None, /, **more: object) -> Sweep:
        """Has a point tried before any other; parameters that are left out are chosen as ever."""
        point = sweep_request.point_of({**(params or {}), **more})
        self._ask().post(self._path("/points"), {"params": point})
        return self

    def set(
        self,
        *,
        trials: int | None = None,
        parallel: int | None = None,
        timeout: float | str | None = None,
        trial_timeout: float | str | None = None,
        exit_score: float | None = None,
        retries: int | None = None,
        space: Mapping[str, object] | None = None,
    ) -> Sweep:
        """Changes limits, or the bounds of parameters, while it runs; what is None stays."""
        given = {
            "trials": trials, "parallel": parallel, "timeout": timeout, "trial_timeout": trial_timeout,
            "exit_score": exit_score, "retries": retries,
        }  # fmt: skip
        limits = sweep_request.limits_of({name: value for name, value in given.items() if value is not None})
        if not limits and not space:
            raise Invalid("nothing to change: give for example trials=80, parallel=4 or space={'lr': 'uniform(0,1)'}")
        return self._change(limits=limits, space=distributions(space))

    def study(self) -> Any:
        """Opens the sweep's Optuna study: its own journal, which lies among its artifacts."""
        try:
            import optuna
            from optuna.storages import JournalStorage
            from optuna.storages.journal import JournalFileBackend
        except ImportError:
            raise Unavailable("optuna is not installed in this Python: %pip install optuna") from None
        file = self.run.folder / "artifacts" / "study.journal"
        if not file.is_file():
            raise NotFound(f"{self.name} has no study yet; its first trial makes it")
        storage = JournalStorage(JournalFileBackend(str(file)))
        names = optuna.study.get_all_study_names(storage)
        if not names:
            raise NotFound(f"{self.name} has no study yet; its first trial makes it")
        return optuna.load_study(study_name=names[0], storage=storage)

    def importance(self, evaluator: str = "fanova", objective: int = 0) -> dict[str, float]:
        """How much each parameter had to do with the values, the most important first; sums to 1.

        Args:
            evaluator: ``fanova`` or ``ped_anova``.
            objective: which one, from 0.
        """
        query = {"evaluator": evaluator, "objective": str(int(objective))}
        found = Importance(**self._ask().get(self._path("/importance"), query))
        return dict(sorted(found.params.items(), key=lambda one: -one[1]))

    def register(self, name: str, trial: Trial | int | None = None, **options: Any) -> Any:
        """Registers the model that a trial logged, the best one's by default; see :meth:`Run.register`."""
        return self.trial_run(self.best_trial if trial is None else trial).register(name, **options)

    def notebook(self, trial: int | None = None) -> Path:
        """Writes a notebook with the work and a trial's parameters, the best one's by default; answers its path."""
        answer = self._ask().post(self._path("/notebook"), {"trial": trial})
        return self.run.workspace / str(answer["path"])

    def _change(self, **change: JSON) -> Sweep:
        self._ask().patch(self._path(), change)
        return self

    def _metrics(self) -> list[str]:
        if not hasattr(self, "_named"):
            self._named = [str(one["primary_metric"]) for one in self.data["spec"]["objectives"]]
        return self._named


def get_sweep(sweep_id: str) -> Sweep:
    """Returns a sweep by the id of its run, a unique beginning of it, or its name (the newest of that name)."""
    run = get_run(sweep_id)
    if run.kind != RunKind.SWEEP:
        raise NotFound(f"the run {run.name} is no sweep, it is a {run.kind}")
    return Sweep(run)


def list_sweeps(max_results: int = 100) -> list[Sweep]:
    """Lists sweeps, live ones first and then the newest."""
    connection = connect()
    query = {"filter": SWEEPS, "max_results": min(max_results, PAGE)}
    found: list[Sweep] = []
    for item in connection.pages("runs", query):
        found.append(Sweep(Run(item, connection)))
        if len(found) >= max_results:
            break
    return found
