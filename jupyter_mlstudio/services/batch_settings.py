"""Settings of batch deployments: checked, and changed for one job."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from jupyter_mlstudio.entities.batch import BatchSettings, OutputAction
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

OUTPUTS = (".csv", ".jsonl", ".parquet")
_OUTPUT_NAME = re.compile(r"[\w][\w .()-]{0,120}")


def checked(settings: BatchSettings) -> BatchSettings:
    """Checks settings.

    Raises:
        Invalid: one of them is out of range; the message names it.
    """
    bounds = {
        "mini_batch_size": (settings.mini_batch_size, 1, 10_000_000),
        "max_concurrency": (settings.max_concurrency, 1, 256),
        "error_threshold": (settings.error_threshold, -1, 2**62),
        "max_retries": (settings.retries.max_retries, 0, 100),
        "timeout_s": (settings.retries.timeout_s, 0.001, 7 * 24 * 3600),
    }
    for name, (value, low, high) in bounds.items():
        if not low <= value <= high:
            raise Invalid(f"{name} is {value}; it is from {low} to {high}")
    output = settings.output_file_name
    if not _OUTPUT_NAME.fullmatch(output) or not output.lower().endswith(OUTPUTS):
        raise Invalid(f"output_file_name {output[:80]!r} is not a file's name that ends with {', '.join(OUTPUTS)}")
    if output.lower() in ("summary.json", "errors.csv"):
        raise Invalid(f"output_file_name {output!r} is taken by the job's own files")
    return settings


def merged(settings: BatchSettings, changes: dict[str, JSON]) -> BatchSettings:
    """Settings with some of their fields changed.

    Raises:
        Invalid: a field is none, or its value is of another kind.
    """
    known = set(BatchSettings.__dataclass_fields__) | {"max_retries", "timeout_s"}
    if strange := sorted(set(changes) - known):
        raise Invalid(f"{strange[0]!r} is not a setting; there are {', '.join(sorted(known))}")
    values = dict(changes)
    retries = settings.retries
    if isinstance(given := values.pop("retries", None), dict):
        values = {**given, **values}
    for name in ("max_retries", "timeout_s"):
        if name in values:
            retries = replace(retries, **{name: _number(name, values.pop(name))})
    for name in ("mini_batch_size", "max_concurrency", "error_threshold"):
        if name in values and not isinstance(_number(name, values[name]), int):
            raise Invalid(f"{name} is {values[name]!r}; it is a whole number")
    if "output_action" in values:
        try:
            values["output_action"] = OutputAction(str(values["output_action"]))
        except ValueError:
            raise Invalid(f"output_action is {', '.join(OutputAction)}, not {values['output_action']!r}") from None
    return replace(settings, retries=retries, **{name: value for name, value in values.items() if value is not None})


def _number(name: str, value: JSON) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Invalid(f"{name} is {value!r}; it is a number")
    return value
