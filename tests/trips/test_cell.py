"""Trip 1, a cell: magic in a kernel, run, supervisor, program; its metrics in the REST API and the change feed."""

from __future__ import annotations

import json

import pytest

from tests.faults.ground import Ground, until
from tests.faults.invariants import check
from tests.faults.kernels import a_kernel, open_socket

SCHEMA = "https://events.jupyter.org/jupyter_mlstudio/change/v1"
CELL = """%%ml_submit --name forest -p depth=3
import jupyter_mlstudio as studio
print("depth", depth)
for step in range(100):
    studio.log_metric("loss", 1 / (step + 1), step)
studio.log_text("kept", "notes/kept.txt")
"""

pytestmark = pytest.mark.slow


def test_a_cell_becomes_a_run_whose_metrics_are_in_the_api_and_told_by_the_servers_events(ground: Ground) -> None:
    server = ground.server
    events = open_socket(server, "api/events/subscribe")
    with a_kernel(server) as kernel:
        kernel.run("%load_ext jupyter_mlstudio")
        begun = server.api("GET", "changes").json

        kernel.run(CELL)
        assert kernel.run("6 * 7") == "42", "the kernel is free while the run goes on"

        run = server.api("GET", "runs").json["items"][0]
        ground.ledger.started.add(run["id"])
        changed = _changed(ground, events, begun, "metrics", run["id"])
        assert changed["kind"] == "metrics"
        until(lambda: ground.shown(run["id"])["status"] == "Completed", 30)
    events.close()

    shown = ground.shown(run["id"])
    assert (shown["name"], shown["kind"], shown["params"]) == ("forest", "cell", {"depth": "3"})
    assert shown["origin"]["notebook"] == "work.ipynb"
    assert shown["environment"]["packages"]
    assert shown["snapshot_id"]
    summary = next(m for m in server.api("GET", f"runs/{run['id']}/metrics").json if m["name"] == "loss")
    assert (summary["count"], summary["last"], summary["max"]) == (100, 0.01, 1.0)
    series = server.api("GET", f"runs/{run['id']}/series?name=loss").json[0]
    assert series["steps"] == list(range(100))
    assert "depth 3" in server.api("GET", f"runs/{run['id']}/logs").json["text"]
    assert server.api("GET", f"runs/{run['id']}/files/notes/kept.txt").body == b"kept"
    check(ground, orphans_within_s=10)


def _changed(ground: Ground, events: object, begun: dict[str, object], kind: str, id: str) -> dict[str, object]:
    """Follows the server's events, and asks what changed at each, until a change of a kind is told."""
    since = begun["seq"]
    while True:
        event = json.loads(events.recv())  # type: ignore[attr-defined]
        if event["schema_id"] != SCHEMA:
            continue
        assert event["workspace"]
        feed = ground.server.api("GET", f"changes?since={since}&epoch={begun['epoch']}").json
        assert not feed["reset"]
        since = feed["seq"]
        found = next((change for change in feed["changes"] if (change["kind"], change["id"]) == (kind, id)), None)
        if found is not None:
            return found  # type: ignore[no-any-return]
