"""What endpoints answer: requests that Jupyter's own users send through the studio, and what is told of how to ask."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from jupyter_mlstudio.entities.deployments import AnswerDifference, DeploymentKind
from jupyter_mlstudio.entities.endpoints import Endpoint, Snippets
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, NotFound
from jupyter_mlstudio.services import snippets
from jupyter_mlstudio.services.endpoint_book import EndpointBook
from jupyter_mlstudio.services.endpoint_calls import Caller, check_forwarded


class Scoring:
    """Asks endpoints, on behalf of people whom Jupyter has authenticated."""

    def __init__(self, book: EndpointBook) -> None:
        self._book = book
        self._caller = Caller()

    def score(
        self, name: str, body: dict[str, JSON], deployment: str | None = None
    ) -> tuple[int, dict[str, JSON], float]:
        """Sends a scoring request; answers the endpoint's status and answer, and how long it took in milliseconds."""
        endpoint = self._book.get(name)
        chosen = next((one for one in endpoint.deployments if one.name == deployment), None)
        if deployment is not None and chosen is None:
            raise NotFound(f"endpoint {name} has no deployment {deployment[:80]!r}")
        model = (chosen or _first(endpoint)).model
        pinned = {"azureml-model-deployment": deployment} if deployment is not None else {}
        return self._caller.score(
            endpoint, self._book.nonce(name), f"/v2/models/{quote(model, safe='')}/infer", body, pinned
        )

    def forward(
        self, name: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Passes a request on to an endpoint as it is; the caller was authenticated by Jupyter, not by a key.

        Args:
            path: the raw path as it arrived, without the endpoint's name, not decoded.
            headers: of the request; what describes its content and its way is passed on.
        """
        path = check_forwarded(method, path)
        endpoint = self._book.get(name)
        return self._caller.forward(endpoint, self._book.nonce(name), method, path, headers, body)

    def openapi(self, name: str) -> dict[str, JSON]:
        """The OpenAPI document that the endpoint writes of itself."""
        status, _, content = self.forward(name, "GET", "openapi.json", {}, None)
        if status != 200:
            raise Conflict(f"endpoint {name} has no OpenAPI document: it answered with status {status}")
        found: dict[str, JSON] = json.loads(content)
        return found

    def snippets(self, name: str) -> Snippets:
        """Writes ready-to-paste requests."""
        endpoint = self._book.get(name)
        main = _first(endpoint) if endpoint.deployments else None
        model = quote(main.model, safe="") if main is not None else "MODEL"
        url = endpoint.scoring_url or f"http://127.0.0.1:PORT/v2/models/{model}/infer"
        onnx = main is not None and main.kind is DeploymentKind.ONNX
        return snippets.make(url, endpoint.sample, endpoint.signature, onnx=onnx)

    def differences(self, name: str, deployment: str | None = None, limit: int = 100) -> Sequence[AnswerDifference]:
        """Lists the latest copied requests whose answers were compared, newest first."""
        endpoint = self._book.get(name)
        names = [one.name for one in endpoint.deployments]
        if deployment is not None and deployment not in names:
            raise NotFound(f"endpoint {name} has no deployment {deployment[:80]!r}")
        return self._book.files.differences(name, [deployment] if deployment else names, limit)


def _first(endpoint: Endpoint) -> Any:
    if not endpoint.deployments:
        raise Conflict(f"endpoint {endpoint.name} has no deployment: add one")
    return max(endpoint.deployments, key=lambda one: one.traffic)
