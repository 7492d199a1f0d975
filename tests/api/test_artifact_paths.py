"""Paths of artifacts over a raw socket: nothing leads out, nothing hangs, nothing is split."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlstudio.services.paging import token_of
from jupyter_mlstudio.studio import Studio
from tests.server import JupyterServer, Oracle
from tests.waiting import until
from tests.world import end, insert_run

pytestmark = pytest.mark.slow

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def studio(server: JupyterServer) -> Iterator[Studio]:
    opened = server.studio()
    yield opened
    opened.close()


@pytest.fixture
def run_id(studio: Studio) -> str:
    run_id = insert_run(studio)
    end(studio, run_id)
    (studio.workspace.run_folder(run_id) / "artifacts" / "good.txt").write_text("good")
    return run_id


@pytest.fixture
def kept(studio: Studio, run_id: str) -> Path:
    """The folder of the run's artifacts."""
    return studio.workspace.run_folder(run_id) / "artifacts"


UP = "../" * 8
LEADS_OUT = {
    "P01 raw dots": f"{UP}canary",
    "P01 dots after a folder": f"a/{UP}canary",
    "P01 encoded slashes": "..%2f" * 8 + "canary",
    "P01 encoded dots": "%2e%2e/" * 8 + "canary",
    "P01 everything encoded": "%2e%2e%2f" * 8 + "canary",
    "P01 mixed": ".%2e/%2e./..%2F" * 3 + "canary",
    "P01 dots at the end": "a/..",
    "P01 a dot": "./good.txt",
    "P03 an absolute path": "/etc/hostname",
    "P03 an encoded absolute path": "%2fetc%2fhostname",
    "P03 two slashes": "//etc/hostname",
    "P03 an empty part": "a//b",
    "P03 a drive": "C:/x",
    "P03 a drive and a backslash": "C:%5cx",
    "P03 a share": "%5c%5chost%5cs",
    "P04 backslashes": "..%5c..%5ccanary",
    "P14 NUL": "a%00b",
    "P14 a line feed": "a%0d%0aSet-Cookie:x=1",
    "P14 delete": "a%7f",
    "P17 a name of 256 bytes": "a" * 256,
    "P17 a name of 64 emoji": "%F0%9F%98%80" * 64,
    "P17 a path of 4,000 bytes": "/".join(["a" * 100] * 40),
    "P18 bytes that are not UTF-8": "%ff%fe",
    "P18 an overlong slash": "%c0%ae%c0%ae%c0%af",
}
"""What is refused as the path of a file, whatever is to be done with it."""


@pytest.mark.parametrize("what", LEADS_OUT)
def test_a_path_that_leads_out_is_refused(oracle: Oracle, run_id: str, what: str) -> None:
    path = f"runs/{run_id}/files/{LEADS_OUT[what]}"
    oracle.refuses("GET", path)
    oracle.refuses("PUT", path, b"stolen", headers=OCTETS)
    oracle.refuses("DELETE", path)
    assert oracle.server.api("GET", f"runs/{run_id}/files/good.txt").body == b"good"


QUERIES = sorted(set(LEADS_OUT) - {"P18 bytes that are not UTF-8", "P18 an overlong slash"})


@pytest.mark.parametrize("what", QUERIES)
def test_a_path_that_leads_out_is_refused_in_a_query_too(oracle: Oracle, run_id: str, what: str) -> None:
    path = LEADS_OUT[what]
    for operation in ("preview", "artifacts"):
        oracle.refuses("GET", f"runs/{run_id}/{operation}?path={path}")
    oracle.refuses("GET", f"runs/{run_id}/code/file?path={path}", status={400, 404})
    assert oracle.server.api("GET", f"runs/{run_id}/preview?path=good.txt").json["text"] == "good"


SOURCES = ["file:///etc", "file://./etc", "FILE:/etc", "http:///%23/../../etc", "a%3f/../../x", "x;/../.."]


@pytest.mark.parametrize("source", SOURCES)
def test_P05_P07_P08_no_address_of_a_file_is_taken_for_a_path(oracle: Oracle, run_id: str, source: str) -> None:
    oracle.refuses("GET", f"runs/{run_id}/files/{source}", status={400, 404})
    oracle.refuses("POST", "models", {"name": "m", "run_id": run_id, "path": source}, status={400, 404})


