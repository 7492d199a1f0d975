"""Charts as data, in the envelope of Azure's metric schemas: ``schema_type``, ``schema_version``, ``data``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jupyter_mlstudio.client.values import plain
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

ROWS_LIMIT = 10_000
VERSIONS = {
    "accuracy_table": "1.0.1",
    "confusion_matrix": "1.0.0",
    "image": "1.0.0",
    "plotly": "1.0.0",
    "precision_recall_curve": "1.0.0",
    "predicted_vs_true": "1.0.0",
    "predictions": "1.0.0",
    "residuals": "1.0.0",
    "roc_curve": "1.0.0",
    "table": "1.0.0",
}

Envelope = dict[str, JSON]


def envelope(schema_type: str, data: Mapping[str, object]) -> Envelope:
    """Puts data into the envelope that the studio keeps; NaN and infinities become text."""
    return {"schema_type": schema_type, "schema_version": VERSIONS[schema_type], "data": plain(data)}


def table(content: object) -> Envelope:
    """Makes a table of a data frame, a dict of columns (or of one row's values), or a list of dicts or sequences.

    Raises:
        Invalid: it is none of these, columns differ in length, or it has more than 10,000 rows.
    """
    columns, rows = _columns_and_rows(content)
    if len(rows) > ROWS_LIMIT:
        raise Invalid(
            f"the table has {len(rows)} rows; at most {ROWS_LIMIT} are drawn: keep it as a file with log_artifact"
        )
    scalars = [[_scalar(plain(cell)) for cell in row] for row in rows]
    return envelope("table", {"columns": [str(column) for column in columns], "rows": scalars})


def confusion_matrix(y_true: object, y_pred: object, labels: Sequence[object] | None = None) -> Envelope:
    """Counts true against predicted labels; rows are true labels, columns predicted ones."""
    from sklearn.metrics import confusion_matrix as count
    from sklearn.utils.multiclass import unique_labels

    names = list(labels) if labels is not None else list(unique_labels(y_true, y_pred))
    matrix = count(y_true, y_pred, labels=names)
    return envelope("confusion_matrix", {"class_labels": [str(plain(name)) for name in names], "matrix": matrix})


def azure(schema_type: str, value: object) -> Envelope:
    """Reads what Azure's ``run.log_<schema_type>(name, value)`` takes: the envelope as a dict or as JSON text.

    Raises:
        Invalid: it is another schema, or its tables do not fit together.
    """
    content = _parsed(schema_type, value)
    if content.get("schema_type", schema_type) != schema_type:
        raise Invalid(
            f"the value is a {content['schema_type']!r}, not a {schema_type!r}; use log_{content['schema_type']}"
        )
    data = content.get("data", content)
    if not isinstance(data, Mapping):
        raise Invalid(f"the data of the {schema_type} is a {type(data).__name__}, not an object")
    try:
        _CHECKS[schema_type](data)
    except (KeyError, TypeError) as error:
        raise Invalid(f"the {schema_type} lacks or misspells {error}; see the schema {schema_type} of Azure") from None
    return {**envelope(schema_type, data), "schema_version": str(content.get("schema_version", VERSIONS[schema_type]))}


def _parsed(schema_type: str, value: object) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise Invalid(f"the {schema_type} is text that is not JSON ({error})") from None
    if not isinstance(value, Mapping):
        raise Invalid(f"a {schema_type} is a dict or JSON text, not {type(value).__name__}")
    return value


def _check_accuracy_table(data: Mapping[str, Any]) -> None:
    """The invariants of the schema: TP+FN and TN+FP are constant for each class, and their sum for all."""
    labels = data["class_labels"]
    for kind in ("probability", "percentile"):
        tables, thresholds = data[f"{kind}_tables"], data[f"{kind}_thresholds"]
        if len(tables) != len(labels) or any(len(rows) != len(thresholds) for rows in tables):
            raise Invalid(f"{kind}_tables must hold {len(labels)} tables of {len(thresholds)} rows each")
        totals = {(label, tp + fn, tn + fp) for label, rows in enumerate(tables) for tp, fp, tn, fn in rows}
        if len(totals) != len(labels) or len({positives + negatives for _, positives, negatives in totals}) > 1:
            raise Invalid(f"{kind}_tables do not add up: TP+FN and TN+FP are the same in every row of a class")


def _check_confusion_matrix(data: Mapping[str, Any]) -> None:
    size = len(data["class_labels"])
    if len(data["matrix"]) != size or any(len(row) != size for row in data["matrix"]):
        raise Invalid(f"a confusion matrix of {size} class labels has {size} rows and columns")


def _check_bins(data: Mapping[str, Any], *lists: str) -> None:
    bins = len(data["bin_edges"]) - 1
    wrong = [name for name in lists if len(data[name]) != bins]
    if wrong:
        raise Invalid(f"{wrong[0]} has {len(data[wrong[0]])} values for {bins} bins; bin_edges is one longer")


_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "accuracy_table": _check_accuracy_table,
    "confusion_matrix": _check_confusion_matrix,
    "residuals": lambda data: _check_bins(data, "bin_counts"),
    "predictions": lambda data: _check_bins(data, "bin_averages", "bin_errors", "bin_counts"),
}


def _columns_and_rows(content: Any) -> tuple[list[object], list[Sequence[object]]]:
    if hasattr(content, "itertuples") and hasattr(content, "columns"):
        named = [name for name in content.index.names if name is not None]
        frame = content.reset_index() if named else content
        return list(frame.columns), [tuple(row) for row in frame.itertuples(index=False, name=None)]
    if isinstance(content, Mapping):
        return _from_columns(content)
    if hasattr(content, "rows") and hasattr(content, "columns"):
        return list(content.columns), list(content.rows())
    if isinstance(content, Iterable) and not isinstance(content, (str, bytes)):
        return _from_rows(list(content))
    raise Invalid(f"a table is a data frame, a dict of columns or a list of rows, not {type(content).__name__}")


def _from_columns(content: Mapping[object, Any]) -> tuple[list[object], list[Sequence[object]]]:
    columns = {name: value if _is_list(value) else [value] for name, value in content.items()}
    lengths = {str(name): len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Invalid(f"the columns of the table differ in length: {lengths}")
    return list(columns), [tuple(row) for row in zip(*columns.values(), strict=True)]


def _from_rows(rows: list[Any]) -> tuple[list[object], list[Sequence[object]]]:
    if all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return names, [[row.get(name) for name in names] for row in rows]
    if all(_is_list(row) for row in rows):
        width = max(len(row) for row in rows)
        return [str(number) for number in range(width)], [[*row, *[None] * (width - len(row))] for row in rows]
    raise Invalid("the rows of a table are dicts or lists, all of one kind")


def _is_list(value: object) -> bool:
    return not isinstance(value, (str, bytes, Mapping)) and hasattr(value, "__len__") and hasattr(value, "__iter__")


def _scalar(cell: JSON) -> JSON:
    return cell if cell is None or isinstance(cell, (bool, int, float, str)) else json.dumps(cell, ensure_ascii=False)
