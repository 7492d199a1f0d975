"""Canary releases of real endpoints, which go on or back by themselves while callers ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_mlstudio.entities.deployments import Canary, CanaryPolicy, CanaryState, DeploymentState
from jupyter_mlstudio.studio import Studio
from tests.onnx import graphs
from tests.programs.endpoint import BODY, caller_of, studio_with, times
from tests.waiting import PATIENCE_S, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]
QUICK = {"steps": [20, 60], "wait_s": 1.0, "min_requests": 30}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_with(tmp_path_factory.mktemp("studio"), times(2.0), times(2.0), times(3.0), graphs.endless()) as made:
        yield made


@pytest.fixture(scope="module")
def ask(studio: Studio) -> Iterator[Callable[[], Any]]:
    """Asks an endpoint whose deployment blue answers twice its input."""
    issued = studio.endpoints.create("release", "m", "1")

    def is_ready() -> bool:
        studio.tick()
        return studio.endpoints.get("release").url is not None

    until(is_ready)
    with caller_of(str(studio.endpoints.get("release").url).removesuffix("/v2"), issued.keys["primary"]) as call:
        yield lambda: call(BODY)
    studio.endpoints.delete("release")


@pytest.fixture
def green(studio: Studio) -> Iterator[Callable[..., None]]:
    def add(version: str, **settings: Any) -> None:
        studio.deployments.add("release", "green", "m", version, settings=settings)

        def is_ready() -> bool:
            studio.tick()
            shown = studio.endpoints.get("release").deployments
            return any(one.name == "green" and one.state is DeploymentState.READY and one.applied for one in shown)

        until(is_ready)

    yield add
    studio.endpoints.update("release", traffic={"blue": 100, "green": 0}, mirror_traffic={})
    studio.deployments.remove("release", "green")


def released(studio: Studio, ask: Callable[[], Any], **policy: Any) -> tuple[Canary, list[Any]]:
    """Begins a release and asks until it is over; answers it and what was answered."""
    studio.canaries.start("release", "green", CanaryPolicy(**{**QUICK, **policy}))
    answers = []
    deadline = time.monotonic() + PATIENCE_S
    while (canary := studio.endpoints.get("release").canary) is not None and canary.state is CanaryState.RUNNING:
        assert time.monotonic() < deadline, canary.journal
        answers += [ask() for _ in range(5)]
        studio.tick()
    assert canary is not None
    return canary, answers


def test_a_version_as_good_as_the_one_before_gets_more_and_more_and_then_everything(
    studio: Studio, ask: Callable[[], Any], green: Callable[..., None]
) -> None:
    green("2")
    canary, answers = released(studio, ask, max_p95_ratio=1000.0)
    assert canary.state is CanaryState.PROMOTED
    assert [(one.action, one.traffic) for one in canary.journal] == [
        ("start", {"blue": 80, "green": 20}),
        ("step", {"blue": 40, "green": 60}),
        ("promote", {"green": 100}),
    ]
    assert "requests in" in canary.journal[1].why
    assert canary.journal[1].measured["requests"] >= 30
    assert canary.journal[1].measured["errors"] == 0
    assert {one.status for one in answers} == {200}
    until(lambda: ask().deployment == "green")


def test_I6_a_version_that_answers_otherwise_goes_back_before_it_gets_more(
    studio: Studio, ask: Callable[[], Any], green: Callable[..., None]
) -> None:
    green("3")
    canary, answers = released(studio, ask, mirror=100, max_disagreement=0.1, max_p95_ratio=1000.0)
    assert canary.state is CanaryState.ROLLED_BACK
    assert [one.action for one in canary.journal] == ["start", "rollback"]
    assert "answers disagree with those that were given" in canary.journal[-1].why
    assert canary.journal[-1].measured["disagreement"] == 1.0
    assert {one.status for one in answers} == {200}
    until(lambda: {ask().deployment for _ in range(20)} == {"blue"})


def test_I6_a_version_whose_answers_drift_goes_back(
    studio: Studio, ask: Callable[[], Any], green: Callable[..., None]
) -> None:
    green("3")
    canary, _ = released(studio, ask, mirror=100, max_drift=0.25, max_p95_ratio=1000.0)
    assert canary.state is CanaryState.ROLLED_BACK
    assert [one.action for one in canary.journal] == ["start", "rollback"]
    assert "the answers have drifted: the population stability index of 'Y[" in canary.journal[-1].why
    assert canary.journal[-1].measured["drift"] > 0.25
    until(lambda: {ask().deployment for _ in range(20)} == {"blue"})
    mirrored = next(one for one in studio.endpoints.get("release").deployments if one.name == "green").mirrored
    assert mirrored.drift is not None
    assert mirrored.drift > 0.25
    assert mirrored.mean_difference == pytest.approx(1.75)


def test_I6_a_version_that_fails_requests_goes_back(
    studio: Studio, ask: Callable[[], Any], green: Callable[..., None]
) -> None:
    green("4", request_settings={"request_timeout_ms": 100})
    canary, _ = released(studio, ask, max_error_rate=0.05)
    assert canary.state is CanaryState.ROLLED_BACK
    assert "requests failed (100.0%), more than the 5.0% that are allowed" in canary.journal[-1].why
    assert studio.endpoints.get("release").traffic["blue"] == 100
    until(lambda: {ask().status for _ in range(20)} == {200})
