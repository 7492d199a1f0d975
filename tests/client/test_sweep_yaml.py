"""Azure's sweep jobs, in the forms that its documentation and its examples have."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from jupyter_mlstudio.client.sweep_request import sampling_of
from jupyter_mlstudio.client.sweep_yaml import arguments_of
from jupyter_mlstudio.entities.sweeps import Sampling
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.programs.command import substituted
from jupyter_mlstudio.sweeps import samplers
from jupyter_mlstudio.sweeps.space import Space

BOOSTING = """
$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
type: sweep
trial:
  code: src
  command: >-
    python main.py
    --data ${{inputs.data}}
    --rounds ${{inputs.rounds}}
    --lr ${{search_space.lr}}
    --boosting ${{ search_space.boosting }}
  environment: azureml:some-environment:11
inputs:
  rounds: 50
  data:
    type: uri_file
    path: data.csv
compute: azureml:cpu-cluster
sampling_algorithm: random
search_space:
  lr: {type: uniform, min_value: 0.01, max_value: 0.9}
  boosting: {type: choice, values: ["gbdt", "dart"]}
objective: {goal: minimize, primary_metric: test-multi_logloss}
limits: {max_total_trials: 20, max_concurrent_trials: 10, timeout: 7200, trial_timeout: 60}
display_name: boosting
experiment_name: irises
description: Which boosting is best.
tags: {team: flowers}
"""

SHELL = """
type: sweep
trial:
  command: >-
    echo a && echo ${{inputs.A}} '${{search_space.B}}' "got ${{search_space.B}}"
    > ${{outputs.out}}/b.txt
inputs: {A: 0.5}
outputs: {out: }
sampling_algorithm: {type: random, rule: sobol, seed: 7}
search_space:
  B: {type: choice, values: ["hello world", "$(touch canary); `ls`"]}
objective: {goal: maximize, primary_metric: m}
early_termination: {type: bandit, slack_factor: 0.2, evaluation_interval: 2, delay_evaluation: 4}
"""

OLD = """
type: sweep
sampling_algorithm: grid
trial:
  code:
    local_path: src
  command: Rscript main.R ${{search_space.learning_rate}}
  environment_variables: {LEVEL: 3}
compute: azureml:aml-cluster
search_space:
  learning_rate: {type: choice, values: [0.01, 0.1, 1.0]}
objective: {primary_metric: auc, goal: maximize}
limits: {max_total_trials: 6, max_concurrent_trials: 3, timeout: 3600}
"""


def job(folder: Path, text: str) -> Path:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "sweep.yml").write_text(text)
    return folder / "sweep.yml"


def test_a_job_is_read_with_its_inputs_and_limits(tmp_path: Path) -> None:
    found = arguments_of(job(tmp_path, BOOSTING))

    python, *words = found.what
    assert python == sys.executable
    assert words == [
        "main.py", "--data", "${{inputs.data}}", "--rounds", "${{inputs.rounds}}", "--lr", "${{inputs.lr}}",
        "--boosting", "${{inputs.boosting}}",
    ]  # fmt: skip
    known = found.arguments
    assert known["params"] == {"rounds": 50, "data": str(tmp_path / "data.csv")}
    assert known["space"]["lr"] == {"type": "uniform", "min_value": 0.01, "max_value": 0.9}
    assert (known["metric"], known["goal"], known["sampler"]) == ("test-multi_logloss", "minimize", "random")
    assert [known[name] for name in ("trials", "parallel", "timeout", "trial_timeout")] == [20, 10, 7200, 60]
    assert (known["name"], known["experiment"], known["folder"]) == ("boosting", "irises", str(tmp_path / "src"))
    assert known["tags"] == {"team": "flowers", "mlflow.note.content": "Which boosting is best."}
    assert found.notes == ["left out, it has no meaning here: compute, trial.environment"]


def test_the_older_forms_are_read_too(tmp_path: Path) -> None:
    found = arguments_of(job(tmp_path, OLD))

    assert found.what == ["Rscript", "main.R", "${{inputs.learning_rate}}"]
    assert (found.arguments["sampler"], found.arguments["env"]) == ("grid", {"LEVEL": "3"})
    assert found.arguments["folder"] == str(tmp_path / "src")


def test_the_rule_the_seed_and_the_base_of_random_sampling_reach_the_sampler(tmp_path: Path) -> None:
    text = BOOSTING.replace("sampling_algorithm: random", "sampling_algorithm: RULE").replace(
        "lr: {type: uniform, min_value: 0.01, max_value: 0.9}", "lr: {type: loguniform, min_value: -9, max_value: -8}"
    )

    def drawn(rule: str) -> list[float]:
        found = arguments_of(job(tmp_path, text.replace("RULE", rule))).arguments
        sampling = Sampling(**sampling_of(found["sampler"], None))
        space = Space(found["space"], samplers.base(sampling))
        study = optuna.create_study(sampler=samplers.make(sampling, space))
        return [space.suggest(study.ask())["lr"] for _ in range(4)]

    sobol = drawn("{type: random, rule: sobol, seed: 7, logbase: 10}")
    assert all(1e-9 <= value <= 1e-8 for value in sobol)
    assert sorted(int(4 * (math.log10(value) + 9)) for value in sobol) == [0, 1, 2, 3]
    assert drawn("{type: random, rule: sobol, seed: 7, logbase: 10}") == sobol
    assert drawn("{type: random, seed: 7, logbase: 10}") != sobol
    assert all(math.exp(-9) <= value <= math.exp(-8) for value in drawn("{type: random, logbase: e}"))


@pytest.mark.parametrize("value", ["hello world", "$(touch canary); `ls`", "'\"\\"])
def test_n04_a_command_that_needs_a_shell_gets_values_that_are_never_code(tmp_path: Path, value: str) -> None:
    found = arguments_of(job(tmp_path, SHELL))
    assert found.arguments["sampler"] == {"algorithm": "sobol", "seed": 7}
    assert found.arguments["early_termination"]["slack_factor"] == 0.2
    assert found.arguments["trials"] == 1000

    command = substituted(found.what, {"A": 0.5, "B": value})
    environment = {"MLSTUDIO_RUN_FOLDER": str(tmp_path / "run"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("a\n", "")
    assert (tmp_path / "run/artifacts/out/b.txt").read_text() == f"0.5 {value} got {value}\n"
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (("type: sweep", "type: command"), Invalid, "no sweep job"),
        (("src\n", "gone\n"), NotFound, "no folder 'gone'"),
        (("--lr ${{search_space.lr}}", "--lr ${{search_space.rate}}"), Invalid, "'rate', which is neither"),
        (("max_value: 0.9", "max_value: 0"), Invalid, "swap them"),
        (("primary_metric:", "metric:"), Invalid, "no primary_metric"),
        (("path: data.csv", "mode: ro_mount"), Invalid, "the input data is"),
        (("command: >-", "run: >-"), Invalid, "no command"),
        (("tags: {", "tags: {{"), Invalid, "not YAML"),
    ],
)
def test_n11_what_is_wrong_in_a_file_is_said_before_any_trial(
    tmp_path: Path, change: tuple[str, str], error: type[Exception], said: str
) -> None:
    path = job(tmp_path, BOOSTING.replace(*change))

    with pytest.raises(error, match=said):
        arguments_of(path)
