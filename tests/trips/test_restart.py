"""Trip 4, restart: submit, kill -9 the server, start it again: the run has all its points and its card is live."""

from __future__ import annotations

import json

import pytest

from tests.faults.ground import Ground, until
from tests.faults.invariants import check
from tests.faults.kernels import a_kernel, open_socket

POINTS = 200
CELL = f"""%%ml_submit --name survivor
import time
import jupyter_mlstudio as studio
for step in range({POINTS}):
    studio.log_metric("loss", 1 / (step + 1), step)
    time.sleep(0.05)
"""

pytestmark = pytest.mark.slow


def test_a_run_survives_kill_9_of_the_server_and_is_live_again_after_its_start(ground: Ground) -> None:
    server = ground.server
    with a_kernel(server) as kernel:
        kernel.run("%load_ext jupyter_mlstudio")
        kernel.run(CELL)
        run_id = server.api("GET", "runs").json["items"][0]["id"]
        ground.ledger.started.add(run_id)
        until(lambda: len(ground.points(run_id, "loss")) > 5, 30)
        feed = server.api("GET", "changes").json

        server.kill()

    before = len(ground.points(run_id, "loss"))
    until(lambda: len(ground.points(run_id, "loss")) > before, 5)
    server.start()
    until(lambda: ground.shown(run_id)["status"] == "Running", 20)  # its supervisor is heard again
    assert "loss" in ground.shown(run_id)["metrics"]
    _the_card_is_live(ground, run_id, feed)

    until(lambda: ground.shown(run_id)["status"] == "Completed", 40)
    assert ground.points(run_id, "loss") == list(range(POINTS))
    check(ground)


def _the_card_is_live(ground: Ground, run_id: str, feed: dict[str, object]) -> None:
    """The front end goes on from the cursor that it had, in the new server, and is told of more."""
    query = f"changes?since={feed['seq']}&epoch={feed['epoch']}"
    missed = ground.server.api("GET", query).json
    assert not missed["reset"]
    assert any(change["id"] == run_id for change in missed["changes"])
    events = open_socket(ground.server, "api/events/subscribe")
    while json.loads(events.recv())["seq"] <= missed["seq"]:
        continue  # what was asked for may be told once more
    events.close()
