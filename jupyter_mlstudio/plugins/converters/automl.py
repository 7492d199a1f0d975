"""Converts AutoML's own transformers: tables of categories, and parts of dates.

A missing text travels as the empty one. What a text becomes is looked up, so that the graph answers exactly as Python.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.sklearn_codes import column
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, FLOAT, STRING, Graph
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor
from jupyter_mlstudio.plugins.converters.sklearn_wrappers import inner

HOMES = tuple(f"jupyter_mlstudio.learning.{name}" for name in ("transformers", "texts", "skewed", "telling"))
WORDS = {"locale": "C.UTF-8", "tokenexp": r"[\p{L}\p{N}_][\p{L}\p{N}_]+"}
"""How text is split: words as Python's expression for them has it, in every script."""

EPOCH = "1970-01-01T00:00:00"
MONTHS = [0.0, 31.0, 28.0, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0]


def announce(kind: type, doubles: bool) -> tuple[Callable[..., None], Callable[..., None]]:
    """Tells skl2onnx, in this process, of one of the transformers, which answers in float64 when ``doubles``.

    Returns:
        Its converter and its shape calculator.
    """
    from skl2onnx import update_registered_converter

    writers = {
        "DateParts": _write_dates, "TextComponents": _write_text, "Numbers": _write_numbers,
        "Logarithms": _write_logarithms, "TellingColumns": _write_telling,
    }  # fmt: skip
    write = writers.get(kind.__name__, _write_tables)
    name = f"Mlstudio{kind.__name__}"

    def floats(dimensions: Any = None) -> Any:
        from skl2onnx.common import data_types

        return (data_types.DoubleTensorType if doubles else data_types.FloatTensorType)(dimensions)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        graph = Graph(scope, container)
        names = write(graph, operator, doubles)
        graph.node("Concat", names, operator.outputs[0].full_name, axis=1)

    def shape(operator: Any) -> None:
        width = len(operator.raw_operator.get_feature_names_out())
        operator.outputs[0].type = floats([operator.inputs[0].get_first_dimension(), width])

    def parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
        operator = scope.declare_local_operator(name, model)
        operator.inputs = inputs
        operator.outputs.append(scope.declare_local_variable("features", floats()))
        return operator.outputs

    update_registered_converter(kind, name, shape, convert, overwrite=True, parser=parse)
    return convert, shape


def _texts(graph: Graph, operator: Any, number: int) -> str:
    name, kind = column(graph, operator.inputs, number, operator.raw_operator.n_features_in_)
    if kind != STRING:
        raise Invalid(f"column {operator.raw_operator.feature_names_in_[number]!r} came as numbers: send it as text")
    return name


def _write_tables(graph: Graph, operator: Any, doubles: bool) -> list[str]:
    encoder, names = operator.raw_operator, []
    for number, (categories, table) in enumerate(zip(encoder.categories_, encoder.tables_, strict=True)):
        keys = [*categories, ""]
        place = graph.node(
            "LabelEncoder", [_texts(graph, operator, number)], domain="ai.onnx.ml", version=2, keys_strings=keys,
            values_int64s=[*range(len(categories)), len(categories) + 1], default_int64=len(categories),
        )  # fmt: skip
        rows = graph.node("Gather", [graph.constant(table, doubles), place], axis=0)
        names.append(graph.node("Reshape", [rows, graph.constant(np.array([-1, table.shape[1]]))], version=14))
    return names


def _write_numbers(graph: Graph, operator: Any, doubles: bool) -> list[str]:
    model = operator.raw_operator
    given = graph.node("Cast", [graph.matrix(operator.inputs)], to=DOUBLE if doubles else FLOAT)
    if not model.empty_.any():
        return [given]
    empty = graph.constant(model.empty_[np.newaxis, :])
    return [graph.node("Where", [empty, graph.constant(0.0, doubles), given], version=16)]


def _write_logarithms(graph: Graph, operator: Any, doubles: bool) -> list[str]:
    model = operator.raw_operator
    given = Tensor(graph, graph.node("Cast", [graph.matrix(operator.inputs)], to=DOUBLE if doubles else FLOAT), doubles)
    signs = model.signs_[np.newaxis, :]
    found = ((given * signs).op("Max", model.lowest_[np.newaxis, :]) + model.added_[np.newaxis, :]).log() * signs
    test = graph.constant(signs != 0)
    return [graph.node("Where", [test, found.name, given.name], version=16)]


def _write_telling(graph: Graph, operator: Any, doubles: bool) -> list[str]:
    given = graph.node("Cast", [graph.matrix(operator.inputs)], to=DOUBLE if doubles else FLOAT)
    return [graph.node("Gather", [given, graph.constant(operator.raw_operator.places_)], axis=1)]


