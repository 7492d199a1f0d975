"""Parallel jobs as Azure Machine Learning's YAML describes them: a script of ``init()`` and ``run(mini_batch)``.

Source: Azure Machine Learning, "CLI (v2) parallel job YAML schema". A file is such a job, or a pipeline with one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.azure_files import content_of
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, NotFound

BATCH_BYTES, BATCH_FILES = 1024 * 1024, 10
"""A mini-batch that nothing is said of."""

_SIZES = {"": 1, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
_READ = {
    "$schema", "type", "name", "display_name", "experiment_name", "description", "tags", "inputs", "outputs",
    "input_data", "mini_batch_size", "partition_keys", "error_threshold", "mini_batch_error_threshold",
    "max_concurrency_per_instance", "resources", "retry_settings", "task", "settings", "jobs",
}  # fmt: skip
_TASK = {"type", "code", "entry_script", "program_arguments", "append_row_to"}


@dataclass(frozen=True, slots=True)
class ParallelJob:
    """What a file asks for.

    Args:
        script: with ``init()`` and ``run(mini_batch)``.
        data: a table, whose mini-batches are data frames, or a folder, whose mini-batches are lists of paths.
        arguments: that the script finds in ``sys.argv``; ``${{outputs.name}}`` stands for a folder of the run.
        size: bytes of a table's mini-batch, or files.
        partition_keys: a mini-batch is all rows with the same values of these columns.
        failures: how many mini-batches (of a folder: files) may fail; -1 is any number.
        output: name of the output that rows are appended to; empty for none.
        notes: what of the file was left out.
    """

    script: Path
    data: Path
    arguments: list[str]
    size: int
    concurrency: int
    failures: int
    retries: dict[str, JSON]
    partition_keys: list[str] = field(default_factory=list)
    output: str = ""
    outputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        """Whether mini-batches are data frames."""
        return self.data.is_file()


def read_parallel(path: Path) -> ParallelJob:
    """Reads a parallel job.

    Raises:
        NotFound: the file, the script or the data are not there.
        Invalid: it is no such job, or says what cannot be done.
    """
    whole = _content(path)
    step = _step(whole, path)
    task = step.get("task")
    if not isinstance(task, Mapping) or str(task.get("type", "run_function")) != "run_function":
        raise Invalid(f"{path.name} has no task of the type run_function, with code and entry_script")
    script = _there(
        path, Path(str(task.get("code", ".")), str(task.get("entry_script", ""))), "entry_script", file=True
    )
    outer = _values(whole.get("inputs"))
    values = {name: _looked_up(value, outer) for name, value in _values(step.get("inputs")).items()}
    named = _reference(str(step.get("input_data", "")), "inputs")
    if named not in values:
        raise Invalid(f"{path.name}: input_data is {step.get('input_data')!r}; write ${{{{inputs.NAME}}}} of an input")
    data = _there(path, Path(values[named]), f"the input {named}")
    if (data / "MLTable").is_file():
        data = _of_mltable(data)
    keys = [str(one) for one in step.get("partition_keys") or []]
    if keys and data.is_dir():
        raise Invalid(f"{path.name}: partition_keys are columns of a table, {values[named]!r} is a folder")
    one_file = data.is_file() or str(step.get("mini_batch_size", "")) == "1"
    nodes = _whole(step.get("resources"), "instance_count", 1)
    failures, notes = _failures(step, one_file=one_file)
    notes += sorted(set(step) - _READ) + [f"task.{name}" for name in sorted(set(task) - _TASK)]
    return ParallelJob(
        script=script, data=data, size=_size(step.get("mini_batch_size"), files=data.is_dir()), partition_keys=keys,
        arguments=shlex.split(_filled(str(task.get("program_arguments") or ""), values, path)), failures=failures,
        concurrency=nodes * _whole(step, "max_concurrency_per_instance", 1),
        retries={"max_retries": _whole(step.get("retry_settings"), "max_retries", 3),
                 "timeout_s": _whole(step.get("retry_settings"), "timeout", 60)},
        output=_reference(str(task.get("append_row_to") or ""), "outputs"), outputs=sorted(step.get("outputs") or {}),
        notes=notes,
    )  # fmt: skip


def _content(path: Path) -> dict[str, Any]:
    content = content_of(path)
    if not isinstance(content, dict):
        raise Invalid(f"{path.name} is no parallel job")
    return content


def _step(whole: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if whole.get("type") == "parallel":
        return dict(whole)
    jobs = whole.get("jobs")
    found = [one for one in jobs.values() if isinstance(one, Mapping)] if isinstance(jobs, Mapping) else []
    if len(found) != 1 or found[0].get("type") != "parallel":
        raise Invalid(f"{path.name} is no parallel job: write type: parallel, or a pipeline whose only job has it")
    return dict(found[0])


def _values(given: Any) -> dict[str, str]:
    """Inputs as text: a value, or the path of data."""
    if not isinstance(given, Mapping):
        return {}
    return {str(name): str(one.get("path") if isinstance(one, Mapping) else one) for name, one in given.items()}


def _looked_up(value: str, values: Mapping[str, str]) -> str:
    found = re.fullmatch(r"\$\{\{\s*parent\.inputs\.(\w+)\s*\}\}", value)
    return values.get(found[1], value) if found else value


def _reference(text: str, kind: str) -> str:
    found = re.fullmatch(rf"\$\{{\{{\s*{kind}\.(\w+)\s*\}}\}}", text.strip())
    return found[1] if found else ""


def _filled(text: str, values: Mapping[str, str], path: Path) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise Invalid(f"{path.name}: program_arguments name the input {match[1]!r}, which is not there")
        return shlex.quote(values[match[1]])

    return re.sub(r"\$\{\{\s*inputs\.(\w+)\s*\}\}", value, text)


def _there(path: Path, name: Path, what: str, *, file: bool = False) -> Path:
    text = str(name)
    if text.startswith("azureml:") or ":/" in text:
        raise Invalid(f"{path.name}: {what} lies elsewhere ({text[:80]}): download it, and give its path")
    found = (path.parent / name).resolve()
    if not (found.is_file() if file else found.exists()):
        raise NotFound(f"{path.name}: there is no {text!r}, which {what} names")
    return found


def _of_mltable(folder: Path) -> Path:
    content = _content(folder / "MLTable")
    named = [str(one.get("file", "")) for one in content.get("paths") or [] if isinstance(one, Mapping)]
    if len(named) != 1 or not (folder / named[0]).is_file():
        raise Invalid(f"{folder / 'MLTable'} stands for {len(named)} paths; give one file that holds the whole table")
    return (folder / named[0]).resolve()


def _size(given: Any, *, files: bool) -> int:
    if given is None:
        return BATCH_FILES if files else BATCH_BYTES
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", str(given).strip().lower())
    if not found or found[2] not in _SIZES or int(found[1]) < 1 or (files and found[2]):
        raise Invalid(f"mini_batch_size is {given!r}: a number of files, or bytes of a table such as 10kb or 1mb")
    return int(found[1]) * _SIZES[found[2]]


def _failures(step: Mapping[str, Any], *, one_file: bool) -> tuple[int, list[str]]:
    """How many mini-batches, or files, may fail, and what of it was left out."""
    of_batches, of_items = _whole(step, "mini_batch_error_threshold", -1), _whole(step, "error_threshold", -1)
    if not one_file:
        return of_items, [] if of_batches < 0 else ["mini_batch_error_threshold, files are counted"]
    known = [one for one in (of_batches, of_items) if one >= 0]
    return min(known, default=-1), []


def _whole(given: Any, name: str, usual: int) -> int:
    value = given.get(name, usual) if isinstance(given, Mapping) else usual
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise Invalid(f"{name} is {value!r}; it is a whole number")
    return int(value)
