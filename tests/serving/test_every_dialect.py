"""What holds in whatever form an endpoint is asked: who may ask, and what is refused."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator

import pytest

from tests.onnx import graphs
from tests.serving.conftest import Scoring, end, launch
from tests.serving.speakers import IN_JSON, SPEAKERS, Raw, Speaker, binary

pytestmark = pytest.mark.slow

each = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda one: one.name)
each_but_arrow = pytest.mark.parametrize("speaker", SPEAKERS[:-1], ids=lambda one: one.name)
each_in_bytes = pytest.mark.parametrize("speaker", [o for o in SPEAKERS if not o.is_json], ids=lambda one: one.name)
each_of_azures = pytest.mark.parametrize(
    "speaker", [o for o in IN_JSON if o.path == "/score"], ids=lambda one: one.name
)
each_in_json = pytest.mark.parametrize("speaker", IN_JSON, ids=lambda one: one.name)
LEAKS = ("Traceback", "msgspec", "numpy", "onnxruntime", "pyarrow", "pandas", ".py", "/work", "/tmp", "site-packages")


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoring]:
    """An endpoint that takes four rows and two kilobytes."""
    scoring = launch(
        tmp_path_factory.mktemp("tight"), graphs.doubling(), graphs.DOUBLING, limits={"rows": 4, "body_bytes": 2048}
    )
    yield scoring
    end(scoring)


@each
def test_the_same_rows_have_the_same_answer(doubling: Scoring, speaker: Speaker) -> None:
    answer = speaker.ask(doubling, [[1.5, 2.0], [-3.0, 0.25]])
    assert answer.status == 200, answer.body
    assert speaker.read(answer) == [[3.0, 4.0], [-6.0, 0.5]]
    assert answer.headers["azureml-model-deployment"] == "blue"


@each
def test_E01_without_a_valid_key_nothing_is_read(doubling: Scoring, speaker: Speaker) -> None:
    time.sleep(0.6)  # more than ten wrong keys in a second have another answer
    answers = [speaker.ask(doubling, [[1.0, 2.0]], key=key) for key in (None, "", "mls_wrong")]
    assert {answer.status for answer in answers} <= {401, 429}
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers if answer.status == 401)


@each
def test_E03_a_key_in_the_address_opens_nothing(doubling: Scoring, speaker: Speaker) -> None:
    body = speaker.write([[1.0, 2.0]])
    asked = {"content_type": speaker.content_type, **speaker.headers(body)}
    assert doubling.ask(speaker.path + "?code=mls_one", body, key=None, **asked).status in (401, 429)


@each
def test_E04_another_host_is_refused(doubling: Scoring, speaker: Speaker) -> None:
    assert speaker.ask(doubling, [[1.0, 2.0]], host="evil.example").status == 403


@each
def test_E05_web_pages_are_refused(doubling: Scoring, speaker: Speaker) -> None:
    for answer in (
        speaker.ask(doubling, [[1.0, 2.0]], origin="http://evil"),
        doubling.ask(speaker.path, method="OPTIONS", origin="http://evil"),
    ):
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert speaker.ask(doubling, [[1.0, 2.0]], content_type=kind).status == 415


@each
def test_E07_a_path_that_is_only_like_it_is_not_found(doubling: Scoring, speaker: Speaker) -> None:
    body = speaker.write([[1.0, 2.0]])
    for path in (
        speaker.path + "/",
        speaker.path.upper(),
        "/." + speaker.path,
        speaker.path + "%00",
        "/x" + speaker.path,
    ):
        assert doubling.ask(path, body, content_type=speaker.content_type).status == 404, path


@each
def test_R28_only_post_asks_the_model(doubling: Scoring, speaker: Speaker) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = doubling.ask(speaker.path, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


@each_but_arrow
def test_E11_rows_of_another_width_are_refused(doubling: Scoring, speaker: Speaker) -> None:
    if speaker.name == "binary tensors":
        body = binary([[1.0, 2.0]])
        assert speaker.send(doubling, body[:-4]).status == 400
        assert speaker.send(doubling, body + b"\0\0\0\0").status == 400
    else:
        for rows in ([[1.0, 2.0, 3.0]], [[1.0]], [[1.0, 2.0], [3.0]]):
            assert speaker.ask(doubling, rows).status == 400, rows
    assert speaker.ask(doubling, [[1.0, 2.0]]).status == 200


@each_in_json
@pytest.mark.parametrize("value", ['"1.5"', "true", '"x"', "{}", "[1]", "[]"])
def test_E12_what_is_no_number_is_refused_and_named(doubling: Scoring, speaker: Speaker, value: str) -> None:
    answer = speaker.ask(doubling, [[1.0, 2.0], [3.0, Raw(value)]])
    assert answer.status == 400
    said = answer.json.get("error") or answer.json["message"]
    if value[0] not in "[{":
        assert "row 1" in said
        assert "column 1" in said
        assert f"{value} is not a number" in said


@each_in_json
@pytest.mark.parametrize("value", ["1e39", "-1e39", "1e400", "1" + "0" * 400, "-" + "9" * 5000])
def test_E13_what_does_not_fit_is_refused(doubling: Scoring, speaker: Speaker, value: str) -> None:
    assert speaker.ask(doubling, [[1.0, Raw(value)]]).status == 400
    assert speaker.ask(doubling, [[1.0, Raw("3.4e38")]]).status == 200


@each_in_json
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "nan", "0x10", "1_0", "01", ".5", "1."])
def test_E15_what_is_no_json_is_refused(doubling: Scoring, speaker: Speaker, value: str) -> None:
    assert speaker.ask(doubling, [[1.0, Raw(value)]]).status == 400


@each_in_bytes
@pytest.mark.parametrize("value", [float("inf"), float("-inf")], ids=str)
def test_E15_an_infinity_is_refused_in_every_form(doubling: Scoring, speaker: Speaker, value: float) -> None:
    assert speaker.ask(doubling, [[1.0, 2.0], [3.0, value]]).status == 400


NULL = {"input_data": 200, "dataframe_split": 200}
"""Where rows are a data frame, null is a missing number; elsewhere it is refused."""


@each_in_json
def test_E16_null_is_a_number_only_in_a_data_frame(doubling: Scoring, speaker: Speaker) -> None:
    answer = speaker.ask(doubling, [[1.0, 2.0], [3.0, Raw("null")]])
    assert answer.status == NULL.get(speaker.name, 400)
    if answer.status == 200:
        assert speaker.read(answer) == [[2.0, 4.0], [6.0, None]]
        assert "not finite" in answer.headers["x-mlstudio-warning"]
    else:
        assert "null is not a number" in answer.body.decode()


def test_E15_a_nan_in_bytes_is_refused_unless_it_is_announced(doubling: Scoring) -> None:
    speaker = next(one for one in SPEAKERS if one.name == "binary tensors")
    nan = [[1.0, float("nan")]]
    refused = speaker.ask(doubling, nan)
    assert (refused.status, "row 0, column 1: NaN is not a number" in refused.json["error"]) == (400, True)
    announced = speaker.write(nan).replace(b'"parameters": {', b'"parameters": {"allow_null": true, ')
    answer = speaker.send(doubling, announced)
    assert (answer.status, answer.json["outputs"][0]["data"]) == (200, [2.0, None])


@each
def test_E18_too_many_rows_and_too_long_a_body_are_refused(tight: Scoring, speaker: Speaker) -> None:
    assert speaker.ask(tight, [[1.0, 2.0]] * 4).status == 200
    assert speaker.ask(tight, [[1.0, 2.0]] * 5).status == 413
    assert speaker.send(tight, speaker.write([[1.0, 2.0]]) + b" " * 2048).status == 413


@each
def test_E18_a_compressed_body_is_refused(doubling: Scoring, speaker: Speaker) -> None:
    bomb = gzip.compress(bytes(10**7))
    assert speaker.send(doubling, bomb, content_encoding="gzip").status == 415


@each_but_arrow
def test_no_rows_are_no_request(doubling: Scoring, speaker: Speaker) -> None:
    assert speaker.ask(doubling, []).status == 400


@each
def test_E23_no_error_shows_the_inside(doubling: Scoring, speaker: Speaker) -> None:
    for body in (b"", b"\xff\xfe", b"[1", b"{}", b"null", b"[" * 50_000, b'{"a":' * 50_000, b"\0" * 100, b'"' * 99):
        answer = speaker.send(doubling, body)
        assert answer.status == 400, body[:20]
        assert not [word for word in LEAKS if word in answer.body.decode()]
    assert speaker.ask(doubling, [[1.0, 2.0]]).status == 200


@each_of_azures
def test_azures_headers_come_with_good_and_bad_answers(doubling: Scoring, speaker: Speaker) -> None:
    good = speaker.ask(doubling, [[1.0, 2.0]], x_request_id="mine")
    bad = speaker.ask(doubling, [[1.0, Raw('"x"')]])
    assert good.headers["x-request-id"] == "mine"
    assert bad.headers["x-request-id"] not in ("", "mine")
    for answer in (good, bad):
        assert answer.headers["x-ms-run-function-failed"] == "False"
        assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0


def test_mlflows_errors_are_in_its_own_form(doubling: Scoring) -> None:
    answer = doubling.ask("/invocations", b"{}")
    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "exactly one of" in answer.json["message"]


@pytest.mark.parametrize(("path", "said"), [("/", b"Healthy"), ("/ping", b"\n"), ("/health", b"\n")])
def test_health_is_told_in_every_dialects_words_without_a_key(doubling: Scoring, path: str, said: bytes) -> None:
    answer = doubling.ask(path, key=None)
    assert (answer.status, answer.body) == (200, said)


def test_the_version_needs_a_key(doubling: Scoring) -> None:
    assert doubling.ask("/version", key=None).status in (401, 429)
    assert doubling.ask("/version").headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("speaker", [SPEAKERS[0], SPEAKERS[4], SPEAKERS[-2]], ids=lambda one: one.name)
def test_E21_a_client_that_leaves_in_the_middle_leaves_nothing(serve: Callable[..., Scoring], speaker: Speaker) -> None:
    scoring = serve(graphs.doubling(), limits={"body_bytes": 4096})
    head = f"POST {speaker.path} HTTP/1.1\r\nHost: 127.0.0.1:{scoring.port}\r\nAuthorization: Bearer mls_one\r\n"
    for _ in range(20):  # more than the bodies that are held at once
        with scoring.connect() as link:
            link.sendall(f"{head}Content-Type: {speaker.content_type}\r\nContent-Length: 4000\r\n\r\n[".encode())
    time.sleep(0.2)
    assert speaker.ask(scoring, [[1.0, 2.0]]).status == 200
