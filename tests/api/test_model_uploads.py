"""Uploads and model files over a raw socket: nothing is unpacked, loaded, half kept or led out."""

from __future__ import annotations

import io
import pickle
import socket
import tarfile
import threading
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL
from jupyter_mlstudio.programs.convert import convert
from jupyter_mlstudio.studio import Studio
from tests.onnx import graphs
from tests.server import JupyterServer, Oracle
from tests.waiting import until

pytestmark = pytest.mark.slow

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def studio(server: JupyterServer) -> Iterator[Studio]:
    opened = server.studio()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, LogisticRegression().fit([[0.0], [1.0]], [0, 1]), [[0.5]])
    found = convert(folder).onnx
    assert found is not None
    return found


def place(path: str = "model.onnx", upload: str = "") -> str:
    return f"model-uploads/{upload or uuid.uuid4().hex}/files/{path}"


def mlflow_folder(folder: Path, model: LogisticRegression) -> None:
    """Writes a model as a folder with folders in it."""
    (folder / "code").mkdir()
    (folder / "code" / "helper.py").write_text("x = 1\n")
    (folder / "data" / "model").mkdir(parents=True)
    (folder / "data" / "model" / "model.skops").write_bytes(skops.io.dumps(model))
    flavor = "sklearn:\n    pickled_model: data/model/model.skops\n    serialization_format: skops\n"
    (folder / "example").mkdir()
    (folder / "example" / "rows.json").write_text('{"columns": ["x"], "data": [[0.25], [0.75]]}')
    example = "artifact_path: example/rows.json\n  type: dataframe\n  pandas_orient: split\n"
    (folder / "MLmodel").write_text(f"saved_input_example_info:\n  {example}flavors:\n  {flavor}")


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name in names:
            packed.writestr(name, "canary")
    return content.getvalue()


def tarred() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as packed:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../canary"
        packed.addfile(link)
    return content.getvalue()


ARCHIVES = {
    "U01 upwards": ("a.zip", zipped("../evil")),
    "U01 absolute": ("a.zip", zipped("/abs", "a/../../b", "..\\win")),
    "U01 under another name": ("model.bin", zipped("../evil")),
    "U02 tar with a link": ("a.tar", tarred()),
    "U02 tar under another name": ("model", tarred()),
    "U02 packed tar": ("a.tar.gz", b"\x1f\x8b" + bytes(20)),
    "M19 HDF5": ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(20)),
}


@pytest.mark.parametrize("case", list(ARCHIVES))
def test_U01_U02_M19_archives_and_hdf5_are_not_taken(oracle: Oracle, case: str) -> None:
    name, content = ARCHIVES[case]
    oracle.refuses("PUT", place(name), content, status=415, headers=OCTETS)


@pytest.mark.parametrize("path", ["../x.onnx", "..%2fx.onnx", "a/../../x", "%2fetc%2fx", "a%00b", "a%5cb", "native/x"])
def test_P01_an_uploads_path_leads_nowhere_else(oracle: Oracle, path: str) -> None:
    oracle.refuses("PUT", place(path), b"x", headers=OCTETS)


@pytest.mark.parametrize("upload", ["..", "a", "%2e%2e", "A" * 32, "0" * 33])
def test_an_uploads_id_is_no_path(oracle: Oracle, upload: str) -> None:
    oracle.refuses("PUT", f"model-uploads/{upload}/files/x.onnx", b"x", headers=OCTETS)
    oracle.refuses("DELETE", f"model-uploads/{upload}")


def test_U10_what_is_over_the_limit_is_refused_before_it_is_read(oracle: Oracle) -> None:
    headers = {**OCTETS, "Content-Length": str(17 * 1024**3)}
    oracle.refuses("PUT", place(), b"", status=413, headers=headers)


def test_U06_U07_a_body_that_breaks_off_leaves_nothing(server: JupyterServer, oracle: Oracle, studio: Studio) -> None:
    upload, begun = uuid.uuid4().hex, lambda: list((studio.workspace.models / ".uploads").glob(".*.tmp"))
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        head = f"PUT /mlstudio/api/v1/{place(upload=upload)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        link.sendall(f"{head}Authorization: token {server.token}\r\nContent-Length: 100\r\n\r\n".encode() + bytes(99))
        until(begun)
    until(lambda: not begun())
    oracle.refuses("POST", "models", {"name": "cut", "upload": upload}, status=404)
    assert not (studio.workspace.models / ".uploads" / upload).exists()


def test_U05_a_form_is_bytes_like_any_other(server: JupyterServer) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = b"--x\r\n" * 10_000
    answer = server.api("PUT", place("notes.txt"), body, headers=headers)
    assert (answer.status, answer.json["size_bytes"]) == (201, len(body))


