"""What the server prints when something breaks holds no secret (S03), and what it answers holds no inside (E23)."""

from __future__ import annotations

import pytest

from tests.server import JupyterServer
from tests.waiting import until
from tests.world import end, insert_run

pytestmark = pytest.mark.slow


def test_S03_a_failure_puts_neither_cookie_nor_token_into_the_log(server: JupyterServer) -> None:
    studio = server.studio()
    run_id = insert_run(studio, spec="this row is damaged")
    end(studio, run_id)
    logged = len(server.log)
    try:
        cookie = {"Cookie": "username-x=the-cookie-secret; _xsrf=the-xsrf-secret", "X-Other": "kept"}
        answer = server.api("GET", f"runs/{run_id}?token={server.token}", headers=cookie)
        assert (answer.status, answer.json["code"]) == (500, "internal")
        for inside in ("Traceback", "pydantic", "damaged", str(server.root)):
            assert inside.encode() not in answer.body
        until(lambda: "500 GET" in server.log[logged:])
        log = server.log[logged:]
        assert "ValidationError" in log  # what broke is told, to whoever reads the log
        for secret in (server.token, "the-cookie-secret", "the-xsrf-secret"):
            assert secret not in log
    finally:
        studio.runs.delete(run_id)
        studio.close()
