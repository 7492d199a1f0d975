"""Packages are run for real: in an environment that has onnxruntime and numpy alone, in MLflow, in an image."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.plugins.deployment import bundle, oci
from jupyter_mlstudio.plugins.deployment.base import Facts
from jupyter_mlstudio.plugins.deployment.targets import DockerTarget, EdgeTarget, KubernetesTarget, LocalTarget
from jupyter_mlstudio.programs import convert, ladder
from tests.plugins import rootfs
from tests.programs.test_convert_many import MODELS, NORTH, SOUTH, Packed

pytestmark = pytest.mark.slow

DATA = load_iris(as_frame=True)
MODEL = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)
ROWS = DATA.data.iloc[::29]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, MODEL, DATA.data, DATA.target)
    converter = SklearnConverter()
    source = Source(folder, json.loads((folder / "mlstudio.json").read_text()))
    outcome = ladder.climb(converter, converter.load(source))
    assert outcome.onnx is not None
    (folder / "model.onnx").write_bytes(outcome.onnx)
    plain: dict[str, Any] = json.loads(json.dumps(convert._plain(asdict(outcome.conversion))))
    return Facts(
        name="Iris flowers", version="3", onnx=folder / "model.onnx", sha256=bundle.digest(folder / "model.onnx"),
        signature=plain["signature"], parity=plain["parity"], sample=plain["sample"], params={"C": 1.0},
        metrics={"accuracy": 0.97}, framework="scikit-learn", run_id="abc", created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


@pytest.fixture
def made(facts: Facts, tmp_path: Path) -> Path:
    return bundle.write(tmp_path / "iris-flowers-3", facts)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that holds onnxruntime, numpy and what they need; nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for path, source in oci.packages(bundle.pinned(bundle.RUNTIME), "").items():
        target = site / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)
    return folder / "bin" / "python"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(words: list[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    clean = {"PATH": os.environ["PATH"], **(environment or {})}
    process = subprocess.Popen(
        words, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready"):
                break
            assert process.poll() is None, process.communicate()[0].decode()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=20)


def ask(url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def request_of(rows: Any) -> dict[str, Any]:
    data = rows.to_numpy().ravel().tolist()
    return {"inputs": [{"name": "X", "shape": [len(rows), 4], "datatype": "FP64", "data": data}]}


def check_answers(url: str, facts: Facts, **headers: str) -> None:
    name = facts.signature["inputs"][0]["name"]
    sent = request_of(ROWS)
    sent["inputs"][0] |= {"name": name, "datatype": facts.signature["inputs"][0]["datatype"]}
    status, answer = ask(f"{url}/v2/models/Iris%20flowers/infer", sent, **headers)
    assert status == 200, answer
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    assert [int(label) for label in outputs["label"]] == MODEL.predict(ROWS).tolist()
    found = np.array(outputs["probabilities"]).reshape(-1, 3)
    assert np.abs(found - MODEL.predict_proba(ROWS)).max() < 1e-5


def test_a_bundle_says_what_it_holds_and_is_whole(made: Path, facts: Facts) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    assert {name: bundle.digest(made / name) for name in manifest["sha256"]} == manifest["sha256"]
    assert {*manifest["sha256"], "manifest.json"} == {path.name for path in made.iterdir()}
    assert {"model.onnx", "score.py", "conda.yml", "requirements.txt", "MLmodel", "sbom.cdx.json"} <= set(
        manifest["sha256"]
    )
    assert json.loads((made / "hyperparameters.json").read_text()) == {"C": 1.0}
    sbom = json.loads((made / "sbom.cdx.json").read_text())
    assert sbom["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": facts.sha256}]
    assert {"onnxruntime", "numpy"} <= {one["name"] for one in sbom["components"]}
    assert yaml.safe_load((made / "conda.yml").read_text())["dependencies"][-1] == {"pip": ["-r requirements.txt"]}


def test_a_bundle_answers_from_its_folder_alone(made: Path, facts: Facts, bare: Path) -> None:
    port = free_port()
    with serving([str(bare), "-I", str(made / "server.py"), "--port", str(port)], port) as url:
        check_answers(url, facts)
        assert ask(f"{url}/v2/models/Iris%20flowers/infer", facts.sample)[0] == 200
        labels = MODEL.predict(ROWS).tolist()
        rows = ROWS.to_numpy().tolist()
        split = {"columns": list(ROWS.columns), "index": [0], "data": rows}
        for body in ({"data": rows}, {"input_data": split}, {"input_data": rows}, rows, ROWS.to_dict("records")):
            status, answer = ask(f"{url}/score", body)
            assert (status, [int(label) for label in answer["label"]]) == (200, labels), answer


def test_a_bundle_of_many_models_answers_each_row_by_its_key_from_its_folder_alone(tmp_path: Path, bare: Path) -> None:
    packed = Packed(tmp_path, ["store"])
    for store, rows in (("north", NORTH), ("south", SOUTH)):
        packed.add({"store": store}, MODELS[store], rows)
    packed.add({"store": "tiny"}, failed="it has fewer than ten rows")
    plain: dict[str, Any] = json.loads(json.dumps(convert._plain(asdict(packed.convert().conversion))))
    archive = tmp_path / "models.zip"
    many = Facts(
        name="Prices", version="1", onnx=archive, sha256=bundle.digest(archive), signature=plain["signature"],
        parity=plain["parity"], sample=plain["sample"], created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    made = bundle.write(tmp_path / "prices-1", many)
    mixed = pd.concat([SOUTH.assign(store="south"), NORTH.assign(store="north")]).sample(frac=1, random_state=0)
    wanted = [float(MODELS[row["store"]].predict(mixed.iloc[[at]])[0]) for at, (_, row) in enumerate(mixed.iterrows())]
    port = free_port()
    with serving([str(bare), "-I", str(made / "server.py"), "--port", str(port)], port) as url:
        asked = json.loads(mixed.to_json(orient="records"))
        status, answer = ask(f"{url}/score", asked)
        assert status == 200, answer
        np.testing.assert_allclose(np.ravel(answer["prediction"]), wanted, atol=1e-9)
        assert ask(f"{url}/v2/models/Prices/infer", many.sample)[0] == 200
        status, answer = ask(f"{url}/score", [asked[0], asked[1] | {"store": "east"}])
        assert (status, answer["error"]) == (
            400, "row 1: there is no model for store='east'; there are models for 'north'; 'south'",
        )  # fmt: skip
        status, answer = ask(f"{url}/score", [asked[0] | {"store": "tiny"}])
        assert (status, "fewer than ten rows" in answer["error"]) == (400, True)
    assert "MLmodel" not in {path.name for path in made.iterdir()}
    assert verified(bare, made).stdout.endswith("2 models, 2 rows answered\n")


def test_a_bundle_says_whether_it_is_whole_and_answers(made: Path, bare: Path) -> None:
    assert verified(bare, made).returncode == 0
    (made / "model.onnx").write_bytes(b"another")
    found = verified(bare, made)
    assert (found.returncode, found.stderr) == (1, "not as they were packaged: model.onnx\n")


def verified(python: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the folder's own check says."""
    words = [str(python), "-I", "-B", str(folder / "verify.py")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("path", "body", "status", "what"),
    [
        ("/score", b"no", 400, "Expecting value"), ("/score", [], 400, "give 1 to"),
        ("/score", [[1, 2]], 400, "has 2 values"),
        ("/score", [["1", 2, 3, 4]], 400, "'1' in input"), ("/score", [[True, 2, 3, 4]], 400, "True in input"),
        ("/score", [{"x": 1}], 400, "row 0 has no value for"), ("/score", {"rows": []}, 400, "give {'data': rows}"),
        ("/v2/models/Iris%20flowers/infer", {}, 400, "no list of inputs"),
        ("/v2/models/Iris%20flowers/infer", {"inputs": [{"name": "y"}]}, 400, "'y' is not one"),
        ("/v2/models/Iris%20flowers/infer", {"inputs": []}, 400, "is missing"),
        ("/v2/models/other/infer", {"inputs": []}, 404, "nothing here"), ("/../etc/passwd", {}, 404, "nothing here"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(stand: str, path: str, body: Any, status: int, what: str) -> None:
    found = ask(stand + path, body)

    assert found[0] == status
    assert what in found[1]["error"]


@pytest.fixture(scope="module")
def stand(facts: Facts, bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = bundle.write(tmp_path_factory.mktemp("stand") / "model", facts)
    port = free_port()
    with serving([str(bare), "-I", str(folder / "server.py"), "--port", str(port)], port) as url:
        yield url


def test_a_bundle_with_a_key_answers_nobody_else_and_without_one_stays_on_loopback(
    made: Path, facts: Facts, bare: Path
) -> None:
    port = free_port()
    words = [str(bare), "-I", str(made / "server.py"), "--port", str(port), "--host", "0.0.0.0"]
    refused = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (refused.returncode, "without MLSTUDIO_KEYS" in refused.stderr) == (2, True)
    with serving(words, port, {"MLSTUDIO_KEYS": "one, two"}) as url:
        assert ask(f"{url}/score", [[1, 2, 3, 4]])[0] == 401
        assert ask(f"{url}/score", [[1, 2, 3, 4]], Authorization="Bearer three")[0] == 401
        assert ask(f"{url}/v2")[0] == 401
        check_answers(url, facts, Authorization="Bearer two")


@pytest.mark.filterwarnings("ignore::UserWarning:mlflow")
def test_a_bundle_is_an_mlflow_model(made: Path) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(made))
    name = model.metadata.get_input_schema().input_names()[0]

    answer = model.predict({name: ROWS.to_numpy()})

    assert [int(label) for label in answer[next(iter(answer))]] == MODEL.predict(ROWS).tolist()


def test_the_same_version_gives_the_same_bytes(facts: Facts, tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        folder = bundle.write(tmp_path / name / "iris", facts)
        DockerTarget().write(facts, folder, {"packages": False})
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append([(path.relative_to(tmp_path / name), bundle.digest(path)) for path in files])
        digests[-1].append((Path("zip"), bundle.digest(LocalTarget().write(facts, folder, {})[0])))

    assert digests[0] == digests[1]


def test_kubernetes_manifests_hold_no_key_and_run_without_rights(made: Path, facts: Facts) -> None:
    KubernetesTarget().write(facts, made, {"replicas": 2, "image": "registry.example/iris:3", "packages": False})
    objects = list(yaml.safe_load_all((made.parent / "kubernetes" / "deployment.yaml").read_text()))

    kinds = {one["kind"]: one for one in objects}
    container = kinds["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert kinds["Deployment"]["spec"]["replicas"] == 2
    assert container["image"] == "registry.example/iris:3"
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == kinds["Secret"]["metadata"]["name"]
    assert kinds["Service"]["spec"]["selector"] == kinds["Deployment"]["spec"]["selector"]["matchLabels"]
    text = (made.parent / "kubernetes" / "inferenceservice.yaml").read_text()
    assert [one["kind"] for one in yaml.safe_load_all(text)] == ["Secret", "InferenceService"]
    with pytest.raises(Invalid, match="replicas is -1"):
        KubernetesTarget()._deployment("x", {}, {"replicas": -1})


def test_the_edge_says_what_it_takes_and_keeps_to_a_limit(made: Path, facts: Facts) -> None:
    EdgeTarget().write(facts, made, {})

    size = json.loads((made / "size.json").read_text())
    assert size["total_bytes"] == size["bundle_bytes"] + sum(size["packages_bytes"].values())
    assert (
        "ExecStart=/opt/iris-flowers/venv/bin/python /opt/iris-flowers/server.py"
        in (made / "iris-flowers.service").read_text()
    )
    with pytest.raises(Invalid, match="where 10 MB may be used"):
        EdgeTarget().write(facts, made, {"limit_mb": 10})


def test_a_base_that_is_not_whole_is_refused(made: Path, facts: Facts) -> None:
    base = made.parent / "base"
    layout = oci.Layout(base)
    layout.add({"/etc/motd": made / "README.md"})
    layout.finish("base", {}, {})
    largest = max((base / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])

    with pytest.raises(Invalid, match=f"the blob {largest.name[:12]} is not whole"):
        DockerTarget().write(facts, made, {"base": str(base), "packages": False})


@pytest.mark.timeout(300)
def test_an_image_written_without_a_daemon_and_one_built_from_the_dockerfile_answer(
    made: Path, facts: Facts, tmp_path: Path
) -> None:
    if not shutil.which("buildah") or os.geteuid() != 0:
        message = "buildah is not installed, or not allowed: apt-get install buildah, as root"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    store = ["--root", str(tmp_path / "store"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs"]

    def buildah(*words: str) -> str:
        done = subprocess.run(["buildah", *store, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    system = rootfs.make(tmp_path / "system")
    name = buildah("from", "scratch")
    buildah("copy", name, str(system), "/")
    buildah("commit", "--rm", name, "oci:" + str(tmp_path / "base"))

    DockerTarget().write(facts, made, {"base": str(tmp_path / "base")})
    if shutil.which("skopeo"):
        words = ["skopeo", "inspect", f"oci:{made.parent / 'image'}"]
        shown = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        assert len(shown["Layers"]) == 3
    answers(buildah, store, f"oci:{made.parent / 'image'}", facts)

    rootfs.add_packages(system)
    name = buildah("from", "scratch")
    buildah("copy", name, str(system), "/")
    buildah("commit", "--rm", name, "with-packages")
    buildah("build", "--isolation", "chroot", "--build-arg", "BASE=localhost/with-packages", "-t", "iris:3", str(made))
    answers(buildah, store, "localhost/iris:3", facts)


def answers(buildah: Any, store: list[str], image: str, facts: Facts) -> None:
    """Starts a container of the image with its own entry point, on a free port, and asks it."""
    name = buildah("from", image)
    shown = json.loads(buildah("inspect", name))["OCIv1"]["config"]
    port = free_port()
    words = [*shown["Entrypoint"][:-1], str(port)]
    environment = {"HOME": os.environ.get("HOME", "/root")}
    start = ["buildah", *store, "run", "--isolation", "chroot", "--env", "MLSTUDIO_KEYS=k", name, "--", *words]
    try:
        with serving(start, port, environment) as url:
            check_answers(url, facts, Authorization="Bearer k")
    finally:
        buildah("rm", name)
