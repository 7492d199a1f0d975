"""Several deployments behind an endpoint, from the studio's side: what may be asked for, and what comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.entities.deployments import CanaryPolicy, CanaryState, DeploymentKind, DeploymentState
from jupyter_mlstudio.entities.endpoints import Endpoint, EndpointState
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from jupyter_mlstudio.services import endpoint_canary
from jupyter_mlstudio.services.endpoint_settings import (
    checked_address,
    checked_header,
    checked_policy,
    checked_shares,
    merged,
)
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.waiting import until

DATA = load_iris()
slow = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path_factory.mktemp("studio")))
    models = [LogisticRegression(max_iter=500), DummyClassifier(strategy="constant", constant=2)]
    for model in models:
        run = made.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))
        folder = made.workspace.run_folder(run.id) / "artifacts" / "model"
        folder.mkdir(parents=True)
        write_model(folder, model.fit(DATA.data, DATA.target), DATA.data, DATA.target)
        made.models.register("iris", run.id)
    until(lambda: all(made.models.version("iris", n).status is VersionStatus.READY for n in (1, 2)), made)
    yield made
    for endpoint in made.endpoints.list():
        made.endpoints.delete(endpoint.name)
    made.close()


def settled(studio: Studio, name: str) -> Endpoint:
    """Waits until every deployment goes by the latest plan."""

    def done() -> bool:
        one = studio.endpoints.get(name)
        resting = all(d.applied and d.state is not DeploymentState.STARTING for d in one.deployments)
        return one.state is not EndpointState.STARTING and resting

    until(done, studio)
    return studio.endpoints.get(name)


@contextmanager
def two_of(studio: Studio, name: str) -> Iterator[str]:
    """An endpoint with a blue deployment of version 1 that has all traffic, and a green one of version 2."""
    studio.endpoints.create(name, "iris", "1")
    studio.deployments.add(name, "green", "iris", "2")
    assert settled(studio, name).state is EndpointState.READY
    yield name
    studio.endpoints.delete(name)


@pytest.fixture
def two(studio: Studio) -> Iterator[str]:
    """Two deployments of one test's own."""
    with two_of(studio, "flowers") as name:
        yield name


@pytest.fixture(scope="module")
def lasting(studio: Studio) -> Iterator[str]:
    """Two deployments of a module's tests."""
    with two_of(studio, "lasting") as name:
        yield name


@pytest.fixture
def shared(studio: Studio, lasting: str) -> Iterator[str]:
    """Two deployments for tests that change no more than who gets what."""
    yield lasting
    studio.endpoints.update(lasting, traffic={"blue": 100, "green": 0}, mirror_traffic={})


def label(studio: Studio, name: str, deployment: str | None = None) -> int:
    signature = studio.models.version("iris", 1).signature
    assert signature is not None
    status, answer, _ = studio.scoring.score(name, request(signature, DATA.data[:1]), deployment)
    assert status == 200, answer
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    return int(outputs["label"][0])


