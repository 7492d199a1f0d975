"""Registering, deploying and scoring from user code, through a door and every process behind it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import jupyter_mlstudio as studio
from jupyter_mlstudio.client.endpoints import Endpoint
from jupyter_mlstudio.client.models import ModelVersion, endpoint_name
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Unauthorized
from tests.client.door import entered

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

DATA = load_iris()
MODEL = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run with a model, in a workspace of its own; everything that runs there ends with the module."""
    root = tmp_path_factory.mktemp("workspace")
    with entered(root):
        with studio.start_run("training") as run:
            studio.log_model(MODEL, sample=DATA.data)
        yield run.id


@pytest.fixture(autouse=True)
def _own_state() -> None:
    """All tests of this module share one workspace, so none of them leaves it."""


@pytest.fixture(scope="module")
def version(run: str) -> ModelVersion:
    return studio.register_model(run, "iris", alias="champion", description="d", tags={"k": "v"})


@pytest.fixture(scope="module")
def endpoint(version: ModelVersion) -> Iterator[Endpoint]:
    deployed = version.deploy()
    yield deployed
    deployed.delete()


def test_a_registered_version_tells_what_was_compared(version: ModelVersion) -> None:
    assert (version.name, version.version, version.status, version.reason) == ("iris", 1, "Ready", "")
    assert version.aliases == ["champion"]
    assert version.parity is not None
    assert (version.parity["rows"], version.parity["label_flips"]) == (150, 0)
    assert version.signature is not None
    assert version.signature.task == "classification"
    assert (version.data["description"], version.data["tags"]) == ("d", {"k": "v"})
    shown = version._repr_mimebundle_()["text/plain"]
    assert "150 rows" in shown
    assert repr(version) == "ModelVersion('iris', version=1, status='Ready')"


def test_a_model_that_a_run_does_not_have_is_said(run: str) -> None:
    with pytest.raises(NotFound, match="log_model"):
        studio.register_model(run, "iris", path="nothing")
    with pytest.raises(NotFound):
        studio.register_model("0" * 32, "iris")
    with pytest.raises(Invalid):
        studio.register_model(run, "a/b")


def test_a_refused_model_is_a_conflict_with_the_reason(run: str) -> None:
    with studio.start_run("without rows") as without:
        studio.log_model(MODEL)
    with pytest.raises(Conflict, match="version 1 of 'blind' was refused: the model has no sample rows"):
        studio.register_model(without, "blind")
    with pytest.raises(Conflict, match="cannot be served"):
        studio.deploy("blind")


@pytest.mark.parametrize(
    "rows",
    [DATA.data[:3], DATA.data[:3].tolist(), [tuple(row) for row in DATA.data[:3]]],
    ids=["array", "lists", "tuples"],
)
def test_scores_are_the_models(endpoint: Endpoint, rows: object) -> None:
    answer = endpoint.score(rows)
    assert answer["label"] == MODEL.predict(DATA.data[:3]).tolist()
    assert answer["probabilities"][0] == pytest.approx(MODEL.predict_proba(DATA.data[:1])[0], abs=1e-5)


def test_scoring_works_with_the_keys_and_through_the_studio_without(endpoint: Endpoint) -> None:
    stranger = Endpoint(endpoint.data, None)
    assert stranger.keys == {}
    assert stranger.score(DATA.data[:1]) == endpoint.score(DATA.data[:1])
    with pytest.raises(Invalid, match="takes 4"):
        endpoint.score([[1.0]])
    with pytest.raises(Unauthorized):
        Endpoint(endpoint.data, None, {"primary": "mls_wrong"}).score(DATA.data[:1])


def test_an_endpoint_is_found_again_by_its_name(endpoint: Endpoint) -> None:
    found = studio.get_endpoint(endpoint.name)
    assert found.keys == {}
    assert found.score(DATA.data[:2]) == endpoint.score(DATA.data[:2])
    assert [one.name for one in studio.list_endpoints()] == [endpoint.name]
    assert studio.list_endpoints("nothing like it") == []
    with pytest.raises(NotFound, match="there is no endpoint 'gone'"):
        studio.get_endpoint("gone")


def test_what_an_endpoint_shows_of_itself_never_holds_a_key(endpoint: Endpoint) -> None:
    bundle = endpoint._repr_mimebundle_()
    for text in (repr(endpoint), str(endpoint), *bundle.values()):
        assert not [key for key in endpoint.keys.values() if key in text]
    assert ".keys" in bundle["text/plain"]
    assert set(endpoint.keys) == {"primary", "secondary"}
    assert "Keys" not in Endpoint(endpoint.data, None)._repr_mimebundle_()["text/plain"]


def test_any_http_client_may_ask(endpoint: Endpoint) -> None:
    body = json.dumps(endpoint.data["sample"]).encode()
    headers = {"Authorization": f"Bearer {endpoint.keys['secondary']}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(str(endpoint.scoring_url), body, headers), timeout=20) as got:
        assert json.load(got)["outputs"][0]["name"] == "label"


def test_a_key_is_replaced_and_the_new_one_is_used(endpoint: Endpoint) -> None:
    old = endpoint.keys["primary"]
    new = endpoint.regenerate()
    assert endpoint.keys["primary"] == new != old
    assert endpoint.score(DATA.data[:1])["label"] == [0]
    with pytest.raises(NotFound):
        endpoint.regenerate("third")


def test_stop_restart_and_a_name_that_is_taken(endpoint: Endpoint) -> None:
    with pytest.raises(Conflict, match="already"):
        studio.deploy("iris", name=endpoint.name)
    assert endpoint.stop().state == "Stopped"
    assert endpoint.url is None
    with pytest.raises(Conflict, match="stopped"):
        endpoint.wait(5)
    assert endpoint.restart().state == "Ready"
    assert endpoint.score(DATA.data[:1])["label"] == [0]
    assert endpoint.stats["requests"] >= 0


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("iris", "iris"),
        ("Churn model (2025)", "Churn-model-2025"),
        ("7", "model-7"),
        ("模型", "model"),
        ("x" * 50, "x" * 32),
    ],
)
def test_a_name_for_an_endpoint_is_made_of_the_models(model: str, name: str) -> None:
    assert endpoint_name(model) == name
