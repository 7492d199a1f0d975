from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from jupyter_mlstudio.errors import NotFound, Unavailable
from jupyter_mlstudio.serving.config import Routes, Target
from jupyter_mlstudio.serving.request import Request
from jupyter_mlstudio.serving.router import Router, Split


def routes(**traffic: int) -> Routes:
    targets = {name: Target("m", str(number)) for number, name in enumerate(traffic, 1)}
    return Routes(traffic=traffic, deployments=targets)


@pytest.mark.parametrize("weights", [{"a": 90, "b": 10}, {"a": 1, "b": 99}, {"a": 33, "b": 33, "c": 34}])
def test_shares_are_exact_over_any_stretch_of_requests(weights: dict[str, int]) -> None:
    split = Split(weights)
    for _ in range(20):
        seen = Counter(split.next() for _ in range(1000))
        for name, weight in weights.items():
            assert abs(seen[name] - 10 * weight) <= 3


def test_shares_stay_exact_when_routes_change_in_between() -> None:
    """Routes change whenever a process starts or ends, mostly with the same shares."""
    told = msgspec.structs.replace(routes(blue=90, green=10), mirror={"green": 25})
    router = Router("blue", told)
    seen: Counter[str] = Counter()
    for number in range(1000):
        request = Request(b"/score")
        seen["green"] += router.place(request) == "green"
        seen["copies"] += request.copies == ["green"]
        if number % 3 == 0:
            router.update(told)
    assert abs(seen["green"] - 100) <= 3
    assert abs(seen["copies"] - 225) <= 3, "of what others answer"


def test_shares_fall_in_step_with_no_pattern_of_a_client() -> None:
    split = Split({"a": 50, "b": 50})
    turns = [split.next() for _ in range(8000)]
    for period in (2, 3, 4, 5, 10, 100):
        for phase in range(period):
            mine = turns[phase::period]
            assert abs(mine.count("a") / len(mine) - 0.5) < 0.05


def test_senders_are_placed_by_their_share_and_move_only_to_who_gains() -> None:
    values = [f"user {number}".encode() for number in range(4000)]
    few, more = Split({"a": 90, "b": 10}), Split({"a": 60, "b": 40})
    before, after = [few.of(value) for value in values], [more.of(value) for value in values]
    assert abs(before.count("b") - 400) < 80
    assert abs(after.count("b") - 1600) < 160
    assert not [1 for one, other in zip(before, after, strict=True) if (one, other) == ("b", "a")]


def test_a_request_for_a_version_goes_to_a_deployment_that_has_it_whatever_its_share() -> None:
    router = Router("blue", routes(blue=100, green=0))
    assert router.place(Request(b"/v2/models/m/versions/2/infer")) == "green"
    assert router.place(Request(b"/v2/models/m/versions/1/infer")) == ""
    with pytest.raises(NotFound):
        router.place(Request(b"/v2/models/m/versions/9/infer"))


def test_what_comes_from_another_process_stays() -> None:
    router = Router("green", routes(blue=100, green=0))
    assert router.place(Request(b"/score", trusted=True)) == ""
    assert router.place(Request(b"/score")) == "blue"


def test_without_traffic_there_is_nobody_to_ask() -> None:
    with pytest.raises(Unavailable, match="set its traffic"):
        Router("blue", routes(blue=0, green=0)).place(Request(b"/score"))