class TestWithProcesses:
    pytestmark = slow

    def test_a_new_deployment_answers_nobody_until_it_is_given_a_share(self, studio: Studio, two: str) -> None:
        assert studio.endpoints.get(two).traffic == {"blue": 100, "green": 0}
        assert {label(studio, two) for _ in range(10)} == {0}
        assert label(studio, two, "green") == 2

        studio.endpoints.update(two, traffic={"green": 100})
        settled(studio, two)
        assert {label(studio, two) for _ in range(10)} == {2}

    def test_another_version_takes_over_when_it_is_ready(self, studio: Studio, two: str) -> None:
        before = studio.endpoints.get(two).run_id
        studio.deployments.change(two, "blue", version="2")
        endpoint = settled(studio, two)

        assert label(studio, two) == 2
        assert endpoint.run_id == before
        assert {d.name: (d.version, d.serving_version) for d in endpoint.deployments}["blue"] == (2, 2)

    def test_counts_of_deployments_go_on_over_a_restart(self, studio: Studio, two: str) -> None:
        for _ in range(3):
            label(studio, two)
        label(studio, two, "green")
        until(lambda: studio.endpoints.get(two).stats.requests == 4, studio)
        studio.endpoints.restart(two)
        settled(studio, two)
        label(studio, two, "green")

        until(lambda: studio.endpoints.get(two).stats.requests == 5, studio)
        counts = {d.name: d.stats.requests for d in studio.endpoints.get(two).deployments}
        assert counts == {"blue": 3, "green": 2}

    def test_copies_show_how_a_new_model_would_have_answered(self, studio: Studio, two: str) -> None:
        studio.endpoints.update(two, mirror_traffic={"green": 100})
        settled(studio, two)
        for _ in range(5):
            assert label(studio, two) == 0

        until(lambda: len(studio.scoring.differences(two, "green")) == 5, studio)
        found = studio.scoring.differences(two)[0]
        assert (found.live, found.deployment, found.disagrees, found.labels) == ("blue", "green", True, 1)
        until(lambda: _one(studio, two, "green").mirrored.copies == 5, studio)
        assert _one(studio, two, "green").mirrored.disagreements == 5

    def test_who_gets_all_the_traffic_gets_no_copies(self, studio: Studio, shared: str) -> None:
        with pytest.raises(Invalid, match="'blue', which gets all the traffic"):
            studio.endpoints.update(shared, mirror_traffic={"blue": 10})
        with pytest.raises(Invalid, match="'green', which gets all the traffic"):
            studio.endpoints.update(shared, traffic={"green": 100}, mirror_traffic={"green": 10})
        assert studio.endpoints.update(shared, mirror_traffic={"green": 50}).mirror_traffic == {"green": 50}
        assert studio.endpoints.update(shared, traffic={"blue": 90, "green": 10}).mirror_traffic == {"green": 50}
        changed = studio.endpoints.update(shared, traffic={"green": 100})
        assert (changed.traffic, changed.mirror_traffic) == ({"blue": 0, "green": 100}, {})

    def test_a_canary_that_disagrees_goes_back_by_itself_and_says_why(self, studio: Studio, two: str) -> None:
        policy = CanaryPolicy(steps=[10, 100], wait_s=60, min_requests=10, max_disagreement=0.2, mirror=100)
        started = studio.canaries.start(two, "green", policy)
        assert started.traffic == {"blue": 90, "green": 10}
        with pytest.raises(Conflict, match="a canary release of 'green' is under way"):
            studio.endpoints.update(two, traffic={"blue": 100})
        with pytest.raises(Conflict, match="a canary release of 'green' is under way"):
            studio.canaries.start(two, "green", policy)
        settled(studio, two)

        def over() -> bool:
            label(studio, two)
            canary = studio.endpoints.get(two).canary
            return canary is not None and canary.state is not CanaryState.RUNNING

        until(over, studio)
        endpoint = studio.endpoints.get(two)
        assert endpoint.canary is not None
        assert endpoint.canary.state is CanaryState.ROLLED_BACK
        assert "answers disagree" in endpoint.canary.journal[-1].why
        assert endpoint.traffic == {"blue": 100, "green": 0}
        assert endpoint.mirror_traffic == {}

    def test_a_canary_within_its_limits_is_promoted(self, studio: Studio, two: str) -> None:
        policy = CanaryPolicy(steps=[50, 80], wait_s=0, min_requests=4, max_p95_ratio=1000)
        studio.canaries.start(two, "green", policy)

        def over() -> bool:
            label(studio, two)
            canary = studio.endpoints.get(two).canary
            return canary is not None and canary.state is CanaryState.PROMOTED

        until(over, studio)
        endpoint = studio.endpoints.get(two)
        assert endpoint.traffic == {"blue": 0, "green": 100}
        assert endpoint.canary is not None
        assert [event.action for event in endpoint.canary.journal] == ["start", "step", "promote"]

    def test_a_scoring_script_is_opted_for_and_answers_from_its_own_process(self, studio: Studio) -> None:
        (studio.workspace.root / "score.py").write_text(
            "import json, os\n"
            "def init():\n    global there\n    there = os.path.isdir(os.environ['AZUREML_MODEL_DIR'])\n"
            "def run(raw_data):\n    return {'sum': sum(json.loads(raw_data)['data']), 'there': there}\n"
        )
        with pytest.raises(Invalid, match="allow_code"):
            studio.endpoints.create("scripted", "iris", kind=DeploymentKind.SCRIPT, script="score.py")
        studio.endpoints.create("scripted", "iris", kind=DeploymentKind.SCRIPT, script="score.py", allow_code=True)
        endpoint = settled(studio, "scripted")

        assert endpoint.state is EndpointState.READY, endpoint.reason
        assert endpoint.deployments[0].executes_code
        status, _, content = studio.scoring.forward("scripted", "POST", "score", {}, b'{"data": [1, 2]}')
        assert (status, json.loads(content)) == (200, {"sum": 3, "there": True})
        studio.endpoints.delete("scripted")

    def test_a_key_that_has_expired_is_refused(self, studio: Studio, shared: str) -> None:
        import urllib.error
        import urllib.request

        issued = studio.endpoints.regenerate(shared, "primary", utc_now() + timedelta(seconds=1.5))
        url = f"{issued.endpoint.url}/models/iris"
        asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {issued.keys['primary']}"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200
        time.sleep(1.6)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked)
        refused.value.close()
        assert refused.value.code == 401
        assert next(key for key in issued.endpoint.keys if key.name == "primary").expires_at is not None

    def test_another_address_answers_under_the_names_that_were_said(self, studio: Studio) -> None:
        import http.client

        issued = studio.endpoints.create(
            "public", "iris", host="127.0.0.2", allowed_hosts=("models.example",), behind_proxy=True
        )
        endpoint = settled(studio, "public")
        assert endpoint.url is not None
        assert endpoint.url.startswith("http://127.0.0.2:")
        assert label(studio, "public") == 2
        port = int(endpoint.url.split(":")[2].split("/")[0])
        found = {}
        for host in ("models.example", "other.example"):
            link = http.client.HTTPConnection("127.0.0.2", port, timeout=10)
            headers = {"Host": host, "Authorization": f"Bearer {issued.keys['primary']}"}
            link.request("GET", "/v2/models/iris", headers=headers)
            answer = link.getresponse()
            answer.read()
            found[host] = answer.status
            link.close()
        assert found == {"models.example": 200, "other.example": 403}
        studio.endpoints.delete("public")

    def test_only_the_serving_run_may_report(self, studio: Studio, shared: str) -> None:
        studio.canaries.start(shared, "green", CanaryPolicy(wait_s=3600))
        with pytest.raises(Forbidden, match="only the run that serves"):
            studio.canaries.report(shared, "somebody", "promote", 0, {"green": 100}, "", {})
        stopped = studio.canaries.stop(shared)
        assert stopped.traffic == {"blue": 100, "green": 0}
        with pytest.raises(Conflict, match="has no canary release under way"):
            studio.canaries.stop(shared)

    def test_a_refused_change_changes_nothing(self, studio: Studio, shared: str) -> None:
        before = studio.endpoints.get(shared)
        for change in ({"traffic": {"blue": 60}}, {"mirror_traffic": {"red": 5}}, {"sticky_header": "Host"}):
            with pytest.raises(Invalid):
                studio.endpoints.update(shared, description="changed", **change)  # type: ignore[arg-type]
        assert replace(studio.endpoints.get(shared), stats=before.stats, deployments=[]) == replace(
            before, deployments=[]
        )

    def test_deployments_are_named_once_and_removed_only_without_traffic(self, studio: Studio, two: str) -> None:
        with pytest.raises(Conflict, match="has a deployment 'Green' already"):
            studio.deployments.add(two, "Green", "iris")
        with pytest.raises(Conflict, match="gets 100 % of the traffic"):
            studio.deployments.remove(two, "blue")
        with pytest.raises(NotFound, match="no deployment 'red'; there are blue, green"):
            studio.deployments.change(two, "red", version="1")
        with pytest.raises(Stale):
            studio.endpoints.update(two, if_match=1, description="x")
        assert [one.name for one in studio.deployments.remove(two, "green").deployments] == ["blue"]


