"""Sweep jobs as Azure Machine Learning's YAML describes them, version 2, read as arguments of ``studio.sweep``.

Source: Azure Machine Learning, "CLI (v2) sweep job YAML schema". What has no meaning on one machine (compute,
environments, identities) is named and left out; :mod:`jupyter_mlstudio.services.sweep_code` writes the same format.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.azure_files import content_of, tags_of, texts_of
from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.errors import Invalid, NotFound

TRIALS = 1000
"""How many trials there are when a file does not say; Azure's default."""

_READ = {
    "$schema", "type", "name", "display_name", "experiment_name", "description", "tags", "trial", "inputs", "outputs",
    "search_space", "sampling_algorithm", "objective", "limits", "early_termination",
}  # fmt: skip
_TRIAL = {"command", "code", "environment_variables"}
_LIMITS = {
    "max_total_trials": "trials", "max_concurrent_trials": "parallel", "timeout": "timeout",
    "trial_timeout": "trial_timeout",
}  # fmt: skip
_PLACE = re.compile(r"\$\{\{\s*(inputs|search_space|outputs)\.([\w.-]+)\s*\}\}")
_SHELL = re.compile(r"[|&;<>`\n]|\$(?!\{\{)")
_FILES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "path")


@dataclass
class Job:
    """What a file says: the command, the arguments of ``studio.sweep``, and notes on what was left out."""

    what: list[str]
    arguments: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def arguments_of(path: Path) -> Job:
    """Reads a sweep job.

    Raises:
        NotFound: there is no such file. Invalid: it is no sweep job, or something in it cannot be done.
    """
    content = _content(path)
    left_out = [name for name in content if name not in _READ]
    trial = _mapping(content, "trial", path, required=True)
    left_out += [f"trial.{name}" for name in trial if name not in _TRIAL]
    params = _inputs(_mapping(content, "inputs", path), path.parent, left_out)
    space = _mapping(content, "search_space", path, required=True)
    spaces.check(space)
    objective = _mapping(content, "objective", path, required=True)
    if not isinstance(objective.get("primary_metric"), str):
        raise Invalid(f"{path.name}: objective has no primary_metric")
    limits = _mapping(content, "limits", path)
    given: dict[str, Any] = {_LIMITS[name]: value for name, value in limits.items() if name in _LIMITS}
    left_out += [f"limits.{name}" for name in limits if name not in _LIMITS]
    given.setdefault("trials", TRIALS)
    given.setdefault("parallel", min(int(given["trials"]), os.cpu_count() or 1))
    arguments = {
        "space": space, "params": params, "metric": objective["primary_metric"],
        "goal": str(objective.get("goal", "maximize")).lower(), "sampler": _sampler(content.get("sampling_algorithm")),
        "early_termination": content.get("early_termination"),
        "name": content.get("display_name") or content.get("name"), "experiment": content.get("experiment_name"),
        "tags": tags_of(content), "folder": _folder(trial, path), "env": texts_of(trial.get("environment_variables")),
        **given,
    }  # fmt: skip
    command = _command(trial, [*params, *space], path)
    notes = [f"left out, it has no meaning here: {', '.join(left_out)}"] if left_out else []
    return Job(command, {name: value for name, value in arguments.items() if value is not None}, notes)


def _content(path: Path) -> dict[str, Any]:
    content = content_of(path)
    if not isinstance(content, dict) or content.get("type", "sweep") != "sweep" or "search_space" not in content:
        said = content.get("type") if isinstance(content, dict) else type(content).__name__
        raise Invalid(f"{path.name} is no sweep job (type {said!r}); it has type: sweep and a search_space")
    return content


def _mapping(content: Mapping[str, Any], name: str, path: Path, *, required: bool = False) -> dict[str, Any]:
    found = content.get(name)
    if found is None and not required:
        return {}
    if not isinstance(found, dict) or not found:
        raise Invalid(f"{path.name} has no {name}: write its fields below {name}:")
    return {str(key): value for key, value in found.items()}


