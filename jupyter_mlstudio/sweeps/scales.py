"""How the values of one distribution hang together with the parameter that Optuna sees.

Optuna knows bounded numbers and choices. What has no bounds (``normal``) or is rounded after it was drawn
(``quniform``) is a hidden parameter for it, ``dropout:quantile`` in [0, 1] or ``units:unrounded``, and the value is
calculated from that. So every sampler works on a scale that it understands, and the value has exactly the distribution
that Azure's formula names; see :mod:`jupyter_mlstudio.entities.spaces`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

SMALLEST = 1e-6
"""A quantile of 0 or 1 would be infinite, and samplers like corners: 4.75 standard deviations are the end."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One parameter: its distribution, and the base of its logarithm (Azure's ``logbase``)."""

    name: str
    distribution: dict[str, JSON]
    base: float = math.e

    @property
    def kind(self) -> str:
        """The type of the distribution."""
        return str(self.distribution["type"])

    @property
    def hidden(self) -> str:
        """The name of the parameter in Optuna."""
        if "normal" in self.kind:
            return f"{self.name}:quantile"
        return f"{self.name}:unrounded" if "q" in self.distribution else self.name

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value of the hidden parameter."""
        if "normal" in self.kind:
            return 0.0, 1.0
        if self.kind == "randint":
            return 0, int(self.distribution["upper"]) - 1
        if self.kind in ("int", "float"):
            return self.distribution["low"], self.distribution["high"]
        low, high = self.distribution["min_value"], self.distribution["max_value"]
        return (self._power(low), self._power(high)) if "log" in self.kind else (low, high)

    def _whole_step(self) -> int:
        return int(self.distribution.get("step") or 1)

    def _power(self, exponent: float) -> float:
        try:
            found = math.exp(exponent) if self.base == math.e else self.base**exponent
        except OverflowError:
            found = math.inf
        if not 0 < found < math.inf:
            raise Invalid(
                f"parameter {self.name!r}: {self.base:g} to the power of {exponent!r} is {found}: choose closer bounds"
            )
        return found

    def optuna(self) -> BaseDistribution:
        """Returns the distribution of the hidden parameter."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.kind == "choice":
            values = self.distribution["values"]
            return CategoricalDistribution([spaces.choice_key(value, place) for place, value in enumerate(values)])
        low, high = self.bounds
        if self.kind in ("int", "randint"):
            step, log = self._whole_step(), bool(self.distribution.get("log"))
            return IntDistribution(int(low), int(high) - (int(high) - int(low)) % step, log=log, step=step)
        log = self.kind.endswith("loguniform") or bool(self.distribution.get("log"))
        spacing: float | None = self.distribution.get("step")
        if spacing is not None:
            high = _stepped(low, spacing, _steps(low, high, spacing))
        return FloatDistribution(low, high, log=log, step=spacing)

    def value(self, hidden: JSON) -> JSON:
        """Returns the parameter's value for a value of the hidden one."""
        found = hidden
        if "normal" in self.kind:
            quantile = min(max(float(hidden), SMALLEST), 1 - SMALLEST)
            found = NormalDist(self.distribution["mu"], self.distribution["sigma"]).inv_cdf(quantile)
            found = self._power(found) if "log" in self.kind else found
        if "q" in self.distribution:
            return self.rounded(found)
        step = self.distribution.get("step")
        if step is not None and self.kind == "float":
            low = self.distribution["low"]
            return _stepped(low, step, round((found - low) / step))
        return found

    def rounded(self, value: float) -> float:
        """Returns round(value / q) * q, without the last digits that binary numbers add to 3 * 0.1."""
        q = self.distribution["q"]
        times = round(value / q)
        return times * q if isinstance(q, int) else float(f"{times * q:.15g}")

    def unvalue(self, value: JSON, clipped: bool = True) -> JSON:
        """Returns the value of the hidden parameter that a value of the parameter belongs to."""
        if "normal" in self.kind:
            normal = math.log(value, self.base) if "log" in self.kind else value
            quantile = NormalDist(self.distribution["mu"], self.distribution["sigma"]).cdf(normal)
            return min(max(quantile, SMALLEST), 1 - SMALLEST)
        low, high = self.bounds
        inside = min(max(value, low), high) if clipped else value
        return int(inside) if self.kind in ("int", "randint") else float(inside)

    def count(self) -> int | None:
        """Returns how many values there are, None for infinitely many. Branches count as one here."""
        if self.kind == "choice":
            return len(self.distribution["values"])
        low, high = self.bounds
        if self.kind in ("int", "randint"):
            return (int(high) - int(low)) // self._whole_step() + 1
        if "uniform" in self.kind and "q" in self.distribution:
            q = self.distribution["q"]
            return int(round(high / q) - round(low / q) + 1)
        step = self.distribution.get("step")
        if step is not None:
            return _steps(low, high, step) + 1
        return 1 if low == high else None

    def at(self, place: int) -> JSON:
        """Returns the value of the hidden parameter at a place of the grid, from 0."""
        low, high = self.bounds
        if self.kind in ("int", "randint"):
            return int(low) + place * self._whole_step()
        if "q" in self.distribution:
            q = self.distribution["q"]
            return float(min(max((round(low / q) + place) * q, low), high))
        return _stepped(low, self.distribution.get("step") or 0.0, place)

    def place(self, hidden: float) -> int | None:
        """Returns the place of a value in the grid, None when it does not lie on it."""
        low = self.bounds[0]
        if "q" in self.distribution:
            found = round(hidden / self.distribution["q"]) - round(low / self.distribution["q"])
        else:
            found = round((hidden - low) / (self.distribution.get("step") or 1))
        close = 0 <= found < (self.count() or 0) and math.isclose(self.at(found), hidden, rel_tol=1e-9, abs_tol=1e-12)
        return found if close else None


def _steps(low: float, high: float, step: float) -> int:
    """Counts whole steps in decimal, where 0.3 is three times 0.1."""
    return int((Decimal(str(high)) - Decimal(str(low))) // Decimal(str(step)))


def _stepped(low: float, step: float, number: int) -> float:
    return float(Decimal(str(low)) + number * Decimal(str(step)))