def _one(studio: Studio, name: str, deployment: str) -> Any:
    return next(one for one in studio.endpoints.get(name).deployments if one.name == deployment)


@pytest.mark.parametrize(
    ("shares", "what"),
    [
        ({"blue": 60}, "add up to 60"), ({"blue": 101}, "from 0 to 100"), ({"red": 100}, "names 'red'"),
        ({"blue": True}, "whole number of percent"), ({"blue": -1, "green": 101}, "from 0 to 100"),
        ({"blue": 50.0, "green": 50}, "whole number of percent"),
    ],
)  # fmt: skip
def test_shares_that_are_none_are_refused_by_name(shares: dict[str, Any], what: str) -> None:
    with pytest.raises(Invalid, match=what):
        checked_shares(shares, ["blue", "green"], "traffic", whole=True)
    assert checked_shares({"green": 30}, ["blue", "green"], "mirror_traffic", whole=False) == {"green": 30}


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"limit": {}}, "'limit' is not a group"), ({"limits": {"cpu": 1}}, "'cpu' is not a setting of limits"),
        ({"limits": {"threads": 0}}, "limits.threads is 0"),
        ({"limits": {"threads": "2"}}, "'2'; it is a whole number"),
        ({"limits": {"memory_mb": 1}}, "limits.memory_mb is 1; it is from 64"),
        ({"scale_settings": {"min_instances": 3}}, "min_instances is 3, more than max_instances, 1"),
        ({"data_collector": {"sampling_rate": 1.5}}, "sampling_rate is 1.5"),
        ({"data_collector": {"enabled": 1}}, "is 1; it is true or false"),
        ({"data_collector": {"masked_columns": [1]}}, "something that is not text"),
        ({"request_settings": {"request_timeout_ms": 0}}, "request_timeout_ms is 0"),
        ({"liveness_probe": {"failure_threshold": 1.5}}, "it is a whole number"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, Any], what: str) -> None:
    from jupyter_mlstudio.entities.deployments import DeploymentSettings

    with pytest.raises(Invalid, match=what):
        merged(DeploymentSettings(), settings)


