"""How the parameters of the next trial are chosen: by Azure's names, Optuna's, or any class of ``optuna.samplers``."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities import points
from jupyter_mlstudio.entities.sweeps import Sampling
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.sweeps.build import build
from jupyter_mlstudio.sweeps.space import Space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler

NAMES = {
    "random": "RandomSampler",
    "sobol": "QMCSampler",
    "qmc": "QMCSampler",
    "bayesian": "TPESampler",
    "tpe": "TPESampler",
    "gp": "GPSampler",
    "cmaes": "CmaEsSampler",
    "nsgaii": "NSGAIISampler",
    "nsgaiii": "NSGAIIISampler",
    "grid": "GridSampler",
    "bruteforce": "BruteForceSampler",
}
"""What people write -> the class of ``optuna.samplers``."""

NEEDS = {"GPSampler": ("torch", "sweeps"), "CmaEsSampler": ("cmaes", "sweeps")}
"""Class -> the library that it needs, and the extra that installs it."""

ALWAYS_JOINT = ("GPSampler", "CmaEsSampler", "QMCSampler", "TPESampler")
"""Classes that sample every parameter of a flat space together from the start, also after its bounds have changed."""


def base(sampling: Sampling) -> float:
    """Returns the base of the logarithms of Azure's distributions: ``logbase`` of its random sampling, or e.

    Raises:
        Invalid: it is not a number above 1, or ``e``.
    """
    return points.log_base(sampling.options)


def make(sampling: Sampling, space: Space, objectives: int = 1) -> BaseSampler:
    """Returns the sampler that a sweep asked for.

    Args:
        sampling: its name, seed and options.
        space: of the sweep; empty when the trials ask for their parameters themselves.
        objectives: how many there are.

    Raises:
        Invalid: there is no such sampler, or it cannot draw from the space.
        MissingExtra: it needs a library that is not installed.
    """
    import optuna

    name = _rule(sampling)
    options = {option: value for option, value in sampling.options.items() if option not in ("rule", "logbase")}
    kind = getattr(optuna.samplers, NAMES.get(name, name), None)
    if not inspect.isclass(kind) or not issubclass(kind, optuna.samplers.BaseSampler) or inspect.isabstract(kind):
        raise Invalid(f"there is no sampler {name!r}: choose from {', '.join(NAMES)}, or a class of optuna.samplers")
    if kind.__name__ in NEEDS and not find_spec(NEEDS[kind.__name__][0]):
        raise MissingExtra(*NEEDS[kind.__name__])
    if kind.__name__ in ("GridSampler", "BruteForceSampler") and not options:
        exhaustive = _exhaustive(kind, name, sampling, space)
        if exhaustive is not None:
            return exhaustive
    if kind is optuna.samplers.CmaEsSampler and objectives > 1:
        raise Invalid(f"the sampler {name} has one objective, not {objectives}: use nsgaii, gp or tpe")
    made = build(kind, f"the sampler {name}", _arguments(kind, name, sampling.seed, options, space, objectives))
    from jupyter_mlstudio.sweeps.steering import Steered

    return Steered(made, space, sampling.seed) if space.space and kind.__name__ in ALWAYS_JOINT else made


def _rule(sampling: Sampling) -> str:
    """Returns the algorithm; Azure says ``random`` with the rule ``sobol``."""
    rule = sampling.options.get("rule", "random")
    if rule not in ("random", "sobol"):
        raise Invalid(f"the rule of random sampling is {rule!r}: choose random or sobol")
    return "sobol" if sampling.algorithm == "random" and rule == "sobol" else sampling.algorithm


def _arguments(
    kind: type, name: str, seed: int | None, options: dict[str, JSON], space: Space, objectives: int
) -> dict[str, JSON | BaseSampler]:
    known = inspect.signature(kind).parameters
    found: dict[str, JSON | BaseSampler] = {}
    if "seed" in known and seed is not None:
        found["seed"] = seed
    if name == "sobol":
        found["scramble"] = True
    for quiet in ("warn_independent_sampling", "warn_asynchronous_seeding"):
        if quiet in known and kind.__name__ != "TPESampler":
            found[quiet] = False
    if kind.__name__ == "TPESampler" and objectives == 1 and not space.flat:
        found["group"] = True
    if "base_sampler" in known:
        found["base_sampler"] = make(Sampling(algorithm=str(options.get("base_sampler", "tpe")), seed=seed), space)
    return {**found, **{option: value for option, value in options.items() if option != "base_sampler"}}


def _exhaustive(kind: type, name: str, sampling: Sampling, space: Space) -> BaseSampler | None:
    """Returns our own sampler of every point, which knows branches; Optuna's own where trials ask by themselves."""
    if not space.space:
        if kind.__name__ == "BruteForceSampler":
            return None
        raise Invalid("a grid needs a search space: give one, or use bruteforce for a function that asks by itself")
    infinite = space.infinite()
    if infinite:
        raise Invalid(
            f"parameter {infinite[0]!r} has infinitely many values, and the sampler {name} tries all:"
            " use choice, int, randint, float with a step or quniform, or another sampler"
        )
    from jupyter_mlstudio.sweeps.steering import Exhaustive

    return Exhaustive(space, shuffled=name == "bruteforce", seed=sampling.seed)


def left(study: Study) -> int | None:
    """Returns how many points the study's sampler has still to try, None when there is no end to it.

    Ask before each trial: an exhaustive sampler that has nothing left starts from the beginning.
    """
    remaining = getattr(study.sampler, "left", None)
    return int(remaining(study)) if remaining else None
