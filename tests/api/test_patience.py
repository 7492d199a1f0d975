"""Who holds an answer may wait for the next one instead of asking again and again."""

from __future__ import annotations

import threading
import time

import pytest

from jupyter_mlstudio.api.patience import LIMIT_S, wait_s
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.studio import Studio
from tests.api.gateway_world import TOKEN, Gateway


def test_an_answer_comes_as_soon_as_it_is_another_one(gateway: Gateway, studio: Studio, run_id: str) -> None:
    held = gateway.api("GET", f"runs/{run_id}").headers["etag"]
    change = threading.Timer(0.1, lambda: studio.runs.update(run_id, name="after"))
    began = time.monotonic()
    change.start()
    answer = gateway.api("GET", f"runs/{run_id}", If_None_Match=held, Prefer="wait=10")
    change.join()
    assert answer.json["name"] == "after"
    assert 0.1 <= time.monotonic() - began < 5


def test_an_answer_that_stays_the_same_is_not_sent_again(gateway: Gateway, studio: Studio, run_id: str) -> None:
    held = gateway.api("GET", f"runs/{run_id}").headers["etag"]
    other = threading.Timer(0.1, lambda: studio.experiments.create("another"))  # a change, and not of this answer
    other.start()
    began = time.monotonic()
    answer = gateway.api("GET", f"runs/{run_id}", If_None_Match=held, Prefer="wait=1")
    other.join()
    assert (answer.status, answer.body) == (304, b"")
    assert time.monotonic() - began >= 1


def test_who_holds_another_answer_or_none_does_not_wait(gateway: Gateway, run_id: str) -> None:
    began = time.monotonic()
    assert gateway.api("GET", f"runs/{run_id}", Prefer="wait=10").status == 200
    assert gateway.api("GET", f"runs/{run_id}", If_None_Match='"x"', Prefer="wait=10").status == 200
    held = gateway.api("GET", f"runs/{run_id}").headers["etag"]
    assert gateway.api("GET", f"runs/{run_id}", If_None_Match=held).status == 304
    assert time.monotonic() - began < 5


def test_what_is_followed_is_told_when_it_changes_and_asked_for_seldom(
    gateway: Gateway, studio: Studio, run_id: str
) -> None:
    link = Connection(f"http://127.0.0.1:{gateway.port}", TOKEN)
    change = threading.Timer(0.2, lambda: studio.runs.update(run_id, name="after"))
    change.start()
    names = []
    for run in link.follow(f"runs/{run_id}", 10):
        names.append(run["name"])
        if run["name"] == "after":
            break
    change.join()
    link.close()
    assert names == ["mine", "after"]


def test_following_ends_in_time(gateway: Gateway, run_id: str) -> None:
    link = Connection(f"http://127.0.0.1:{gateway.port}", TOKEN)
    began = time.monotonic()
    assert {run["name"] for run in link.follow(f"runs/{run_id}", 0.1)} == {"mine"}
    assert time.monotonic() - began < 2
    link.close()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("wait=3", 3), ('respond-async, wait="2"', 2), ("WAIT = 1; x=2", 1), ("wait=999999", LIMIT_S), ("", 0),
     ("wait=-1", 0), ("wait=1.5", 0), ("await=3", 0), ("wait=x", 0)],
)  # fmt: skip
def test_the_seconds_are_read_from_the_header(given: str, seconds: float) -> None:
    assert wait_s(given) == seconds