def test_U08_of_two_uploads_for_one_path_a_whole_one_stays(server: JupyterServer, studio: Studio) -> None:
    upload, answers = uuid.uuid4().hex, []
    bodies = [bytes([number]) * 2_000_000 for number in (1, 2)]

    def put(body: bytes) -> None:
        answers.append(server.api("PUT", place("x.bin", upload), body, headers=OCTETS).status)

    threads = [threading.Thread(target=put, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201, 201]
    assert (studio.workspace.models / ".uploads" / upload / "x.bin").read_bytes() in bodies
    assert server.api("DELETE", f"model-uploads/{upload}").status == 204


def test_U09_a_registered_version_never_changes(
    server: JupyterServer, oracle: Oracle, studio: Studio, onnx: bytes
) -> None:
    upload = uuid.uuid4().hex
    assert server.api("PUT", place(upload=upload), onnx, headers=OCTETS).status == 201
    made = server.api("POST", "models", {"name": "kept", "upload": upload})
    assert made.status == 201
    folder = studio.models.folder("kept", 1)
    answer = server.api("PUT", "models/kept/versions/1/files/native/model.onnx", b"other", headers=OCTETS)
    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert (folder / "native" / "model.onnx").read_bytes() == onnx
    assert not (studio.workspace.models / ".uploads" / upload).exists()
    server.api("DELETE", "models/kept")
    until(lambda: studio.runs.get(made.json["convert_run_id"]).status in TERMINAL)


def test_an_uploaded_folder_keeps_its_folders(server: JupyterServer, studio: Studio, tmp_path: Path) -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    mlflow_folder(tmp_path, model)
    upload = uuid.uuid4().hex
    sent = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert {"MLmodel", "code/helper.py", "data/model/model.skops"} <= set(sent)
    for name in sent:
        answer = server.api("PUT", place(name, upload), (tmp_path / name).read_bytes(), headers=OCTETS)
        assert (answer.status, answer.json["path"]) == (201, name)
    made = server.api("POST", "models", {"name": "foldered", "upload": upload, "allow_code": True})
    assert made.status == 201
    assert sorted(file["path"] for file in made.json["files"]) == [f"native/{name}" for name in sent]
    kept = server.api("GET", "models/foldered/versions/1/files/native/code/helper.py")
    assert kept.body == (tmp_path / "code" / "helper.py").read_bytes()
    until(lambda: studio.models.version("foldered", "1").status is not VersionStatus.CONVERTING)
    found = studio.models.version("foldered", "1")
    assert found.status is VersionStatus.READY, found.reason
    server.api("DELETE", "models/foldered")


@pytest.mark.parametrize("path", ["MLmodel/x", "data", "a/" * 20 + "x"])
def test_a_path_of_an_upload_that_is_a_file_already_or_too_deep_is_refused(
    server: JupyterServer, oracle: Oracle, path: str
) -> None:
    upload = uuid.uuid4().hex
    for name in ("MLmodel", "data/x"):
        assert server.api("PUT", place(name, upload), b"a: 1", headers=OCTETS).status == 201
    oracle.refuses("PUT", place(path, upload), b"x", status={400, 409}, headers=OCTETS)
    assert server.api("DELETE", f"model-uploads/{upload}").status == 204


BAD = {
    "M02 a pickle called ONNX": ("model.onnx", pickle.dumps({"a": 1})),
    "M02 a ZIP called ONNX": ("model.onnx", b"\x08" * 3 + b"nothing"),
    "M03 other files": ("model.onnx", graphs.external("../canary")),
    "M06 empty": ("model.onnx", b""),
    "M06 cut": ("model.onnx", graphs.external("x")[:40]),
    "M09 custom operators": ("model.onnx", graphs.custom()),
    "M14 objects in MLmodel": ("MLmodel", b"a: !!python/object/apply:os.system ['touch canary2']\n"),
    "M14 MLmodel that is a list": ("MLmodel", b"- 1\n"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_M02_M03_M06_M09_M14_a_file_that_is_not_what_it_is_called_is_refused(
    server: JupyterServer, oracle: Oracle, case: str
) -> None:
    name, content = BAD[case]
    folder = server.root / "given"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    try:
        oracle.refuses("POST", "models", {"name": "bad", "file": f"given/{name}" if name != "MLmodel" else "given"})
    finally:
        (folder / name).unlink()


@pytest.mark.parametrize(
    "path",
    ["../canary", "/etc/hostname", "", "a/../../canary", ".mlstudio/mlstudio.db", "x/.mlstudio/y", "C:/x", "a\\b", "."],
)
def test_P01_P03_P08_a_file_elsewhere_or_the_studios_own_is_not_registered(oracle: Oracle, path: str) -> None:
    oracle.refuses("POST", "models", {"name": "bad", "file": path})


def test_P10_P11_links_are_not_registered(server: JupyterServer, oracle: Oracle) -> None:
    made: list[Path] = [server.root / name for name in ("soft.onnx", "hard.onnx", "way")]
    made[0].symlink_to(oracle.canary)
    made[1].hardlink_to(oracle.canary)
    made[2].symlink_to(server.folder)
    try:
        for path in ("soft.onnx", "hard.onnx", "way/canary"):
            oracle.refuses("POST", "models", {"name": "bad", "file": path})
    finally:
        for link in made:
            link.unlink()


def test_M16_hooks_in_mlmodel_are_kept_as_text_and_never_executed(server: JupyterServer, studio: Studio) -> None:
    folder = server.root / "hooked"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "evil.py").write_text(f"open({str(server.folder / 'hooked-canary')!r}, 'w')")
    (folder / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: evil\n    code: code\n")
    (folder / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    answer = server.api("POST", "models", {"name": "hooked", "file": "hooked"})
    assert (answer.status, answer.json["status"]) == (201, "Refused")
    assert not (server.folder / "hooked-canary").exists()
    server.api("DELETE", "models/hooked")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "Rejected"}, 400),
        ({"status": "Maybe", "reason": "x"}, 400),
        ({"status": "Approved", "reason": "x" * 5001}, 400),
        ({"status": "Approved", "user": "root"}, 400),
    ],
)
def test_R09_R24_a_decision_is_one_of_three_and_says_nothing_of_who(
    oracle: Oracle, body: dict[str, object], status: int
) -> None:
    oracle.refuses("POST", "models/none/versions/1/approval", body, status={status, 404})
