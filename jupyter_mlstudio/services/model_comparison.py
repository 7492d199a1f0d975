"""Two versions side by side: what was measured, what went in, and what would break who calls them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from jupyter_mlstudio.entities.model_reports import FileChange, ModelComparison, SignatureChange, ValueChange
from jupyter_mlstudio.entities.models import MANY, ONE, ModelVersion, TensorSpec
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.services.model_lineage import Lineage
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.snapshots import Snapshots

DIFF_LINES, DIFFS_LIMIT, FILE_LIMIT_BYTES = 400, 50, 256 * 1024


class ModelComparisons:
    """Compares versions, of one model or of two."""

    def __init__(self, models: Models, lineage: Lineage, snapshots: Snapshots) -> None:
        self._models = models
        self._lineage = lineage
        self._snapshots = snapshots

    def compare(self, name: str, left: str, other: str, right: str) -> ModelComparison:
        """Compares version ``left`` of ``name`` with version ``right`` of ``other``."""
        old, new = self._models.version(name, left), self._models.version(other, right)
        runs = self._lineage.run(old), self._lineage.run(new)
        return ModelComparison(
            left=old,
            right=new,
            metrics=_changes(*(dict(run.metrics) if run else {} for run in runs), everything=True),
            params=_changes(*(dict(run.params) if run else {} for run in runs)),
            data=_changes(*({one.name: one.digest for one in self._lineage.data(run)} for run in runs)),
            environment=_changes(*(_packages(run) for run in runs)),
            code=self._code(*runs),
            parity=_changes(_parity(old), _parity(new)),
            size=_changes(_sizes(old), _sizes(new)),
            latency=_changes(_latency(old), _latency(new), everything=True),
            signature=_signature(old, new),
        )

    def _code(self, left: Run | None, right: Run | None) -> list[FileChange]:
        old, new = (self._files(run) for run in (left, right))
        changed = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
        return [
            self._change(path, old.get(path), new.get(path), diffed=n < DIFFS_LIMIT) for n, path in enumerate(changed)
        ]

    def _files(self, run: Run | None) -> dict[str, str]:
        try:
            return {} if run is None else {one.path: one.sha256 for one in self._snapshots.of_run(run.id).files}
        except NotFound:
            return {}

    def _change(self, path: str, old: str | None, new: str | None, *, diffed: bool) -> FileChange:
        change = "added" if old is None else "removed" if new is None else "changed"
        texts = [self._text(digest) for digest in (old, new)] if diffed else [None]
        if any(text is None for text in texts):
            return FileChange(path=path, change=change, truncated=not diffed)
        lines = list(
            difflib.unified_diff(
                (texts[0] or "").splitlines(), (texts[1] or "").splitlines(), f"a/{path}", f"b/{path}", lineterm=""
            )
        )
        return FileChange(
            path=path, change=change, diff="\n".join(lines[:DIFF_LINES]), truncated=len(lines) > DIFF_LINES
        )

    def _text(self, digest: str | None) -> str | None:
        """A file's text; empty for one that is not there, None for what is large or no text."""
        content = b"" if digest is None else self._snapshots.content(digest)
        if len(content) > FILE_LIMIT_BYTES or b"\x00" in content:
            return None
        return content.decode("utf-8", "replace")


def _changes(left: Mapping[str, JSON], right: Mapping[str, JSON], *, everything: bool = False) -> list[ValueChange]:
    names = sorted({*left, *right})
    return [
        ValueChange(name=name, left=left.get(name), right=right.get(name))
        for name in names
        if everything or left.get(name) != right.get(name)
    ]


def _packages(run: Run | None) -> dict[str, JSON]:
    environment = run.environment if run else None
    return {} if environment is None else {"python": environment.python, **environment.packages}


def _parity(version: ModelVersion) -> dict[str, JSON]:
    facts: dict[str, JSON] = {"status": version.status.value}
    if (parity := version.parity) is not None:
        names = ("rows", "label_flips", "max_abs_difference", "mean_abs_difference", "dtype", "opset", "runtime")
        facts |= {name: getattr(parity, name) for name in names}
    if version.threshold is not None:
        facts["threshold"] = version.threshold.threshold
    return facts


def _sizes(version: ModelVersion) -> dict[str, JSON]:
    onnx = [file.size_bytes for file in version.files if file.path in (ONE, MANY)]
    return {
        "all files": version.size_bytes,
        "model.onnx": onnx[0] if onnx else None,
        "operators": len(version.operators),
    }


def _latency(version: ModelVersion) -> dict[str, JSON]:
    profile = version.profile
    return {} if profile is None else {"1 row, ms": profile.one_row_ms, "100 rows, ms": profile.hundred_rows_ms}


def _signature(left: ModelVersion, right: ModelVersion) -> list[SignatureChange]:
    old, new = left.signature, right.signature
    if old is None or new is None:
        return []
    found = [*_tensors("input", old.inputs, new.inputs), *_tensors("output", old.outputs, new.outputs)]
    for what, one, other in (("task", old.task, new.task), ("labels", ", ".join(old.labels), ", ".join(new.labels))):
        if one != other:
            found.append(SignatureChange(where=what, name=what, change="changed", left=one, right=other, breaks=True))
    return found


def _tensors(where: str, left: list[TensorSpec], right: list[TensorSpec]) -> list[SignatureChange]:
    """Differences of inputs or outputs. A new input breaks callers, who do not send it; a new output does not."""
    old, new = ({one.name: one for one in specs} for specs in (left, right))
    found = []
    for name in [*old, *(name for name in new if name not in old)]:
        one, other = old.get(name), new.get(name)
        if one is None or other is None:
            change = "added" if one is None else "removed"
            breaks = where == "input" or change == "removed"
            found.append(_difference(where, name, change, one, other, breaks=breaks))
        elif (one.datatype, one.shape, one.columns) != (other.datatype, other.shape, other.columns):
            change = (
                "retyped" if one.datatype != other.datatype else "reshaped" if one.shape != other.shape else "columns"
            )
            found.append(_difference(where, name, change, one, other, breaks=True))
    return found


def _difference(where: str, name: str, change: str, *specs: Any, breaks: bool) -> SignatureChange:
    left, right = ("" if spec is None else _spec(spec) for spec in specs)
    return SignatureChange(where=where, name=name, change=change, left=left, right=right, breaks=breaks)


def _spec(spec: TensorSpec) -> str:
    columns = f" ({', '.join(spec.columns)})" if spec.columns else ""
    return f"{spec.datatype} {spec.shape}{columns}"