def _write_text(graph: Graph, operator: Any, doubles: bool) -> list[str]:
    """Words are counted in float32, which is exact for counts; all that follows is float64."""
    model = operator.raw_operator
    floats = DOUBLE if doubles else FLOAT
    if model.transformer_ is None:
        flat = graph.node("Reshape", [operator.inputs[0].full_name, graph.constant(np.array([-1, 1]))], version=14)
        same = graph.node("Cast", [graph.node("Equal", [flat, flat], version=19)], to=floats)
        return [graph.node("Mul", [same, graph.constant(0.0, doubles)], version=14)]
    counter = copy.copy(model.transformer_)
    counter.lowercase = True
    for holder in (graph.scope, graph.container):
        holder.add_options(id(counter), WORDS)
    counts = graph.node("Cast", [inner(graph, counter, operator.inputs)[0].full_name], to=DOUBLE)
    found = Tensor(graph, counts, True)
    weighed = found * model.idf_
    length = (weighed * weighed).sum(1).sqrt()
    length = length.where(length.flags("Greater", 0.0), 1.0)
    made = (found @ (model.idf_[:, np.newaxis] * model.components_)) / length
    rounded = (made / model.step).op("Round") * model.step
    names = [graph.node("Cast", [rounded.name], to=floats)]
    if len(model.telling_):
        told = [graph.node("Gather", [counts, graph.constant(model.telling_)], axis=1), found.sum(1).name]
        names += [graph.node("Cast", [one], to=floats) for one in told]
    return names


def _write_dates(graph: Graph, operator: Any, doubles: bool) -> list[str]:
    model, names = operator.raw_operator, []
    for number, wanted in enumerate(model.parts_):
        made = _parts(graph, _texts(graph, operator, number), model)
        found = [made[name] for name in wanted]
        for name, length, start in model.cycles(wanted):
            angle = (made[name] - start) * (2 * np.pi / length)
            found += [angle.op("Sin"), angle.op("Cos")]
        flat = [graph.node("Reshape", [one.name, graph.constant(np.array([-1, 1]))], version=14) for one in found]
        names += flat if doubles else [graph.node("Cast", [one], to=FLOAT) for one in flat]
    return names


def _parts(graph: Graph, text: str, model: Any) -> dict[str, Tensor]:
    """The parts of times in a column of text, as ``automl/dates.py`` computes them; NaN for what is no time."""
    text = graph.node("Reshape", [text, graph.constant(np.array([-1]))], version=14)
    read = graph.node("RegexFullMatch", [text], version=20, pattern=model.shape)
    year, month, day, *clock = _fields(
        graph, graph.node("Where", [read, text, graph.constant(EPOCH)], version=16), model
    )
    leap = _divides(year, 4.0) * (1.0 - _divides(year, 100.0)) + _divides(year, 400.0)
    february = month.flags("Equal", 2.0) * leap
    exists = day.flags("LessOrEqual", month.pick(np.array(MONTHS), month.whole()) + february)
    valid = Tensor(graph, graph.node("Cast", [read], to=DOUBLE), True) * exists
    before = year - 1.0
    first = (before * 365.0 + (before / 4.0).op("Floor")) - (before / 100.0).op("Floor")
    first = first + (before / 400.0).op("Floor") - 719162.0
    of_year = month.pick(np.cumsum(MONTHS) - MONTHS, month.whole()) + month.flags("Greater", 2.0) * leap + day
    days = first + of_year - 1.0
    second = clock[0] * 3600.0 + clock[1] * 60.0 + clock[2]
    since_monday = days + 3.0
    made = {
        "elapsed": (days * 86400.0 + second) / 86400.0, "year": year, "month": month, "day": day,
        "weekday": since_monday - (since_monday / 7.0).op("Floor") * 7.0, "day_of_year": of_year,
        "hour": second / 3600.0,
    }  # fmt: skip
    return {name: one.where(valid, np.nan) for name, one in made.items()}


def _fields(graph: Graph, text: str, model: Any) -> list[Tensor]:
    """Year, month, day, hour, minute and second of times that are known to be well written."""

    def matches(pattern: str) -> str:
        return graph.node("RegexFullMatch", [text], version=20, pattern=model.date + pattern)

    def split(source: str, delimiter: str, count: int, most: int | None = None) -> list[str]:
        parts, lengths = (str(graph.scope.get_unique_variable_name(name)) for name in ("parts", "lengths"))
        limit: dict[str, Any] = {} if most is None else {"maxsplit": most}
        graph.nodes("StringSplit", [source], [parts, lengths], version=20, delimiter=delimiter, **limit)
        return [graph.node("Gather", [parts, graph.constant(np.array(place))], axis=1) for place in range(count)]

    def either(test: str, yes: str, no: str) -> str:
        return graph.node("Where", [test, yes, no], version=16)

    def joined(*texts: str) -> str:
        whole = texts[0]
        for one in texts[1:]:
            whole = graph.node("StringConcat", [whole, one], version=20)
        return whole

    nothing, between, spaced = graph.constant(""), graph.constant("T"), matches(" .*")
    year, month, rest = split(text, "-", 3, most=2)
    day, clock = split(either(spaced, rest, graph.constant("01 00:00:00")), " ", 2)
    rest = either(spaced, joined(day, between, clock), rest)
    rest = joined(rest, either(matches(""), graph.constant("T00:00"), nothing))
    rest = joined(rest, either(matches("[T ]..:..:.."), nothing, graph.constant(":00")))
    day, clock = split(rest, "T", 2)
    fields = [year, month, day, *split(clock, ":", 3)]
    return [Tensor(graph, graph.node("Cast", [one], to=DOUBLE), True) for one in fields]


def _divides(year: Tensor, by: float) -> Tensor:
    """1 where a year is a multiple."""
    return (year - (year / by).op("Floor") * by).flags("Equal", 0.0)
