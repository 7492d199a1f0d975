"""What a written notebook is put together of: cells, names of variables, and how weights are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning import families


def takes_weights(model: Any, name: str) -> bool:
    """Whether the fit of a member of that name takes weights of rows."""
    from sklearn.utils.validation import has_fit_parameter

    last = model.steps[-1][1] if hasattr(model, "steps") else model
    words = {family.name.lower(): family for family in families.FAMILIES}
    family = words.get(name.lower().rsplit("_", 1)[0]) or words.get(name.lower())
    return family.takes_weights if family is not None else bool(has_fit_parameter(last, "sample_weight"))


def variable_of(name: str) -> str:
    """A variable for a member of that name."""
    plain = "".join(char if char.isalnum() else "_" for char in name.lower())
    return plain if plain.isidentifier() else f"member_{plain}"


def document(cells: Sequence[tuple[str, str]]) -> dict[str, JSON]:
    """A notebook in nbformat 4.5 of cells: their kind, and their text."""
    made: list[JSON] = []
    for number, (kind, text) in enumerate(cells):
        cell: dict[str, JSON] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text}
        made.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel: dict[str, JSON] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4, "nbformat_minor": 5, "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
    }  # fmt: skip