def _inputs(inputs: Mapping[str, Any], folder: Path, left_out: list[str]) -> dict[str, Any]:
    """Values of ``${{inputs.x}}``: constants, and paths, which are told whole because the working folder differs."""
    found: dict[str, Any] = {}
    for name, given in inputs.items():
        if not isinstance(given, dict):
            found[name] = given
        elif given.get("type") in ("number", "integer", "boolean", "string") and "default" in given:
            found[name] = given["default"]
        elif "path" in given and given.get("type", "uri_folder") in _FILES:
            found[name] = _location(str(given["path"]), folder)
            if "://" in found[name] or found[name].startswith("azureml:"):
                left_out.append(f"the download of {name}: the trials get {found[name]!r} as text")
        else:
            raise Invalid(f"the input {name} is {given!r}: write a value, or a path of a file or folder")
    return found


def _location(text: str, folder: Path) -> str:
    if "://" in text or text.startswith("azureml:"):
        return text
    return str((folder / text.removeprefix("file:")).resolve())


def _sampler(given: Any) -> Any:
    if given is None or isinstance(given, str):
        return given
    options = dict(given) if isinstance(given, dict) else {}
    name, rule = options.pop("type", "random"), options.pop("rule", None)
    return {**options, "algorithm": "sobol" if name == "random" and rule == "sobol" else name}


def _folder(trial: Mapping[str, Any], path: Path) -> str:
    code = trial.get("code") or "."
    code = code.get("local_path", ".") if isinstance(code, dict) else str(code)
    if "://" in code or code.startswith("azureml:"):
        raise Invalid(f"{path.name}: the code {code!r} lies elsewhere; give a folder beside the file")
    folder = (path.parent / str(code).strip()).resolve()
    if not folder.is_dir():
        raise NotFound(f"{path.name}: there is no folder {str(code).strip()!r} beside it, which trial.code names")
    return str(folder)


def _command(trial: Mapping[str, Any], names: list[str], path: Path) -> list[str]:
    """The argument list; a command that needs a shell gets one, and values still arrive as they are."""
    text = trial.get("command")
    if not isinstance(text, str) or not text.strip():
        raise Invalid(f"{path.name}: trial has no command")
    for _, name in (match for match in _PLACE.findall(text) if match[0] != "outputs"):
        if name not in names:
            raise Invalid(f"{path.name}: the command uses {name!r}, which is neither an input nor in the search space")
    optional = re.sub(r"\$\[\[(.*?)\]\]", r"\1", text.strip())
    if _SHELL.search(optional) or "outputs." in "".join(match[0] + "." for match in _PLACE.findall(optional)):
        return _shell_command(optional)
    try:
        words = shlex.split(_PLACE.sub(r"${{inputs.\2}}", optional))
    except ValueError as error:
        raise Invalid(f"{path.name}: the command cannot be split into words: {error}") from None
    return [sys.executable if words[0] in ("python", "python3") else words[0], *words[1:]]


def _shell_command(text: str) -> list[str]:
    """A command for bash: values are its positional parameters, so that nothing in them is ever code."""
    script, names, outputs, quote, place = "", list[str](), list[str](), "", 0
    while place < len(text):
        match = _PLACE.match(text, place)
        if match is None:
            char = text[place]
            if char == "\\" and quote != "'":
                script, place = script + text[place : place + 2], place + 2
                continue
            if char in "\"'" and quote in ("", char):
                quote = "" if quote else char
            script, place = script + char, place + 1
            continue
        if match[1] == "outputs":
            value = f"${{MLSTUDIO_RUN_FOLDER}}/artifacts/{match[2]}"
            outputs += [] if match[2] in outputs else [match[2]]
        else:
            names += [] if match[2] in names else [match[2]]
            value = f"${{{names.index(match[2]) + 1}}}"
        script += {'"': value, "'": f"'\"{value}\"'", "": f'"{value}"'}[quote]
        place = match.end()
    made = [f'mkdir -p "${{MLSTUDIO_RUN_FOLDER}}/artifacts/{name}"\n' for name in outputs]
    path = f'PATH={shlex.quote(os.path.dirname(sys.executable))}:"$PATH"\n'  # noqa: PTH120 - text, not a path
    return ["bash", "-c", "".join([path, *made, script]), "bash", *(f"${{{{inputs.{name}}}}}" for name in names)]
