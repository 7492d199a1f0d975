"""Model cards made of facts: Markdown that begins with YAML metadata, as Hugging Face defines model cards.

Metadata: https://huggingface.co/docs/hub/model-cards, with ``model-index`` for what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import yaml

from jupyter_mlstudio.entities.model_reports import ModelCard, ModelLineage
from jupyter_mlstudio.entities.models import ModelVersion, Signature
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.services.model_lineage import Lineage
from jupyter_mlstudio.services.models import Models

ROWS_LIMIT = 60
PACKAGES = (
    "scikit-learn", "xgboost", "lightgbm", "catboost", "torch", "keras", "tensorflow", "numpy", "pandas", "scipy",
    "onnx", "skl2onnx", "onnxruntime", "mlflow",
)  # fmt: skip
_TASKS = {"classification": "tabular-classification", "regression": "tabular-regression"}
_LIBRARIES = {"scikit-learn": "sklearn"}
_ESCAPED = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]<>#|!"})


class ModelCards:
    """Writes model cards."""

    def __init__(self, models: Models, lineage: Lineage) -> None:
        self._models = models
        self._lineage = lineage

    def card(self, name: str, version: str | int) -> ModelCard:
        """Writes a version's card. People's notes are its description; all else is measured."""
        found = self._models.version(name, version)
        model, lineage, run = self._models.get(name), self._lineage.of(name, version), self._lineage.run(found)
        front = yaml.safe_dump(_metadata(found, lineage, run), sort_keys=False, allow_unicode=True, width=1000)
        parts = [
            f"# {_text(found.model)}, version {found.version}\n\n{_lines(model.description)}",
            _section("Notes", _lines(found.description)),
            _section("State", _bullets(_state(found))),
            _section("Evaluation", _table(("Metric", "Value"), _metrics(run))),
            _section("Training data", _table(("Name", "Digest", "Context", "Source"), _data(lineage))),
            _section("Parameters", _table(("Parameter", "Value"), (run.params if run else {}).items())),
            _section("Inputs and outputs", _signature(found.signature)),
            _section("How ONNX compares with the original", _bullets(_parity(found))),
            _section("Limits", _bullets(_limits(found))),
            _section("Environment", _table(("Package", "Version"), _environment(run))),
            _section("Where it comes from", _bullets(_origin(lineage))),
            _section("Files", _table(("Path", "Bytes", "SHA-256"), _files(found))),
        ]
        return ModelCard(text=f"---\n{front}---\n\n" + "\n".join(part for part in parts if part))


def _metadata(version: ModelVersion, lineage: ModelLineage, run: Run | None) -> dict[str, JSON]:
    task = _TASKS.get(version.signature.task if version.signature else "", "other")
    results = [
        {"type": name, "value": value, "name": name} for name, value in (run.metrics if run else {}).items()
        if math.isfinite(value) and not name.startswith("system/")
    ]  # fmt: skip
    data = lineage.data[0].name if lineage.data else "not recorded"
    library = (version.framework or "onnx").split()[0].lower()
    library = _LIBRARIES.get(library, library)
    front: dict[str, JSON] = {"library_name": library, "pipeline_tag": task}
    front["tags"] = sorted({"onnx", library, *(f"{k}:{v}"[:100] for k, v in version.tags.items())})
    if results:
        entry = {"task": {"type": task}, "dataset": {"name": data, "type": data}, "metrics": results}
        front["model-index"] = [{"name": f"{version.model} {version.version}", "results": [entry]}]
    return front


def _state(version: ModelVersion) -> list[str]:
    decided = version.approval
    by = f" by {_text(decided.user)}" if decided.user else ""
    at = f" on {decided.at:%Y-%m-%d %H:%M} UTC" if decided.at else ""
    why = f": {_text(decided.reason)}" if decided.reason else ""
    aliases = ", ".join(_text(alias) for alias in version.aliases) or "none"
    return [
        f"Status: {version.status.value}{': ' + _text(version.reason) if version.reason else ''}",
        f"Stage: {version.stage.value}", f"Aliases: {aliases}", f"Approval: {decided.status.value}{by}{at}{why}",
        f"Registered by {_text(version.user or 'unknown')} on {version.created_at:%Y-%m-%d %H:%M} UTC",
    ]  # fmt: skip


def _metrics(run: Run | None) -> list[tuple[str, str]]:
    shown = (run.metrics if run else {}).items()
    return [(name, f"{value:.6g}") for name, value in shown if not name.startswith("system/")]


def _data(lineage: ModelLineage) -> list[tuple[str, ...]]:
    return [(one.name, one.digest, one.context, one.source[:120]) for one in lineage.data]


def _signature(signature: Signature | None) -> str:
    if signature is None:
        return ""
    specs = [("input", one) for one in signature.inputs] + [("output", one) for one in signature.outputs]
    rows = [(kind, one.name, one.datatype, str(one.shape), ", ".join(one.columns[:20])) for kind, one in specs]
    table = _table(("", "Name", "Type", "Shape", "Columns"), rows)
    return f"Task: {signature.task}\n\n{table}" + (
        f"\n\nLabels: {_text(', '.join(signature.labels))}" if signature.labels else ""
    )


def _parity(version: ModelVersion) -> list[str]:
    parity, threshold, profile = version.parity, version.threshold, version.profile
    lines = []
    if parity is not None:
        flips = "" if parity.label_flips is None else f", {parity.label_flips} label flips"
        lines.append(f"{parity.rows} rows compared{flips}; number type {parity.dtype}, opset {parity.opset}")
        lines.append(f"Largest difference {parity.max_abs_difference:.3g}, mean {parity.mean_abs_difference:.3g}")
    if threshold is not None:
        lines.append(
            f"Answers {_text(threshold.positive)!r} from a probability of {threshold.threshold:g}:"
            f" {threshold.label_flips} label flips in {threshold.rows} rows"
        )
    if profile is not None:
        lines.append(f"Latency: {profile.one_row_ms:.3g} ms for one row, {profile.hundred_rows_ms:.3g} ms for 100")
    return lines


def _limits(version: ModelVersion) -> list[str]:
    lines = [f"{one.path}: {one.format}, executes code when it is loaded" for one in version.formats if one.executes]
    if version.parity is not None:
        lines.append(f"Compared on {version.parity.rows} rows only; other rows may differ more")
    if version.approval.status.value != "Approved":
        lines.append("Nobody has approved it")
    return [_text(line) for line in lines]


def _environment(run: Run | None) -> list[tuple[str, str]]:
    environment = run.environment if run else None
    if environment is None:
        return []
    known = [(name, environment.packages[name]) for name in PACKAGES if name in environment.packages]
    return [("Python", environment.python or "?"), *known]


def _origin(lineage: ModelLineage) -> list[str]:
    lines = [f"Source: {_text(lineage.source)}"]
    if lineage.run is not None:
        lines.append(f"Run: {_text(lineage.run.name)} ({lineage.run.id}) of experiment {_text(lineage.run.experiment)}")
    if lineage.commit is not None:
        changed = ", with changes" if lineage.dirty else ""
        lines.append(f"Commit: {lineage.commit}{changed}")
    if lineage.snapshot_id:
        lines.append(f"Code snapshot: {lineage.snapshot_id}")
    return lines


def _files(version: ModelVersion) -> list[tuple[str, ...]]:
    return [(one.path, f"{one.size_bytes:,}", one.sha256) for one in version.files]


def _section(title: str, content: str) -> str:
    return f"## {title}\n\n{content}\n" if content.strip() else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    listed = list(rows)
    if not listed:
        return ""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_text(cell) for cell in row)} |" for row in listed[:ROWS_LIMIT]]
    return "\n".join([*lines, *([f"\n... and {len(listed) - ROWS_LIMIT} more"] if len(listed) > ROWS_LIMIT else [])])


def _text(value: str) -> str:
    """Text that somebody gave, in one line and with no meaning as Markdown or HTML."""
    return " ".join(str(value)[:1000].split()).translate(_ESCAPED)


def _lines(value: str) -> str:
    """Notes as they were written; HTML in them is shown and not drawn."""
    return value.strip().replace("<", "&lt;")
