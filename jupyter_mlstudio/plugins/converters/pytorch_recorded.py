"""Reads what ``log_model`` kept beside a PyTorch program: its ONNX graph and its answers to the sample rows.

Both count only with the program and the rows that they were made of, all four by their digests.
"""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.torch_graph import LINKS
from jupyter_mlstudio.plugins.converters.base import Original, Source
from jupyter_mlstudio.plugins.converters.files import read_rows, whole_file
from jupyter_mlstudio.plugins.converters.networks import Network

GRAPH, ANSWERS = "recorded.onnx", "recorded.npy"


def recorded(source: Source) -> Original | None:
    """The program as it was recorded; None when nothing was, or it is not the record of this program and these rows.

    Raises:
        Invalid: the program or the rows themselves are not what was logged.
    """
    manifest: dict[str, Any] = source.manifest
    facts = manifest.get("recorded")
    if not isinstance(facts, dict) or facts.get("program") != manifest.get("sha256"):
        return None
    if facts.get("sample") is None or facts["sample"] != manifest.get("sample_sha256"):
        return None
    graph, saved = (_whole(source, facts, name) for name in (GRAPH, ANSWERS))
    names, link = facts.get("inputs"), facts.get("link")
    if graph is None or saved is None or not isinstance(names, list) or link not in (*LINKS, None):
        return None
    whole_file(source)
    rows = read_rows(source.folder, manifest, "sample")
    try:
        answers = np.load(io.BytesIO(saved), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    if not answers.ndim or len(answers) != len(rows):
        return None
    columns = [str(name) for name in manifest.get("features") or []]
    network = Network(lambda _: answers, graph, [str(one) for one in names], list(manifest.get("labels") or []),
                      columns, link)  # fmt: skip
    targets = read_rows(source.folder, manifest, "targets")
    return Original(network, rows, str(facts.get("by"))[:100], targets, recorded=True)


def proto(content: bytes) -> Any:
    """The recorded graph.

    Raises:
        Invalid: it is none.
    """
    import onnx

    try:
        return onnx.load_from_string(content)
    except Exception as error:
        raise Invalid("the graph that was recorded with the model is not ONNX") from error


def _whole(source: Source, facts: dict[str, Any], name: str) -> bytes | None:
    """The content of a file whose digest is the one that was noted."""
    digests, path = facts.get("files"), source.folder / name
    if not isinstance(digests, dict) or not path.is_file():
        return None
    content = path.read_bytes()
    return content if hashlib.sha256(content).hexdigest() == digests.get(name) else None
