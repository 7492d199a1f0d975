"""What the scoring server's paths stand for.

A path is split before it is decoded, once, so ``..%2f`` is only a strange name. There are no control verbs: nothing
here loads, unloads or lists other models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from jupyter_mlstudio.serving.dialects.base import Dialect

KNOWN_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Route:
    """What a path stands for.

    ``kind`` is ``infer`` for what the model answers, and else what is told without it; empty where there is nothing.
    ``open`` routes need no key: they tell only whether the endpoint lives. ``dialects`` are found by content type.
    """

    kind: str = ""
    method: bytes = b"GET"
    open: bool = False
    dialects: dict[bytes, Dialect] = field(default_factory=dict)
    usual: Dialect | None = None


NOTHING = Route()


class Paths:
    """The paths of one model.

    Args:
        model, version: as they stand in the Open Inference Protocol's paths.
        dialects: for each path, or the Open Inference Protocol's verb ``infer``, those that may be spoken there; the
            first one is meant when a request does not say its content type.
    """

    def __init__(self, model: str, version: str, dialects: dict[str, list[Dialect]]) -> None:
        self._versions = {model.encode(): {version.encode()}}
        self._infer = _inference(dialects["infer"])
        self._known: dict[bytes, Route] = {}
        self._fixed = {
            b"/": Route("healthy", open=True),
            b"/ping": Route("ping", open=True),
            b"/health": Route("ping", open=True),
            b"/v2/health/live": Route("live", open=True),
            b"/v2/health/ready": Route("ready", open=True),
            b"/version": Route("version"),
            b"/metrics": Route("metrics"),
            b"/openapi.json": Route("openapi"),
            b"/swagger.json": Route("openapi"),
            b"/v2": Route("server"),
        }
        self._fixed |= {path.encode(): _inference(some) for path, some in dialects.items() if path.startswith("/")}

    def know(self, models: Iterable[tuple[str, str]]) -> None:
        """Takes models and versions of the endpoint's other deployments for known: who is asked for decides later."""
        self._known.clear()
        for model, version in models:
            self._versions.setdefault(model.encode(), set()).add(version.encode())

    def find(self, target: bytes) -> Route:
        """Finds what the target of a request stands for, its query left out."""
        if (known := self._known.get(target)) is not None:
            return known
        path = target.partition(b"?")[0]
        parts = [unquote_to_bytes(part) for part in path.split(b"/")]
        found = self._fixed.get(path) or self._of_model(parts)
        if found.kind and len(self._known) < KNOWN_LIMIT:
            self._known[target if len(target) < 256 else path] = found
        return found

    def _of_model(self, parts: list[bytes]) -> Route:
        match parts:
            case [b"", b"v2", b"models", model, *rest] if model in self._versions:
                if len(rest) >= 2 and rest[0] == b"versions":
                    if rest[1] not in self._versions[model]:
                        return NOTHING
                    rest = rest[2:]
                if rest == [b"infer"]:
                    return self._infer
                kinds = {(): "model", (b"ready",): "model ready", (b"stats",): "stats"}
                return Route(kinds.get(tuple(rest), ""))
        return NOTHING


def _inference(dialects: list[Dialect]) -> Route:
    by_type = {media: dialect for dialect in reversed(dialects) for media in dialect.media}
    return Route("infer", b"POST", dialects=by_type, usual=dialects[0])