def test_settings_that_are_not_named_stay() -> None:
    from jupyter_mlstudio.entities.deployments import DeploymentSettings

    one = merged(DeploymentSettings(), {"limits": {"threads": 2}})
    two = merged(one, {"scale_settings": {"max_instances": 3}})

    assert (two.limits.threads, two.limits.memory_mb, two.scale_settings.max_instances) == (2, 4096, 3)


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ({"steps": []}, "growing percentages"), ({"steps": [50, 25]}, "growing percentages"),
        ({"steps": [0, 50]}, "growing percentages"), ({"steps": [101]}, "growing percentages"),
        ({"max_error_rate": 2}, "max_error_rate is 2"), ({"wait_s": -1}, "wait_s is -1"),
        ({"mirror": 101}, "mirror is 101"),
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, Any], what: str) -> None:
    with pytest.raises(Invalid, match=what):
        checked_policy(CanaryPolicy(**policy))


@pytest.mark.parametrize(
    ("others", "percent", "wanted"),
    [
        ({"blue": 100}, 5, {"blue": 95, "green": 5}),
        ({"blue": 50, "red": 50}, 25, {"blue": 38, "red": 37, "green": 25}),
        ({"blue": 100}, 100, {"green": 100}), ({"a": 33, "b": 33, "c": 34}, 1, {"a": 33, "b": 33, "c": 33, "green": 1}),
    ],
)  # fmt: skip
def test_shares_always_add_up_to_a_hundred(others: dict[str, int], percent: int, wanted: dict[str, int]) -> None:
    found = endpoint_canary.shifted(others, "green", percent)

    assert sum(found.values()) == 100
    assert found == wanted


def test_a_canary_needs_somebody_to_take_traffic_from() -> None:
    with pytest.raises(Conflict, match="no other deployment than 'green'"):
        endpoint_canary.begun(None, "green", CanaryPolicy(), {"green": 100})


@pytest.mark.parametrize(
    ("host", "names", "proxy", "what"),
    [
        ("0.0.0.0", ["a.example"], False, "in clear"), ("0.0.0.0", [], True, "needs allowed_hosts"),
        ("example.org", [], False, "not an IP address"), ("127.0.0.1", ["bad host"], False, "not a host name"),
        ("127.0.0.1", ["a.example:http"], False, "not a host name"),
        ("::1", [], False, "not an IPv4 address"),
    ],
)  # fmt: skip
def test_an_address_that_others_reach_needs_a_proxy_and_names(
    host: str, names: list[str], proxy: bool, what: str
) -> None:
    with pytest.raises(Invalid, match=what):
        checked_address(host, names, behind_proxy=proxy)
    assert checked_address("0.0.0.0", ["Model.example"], behind_proxy=True) == ("0.0.0.0", ["model.example"])


def test_a_sticky_header_is_one_of_the_users_own() -> None:
    taken = ("Authorization", "Proxy-Authorization", "Host", "Connection", "TE", "Cookie", "azureml-model-deployment")
    for name in (*taken, "x:y", "a b", "x\r\nEvil: 1", "é"):
        with pytest.raises(Invalid, match="cannot be the sticky header"):
            checked_header(name)
    assert checked_header("X-Session-Id") == "x-session-id"
    assert checked_header("") == ""
