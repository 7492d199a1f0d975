"""Early termination, decision by decision, against tables that were worked out by hand.

The semantics are Azure Machine Learning's, "Hyperparameter tuning a model (v2)", section "Early termination": a value
that is reported is an interval; the policy is applied at multiples of ``evaluation_interval`` that are not below
``delay_evaluation``; all trials at the same interval are compared.
"""

from __future__ import annotations

import math

import optuna
import pytest

from jupyter_mlstudio.entities.sweeps import EarlyTermination, Sampling
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.sweeps import policies, samplers
from tests.sweeps.test_space import space_of

Report = tuple[int, float, bool]
"""A trial reports a value; whether it is to end now."""


def decisions(policy: EarlyTermination, reports: list[Report], goal: str = "maximize") -> list[tuple[int, float, bool]]:
    """Reports values in this order; a trial that is to end is told as pruned, and one before the next of a higher
    number begins runs on."""
    study = optuna.create_study(
        direction="maximize" if goal == "maximize" else "minimize", pruner=policies.make(policy)
    )
    trials: dict[int, optuna.Trial] = {}
    steps: dict[int, int] = {}
    found = []
    for number, value, _ends in reports:
        if number not in trials:
            trials[number] = study.ask()
            assert trials[number].number == number
        steps[number] = steps.get(number, 0) + 1
        trials[number].report(value, steps[number])
        ends = trials[number].should_prune()
        found.append((number, value, ends))
        if ends:
            study.tell(trials[number], state=optuna.trial.TrialState.PRUNED)
    return found


def mirrored(reports: list[Report]) -> list[Report]:
    return [(number, -value, ends) for number, value, ends in reports]


BANDIT_FACTOR: list[Report] = [
    (0, 0.50, False),
    (0, 0.80, False),  # interval 2: alone, and the best
    (0, 0.70, False),
    (0, 0.90, False),
    (1, 0.10, False),  # interval 1 is none of the multiples of 2
    (1, 0.66, True),  # interval 2: the best is 0.80, 0.80 / 1.2 = 0.667 > 0.66
    (2, 0.67, False),
    (2, 0.50, False),  # its best is 0.67, not its last value
    (2, 0.10, False),
    (2, 0.74, True),  # interval 4: the best is 0.90, 0.90 / 1.2 = 0.75 > 0.74
    (3, 0.90, False),
    (3, 0.10, False),  # interval 2: its best, 0.90, is the best now
    (4, 0.74, False),
    (4, 0.74, True),  # interval 2: 0.90 / 1.2 = 0.75
    (5, 0.75, False),
    (5, 0.10, False),  # exactly the limit is within the slack
]


def test_a_bandit_with_a_factor_ends_what_is_not_within_the_ratio_of_the_best() -> None:
    policy = EarlyTermination(policy="bandit", slack_factor=0.2, evaluation_interval=2)
    assert decisions(policy, BANDIT_FACTOR) == BANDIT_FACTOR


def test_a_bandit_to_be_minimized_multiplies_with_the_factor() -> None:
    table: list[Report] = [(0, 0.80, False), (1, 0.96, False), (2, 0.961, True), (3, 0.5, False), (4, 0.61, True)]
    policy = EarlyTermination(policy="bandit", slack_factor=0.2)
    assert decisions(policy, table, "minimize") == table


def test_a_factor_keeps_its_slack_on_the_worse_side_of_a_negative_metric() -> None:
    table: list[Report] = [(0, -0.80, False), (1, -0.95, False), (2, -0.97, True)]
    policy = EarlyTermination(policy="bandit", slack_factor=0.2)
    assert decisions(policy, table) == table
    assert decisions(policy, mirrored(table), "minimize") == mirrored(table)