def test_P10_a_hard_link_to_somewhere_else_is_not_read(oracle: Oracle, run_id: str, kept: Path) -> None:
    os.link(oracle.canary, kept / "hard")
    try:
        oracle.refuses("GET", f"runs/{run_id}/files/hard")
        oracle.refuses("GET", f"runs/{run_id}/preview?path=hard")
    finally:
        (kept / "hard").unlink()


def test_a_link_out_is_not_followed_neither_the_last_part_nor_a_folder(oracle: Oracle, run_id: str, kept: Path) -> None:
    (kept / "soft").symlink_to(oracle.canary)
    (kept / "folder").symlink_to(oracle.canary.parent, target_is_directory=True)
    for path in ("soft", "folder/canary"):
        oracle.refuses("GET", f"runs/{run_id}/files/{path}")
        oracle.refuses("GET", f"runs/{run_id}/preview?path={path}")
    oracle.refuses("PUT", f"runs/{run_id}/files/folder/new", b"x", headers=OCTETS)
    oracle.refuses("GET", f"runs/{run_id}/artifacts?path=folder")
    shown = oracle.server.api("GET", f"runs/{run_id}/artifacts").json["entries"]
    assert {entry["name"]: entry["kind"] for entry in shown} == {
        "good.txt": "file",
        "soft": "special",
        "folder": "special",
    }


