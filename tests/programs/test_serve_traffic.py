"""Traffic of an endpoint with two deployments: who answers, who always answers, and who gets copies."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from jupyter_mlstudio.studio import Studio
from tests.programs.endpoint import Served, begin, deployment, ready, studio_with, times
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_with(tmp_path_factory.mktemp("studio"), times(2.0), times(3.0)) as made:
        yield made


@pytest.fixture(scope="module")
def both(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Blue answers twice its input, green three times."""
    folder = tmp_path_factory.mktemp("endpoint") / "e"
    served = begin(studio, folder, deployment(studio, "blue", 1), deployment(studio, "green", 2))
    yield ready(served)
    served.stop()


def share(served: Served, **plan: object) -> None:
    """Changes the traffic and waits until the endpoint goes by it."""
    served.change(**{"sticky_header": "", "mirror": {}, **plan})
    until(lambda: served.state("blue")["etag"] == served.plan["etag"])


def test_ten_thousand_requests_are_split_as_they_should_be(both: Served) -> None:
    share(both, traffic={"blue": 90, "green": 10})
    with both.caller() as ask:
        seen = Counter(ask().deployment for _ in range(10_000))
    chi_square = sum((seen[name] - wanted) ** 2 / wanted for name, wanted in (("blue", 9000), ("green", 1000)))
    assert sum(seen.values()) == 10_000
    assert chi_square < 3.84, seen  # 95 % quantile with one degree of freedom
    assert abs(seen["green"] - 1000) <= 3, "the sequence is more even than chance"


def test_each_answer_is_one_models_own(both: Served) -> None:
    share(both, traffic={"blue": 50, "green": 50})
    with both.caller() as ask:
        answers = [ask() for _ in range(100)]
    assert {(one.deployment, one.factor, one.json["model_version"]) for one in answers} == {
        ("blue", 2.0, "1"),
        ("green", 3.0, "2"),
    }


def test_a_header_names_the_deployment_that_answers(both: Served) -> None:
    share(both, traffic={"blue": 100, "green": 0})
    assert [both.ask(azureml_model_deployment=name).factor for name in ("green", "blue")] == [3.0, 2.0]
    refused = both.ask(azureml_model_deployment="red")
    assert (refused.status, "no deployment 'red'" in refused.json["error"]) == (404, True)


def test_a_version_in_the_path_is_answered_by_the_deployment_that_has_it(both: Served) -> None:
    share(both, traffic={"blue": 100, "green": 0})
    factors = [both.ask(path=f"/v2/models/m/versions/{version}/infer").factor for version in (1, 2)]
    assert factors == [2.0, 3.0]
    assert both.ask(path="/v2/models/m/versions/3/infer").status == 404
    assert both.ask(None, "/v2/models/m/versions/2").json["versions"] == ["2"]


def test_senders_stay_where_they_are_and_only_those_move_that_must(both: Served) -> None:
    def places() -> dict[int, str]:
        with both.caller() as ask:
            return {user: ask(headers={"X-User": f"user {user}"}).deployment for user in range(400)}

    share(both, traffic={"blue": 80, "green": 20}, sticky_header="X-User")
    before = places()
    assert places() == before
    assert 45 <= Counter(before.values())["green"] <= 115
    share(both, traffic={"blue": 50, "green": 50}, sticky_header="X-User")
    after = places()
    assert not [user for user in before if before[user] == "green" and after[user] == "blue"]


def test_without_any_traffic_nobody_answers_but_who_is_named(both: Served) -> None:
    share(both, traffic={"blue": 0, "green": 0})
    refused = both.ask()
    assert (refused.status, "set its traffic" in refused.json["error"]) == (503, True)
    assert both.ask(azureml_model_deployment="green").factor == 3.0


def test_X6_copies_leave_the_answer_as_it_is_and_their_differences_are_kept(both: Served) -> None:
    share(both, traffic={"blue": 100, "green": 0})
    plain = [both.ask() for _ in range(3)]
    file = both.folder / "mirror" / "green.jsonl"
    assert not file.exists()
    share(both, traffic={"blue": 100, "green": 0}, mirror={"green": 100})
    mirrored = [both.ask() for _ in range(20)]
    assert {(one.status, tuple(one.headers.items()), one.body) for one in mirrored} == {
        (one.status, tuple(one.headers.items()), one.body) for one in plain
    }
    lines = until(lambda: file.exists() and len(found := file.read_text().splitlines()) >= 20 and found)
    first = json.loads(lines[0])
    assert (first["live"], first["deployment"], first["disagrees"], first["max_difference"]) == (
        "blue", "green", True, 2.0,
    )  # fmt: skip
    assert first["examples"][0] == {"at": "Y[0][0]", "live": 3.0, "copy": 4.5}
    until(lambda: both.metric("green/mirror_copies") == 20)
    assert both.metric("green/mirror_disagreements") == 20
    assert both.ask(azureml_model_deployment="green").status == 200  # who is named gets no copies of it
    assert len(file.read_text().splitlines()) == 20


def test_a_part_of_the_traffic_is_copied_as_exactly_as_it_is_split(both: Served) -> None:
    share(both, traffic={"blue": 100, "green": 0}, mirror={"green": 25})
    file = both.folder / "mirror" / "green.jsonl"
    before = len(file.read_text().splitlines()) if file.exists() else 0
    with both.caller() as ask:
        for _ in range(200):
            ask()
    until(lambda: 48 <= len(file.read_text().splitlines()) - before <= 52)  # to within a request or two


def test_copies_are_not_counted_as_requests(both: Served) -> None:
    share(both, traffic={"blue": 100, "green": 0})
    time.sleep(2.5)  # what was asked before is counted by now
    before = both.metric("green/requests") or 0
    share(both, traffic={"blue": 100, "green": 0}, mirror={"green": 100})
    for _ in range(5):
        both.ask()
    until(lambda: (both.metric("green/mirror_copies") or 0) >= 5)
    both.ask(azureml_model_deployment="green")
    until(lambda: both.metric("green/requests") == before + 1)
