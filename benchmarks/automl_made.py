"""Tables that are made, each hard in one way in which real ones are: ``automl-rank --tables made`` takes all of them.

They follow each other in one stream of random numbers, so they are made together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Random = np.random.Generator
PREFIX = "made_"
WORDS = [
    "refund", "broken", "late", "great", "love", "fast", "slow", "price", "cheap", "bad", "nice", "screen", "battery",
    "box", "support", "call", "never", "always", "good", "returned",
]  # fmt: skip


@functools.cache
def tables() -> dict[str, pd.DataFrame]:
    """All tables by name, with the column ``target``."""
    random = np.random.default_rng(7)
    return {PREFIX + make.__name__: make(random) for make in MADE}


def merchants(random: Random) -> pd.DataFrame:
    """Categories with hundreds of values, most of them rare, and one that changes what a number means."""
    rows = 6000
    merchant, city, kind = _rare(random, rows, 300), _rare(random, rows, 40), _rare(random, rows, 8)
    effects = [random.normal(0, 1, 300), random.normal(0, 0.8, 40), random.normal(0, 0.6, 8)]
    numbers = random.normal(size=(rows, 5))
    logit = effects[0][merchant] + effects[1][city] + effects[2][kind]
    logit = logit + numbers[:, 0] * (kind % 2) + 0.5 * numbers[:, 1] ** 2 - 0.5
    words = {"merchant": _named("m", merchant), "city": _named("c", city), "kind": _named("k", kind)}
    return _table({**words, **_columns("x", numbers)}, np.where(_happens(random, logit), "yes", "no"))


def letters(random: Random) -> pd.DataFrame:
    """Twenty classes of two clusters each, in whole numbers."""
    rows, classes = 8000, 20
    centers = random.normal(0, 1.6, (classes, 2, 16))
    y, half = random.integers(0, classes, rows), random.integers(0, 2, rows)
    values = np.round(centers[y, half] * 1.5 + random.normal(0, 1.8, (rows, 16)) + 7)
    return _table(_columns("f", np.clip(values, 0, 15).astype(int)), [chr(65 + one) for one in y])


def friedman(random: Random) -> pd.DataFrame:
    """Friedman's first problem (Annals of Statistics 19, 1991) among ten columns of noise, with missing values."""
    x = random.random((3000, 15))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = y + random.normal(0, 1, 3000)
    x[random.random(x.shape) < 0.08] = np.nan
    return _table(_columns("x", x), y)


def claims(random: Random) -> pd.DataFrame:
    """Costs of an insurance: most are zero, a few are very large."""
    rows = 10_000
    age, car, region = random.integers(18, 80, rows), _rare(random, rows, 12), _rare(random, rows, 20)
    power, bonus, exposure = random.integers(4, 15, rows), 50 + random.poisson(8, rows), random.uniform(0.1, 1, rows)
    cars, regions = random.normal(0, 0.3, 12), random.normal(0, 0.2, 20)
    rate = -0.8 + 0.6 * (age < 25) + cars[car] + regions[region] + 0.02 * (bonus - 50) + 0.03 * power
    counts = random.poisson(exposure * np.exp(rate))
    cost = [random.gamma(2, 300 * np.exp(0.05 * one), count).sum() for count, one in zip(counts, power, strict=True)]
    words = {"age": age, "car": _named("car", car), "region": _named("r", region)}
    return _table({**words, "power": power, "bonus": bonus, "exposure": exposure}, cost)


def rare(random: Random) -> pd.DataFrame:
    """One row in a hundred is of the class that is looked for."""
    x = random.normal(size=(20_000, 20))
    logit = 1.5 * x[:, 0] + x[:, 1] * x[:, 2] + np.maximum(x[:, 3], 0) * 1.5 - 6.3
    return _table(_columns("x", x), _happens(random, logit).astype(int))


def wide(random: Random) -> pd.DataFrame:
    """More columns than rows, a dozen of which tell something."""
    x = random.normal(size=(400, 800))
    x[:, :50] += random.normal(size=(400, 1))
    score = x[:, :8] @ random.normal(0, 1, 8) + x[:, 100:104] @ np.array([1.5, -1.5, 1, 1])
    return _table(_columns("g", x), np.where(score + random.normal(0, 1, 400) > 0, "case", "control"))


