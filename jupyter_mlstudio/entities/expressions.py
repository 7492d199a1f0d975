"""Constraints of a sweep: conditions over parameters and metrics, such as ``latency_ms <= 20 and depth * width < 512``.

A condition is made of numbers, texts, names, ``+ - * / // % **``, comparisons, ``and``, ``or``, ``not`` and brackets.
Names are parameters and metrics, dots included; in backquotes a name may have any character: ```system/memory_mb```.
There are no calls and no subscripts, and nothing is executed: Python's parser makes the tree, this module walks it.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MAX_TEXT = 1_000
MAX_DEPTH = 50
MOST = 1e9
"""The largest violation that is told: samplers calculate with it."""

SLIGHT = 1e-12
"""The violation of ``a < b`` by equal numbers."""

_Value = float | str | None
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


class _Missing(Exception):
    """A name has no value."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One condition. ``names`` are the parameters and metrics that it reads."""

    text: str
    names: frozenset[str]
    _tree: ast.expr
    _aliases: dict[str, str]

    def violation(self, values: Mapping[str, JSON]) -> float:
        """Returns how far the condition is from being met: 0 or less when it holds, as Optuna's constraints.

        What cannot be calculated is violated: a name without a value, not-a-number, a division by zero.
        """
        try:
            found = self._violation(self._tree, values, negated=False)
        except (_Missing, ArithmeticError, TypeError, ValueError):
            return 1.0
        return 1.0 if math.isnan(found) else min(max(found, -MOST), MOST)

    def missing(self, values: Mapping[str, JSON]) -> list[str]:
        """Returns the names that have no value."""
        return sorted(name for name in self.names if values.get(name) is None)

    def _violation(self, node: ast.expr, values: Mapping[str, JSON], negated: bool) -> float:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._violation(node.operand, values, not negated)
        if isinstance(node, ast.BoolOp):
            parts = [self._violation(part, values, negated) for part in node.values]
            return max(parts) if isinstance(node.op, ast.And) != negated else min(parts)
        assert isinstance(node, ast.Compare)
        sides = [self._value(side, values) for side in (node.left, *node.comparators)]
        found = [
            _compared(_NEGATED[type(sign)] if negated else type(sign), sides[place], sides[place + 1])
            for place, sign in enumerate(node.ops)
        ]
        return min(found) if negated else max(found)

    def _value(self, node: ast.expr, values: Mapping[str, JSON]) -> float | str:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else float(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.UnaryOp):
            found = _number(self._value(node.operand, values))
            return -found if isinstance(node.op, ast.USub) else found
        if isinstance(node, ast.BinOp):
            left, right = (_number(self._value(side, values)) for side in (node.left, node.right))
            return float(_ARITHMETIC[type(node.op)](left, right))
        value = values.get(_dotted(node, self._aliases))
        if value is None:
            raise _Missing
        return value if isinstance(value, str) else float(value)


def parse(text: str) -> Expression:
    """Returns a condition that can be asked.

    Raises:
        Invalid: it is not a condition in the form that this module tells.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise Invalid(
            f"a constraint is a condition of 1 to {MAX_TEXT} characters, like 'latency_ms <= 20', not {text!r}"
        )
    aliases: dict[str, str] = {}

    def alias(match: re.Match[str]) -> str:
        aliases[f"_quoted_{len(aliases)}"] = match[1]
        return f"_quoted_{len(aliases) - 1}"

    try:
        tree = ast.parse(re.sub(r"`([^`]+)`", alias, text.strip()), mode="eval").body
        names = frozenset(_checked(tree, text, aliases, depth=0))
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Invalid(f"the constraint {text!r} cannot be read ({error}): write for example latency_ms <= 20") from None
    return Expression(text, names, tree, aliases)


def _checked(node: ast.expr, text: str, aliases: dict[str, str], depth: int) -> set[str]:
    """Refuses everything but conditions; answers the names."""
    if depth > MAX_DEPTH:
        raise Invalid(f"the constraint {text!r} has more than {MAX_DEPTH} brackets in each other: make it two")
    if isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        parts = [node.operand]
    elif isinstance(node, ast.Compare) and all(type(sign) in _NEGATED for sign in node.ops):
        sides = [_operands(side, text, aliases, depth + 1) for side in (node.left, *node.comparators)]
        return set().union(*sides)
    else:
        raise Invalid(f"the constraint {text!r} has {ast.unparse(node)!r} where a comparison belongs: write a <= b")
    return set().union(*(_checked(part, text, aliases, depth + 1) for part in parts))


def _operands(node: ast.expr, text: str, aliases: dict[str, str], depth: int) -> set[str]:
    if depth > MAX_DEPTH:
        raise Invalid(f"the constraint {text!r} has more than {MAX_DEPTH} brackets in each other: make it two")
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return set()
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _operands(node.operand, text, aliases, depth + 1)
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sides = (node.left, node.right)
        return set().union(*(_operands(side, text, aliases, depth + 1) for side in sides))
    name = _dotted(node, aliases)
    if name:
        return {name}
    raise Invalid(f"the constraint {text!r} has {ast.unparse(node)!r}: write numbers, texts, names and arithmetic")


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id)
    inner = _dotted(node.value, aliases) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def _number(value: float | str) -> float:
    if isinstance(value, str):
        raise TypeError(value)
    return value


def _compared(sign: type[ast.cmpop], left: float | str, right: float | str) -> float:
    if isinstance(left, str) or isinstance(right, str):
        if sign not in (ast.Eq, ast.NotEq):
            raise TypeError(left)
        return 0.0 if (left == right) == (sign is ast.Eq) else 1.0
    if sign is ast.Eq:
        return abs(left - right)
    if sign is ast.NotEq:
        return 0.0 if left != right else 1.0
    over = left - right if sign in (ast.Lt, ast.LtE) else right - left
    return SLIGHT if over == 0 and sign in (ast.Lt, ast.Gt) else over
