"""The modules that Azure's scoring scripts import, for where Azure's own packages are not installed.

Sources: azureml-contrib-services, ``AMLRequest``, ``AMLResponse`` and ``rawhttp``; azureml-inference-server-http, which
offers the same under another name. Only what scripts use of them is here.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

HOMES = {
    "azureml.contrib.services.aml_request": ("AMLRequest", "rawhttp"),
    "azureml.contrib.services.aml_response": ("AMLResponse",),
    "azureml_inference_server_http.api.aml_request": ("AMLRequest", "rawhttp"),
    "azureml_inference_server_http.api.aml_response": ("AMLResponse",),
}


class AMLRequest:
    """A request as a script with ``@rawhttp`` sees it; the names are Flask's."""

    def __init__(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> None:
        self.method = method
        self.full_path = target
        self.path, _, query = target.partition("?")
        self.headers = dict(headers)
        self.args = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        self.data = data
        self.content_type = self.headers.get("content-type", "")
        self.content_length = len(data)

    def get_data(self, cache: bool = True, as_text: bool = False) -> Any:
        """The body."""
        return self.data.decode("utf-8") if as_text else self.data

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """The body as JSON."""
        try:
            return json.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return self.get_json()


class AMLResponse:
    """A script's own answer: body, status and headers."""

    def __init__(
        self, message: Any = "", status_code: int = 200, response_headers: Mapping[str, str] | None = None,
        json_str: bool = False,
    ) -> None:  # fmt: skip
        if json_str:
            message = json.dumps(message)
        self.data = message if isinstance(message, bytes) else str(message).encode()
        self.status_code = int(status_code)
        self.headers: dict[str, str] = {"content-type": "application/json" if json_str else "text/html; charset=utf-8"}
        self.headers |= {str(name).lower(): str(value) for name, value in (response_headers or {}).items()}

    def set_data(self, value: str | bytes) -> None:
        """Sets the body."""
        self.data = value if isinstance(value, bytes) else value.encode()


def rawhttp(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Marks a script's ``run`` as one that takes the request itself."""
    run.__dict__["_mlstudio_raw"] = True
    return run


def is_raw(run: Callable[[Any], Any]) -> bool:
    """Whether a script's ``run`` takes the request itself; Azure's own decorator counts as well."""
    return bool(getattr(run, "_mlstudio_raw", False)) or "rawhttp" in getattr(run, "__qualname__", "")


def offer_modules() -> None:
    """Makes the modules importable that are not installed."""
    for home, names in HOMES.items():
        if _is_installed(home):
            continue
        parts = home.split(".")
        for number in range(1, len(parts) + 1):
            name = ".".join(parts[:number])
            if name not in sys.modules:
                sys.modules[name] = ModuleType(name, "Stands in for a package of Azure's that is not installed.")
                sys.modules[name].__path__ = []
                if number > 1:
                    setattr(sys.modules[".".join(parts[: number - 1])], parts[number - 1], sys.modules[name])
        for name in names:
            setattr(sys.modules[home], name, globals()[name])


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
