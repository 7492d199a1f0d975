"""What is tried next: the portfolio, then Optuna's TPE in a family that is drawn by how well its models did.

Each family has a study of its own (Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011, with
the multivariate kernel of Falkner, Klein and Hutter, ICML 2018); the family is drawn with a probability that halves
with each rank of its best score and falls with the root of what its trials cost. Time is not looked at, so that the
same seed proposes the same.

Where a table has many columns and the first model of those that tell something is better than the same one of all,
known configurations are tried on these columns first, and what is searched is theirs as long as they lead.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jupyter_mlstudio.learning.family import COLUMNS, TELLING, Family, Params, Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.portfolio import portfolio

STARTUP = 6
"""Trials of a family before its study is modelled, known configurations among them."""

SEARCHED = 4
"""Families at least that are searched, the best ones; of many the better half."""

LONG, BETWEEN = 10_000, 2
"""Rows of a long table; configurations that are searched there before a known one of a family that is behind."""


class Proposals:
    """Proposes configurations; learns from records."""

    def __init__(self, families: Sequence[Family], shape: Shape, seed: int) -> None:
        self._families, self._shape, self._seed = {family.name: family for family in families}, shape, seed
        self._known = portfolio(families, shape)
        self._tried: list[tuple[Family, Params]] = []
        self._lowest = {True: math.inf, False: math.inf}
        self._studies: dict[tuple[str, bool], Any] = {}
        self._best: dict[str, float] = {}
        self._count: dict[str, int] = dict.fromkeys(self._families, 0)
        self._asked: dict[int, Any] = {}
        self._searched = 0

    @property
    def families(self) -> list[Family]:
        """Those that still take part."""
        return list(self._families.values())

    def drop(self, family: str) -> None:
        """Takes a family out."""
        self._families.pop(family, None)
        self._known = [one for one in self._known if one[0].name != family]

    def begun(self, family: str, params: Params) -> None:
        """Notes that a known configuration was tried before."""
        self._tried += [one for one in self._known if (one[0].name, one[1]) == (family, params)]
        self._known = [one for one in self._known if (one[0].name, one[1]) != (family, params)]

    @property
    def known_left(self) -> int:
        """How many known configurations are not tried yet."""
        return len(self._known)

    def next_known(self, allowed: set[str], behind: bool = False) -> tuple[Family, Params] | None:
        """The next known configuration of one of these families, which is then taken.

        Of a long table those of families that are behind wait until :data:`BETWEEN` others were searched, each: there a
        score tells a good family from a lucky one, and there is time for few. So do those of a family of which a quick
        one foretells that it will be behind.

        Args:
            behind: whether they need not wait.
        """
        ready = set(self._families)
        if self._searched < BETWEEN and not behind:
            ready = set(self._promising()) if self._shape.rows >= LONG else ready
            ready = {name for name in ready if not self._is_unlikely(name)}
        for place, one in enumerate(self._known):
            if one[0].name in allowed & ready:
                self._searched = 0
                self._tried.append(self._known.pop(place))
                return self._tried[-1]
        return None

    def next_searched(self, number: int, allowed: set[str]) -> tuple[Family, Params, Params] | None:
        """A configuration that Optuna proposes, with its own names for it; None when no family is allowed.

        Families that are behind are not searched, also where they are all that there is time for.
        """
        names = [name for name in self._promising() if name in allowed]
        if not names:
            return None
        self._searched += 1
        family = self._families[self._drawn(names, number)]
        telling = self._lowest[True] < self._lowest[False]
        trial = self._study(family.name, telling).ask()
        params = family.suggest(trial, self._shape) | ({COLUMNS: TELLING} if telling else {})
        self._asked[number] = trial
        return family, params, dict(trial.params)

    def _promising(self) -> list[str]:
        """The best families, the best first, and those that were not tried."""
        names = sorted(self._families, key=lambda name: (self._best.get(name, math.inf), name))
        best = names[: max(SEARCHED, len(names) // 2)]
        return [name for name in names if name in best or not self._count[name]]

    def _is_unlikely(self, name: str) -> bool:
        """Whether a family that was not tried yet will hardly be good."""
        quick, other = self._families[name].foretold or ("", "")
        if self._count[name] or quick not in self._best or other not in self._best:
            return False
        return self._best[quick] > self._best[other]

    def _drawn(self, names: list[str], number: int) -> str:
        odds = np.array([0.5**rank / math.sqrt(self._families[name].expense) for rank, name in enumerate(names)])
        return str(np.random.default_rng([self._seed, number]).choice(names, p=odds / odds.sum()))

    def learn(self, record: Record, loss: float) -> None:
        """Takes in how a configuration did; ``loss`` may be a guess where not all folds were fitted."""
        family = self._families.get(record.candidate.family)
        if family is None:
            return
        name, telling = family.name, COLUMNS in record.base
        if telling and loss < self._best.get(name, math.inf) and self._lowest[True] == math.inf:
            self._on_telling()
        self._lowest[telling] = min(self._lowest[telling], loss)
        self._count[name] += 1
        self._best[name] = min(self._best.get(name, math.inf), loss)
        trial, value = self._asked.pop(record.candidate.number, None), loss if math.isfinite(loss) else 1e9
        if trial is not None:
            self._study(name, telling).tell(trial, value)
            return
        told = self._told(family, record, value)
        if told is not None:
            self._study(name, telling).add_trial(told)

    def _on_telling(self) -> None:
        """Tries all known configurations on the columns that tell something, then the others that are left."""
        begun = {family.name for family, params in self._tried if COLUMNS in params}
        tried = [one for one in self._tried if one[0].name not in begun and one[0].name in self._families]
        again = [(family, {**params, COLUMNS: TELLING}) for family, params in [*tried, *self._known]]
        self._known = [*again, *self._known]

    def _told(self, family: Family, record: Record, value: float) -> Any:
        """A record as Optuna keeps trials; None where the known configuration lacks some of its parameters."""
        import optuna

        fixed = optuna.trial.FixedTrial({**family.usual, **(record.suggested or record.base)})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                family.suggest(fixed, self._shape)
            return optuna.trial.create_trial(params=fixed.params, distributions=fixed.distributions, value=value)
        except (ValueError, KeyError, TypeError):
            return None

    def _study(self, name: str, telling: bool) -> Any:
        if (name, telling) not in self._studies:
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            seed = np.random.SeedSequence([self._seed, sum(map(ord, name))]).generate_state(1)[0]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sampler = optuna.samplers.TPESampler(
                    seed=int(seed) % 2**31, n_startup_trials=STARTUP, multivariate=True, constant_liar=True
                )
            self._studies[name, telling] = optuna.create_study(sampler=sampler)
        return self._studies[name, telling]


def states(records: Mapping[int, Record], taking: Sequence[str], out: Mapping[str, str]) -> list[Any]:
    """How families fare: those that take part in order, then those that are out with the reason."""
    from jupyter_mlstudio.entities.automl_candidates import FamilyState

    found = []
    for name in [*taking, *(name for name in out if name not in taking)]:
        own = [one for one in records.values() if one.candidate.family == name]
        best = min((one for one in own if math.isfinite(one.loss)), key=lambda one: one.loss, default=None)
        found.append(
            FamilyState(name=name, tried=len(own), best=best.candidate.score if best else None, out=out.get(name, ""))
        )
    return found
