from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.onnx import graphs
from tests.serving.conftest import KEYS, Scoring, write_keys
from tests.serving.test_protocol_v2 import GOOD

pytestmark = pytest.mark.slow


def test_E01_without_a_valid_key_every_answer_is_the_same(doubling: Scoring) -> None:
    time.sleep(1.1)
    good = doubling.infer(GOOD)
    wrong = [doubling.infer(GOOD, key=key) for key in (None, "mls_wrong", "mls_one ".strip() + "x", "é", "mls_on")]
    basic = doubling.infer(GOOD, key=None, authorization="Basic bWxzX29uZTo=")
    assert good.status == 200
    assert {answer.status for answer in [*wrong, basic]} == {401}
    assert len({answer.body for answer in [*wrong, basic]}) == 1
    assert {answer.headers["www-authenticate"] for answer in [*wrong, basic]} == {"Bearer"}


@pytest.mark.parametrize("path", ["/v2", "/v2/models/m", "/v2/models/m/ready", "/v2/models/m/stats", "/v2/nothing"])
def test_only_health_answers_without_a_key(doubling: Scoring, path: str) -> None:
    assert doubling.ask(path, key=None).status in (401, 429)
    assert doubling.ask("/v2/health/live", key=None).status == 200


def test_both_keys_are_good_and_a_replaced_one_is_dead_within_a_second(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling())
    assert [scoring.infer(GOOD, key=KEYS[name]).status for name in ("primary", "secondary")] == [200, 200]
    write_keys(scoring.keys_file, {**KEYS, "primary": "mls_new"})
    assert scoring.infer(GOOD, key="mls_new").status == 200
    time.sleep(0.9)
    assert scoring.infer(GOOD, key="mls_one").status == 401
    assert scoring.infer(GOOD, key="mls_new").status == 200
    assert scoring.infer(GOOD, key="mls_two").status == 200


def test_a_key_file_that_is_gone_leaves_no_key_that_opens(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling())
    assert scoring.infer(GOOD).status == 200
    scoring.keys_file.unlink()
    time.sleep(0.5)
    assert scoring.infer(GOOD).status == 401
    assert scoring.infer(GOOD, key="").status == 401


def test_E03_a_key_in_the_address_does_not_count(doubling: Scoring) -> None:
    assert doubling.ask("/v2/models/m/infer?key=mls_one", GOOD, key=None).status in (401, 429)
    assert doubling.ask("/v2/models/m/infer?key=mls_one", GOOD).status == 200


def test_after_ten_wrong_keys_in_a_second_the_answer_is_429_and_a_right_key_still_works(doubling: Scoring) -> None:
    time.sleep(1.1)
    answers = [doubling.infer(GOOD, key="mls_wrong") for _ in range(40)]
    assert answers[-1].status == 429
    assert answers[-1].headers["retry-after"] == "1"
    assert doubling.infer(GOOD).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1:{port}.evil.example"]
)
def test_E04_a_host_that_is_not_ours_is_refused_before_the_key(doubling: Scoring, host: str) -> None:
    named = host.format(port=doubling.port)
    assert doubling.infer(GOOD, host=named).status in ((403,) if named else (400, 403))
    assert doubling.ask("/v2/health/live", key=None, host=named).status in ((403,) if named else (400, 403))


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_E04_the_hosts_names_of_this_machine_are_good(doubling: Scoring, host: str) -> None:
    assert doubling.infer(GOOD, host=host.format(port=doubling.port)).status == 200


def test_E05_a_browser_page_may_not_ask(doubling: Scoring) -> None:
    answer = doubling.infer(GOOD, origin="http://evil")
    preflight = doubling.ask("/v2/models/m/infer", method="OPTIONS", key=None, origin="http://evil")
    assert (answer.status, preflight.status) == (403, 403)
    assert not [name for name in {**answer.headers, **preflight.headers} if name.startswith("access-control")]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "application/octet-stream", "application/jsonp", "<script>"])  # fmt: skip
def test_E05_another_content_type_is_refused_and_not_repeated(doubling: Scoring, kind: str) -> None:
    answer = doubling.infer(GOOD, content_type=kind)
    assert answer.status == 415
    assert kind not in answer.body.decode()
    assert doubling.infer(GOOD, content_type="application/json; charset=utf-8").status == 200


def test_a_header_that_is_there_twice_is_refused(doubling: Scoring) -> None:
    head = f"GET /v2 HTTP/1.1\r\nHost: 127.0.0.1:{doubling.port}\r\nAuthorization: Bearer mls_one\r\n"
    assert doubling.raw(f"{head}\r\n".encode()).status == 200
    assert doubling.raw(f"{head}Authorization: Bearer x\r\n\r\n".encode()).status in (400, 403)


def test_E06_only_the_process_that_holds_the_nonce_can_prove_it(doubling: Scoring) -> None:
    challenge = "00" * 16
    answer = doubling.ask("/v2/health/live", key=None, x_mlstudio_challenge=challenge)
    secret = hashlib.sha256(b"nonce").digest()
    assert answer.headers["x-mlstudio-proof"] == hmac.new(secret, bytes.fromhex(challenge), hashlib.sha256).hexdigest()
    assert doubling.infer(GOOD, key="nonce").status == 200
    assert "x-mlstudio-proof" not in doubling.ask("/v2/health/live", x_mlstudio_challenge="zz").headers


def test_a_key_with_an_end_is_refused_after_it(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling())
    digests = {name: hashlib.sha256(key.encode()).hexdigest() for name, key in KEYS.items()}
    soon = datetime.now(UTC) + timedelta(seconds=2)
    kept = {**digests, "primary": {"sha256": digests["primary"], "expires_at": soon.isoformat()}}
    temporary = scoring.keys_file.with_suffix(".new")
    temporary.write_text(json.dumps(kept))
    temporary.replace(scoring.keys_file)
    time.sleep(0.4)
    assert scoring.ask("/v2").status == 200
    time.sleep(max((soon - datetime.now(UTC)).total_seconds(), 0))
    assert scoring.ask("/v2").status == 401
    assert scoring.ask("/v2", key="mls_two").status == 200


def test_E04_only_names_that_it_was_told_of_reach_it(serve: Callable[..., Scoring]) -> None:
    scoring = serve(graphs.doubling(), hosts=["models.example"])
    for host, status in (("models.example", 200), ("Models.Example", 200), ("evil.example", 403), ("", 403)):
        assert scoring.ask("/v2", host=host).status == status
    assert scoring.ask("/v2", host=f"models.example:{scoring.port}").status == 200
