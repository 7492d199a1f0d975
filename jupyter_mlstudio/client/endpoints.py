"""Endpoints from user code: score with one, stop it, start it again, replace its keys."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from jupyter_mlstudio.client import rows as rows_of
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.deployments import Deployments
from jupyter_mlstudio.client.shown import Shown, signature
from jupyter_mlstudio.client.values import as_text
from jupyter_mlstudio.client.wire import Connection, error_of, segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, TimedOut, Unavailable

WAIT_S = 600.0


class Endpoint(Deployments, Shown):
    """An endpoint: a name that answers scoring requests.

    ``keys`` are the access keys, known only to the one that deployed it or made new ones. They are never part of what
    it shows of itself, because that ends up in saved notebooks.
    """

    def __init__(
        self, data: Mapping[str, JSON], connection: Connection | None = None, keys: Mapping[str, str] | None = None
    ) -> None:
        self._data = dict(data)
        self._connection = connection
        self.keys = dict(keys or {})

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r}, state={str(self._data['state'])!r}, url={self._data['url']!r})"

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return str(self._data["name"])

    @property
    def state(self) -> str:
        """``Starting``, ``Ready``, ``Stopped`` or ``Failed``, as it is now."""
        return str(self.refresh()._data["state"])

    @property
    def url(self) -> str | None:
        """Root of the Open Inference Protocol V2, None while there is no process."""
        return None if self._data["url"] is None else str(self._data["url"])

    @property
    def scoring_url(self) -> str | None:
        """Where to POST inference requests."""
        return None if self._data["scoring_url"] is None else str(self._data["scoring_url"])

    @property
    def stats(self) -> dict[str, JSON]:
        """Counts since it was created and latencies of the last minute."""
        return dict(self.refresh()._data["stats"])

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of this endpoint, as JSON."""
        return dict(self.refresh()._data)

    def refresh(self) -> Endpoint:
        """Asks for its present state."""
        self._data = self._address().get(f"endpoints/{segment(self.name)}")
        return self

    def wait(self, timeout_s: float = WAIT_S) -> Endpoint:
        """Waits until it answers.

        Raises:
            Conflict: it failed or was stopped.
            TimedOut: it is still starting.
        """
        for found in self._address().follow(f"endpoints/{segment(self.name)}", timeout_s):
            self._data, state = found, str(found["state"])
            if state == "Ready":
                return self
            if state in ("Failed", "Stopped"):
                raise Conflict(f"endpoint {self.name} is {state.lower()}: {found['reason']}")
        raise TimedOut(f"endpoint {self.name} is still starting after {timeout_s:g} s")

    def score(self, rows: Any) -> dict[str, list[JSON]]:
        """Answers for rows: a data frame, an array, a list of dicts or of lists, or a list of texts.

        Returns:
            One list by output name: ``label`` and ``probabilities`` of a classifier, ``prediction`` of a regressor.

        Raises:
            Invalid: the rows do not fit the model; the message names the column.
        """
        takes = signature(self._data["signature"]) or signature(self.refresh()._data["signature"])
        if takes is None:
            raise Unavailable(f"endpoint {self.name} has no model that is ready")
        return rows_of.answer(self._ask(rows_of.request(takes, rows)))

    def stop(self) -> Endpoint:
        """Ends its processes; name, keys and port stay."""
        self._data = self._address().post(f"endpoints/{segment(self.name)}/stop", timeout_s=60.0)
        return self

    def restart(self, wait: bool = True) -> Endpoint:
        """Starts it again."""
        self._data = self._address().post(f"endpoints/{segment(self.name)}/restart", timeout_s=60.0)
        return self.wait() if wait else self

    def regenerate(self, key: str = "primary", expires: datetime | timedelta | None = None) -> str:
        """Replaces one key; the old one is refused within a second, the new one after ``expires``."""
        until = datetime.now(UTC) + expires if isinstance(expires, timedelta) else expires
        body = {"expires_at": until.astimezone(UTC).isoformat()} if until is not None else {}
        issued = self._address().post(f"endpoints/{segment(self.name)}/keys/{segment(key)}/regenerate", body)
        self.keys |= issued["keys"]
        return self.keys[key]

    def delete(self) -> None:
        """Stops and deletes it; the model stays."""
        self._address().delete(f"endpoints/{segment(self.name)}")

    def _ask(self, request: dict[str, JSON]) -> dict[str, JSON]:
        """Asks the endpoint itself with a key, or through the studio without one."""
        if not self.keys:
            answer = self._address().post(f"endpoints/{segment(self.name)}/score", request, timeout_s=120.0)
            status, response = answer["status"], answer["response"]
        else:
            status, response = _post(
                self.scoring_url or self.refresh().scoring_url, next(iter(self.keys.values())), request
            )
        if status >= 400:
            message = {"code": response.get("code", ""), "message": response.get("error", "the endpoint failed")}
            raise error_of(status, json.dumps(message).encode())
        return dict(response)

    def _ask_studio(self) -> Connection:
        return self._address()

    def _address(self) -> Connection:
        return self._connection or connect()

    def _title(self) -> str:
        return f"Endpoint {self.name}"

    def _rows_shown(self) -> list[tuple[str, str]]:
        data = self._data
        shares = len(data["deployments"]) > 1
        served = [
            f"{one['model']} {one['version']}" + (f" ({one['name']}, {one['traffic']} %)" if shares else "")
            for one in data["deployments"]
        ]
        hidden = f"{len(self.keys)}, not shown here because notebooks are saved: read .keys" if self.keys else ""
        return [
            ("State", str(data["state"])), ("Reason", str(data["reason"])), ("Serves", ", ".join(served)),
            ("URL", self.scoring_url or ""), ("Keys", hidden),
        ]  # fmt: skip


def get_endpoint(name: str) -> Endpoint:
    """Gets an endpoint by its name; what asks it goes through the studio, so that it needs no key.

    Raises:
        NotFound: there is none.
    """
    connection = connect()
    return Endpoint(connection.get(f"endpoints/{segment(as_text(name, 'an endpoint'))}"), connection)


def list_endpoints(name: str = "") -> list[Endpoint]:
    """Lists the endpoints whose name contains a text, by name."""
    connection = connect()
    found = connection.get("endpoints", {"q": as_text(name, "a part of a name")})
    return [Endpoint(one, connection) for one in found]


def _post(url: str | None, key: str, body: dict[str, JSON]) -> tuple[int, dict[str, JSON]]:
    if url is None:
        raise Unavailable("the endpoint has no process: restart it")
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=120.0)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        link.request("POST", parts.path, json.dumps(body, allow_nan=False).encode(), headers)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"the endpoint at {url} does not answer ({type(error).__name__})") from error
    finally:
        link.close()
