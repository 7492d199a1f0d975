"""Keeps beside a logged PyTorch program its ONNX graph and its answers to the sample rows.

PyTorch is loaded when a model is logged, and a convert run would need seconds to load it again. What is kept here is
bound by digests to the program and the rows that it came from. It is no more than a start: a convert run loads the
graph, compares it with the answers like any other, and does everything itself when something is missing or wrong.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON

GRAPH, ANSWERS = "recorded.onnx", "recorded.npy"
PROGRAM_LIMIT_BYTES, ANSWERS_LIMIT_BYTES = 200_000_000, 50_000_000
"""A larger program is exported in the convert run, so that logging it takes no longer and no more room."""


def record(folder: Path, manifest: dict[str, Any], program: Any, rows: Any) -> dict[str, JSON]:
    """Writes both files; answers what the manifest says of them, nothing when the convert run has to do it.

    A failure is none of the user's who logs a model: the convert run meets it again, and says what it is.

    Args:
        manifest: it has the program's and the rows' digests already.
        rows: the sample as it was kept.
    """
    wanted = all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript"))
    if not wanted or rows is None or (folder / str(manifest["file"])).stat().st_size > PROGRAM_LIMIT_BYTES:
        return {}
    try:
        return _record(folder, manifest, program, rows)
    except Exception:
        for name in (GRAPH, ANSWERS):
            (folder / name).unlink(missing_ok=True)
        return {}


def _record(folder: Path, manifest: dict[str, Any], program: Any, rows: Any) -> dict[str, JSON]:
    import numpy as np
    import torch

    from jupyter_mlstudio.onnx import torch_graph

    inputs, named = torch_graph.inputs(program)
    given = [rows[name] for name in inputs] if isinstance(rows, dict) else [rows]
    answers = np.asarray(torch_graph.answered(program.module(), given, named))
    if answers.nbytes > ANSWERS_LIMIT_BYTES:
        return {}
    content = io.BytesIO()
    np.save(content, answers, allow_pickle=False)
    files = {GRAPH: torch_graph.exported(program).SerializeToString(), ANSWERS: content.getvalue()}
    for name, one in files.items():
        (folder / name).write_bytes(one)
    digests: dict[str, JSON] = {name: hashlib.sha256(one).hexdigest() for name, one in files.items()}
    facts: dict[str, JSON] = {
        "by": f"PyTorch {torch.__version__}", "program": manifest["sha256"], "sample": manifest["sample_sha256"],
        "files": digests, "inputs": list(inputs), "link": torch_graph.link(program),
    }  # fmt: skip
    return {"recorded": facts}