BANDIT_AMOUNT: list[Report] = [
    (0, 0.2, False),
    (1, 0.9, False),
    (0, 0.2, False),
    (1, 0.9, False),
    (0, 0.2, False),
    (0, 0.2, False),
    (0, 0.8, False),  # interval 5 is not below the delay, but no multiple of 2
    (0, 0.8, False),  # interval 6: trial 1 has not reached it
    (1, 0.5, False),
    (1, 0.5, False),
    (1, 0.5, False),
    (1, 0.5, False),  # interval 6: its best is 0.9
    (2, 0.1, False),
    (2, 0.1, False),
    (2, 0.1, False),
    (2, 0.1, False),
    (2, 0.1, False),
    (2, 0.69, True),  # interval 6: 0.9 - 0.2 = 0.7 > 0.69
    (0, 0.1, False),
    (0, 0.1, False),  # interval 8: alone again
]


def test_a_bandit_with_an_amount_waits_for_the_first_multiple_after_its_delay() -> None:
    policy = EarlyTermination(policy="bandit", slack_amount=0.2, evaluation_interval=2, delay_evaluation=5)
    assert decisions(policy, BANDIT_AMOUNT) == BANDIT_AMOUNT
    assert decisions(policy, mirrored(BANDIT_AMOUNT), "minimize") == mirrored(BANDIT_AMOUNT)


MEDIAN: list[Report] = [
    (0, 1.0, False),
    (0, 2.0, False),  # averages of trial 0: 1, 1.5, 2
    (0, 3.0, False),
    (1, 3.0, False),
    (1, 1.0, False),  # interval 2: best 3, averages 1.5 and 2
    (1, 2.0, False),
    (2, 1.0, False),  # interval 1 is before the delay
    (2, 1.0, True),  # interval 2: best 1, the median of 1.5, 2 and 1 is 1.5
    (3, 0.0, False),
    (3, 1.5, False),  # interval 2: best 1.5, the median of 1.5, 2, 1 and 0.75 is 1.25
    (3, 0.0, True),  # interval 3: best 1.5, the median of 2, 2 and 0.5 is 2: trial 2 never came so far
    (4, 2.0, False),
    (4, 0.0, False),  # interval 2: best 2, the median of 1.5, 2, 1, 0.75 and 1 is 1
    (4, 0.0, False),  # interval 3: best 2, the median of 2, 2, 0.5 and 0.67 is 1.33
]


def test_median_stopping_compares_the_best_so_far_with_the_median_of_running_averages() -> None:
    policy = EarlyTermination(policy="median_stopping", delay_evaluation=2)
    assert decisions(policy, MEDIAN) == MEDIAN
    assert decisions(policy, mirrored(MEDIAN), "minimize") == mirrored(MEDIAN)


TRUNCATION: list[Report] = [
    (0, 0.50, False),  # floor(1 * 0.4) = 0 end
    (1, 0.40, False),  # floor(2 * 0.4) = 0
    (2, 0.45, False),  # floor(3 * 0.4) = 1: that would be 0.40
    (3, 0.30, True),  # floor(4 * 0.4) = 1: it is the lowest
    (4, 0.35, True),  # floor(5 * 0.4) = 2: 0.30 and it
    (5, 0.40, False),  # floor(6 * 0.4) = 2: 0.30 and 0.35
    (0, 0.10, False),  # interval 2: the first there
    (1, 0.90, False),
    (2, 0.05, True),  # floor(3 * 0.4) = 1: the lowest value at the interval counts, not the best so far
]


def test_truncation_ends_the_lowest_share_at_the_same_interval() -> None:
    policy = EarlyTermination(policy="truncation_selection", truncation_percentage=40)
    assert decisions(policy, TRUNCATION) == TRUNCATION
    assert decisions(policy, mirrored(TRUNCATION), "minimize") == mirrored(TRUNCATION)


def test_truncation_may_leave_out_trials_that_are_over() -> None:
    table: list[Report] = [
        (0, 0.5, False),
        (1, 0.4, True),  # floor(2 * 0.5) = 1
        (2, 0.45, True),  # only trial 0 runs: floor(2 * 0.5) = 1
        (3, 0.6, False),
    ]
    left_out = EarlyTermination(
        policy="truncation_selection", truncation_percentage=50, options={"exclude_finished_jobs": True}
    )
    assert decisions(left_out, table) == table
    counted = EarlyTermination(policy="truncation_selection", truncation_percentage=50)
    assert decisions(counted, table)[2] == (2, 0.45, False), "0.4 is counted: floor(3 * 0.5) = 1"


