"""AutoML as words: ``data.csv --target churn --minutes 5``, for the magic and the terminal."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.automl import AutoMLRun
from jupyter_mlstudio.client.automl_submission import MINUTES, automl, automl_yaml
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.kernel.arguments import MagicParser, pairs, typed

TASKS = ("auto", "classification", "regression", "forecasting")
FILES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
YAML = (".yml", ".yaml")
_SAME = (
    "task", "metric", "trials", "parallel", "trial_timeout", "exit_score", "memory", "folds", "weight", "time",
    "horizon", "seed", "name", "experiment", "wait",
)  # fmt: skip


def automl_parser(name: str) -> MagicParser:
    """The parser of ``%ml_automl`` and ``jupyter mlstudio automl``."""
    magic = name.startswith("%")
    parser = MagicParser(
        name, "Searches for the model that predicts a column of a table best.", completes="files",
        epilog=_examples(name), mixed=True,
    )  # fmt: skip
    what = "a data frame of the notebook, or a CSV, TSV, JSON lines or Parquet file" if magic else "a table"
    parser.add_argument("data", nargs="?", help=f"{what}, or an automated ML job of Azure (.yml)")
    if not magic:
        parser.add_argument("-f", "--file", help="an automated ML job of Azure Machine Learning (.yml)")
    parser.add_argument("-t", "--target", help="the column to predict")
    parser.add_argument("--task", choices=TASKS, default="auto", help="auto looks at the target")
    parser.add_argument("-m", "--metric", help="what is to be good, e.g. AUC_weighted; chosen without")
    parser.add_argument("--minutes", help=f"how long it may take, {MINUTES:g} by default; also 90s or 2h")
    parser.add_argument("--trials", type=int, help="how many models at most")
    parser.add_argument("--parallel", type=int, help="how many at the same time")
    parser.add_argument("--trial-timeout", help="give a model up after e.g. 2min")
    parser.add_argument("--exit-score", type=float, help="end when the metric is at least as good")
    parser.add_argument("--memory", help="of all its processes, e.g. 4GB")
    parser.add_argument("--folds", type=int, help="of the cross-validation")
    parser.add_argument("--validation", help="a table, or a share of the rows, e.g. 0.2")
    parser.add_argument("--test", help="a table, or a share of the rows that nobody looks at before the end")
    parser.add_argument("--weight", help="the column that says how much a row counts")
    parser.add_argument("--positive-label", help="of a binary target")
    parser.add_argument("--allow", action="append", default=[], metavar="FAMILY", help="only this family of models")
    parser.add_argument("--block", action="append", default=[], metavar="FAMILY", help="not this family of models")
    parser.add_argument("--no-ensemble", action="store_true", help="make no ensembles of the best models")
    parser.add_argument("--no-explain", action="store_true", help="do not look for what the winner rests on")
    parser.add_argument("--any-model", action="store_true", help="also models that have no equal ONNX form")
    parser.add_argument("--time", help="of a forecast: the column with the time")
    parser.add_argument("--horizon", type=int, help="of a forecast: how many steps ahead")
    parser.add_argument("--series", action="append", default=[], metavar="COLUMN", help="what tells series apart")
    parser.add_argument("--frequency", help="of a forecast: the time of a step, e.g. D, W or MS; guessed without")
    parser.add_argument("--aggregate", choices=("sum", "mean", "min", "max"), help="make one value of a step's rows")
    parser.add_argument("--feature-lags", action="store_true", help="the past of other columns where it tells more")
    parser.add_argument("--unknown-ahead", action="append", default=[], metavar="COLUMN", help="only its past is known")
    parser.add_argument("--partition-by", action="append", default=[], metavar="COLUMN", help="a model for each value")
    parser.add_argument("--seed", type=int, default=0, help="the same again makes the same models")
    parser.add_argument("-n", "--name", help="the run's name")
    parser.add_argument("-e", "--experiment", help="the experiment's name")
    parser.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE", help="a tag")
    parser.add_argument("--wait", action="store_true", help="wait until it is over")
    return parser


def begin(given: Namespace, variables: Mapping[str, Any]) -> AutoMLRun:
    """Begins the search that was asked for."""
    file = getattr(given, "file", None)
    if file and given.data:
        raise Invalid(f"give either {given.data!r} or --file {file}, not both")
    what = file or given.data
    if not what:
        raise Invalid("nothing to learn from: name a table, e.g. data.csv --target churn")
    if file or what.endswith(YAML):
        said = {name: getattr(given, name) for name in ("target", "metric", "trials", "parallel", "name", "experiment")}
        said["minutes"] = _minutes(given.minutes)
        return automl_yaml(what, wait=given.wait, **{name: one for name, one in said.items() if one is not None})
    own: dict[str, Any] = {name: getattr(given, name) for name in _SAME}
    if given.minutes is not None:
        own["minutes"] = _minutes(given.minutes)
    for which in ("validation", "test"):
        own[which] = _table(getattr(given, which), variables)
    forecasting = {
        "frequency": given.frequency, "target_aggregate_function": given.aggregate,
        "feature_lags": "auto" if given.feature_lags else None,
        "features_unknown_at_forecast_time": given.unknown_ahead or None,
    }  # fmt: skip
    own["forecasting"] = {name: one for name, one in forecasting.items() if one is not None} or None
    return automl(
        table_of(what, variables), given.target, **own, series=given.series, partition_by=given.partition_by,
        positive_label=None if given.positive_label is None else typed(given.positive_label, variables),
        allow=given.allow, block=given.block, vote=not given.no_ensemble, stack=not given.no_ensemble,
        explain=not given.no_explain, onnx=not given.any_model, tags=pairs(given.tag, "--tag"),
    )  # fmt: skip


def table_of(text: str, variables: Mapping[str, Any]) -> Any:
    """Finds the table that a word names: a variable that holds a data frame, or a file.

    Raises:
        NotFound: there is neither.
    """
    found = variables.get(text.removeprefix("$"))
    if found is not None and not Path(text).is_file():
        if not hasattr(found, "columns"):
            raise Invalid(f"{text} is no data frame, it is a {type(found).__name__}")
        return found
    if text.endswith(FILES) or Path(text).is_file() or text.startswith("runs:/"):
        return text
    raise NotFound(f"there is no data frame and no file {text!r}")


def _minutes(text: str | None) -> float | str | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _table(text: str | None, variables: Mapping[str, Any]) -> Any:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return table_of(text, variables)


def _examples(name: str) -> str:
    table = "df" if name.startswith("%") else "churn.csv"
    lines = [
        f"{table} --target churn --minutes 5", "sales.parquet --target units --time date --horizon 14 --series store",
        "job.yml",
    ]  # fmt: skip
    return "examples:\n" + "\n".join(f"  {name} {line}" for line in lines)
