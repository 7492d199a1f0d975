"""The journal of a study: what is written in one go, and what others see of it."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from jupyter_mlstudio.programs.sweep_journal import Journal


def _plain(path: Path) -> optuna.Study:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))


def _study(path: Path) -> tuple[Journal, optuna.Study]:
    journal = Journal(path)
    sampler = optuna.samplers.RandomSampler(seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return journal, optuna.create_study(study_name="s", storage=JournalStorage(journal), sampler=sampler)


def test_what_is_written_together_is_what_optuna_reads(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal, study = _study(path)
    with journal.together():
        for _ in range(3):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("x", 0, 1))
    assert not (tmp_path / "study.journal.lock").exists()
    assert [one.params for one in _plain(path).trials] == [one.params for one in study.trials]
    assert len(study.trials) == 3


def test_a_failure_in_between_gives_the_journal_back(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal, study = _study(path)
    trial = study.ask()
    with pytest.raises(ValueError, match="not been created"), journal.together():
        study.tell(trial.number + 1, 1.0)
    _plain(path).enqueue_trial({"x": 0.5})
    assert [one.state.name for one in study.get_trials()] == ["RUNNING", "WAITING"]


def test_others_who_write_meanwhile_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal, study = _study(path)

    def enqueue() -> None:
        other = _plain(path)
        for number in range(20):
            other.enqueue_trial({"x": number / 100})

    meanwhile = threading.Thread(target=enqueue)
    meanwhile.start()
    done = 0
    while meanwhile.is_alive() or done < 30:
        with journal.together():
            for _ in range(3):
                trial = study.ask()
                study.tell(trial, trial.suggest_float("x", 0, 1))
                done += 1
        meanwhile.join(0.02)  # the lock is nobody's for a moment, as between real trials
    seen = _plain(path).get_trials()
    asked_for = [one.system_attrs["fixed_params"]["x"] for one in seen if "fixed_params" in one.system_attrs]
    assert sorted(asked_for) == [number / 100 for number in range(20)]
    assert len(seen) >= done
    assert sum(one.state.name == "COMPLETE" for one in seen) == done