def test_P11_pipes_sockets_and_devices_are_listed_and_never_opened(oracle: Oracle, run_id: str, kept: Path) -> None:
    os.mkfifo(kept / "pipe")
    (kept / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(kept, os.O_DIRECTORY)
        try:
            listener.bind(f"/proc/self/fd/{here}/socket")
        finally:
            os.close(here)
        for name in ("pipe", "socket", "zero"):
            oracle.refuses("GET", f"runs/{run_id}/files/{name}")
            oracle.refuses("GET", f"runs/{run_id}/preview?path={name}")
    shown = oracle.server.api("GET", f"runs/{run_id}/artifacts").json["entries"]
    assert {entry["name"] for entry in shown if entry["kind"] == "special"} == {"pipe", "socket", "zero"}


@pytest.mark.parametrize("name", ['a";x', "é.csv", "a b.txt", "%41", "x" * 255, "\U0001f600" * 63, "-rf", "a;b", "a'b"])
def test_P15_every_honest_name_comes_down_as_an_attachment(server: JupyterServer, run_id: str, name: str) -> None:
    from urllib.parse import quote

    path = f"runs/{run_id}/files/{quote(name, safe='')}"
    assert server.api("PUT", path, name.encode(), headers=OCTETS).status == 201
    answer = server.api("GET", path)
    assert (answer.status, answer.body) == (200, name.encode())
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize("path", ["", ".", "/", "..", "%2e", "%2e%2e"])
def test_P16_the_root_of_the_artifacts_cannot_be_deleted(oracle: Oracle, run_id: str, path: str, kept: Path) -> None:
    oracle.refuses("DELETE", f"runs/{run_id}/files/{path}", status={400, 404})
    assert (kept / "good.txt").read_text() == "good"


def test_what_is_deleted_is_gone_and_only_that(server: JupyterServer, run_id: str, kept: Path) -> None:
    (kept / "a" / "b").mkdir(parents=True)
    (kept / "a" / "b" / "c").write_text("c")
    assert server.api("DELETE", f"runs/{run_id}/files/a/b").status == 204
    assert sorted(path.name for path in kept.iterdir()) == ["a", "good.txt"]
    assert server.api("DELETE", f"runs/{run_id}/files/a/b").status == 404


def test_P19_a_name_that_is_not_UTF_8_is_listed_and_can_be_had(server: JupyterServer, run_id: str, kept: Path) -> None:
    from urllib.parse import quote

    (kept / os.fsdecode(b"\xff.txt")).write_text("odd")
    entries = server.api("GET", f"runs/{run_id}/artifacts").json["entries"]
    name = next(entry["path"] for entry in entries if entry["path"] != "good.txt")
    assert server.api("GET", f"runs/{run_id}/files/{quote(name, safe='')}").body == b"odd"


def test_P20_a_folder_of_many_files_is_listed_in_pages(server: JupyterServer, run_id: str, kept: Path) -> None:
    many = kept / "many"
    many.mkdir()
    for number in range(3000):
        (many / f"{number:05}").touch()
    seen: list[str] = []
    token = ""
    while True:
        page = server.api("GET", f"runs/{run_id}/artifacts?path=many&max_results=1000{token}").json
        seen += [entry["name"] for entry in page["entries"]]
        assert page["total"] == 3000
        if page["next_page_token"] is None:
            break
        token = f"&page_token={page['next_page_token']}"
    assert seen == [f"{number:05}" for number in range(3000)]


def test_P20_a_page_of_a_hundred_thousand_files_takes_less_than_a_second(
    server: JupyterServer, run_id: str, kept: Path
) -> None:
    many = kept / "many"
    many.mkdir()
    for number in range(100_000):
        os.mknod(f"{many}/{number:06}")
    server.api("GET", f"runs/{run_id}/artifacts?path=")  # the studio opens at the first request
    process = psutil.Process(server.process.pid)
    took = []
    for offset in (None, 50_000, 99_500):
        token = "" if offset is None else f"&page_token={token_of(offset, 100_000)}"
        begun = sum(process.cpu_times()[:2])
        page = server.api("GET", f"runs/{run_id}/artifacts?path=many&max_results=500{token}").json
        took.append(sum(process.cpu_times()[:2]) - begun)  # what others take on a busy machine is not its time
        first = offset or 0
        assert [entry["name"] for entry in page["entries"]] == [f"{n:06}" for n in range(first, first + 500)]
        assert page["total"] == 100_000
    assert page["next_page_token"] is None
    shutil.rmtree(many)  # whoever looks at the server's files after this would look at all of them
    assert max(took) < 1, took


def test_P20_folders_five_hundred_deep_can_be_read_and_deleted(server: JupyterServer, run_id: str, kept: Path) -> None:
    deep = "/".join(["d"] * 500)
    assert server.api("PUT", f"runs/{run_id}/files/{deep}/leaf", b"leaf", headers=OCTETS).status == 201
    assert server.api("GET", f"runs/{run_id}/files/{deep}/leaf").body == b"leaf"
    assert server.api("DELETE", f"runs/{run_id}/files/d").status == 204
    assert not (kept / "d").exists()


def test_F12_an_upload_that_breaks_off_leaves_nothing(server: JupyterServer, run_id: str, studio: Studio) -> None:
    folder = studio.workspace.run_folder(run_id)
    head = (
        f"PUT /mlstudio/api/v1/runs/{run_id}/files/half HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: token {server.token}\r\nContent-Length: 1000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + b"x" * 500_000)
        until(lambda: list((folder / "uploads").glob(".*")))
    until(lambda: not list((folder / "uploads").iterdir()))
    assert [path.name for path in (folder / "artifacts").iterdir()] == ["good.txt"]


def test_a_file_is_replaced_as_a_whole(oracle: Oracle, run_id: str) -> None:
    path = f"runs/{run_id}/files/good.txt"
    assert oracle.server.api("PUT", path, b"better", headers=OCTETS).json["size_bytes"] == 6
    assert oracle.server.api("GET", path).body == b"better"
    oracle.refuses("PUT", f"runs/{run_id}/files/.x.tmp", b"x", headers=OCTETS)
    oracle.refuses("PUT", f"{path}/below", b"x", headers=OCTETS, status=409)


def test_files_of_a_live_run_are_not_deleted(oracle: Oracle, studio: Studio) -> None:
    live = insert_run(studio)
    (studio.workspace.run_folder(live) / "artifacts" / "a").write_text("a")
    oracle.refuses("DELETE", f"runs/{live}/files/a", status=409)
    end(studio, live)
    assert oracle.server.api("DELETE", f"runs/{live}/files/a").status == 204
