"""Bodies, ids, filters and headers that are wrong are refused, each beside its good twin."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from jupyter_mlstudio.studio import Studio
from tests.server import JupyterServer, Oracle
from tests.world import end, insert_run, log

pytestmark = pytest.mark.slow

BATCH = {"client": "c", "sequence": 1}
POINT = {"steps": [1], "times": [1.0], "values": [0.5]}


@pytest.fixture
def studio(server: JupyterServer) -> Iterator[Studio]:
    """The server's workspace, opened a second time."""
    opened = server.studio()
    yield opened
    opened.close()


@pytest.fixture
def run_id(studio: Studio) -> Iterator[str]:
    """A live run of the server's workspace."""
    run_id = insert_run(studio)
    yield run_id
    end(studio, run_id)


def _points(**changed: object) -> dict[str, object]:
    return {**BATCH, "metrics": {"loss": {**POINT, **changed}}}


BODIES = {
    "R01 bytes that are not UTF-8": b"\xff\xfe{}",
    "R02 a list": b"[1]",
    "R02 text": b'"x"',
    "R02 a number": b"3",
    "R02 null": b"null",
    "R02 nothing": b"",
    "R03 NaN": b'{"name": NaN}',
    "R03 Infinity": b'{"name": "a", "goal": Infinity}',
    "R03 a number beyond float64": b'{"name": "a", "description": 1e999}',
    "R04 nesting without end": b'{"name": ' + b"[" * 200_000,
    "R04 closed nesting": b'{"name": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "R05 a number of 5,000 digits": b'{"name": ' + b"9" * 5_000 + b"}",
    "R06 half of a surrogate pair": b'{"name": "\\ud800"}',
    "R06 half of a pair deep in a list": b'{"name": [1, ["\\udc00"]]}',
    "R07 NUL": b'{"name": "a\\u0000b"}',
    "R08 a key twice": b'{"name": "a", "name": "b"}',
    "R09 a number for a name": b'{"name": 123}',
    "R09 a truth value for text": b'{"name": "a", "description": true}',
    "R24 a field that is the server's own": b'{"name": "a", "id": "1"}',
    "an empty name": b'{"name": ""}',
    "an invisible character": '{"name": "a\u202eb"}'.encode(),
    "a goal that is none": b'{"name": "a", "goal": "higher"}',
    "cut off": b'{"name": "a"',
}


@pytest.mark.parametrize("what", BODIES)
def test_a_bad_body_is_refused_and_nothing_is_kept(oracle: Oracle, what: str) -> None:
    oracle.refuses("POST", "experiments", BODIES[what])


def test_the_good_twin_of_the_bad_bodies_is_taken(server: JupyterServer) -> None:
    answer = server.api("POST", "experiments", {"name": "good twin", "description": "é \U0001f600", "goal": "minimize"})
    assert (answer.status, answer.json["description"]) == (201, "é \U0001f600")


def test_R16_a_name_of_ten_megabytes_is_refused_and_five_hundred_emoji_too(oracle: Oracle) -> None:
    oracle.refuses("POST", "experiments", {"name": "a" * 10_000_000}, status=413)
    oracle.refuses("POST", "experiments", {"name": "\U0001f600" * 500})
    assert oracle.server.api("POST", "experiments", {"name": "\U0001f600" * 125}).status == 201


BATCHES = {
    "R05 a step of 2^63": _points(steps=[2**63]),
    "R05 a step of 5,000 digits": ('{"client": "c", "sequence": ' + "9" * 5000 + "}").encode(),
    "R09 a truth value as metric": _points(values=[True]),
    "R09 text as step": _points(steps=["3"]),
    "R09 a truth value as step": _points(steps=[True]),
    "R09 a number with a fraction as step": _points(steps=[1.5]),
    "R09 text as value": _points(values=["0.5"]),
    "R09 an object as tag": {**BATCH, "tags": {"a": {}}},
    "R09 a number as parameter": {**BATCH, "params": {"a": 1}},
    "R03 a bare NaN": json.dumps(_points(values=[float("nan")])).encode(),
    "lengths that differ": _points(steps=[1, 2]),
    "a time before 1970": _points(times=[-1.0]),
    "a time that is none": _points(times=["NaN"]),
    "a metric without name": {**BATCH, "metrics": {"": POINT}},
    "a metric with NUL in its name": {**BATCH, "metrics": {"a\x00": POINT}},
    "a sequence of 0": {**BATCH, "sequence": 0},
    "a parameter of 6,001 characters": {**BATCH, "params": {"a": "x" * 6001}},
    "R24 a status": {**BATCH, "status": "Completed"},
}


@pytest.mark.parametrize("what", BATCHES)
def test_a_bad_batch_is_refused_as_a_whole(oracle: Oracle, run_id: str, what: str) -> None:
    oracle.refuses("POST", f"runs/{run_id}/log", BATCHES[what])
    assert oracle.server.api("POST", f"runs/{run_id}/log", _points()).json == {"taken": True}


@pytest.mark.parametrize("reference", ["..%2fx", "%2e%2e", "a%2fb", "%00", "a%0d%0aX:1", "%7f"])
def test_R10_an_id_that_climbs_names_nothing(oracle: Oracle, reference: str) -> None:
    for path in (f"runs/{reference}", f"experiments/{reference}", f"models/{reference}", f"endpoints/{reference}"):
        oracle.refuses("GET", path, status={400, 404})


@pytest.mark.parametrize("path", ["runs/..", "runs/../../workspaces", "runs//logs", "experiments/"])
def test_R10_a_path_that_climbs_is_not_resolved(oracle: Oracle, path: str) -> None:
    oracle.refuses("GET", path, status={400, 404})


@pytest.mark.parametrize("value", ["-1", "0", "1000000000", "x", "1.5", ""])
def test_R18_a_page_size_that_is_none_is_refused(oracle: Oracle, value: str) -> None:
    oracle.refuses("GET", f"runs?max_results={value}")
    assert oracle.server.api("GET", "runs?max_results=10").status == 200


@pytest.mark.parametrize("token", ["x", "b28tMQ==", "%ff", "bzA5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "é"])
def test_R18_a_forged_page_token_is_refused(oracle: Oracle, token: str) -> None:
    oracle.refuses("GET", f"runs?page_token={token}")


FILTERS = [
    "params.a = 'x' OR 1=1 --", "'; DROP TABLE runs", "params.a = 'x' UNION SELECT 1", "params.a = 'x' AND",
    "params.a", "metrics.a > 'x'", "metrics.a IN ('x')", "status > ", "(params.a = 'x')", "nothing.a = 'x'",
    "params.a = 'x' AND AND params.b = 'y'", "params.a = x", "start_time > 'yesterday'", "params.a IN ()",
    " AND ".join(["params.a = 'x'"] * 101), " OR ".join(["params.a = 'x'"] * 1001), "params.a = '" + "x" * 10_000 + "'",
    "metrics.a > NaN",
]  # fmt: skip


@pytest.mark.parametrize("text", FILTERS, ids=lambda text: text[:40])
def test_R19_R22_a_filter_that_is_not_of_the_grammar_is_refused(oracle: Oracle, text: str) -> None:
    oracle.refuses("GET", f"runs?filter={_quoted(text)}")


ORDERS = [
    "metrics.a; DROP TABLE runs",
    "(select 1)",
    "metrics.\"a' --",
    "nothing",
    "metrics.a DESC ASC;",
    "1",
    "metrics.",
]


@pytest.mark.parametrize("text", ORDERS)
def test_R20_an_order_that_is_not_of_the_grammar_is_refused(oracle: Oracle, text: str) -> None:
    oracle.refuses("GET", f"runs?order_by={_quoted(text)}")
    assert oracle.server.api("GET", "runs?order_by=metrics.a%20DESC").status == 200


@pytest.mark.parametrize("name", ["team's-run", "100%_x", 'say "a"', "back`tick", "a\\b", "x' OR 1=1 --", "é́"])
def test_R23_a_name_with_quotes_or_wildcards_is_found_exactly(server: JupyterServer, studio: Studio, name: str) -> None:
    run_id = insert_run(studio, name=name)
    log(studio, run_id, tags={"note": name})
    end(studio, run_id)
    written = name.replace("\\", "\\\\").replace("'", "\\'")
    by_name, by_tag = _quoted(f"name = '{written}'"), _quoted(f"tags.note = '{written}'")
    for query in (f"filter={by_name}", f"filter={by_tag}", f"q={_quoted(name)}"):
        found = server.api("GET", f"runs?{query}")
        assert [item["id"] for item in found.json["items"]] == [run_id], query


@pytest.mark.parametrize("field", ["status", "artifact_uri", "user_id", "pid", "id", "started_at", "user", "boot_id"])
def test_R24_what_the_server_owns_cannot_be_given(oracle: Oracle, field: str) -> None:
    oracle.refuses("POST", "runs", {"kind": "cell", "spec": {"cell": "1"}, field: "x"})
    oracle.refuses("POST", "runs", {"kind": "cell", "spec": {"cell": "1", field: "x"}})


def test_R25_nothing_moves_a_run_that_is_over(oracle: Oracle, studio: Studio) -> None:
    run_id = insert_run(studio)
    end(studio, run_id)
    oracle.refuses("POST", f"runs/{run_id}/stop", status=409)
    oracle.refuses("POST", f"runs/{run_id}/log", _points(), status=409)
    oracle.refuses("POST", f"runs/{run_id}/finish", {"failed": True}, status=409)
    oracle.refuses("PATCH", f"runs/{run_id}", {"status": "Running"})
    assert oracle.server.api("GET", f"runs/{run_id}").json["status"] == "Completed"


def test_R26_of_two_changes_with_one_etag_one_is_taken(oracle: Oracle, run_id: str) -> None:
    etag = oracle.server.api("GET", f"runs/{run_id}").json["etag"]
    held = {"If-Match": f'"{etag}"'}
    assert oracle.server.api("PATCH", f"runs/{run_id}", {"name": "first"}, headers=held).status == 200
    oracle.refuses("PATCH", f"runs/{run_id}", {"name": "second"}, headers=held, status=412)
    assert oracle.server.api("GET", f"runs/{run_id}").json["name"] == "first"
    oracle.refuses("PATCH", f"runs/{run_id}", {"name": "third"}, headers={"If-Match": "x"})


@pytest.mark.parametrize("kind", ["<script>alert(1)</script>", "text/plain", "application/x-www-form-urlencoded", ""])
def test_R27_another_content_type_is_refused_and_not_echoed(oracle: Oracle, kind: str) -> None:
    answer = oracle.refuses("POST", "experiments", {"name": "a"}, headers={"Content-Type": kind}, status=415)
    assert b"script" not in answer.body
    assert answer.headers["content-type"].startswith("application/json")


def test_a_body_over_its_limit_is_refused_before_it_is_sent(oracle: Oracle) -> None:
    head = {"Content-Length": str(5 * 1024 * 1024), "Content-Type": "application/json"}
    oracle.refuses("POST", "experiments", b"", headers=head, status=413)


@pytest.mark.parametrize(
    "query", ["since=-1", "since=9223372036854775808", "since=x", "since=1&since=2", "other=1", "since=%ff"]
)
def test_a_query_that_is_wrong_is_refused(oracle: Oracle, query: str) -> None:
    oracle.refuses("GET", f"changes?{query}")
    assert oracle.server.api("GET", "changes?since=1").status == 200


def test_an_unknown_workspace_is_not_found_and_a_known_one_is(oracle: Oracle) -> None:
    known = oracle.server.api("GET", "workspaces").json[0]["id"]
    assert oracle.server.api("GET", f"runs?workspace={known}").status == 200
    for workspace in ("x", "../x", "%00", "é"):
        oracle.refuses("GET", f"runs?workspace={workspace}", status={400, 404})
    for path in ("../outside", "/etc", "a/../..", "\x00", "nothing"):
        oracle.refuses("POST", "workspaces", {"path": path}, status={400, 404})


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


@pytest.mark.parametrize("kind", ["interactive", "convert", "serve", "batch", "package", "sweep", "trial"])
def test_a_run_that_belongs_to_something_else_is_not_submitted(server: JupyterServer, kind: str) -> None:
    answer = server.api("POST", "runs", {"kind": kind, "spec": {"options": {}}})
    assert answer.status == 400
    assert "is begun by what it belongs to" in answer.json["message"]