def test_equal_trials_are_not_truncated() -> None:
    table: list[Report] = [(number, 0.5, False) for number in range(10)]
    assert decisions(EarlyTermination(policy="truncation_selection", truncation_percentage=50), table) == table


@pytest.mark.parametrize(
    "policy",
    [
        EarlyTermination(policy="bandit", slack_factor=0.1),
        EarlyTermination(policy="bandit", slack_amount=0.0),
        EarlyTermination(policy="median_stopping"),
        EarlyTermination(policy="truncation_selection", truncation_percentage=50),
    ],
)
def test_what_is_no_number_is_worse_than_any_number(policy: EarlyTermination) -> None:
    found = decisions(policy, [(0, 0.5, False), (1, 0.6, False), (2, math.nan, True), (3, 0.6, False)])
    assert [ends for _number, _value, ends in found] == [False, False, True, False]


@pytest.mark.parametrize("sampler", ["random", "sobol", "grid", "tpe", "bayesian", "cmaes", "nsgaii"])
@pytest.mark.parametrize("policy", ["bandit", "median_stopping", "truncation_selection", "hyperband"])
def test_a_policy_works_with_every_sampler(sampler: str, policy: str) -> None:
    space = space_of(x="int(0,30)", y="quniform(0,1,0.1)")
    fields = {"bandit": {"slack_factor": 0.1}, "truncation_selection": {"truncation_percentage": 30}}.get(policy, {})
    study = optuna.create_study(
        direction="maximize",
        sampler=samplers.make(Sampling(algorithm=sampler, seed=2), space),
        pruner=policies.make(EarlyTermination(policy=policy, evaluation_interval=2, **fields)),  # type: ignore[arg-type]
    )

    def objective(trial: optuna.Trial) -> float:
        params = space.suggest(trial)
        value = 0.0
        for step in range(1, 9):
            value = 3 - abs(params["x"] - 20) / 30 - params["y"] + step / 10
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value

    study.optimize(objective, n_trials=25)
    states = [trial.state.name for trial in study.trials]
    assert states.count("PRUNED") > 0 < states.count("COMPLETE")
    assert states.count("PRUNED") + states.count("COMPLETE") == 25


def test_a_grid_tries_no_point_twice_in_the_brackets_of_hyperband() -> None:
    space = space_of(x="int(0,11)")
    study = optuna.create_study(
        study_name="brackets",
        sampler=samplers.make(Sampling(algorithm="grid"), space),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3),
    )
    study.optimize(lambda trial: float(space.suggest(trial)["x"]), n_trials=12)
    assert sorted(trial.params["x"] for trial in study.trials) == list(range(12))


def test_optunas_pruners_take_azures_words_for_when() -> None:
    made = policies.make(EarlyTermination(policy="percentile", evaluation_interval=3, delay_evaluation=4))
    assert (made._interval_steps, made._n_warmup_steps, made._percentile) == (3, 4, 25.0)  # type: ignore[attr-defined]
    patient = policies.make(
        EarlyTermination(
            policy="patient", options={"patience": 2, "wrapped_pruner": {"policy": "bandit", "slack_amount": 0.1}}
        )
    )
    assert type(patient._wrapped_pruner).__name__ == "AzurePruner"  # type: ignore[attr-defined]
    for name in policies.OPTUNA:
        options = {"lower": 0.0} if name == "threshold" else {}
        assert isinstance(policies.make(EarlyTermination(policy=name, options=options)), optuna.pruners.BasePruner)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (EarlyTermination(policy="mean"), "there is no early termination policy 'mean'"),
        (EarlyTermination(policy="hyperband", options={"factor": 3}), "has no option 'factor': it has min_resource"),
        (EarlyTermination(policy="bandit", slack_amount=0.1, options={"slack": 3}), "has no option 'slack'"),
        (EarlyTermination(policy="threshold"), "Either lower or upper"),
    ],
)
def test_a_policy_that_is_none_is_refused(policy: EarlyTermination, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        policies.make(policy)
    assert told.lower() in refused.value.message.lower()
