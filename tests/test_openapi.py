"""The committed document is the one that the table of routes makes, and the server that runs keeps to it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlstudio.api import openapi
from jupyter_mlstudio.api.route import PREFIX
from jupyter_mlstudio.api.table import ROUTES
from tests.server import JupyterServer
from tests.world import end, insert_run, log

ROOT = Path(__file__).parents[1]
DOCUMENT = json.loads(openapi.COMMITTED.read_text(encoding="utf-8"))


def test_the_committed_document_is_what_the_table_makes() -> None:
    assert openapi.COMMITTED.read_text(encoding="utf-8") == openapi.text(), (
        "run `jupyter mlstudio openapi > jupyter_mlstudio/api/openapi.json`, then `npm run schema`"
    )


def test_every_route_is_in_it_once_with_its_answer_and_its_refusals() -> None:
    operations = {
        (method.upper(), path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }
    assert set(operations) == {(r.method, f"/{PREFIX}/{r.path.replace('*}', '}')}") for r in ROUTES}
    assert len({operation["operationId"] for operation in operations.values()}) == len(ROUTES)
    for route in ROUTES:
        operation = operations[route.method, f"/{PREFIX}/{route.path.replace('*}', '}')}"]
        assert set(operation["responses"]) == {str(route.status), "default"}, route.operation
        assert operation["summary"].endswith("."), route.operation
        assert set(re.findall(r"{(\w+)}", route.path.replace("*", ""))) == {
            parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"
        }


def test_every_reference_in_it_leads_somewhere() -> None:
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert used <= set(DOCUMENT["components"]["schemas"])


@pytest.mark.slow
def test_the_types_of_the_front_end_are_made_from_it(tmp_path: Path) -> None:
    generator, prettier = (ROOT / "node_modules" / ".bin" / name for name in ("openapi-typescript", "prettier"))
    if not generator.exists() and not os.environ.get("CI"):
        pytest.skip("npm packages are not installed: npm ci --ignore-scripts")
    made = tmp_path / "schema.ts"
    subprocess.run([generator, openapi.COMMITTED, "-o", made], check=True, capture_output=True, cwd=ROOT)
    as_ours = [prettier, "--stdin-filepath", "src/api/schema.ts"]
    shaped = subprocess.run(as_ours, input=made.read_text(), text=True, check=True, capture_output=True, cwd=ROOT)
    assert shaped.stdout == (ROOT / "src" / "api" / "schema.ts").read_text(), "run `npm run schema`"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_running_server_answers_as_the_document_says_whatever_it_is_asked(
    server: JupyterServer, tmp_path: Path
) -> None:
    """Schemathesis makes requests for every operation: no answer is a 5xx, and each is of the form that is promised."""
    said_before = len(server.log)
    studio = server.studio()
    run_id = insert_run(studio, name="x1", experiment="x1")
    log(studio, run_id, {"loss": [1.0, float("nan")]}, params={"a": "b"}, tags={"c": "d"})
    end(studio, run_id)
    studio.close()
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program is not None
    command = [
        program, "run", str(openapi.COMMITTED), "--url", f"http://127.0.0.1:{server.port}",
        "--header", f"Authorization: token {server.token}", "--phases", "examples,coverage,fuzzing",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--max-examples", "8", "--max-time", "60", "--seed", "1", "--generation-database", "none", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all", "--exclude-operation-id", "startInteractive",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    found = done.stdout[max(done.stdout.find("= FAILURES ="), 0) :]  # what was found, before the warnings about how
    assert done.returncode == 0, found[:8000] + done.stderr[-2000:]
    assert f"Tested: {len(ROUTES) - 1}" in done.stdout  # all but the one that waits for a supervisor
    assert "Traceback" not in server.log[said_before:]
