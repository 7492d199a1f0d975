"""Several deployments from user code, the terminal and Azure's YAML, with the real studio and real processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

import jupyter_mlstudio as api
from jupyter_mlstudio.cli import main
from jupyter_mlstudio.client.deployments import settings
from jupyter_mlstudio.client.rollout import roll_out, shared
from jupyter_mlstudio.errors import Conflict, Invalid
from tests.client.door import close

DATA = load_iris()
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace with two versions of a model, and this process as a notebook's that works in it."""
    with api.start_run() as run:
        for number, model in enumerate([LogisticRegression(max_iter=500), DummyClassifier(strategy="most_frequent")]):
            api.log_model(model.fit(DATA.data, DATA.target), f"m{number}", sample=DATA.data)
    for number in range(2):
        api.register_model(run, "iris", path=f"m{number}")
    yield tmp_path
    for endpoint in api.connect().get("endpoints"):
        api.connect().delete(f"endpoints/{endpoint['name']}")
    close(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_model_is_rolled_out_beside_another_one_and_takes_over(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = roll_out("iris:1", "flowers", max_instances=1)
    assert endpoint.score(DATA.data[100:101])["label"] in ([2], ["2"])

    roll_out("iris:2", "flowers", "green", 30)
    assert endpoint.traffic == {"blue": 70, "green": 30}
    endpoint.mirror({"green": 100})
    with pytest.raises(Conflict, match="gets 30 % of the traffic"):
        endpoint.remove("green")

    assert main(["endpoints", "traffic", "flowers", "blue=0", "green=100"]) == 0
    assert main(["endpoints", "show", "flowers"]) == 0
    shown = capsys.readouterr().out
    assert "green 100 %" in shown
    assert "iris 2" in shown
    assert {str(label) for label in endpoint.score(DATA.data[100:101])["label"]} == {"0"}

    endpoint.swap(1)
    assert {str(label) for label in endpoint.score(DATA.data[100:101])["label"]} == {"2"}
    endpoint.split({"blue": 100}).remove("green")
    assert [one["name"] for one in endpoint.deployments] == ["blue"]
    endpoint.change("blue", min_instances=0, idle_s=0.5)
    deadline = time.monotonic() + 60
    while endpoint.deployments[0]["state"] != "Idle":
        assert time.monotonic() < deadline, endpoint.deployments[0]
        time.sleep(0.1)
    assert {str(label) for label in endpoint.score(DATA.data[100:101])["label"]} == {"2"}  # which wakes it
    old = endpoint.keys["primary"]
    assert endpoint.regenerate("primary", expires=timedelta(hours=1)) != old


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_azures_yaml_describes_is_made_and_the_rest_is_named(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "endpoint.yml").write_text(
        "$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json\n"
        "name: petals\nauth_mode: aml_token\ntags: {a: b}\ntraffic: {blue: 100}\n"
    )
    (workspace / "blue.yml").write_text(
        "name: blue\nendpoint_name: petals\nmodel: azureml:iris:1\ninstance_type: Standard_DS3_v2\ninstance_count: 1\n"
        "request_settings: {request_timeout_ms: 3000, max_queue_wait_ms: 200}\n"
        "liveness_probe: {initial_delay: 1, period: 2, timeout: 2, failure_threshold: 5}\n"
        "data_collector: {sampling_rate: 0.5, collections: {model_inputs: {enabled: 'True'}}}\n"
    )
    assert main(["endpoints", "apply", "endpoint.yml"]) == 0
    shown = capsys.readouterr().out
    assert "not taken over: tags" in shown
    assert "not taken over: auth_mode aml_token" in shown
    assert "there is no such deployment yet" in shown
    assert main(["endpoints", "apply", "blue.yml"]) == 0
    assert "not taken over: instance_type" in capsys.readouterr().out
    found = api.connect().get("endpoints/petals")["deployments"][0]
    assert found["settings"]["request_settings"]["request_timeout_ms"] == 3000
    assert found["settings"]["liveness_probe"]["failure_threshold"] == 5
    assert found["settings"]["data_collector"]["sampling_rate"] == 0.5
    (workspace / "wrong.yml").write_text("[1, 2")
    assert main(["endpoints", "apply", "wrong.yml"]) == 2
    (workspace / "code.yml").write_text(
        "name: green\nendpoint_name: petals\nmodel: iris@latest\n"
        "code_configuration: {code: ., scoring_script: score.py}\n"
    )
    (workspace / "score.py").write_text("def run(raw):\n    return 1\n")
    capsys.readouterr()
    assert main(["endpoints", "apply", "code.yml"]) == 2
    assert "allow_code" in capsys.readouterr().err


def test_settings_find_their_group_by_name() -> None:
    assert settings({"threads": 2, "max_instances": 3, "data_collector": {"enabled": True}}) == {
        "limits": {"threads": 2}, "scale_settings": {"max_instances": 3}, "data_collector": {"enabled": True},
    }  # fmt: skip
    with pytest.raises(Invalid, match="'speed' is not a setting"):
        settings({"speed": 1})


@pytest.mark.parametrize(
    ("traffic", "percent", "wanted"),
    [
        ({"blue": 100, "green": 0}, 30, {"blue": 70, "green": 30}),
        ({"blue": 60, "red": 40, "green": 0}, 10, {"blue": 54, "red": 36, "green": 10}),
        ({"green": 100}, 20, {"green": 100}),
    ],
)
def test_who_is_there_shares_what_is_left(traffic: dict[str, int], percent: int, wanted: dict[str, int]) -> None:
    assert shared(traffic, "green", percent) == wanted