def rules(random: Random) -> pd.DataFrame:
    """Categories in an order that their names do not tell, and rules without noise."""
    levels = [
        ["vhigh", "high", "med", "low"], ["vhigh", "high", "med", "low"], ["2", "3", "4", "5more"],
        ["2", "4", "more"], ["small", "med", "big"], ["low", "med", "high"],
    ]  # fmt: skip
    codes = [random.integers(0, len(names), 1700) for names in levels]
    score = (codes[0] + codes[1]) / 2 + codes[3] * 0.8 + codes[4] * 0.7 + codes[5] * 1.2 + 0.3 * codes[2]
    refused = (codes[3] == 0) | (codes[5] == 0)
    y = np.select([refused, score > 6, score > 4.8, score > 3.3], ["unacc", "vgood", "good", "acc"], "unacc")
    return _table({f"c{n}": [levels[n][code] for code in codes[n]] for n in range(6)}, y)


def reviews(random: Random) -> pd.DataFrame:
    """A column of text, whose words count."""
    rows = 3000
    weights = random.normal(0, 1, 20)
    texts = [random.choice(20, random.integers(5, 25)) for _ in range(rows)]
    x = random.normal(size=rows)
    logit = np.array([weights[text].sum() for text in texts]) * 0.8 + x
    shop = _named("s", _rare(random, rows, 6))
    written = [" ".join(WORDS[word] for word in text) for text in texts]
    columns = {"text": written, "stars_given": x, "shop": shop}
    return _table(columns, np.where(_happens(random, logit), "pos", "neg"))


def bikes(random: Random) -> pd.DataFrame:
    """A value that follows hour, weekday and season, of which there is one column of dates."""
    rows = 8000
    hours = np.sort(random.choice(17_520, rows, replace=False))
    when = pd.Timestamp("2021-01-01") + pd.to_timedelta(hours, "h")
    day, hour = when.day_of_year.to_numpy(), when.hour.to_numpy()
    temp = 15 + 10 * np.sin(2 * np.pi * (day - 100) / 365) + random.normal(0, 3, rows)
    hum, works = random.uniform(20, 100, rows), when.day_of_week.to_numpy() < 5
    rush = np.exp(-((hour - 8) ** 2) / 4) + np.exp(-((hour - 18) ** 2) / 5)
    shape = np.where(works, rush, 0.8 * np.exp(-((hour - 14) ** 2) / 20))
    count = np.exp(3 + 0.06 * temp - 0.005 * hum + shape + random.normal(0, 0.3, rows)).astype(int)
    order = random.permutation(rows)
    written = when.strftime("%Y-%m-%d %H:%M").to_numpy()[order]
    weather = _named("w", _rare(random, rows, 4))
    return _table({"when": written, "temp": temp[order], "hum": hum[order], "weather": weather}, count[order])


def linear(random: Random) -> pd.DataFrame:
    """Columns that go together, and a value that is a sum of them."""
    x = random.normal(size=(1000, 5)) @ random.normal(size=(5, 20)) + 0.5 * random.normal(size=(1000, 20))
    return _table(_columns("x", x), x @ random.normal(size=20) + random.normal(0, 3, 1000))


def checks(random: Random) -> pd.DataFrame:
    """A chessboard of two columns, neither of which says anything alone."""
    x = random.uniform(-3, 3, (4000, 10))
    y = (np.floor(x[:, 0]) + np.floor(x[:, 1])).astype(int) % 2 ^ (random.random(4000) < 0.05)
    return _table(_columns("x", x), y)


def mixed(random: Random) -> pd.DataFrame:
    """Waves, steps and products, a category of thirty values, and noise with heavy tails."""
    x = random.normal(size=(20_000, 12))
    y = np.abs(x[:, 0]) * x[:, 1] + np.sin(2 * x[:, 2]) * 3 + (x[:, 3] > 0.5) * (x[:, 4] < 0) * 4
    code = _rare(random, 20_000, 30)
    effects = random.normal(0, 2, 30)
    return _table({**_columns("x", x), "code": _named("z", code)}, y + effects[code] + random.standard_t(3, 20_000))


MADE: list[Callable[[Random], pd.DataFrame]] = [
    merchants, letters, friedman, claims, rare, wide, rules, reviews, bikes, linear, checks, mixed
]  # fmt: skip


def _rare(random: Random, rows: int, values: int) -> NDArray[np.int64]:
    """Numbers of values, the second half as often as the first, and so on (Zipf)."""
    shares = 1 / np.arange(1, values + 1)
    return np.asarray(random.choice(values, rows, p=shares / shares.sum()))


def _happens(random: Random, logit: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(random.random(len(logit)) < 1 / (1 + np.exp(-logit)))


def _named(prefix: str, codes: NDArray[np.int64]) -> list[str]:
    return [f"{prefix}{code}" for code in codes]


def _columns(prefix: str, values: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
    return {f"{prefix}{number}": values[:, number] for number in range(values.shape[1])}


def _table(columns: Mapping[str, Any], target: Any) -> pd.DataFrame:
    return pd.DataFrame(columns).assign(target=target)
