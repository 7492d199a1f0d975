"""Reads the files of a registered model: pickles and joblib files, what skops wrote, and sample rows.

Only ever called in a convert run, a process of its own as the user; the studio's server opens none of these.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.mlflow import file_below

SKOPS_TYPES = frozenset({
    "sklearn.tree._tree.Tree", "sklearn.neighbors._kd_tree.KDTree", "sklearn.neighbors._ball_tree.BallTree",
    "sklearn._loss.link.Interval", "sklearn._loss.link.LogitLink", "sklearn._loss.link.IdentityLink",
    "sklearn._loss.loss.HalfBinomialLoss", "sklearn._loss.loss.HalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.metrics._dist_metrics.EuclideanDistance32",
    "sklearn.metrics._dist_metrics.ManhattanDistance64", "sklearn.metrics._dist_metrics.ManhattanDistance32",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64", "sklearn.metrics._dist_metrics.MinkowskiDistance32",
    "sklearn._loss.loss.HalfTweedieLoss", "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer", "sklearn.utils._bunch.Bunch",
    "collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor", "lightgbm.sklearn.LGBMRanker",
})  # fmt: skip
"""Parts of plain scikit-learn and LightGBM models that skops does not trust by itself, each by its exact name."""
TYPES_NAMED = 10
ARRAYS_LIMIT_BYTES = 4_000_000_000


def whole_file(source: Source) -> Path:
    """The model's file that the manifest names.

    Raises:
        Invalid: it is not there, or not the one that was logged.
    """
    return _whole(source.folder / str(source.manifest["file"]), str(source.manifest["sha256"]))


def mlflow_file(folder: Path, name: object) -> Path:
    """A file that ``MLmodel`` names, which must stand beside it or in a folder there.

    Raises:
        Invalid: it does not, or the name leads elsewhere.
    """
    path = file_below(folder, name)
    if path is None:
        raise Invalid(f"MLmodel names the file {str(name)[:80]!r}, which is not beside it")
    return path


def load_pickled(path: Path) -> Any:
    """Loads a pickle, a joblib file, or what skops wrote, told by the suffix."""
    if path.suffix == ".skops":
        return _load_skops(path)
    import joblib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return joblib.load(path)
        except (AttributeError, ModuleNotFoundError) as error:
            raise Invalid(
                f"the model needs code that is not here ({error}): put its classes into a module in the working folder"
                " and import them from there, then log the model again"
            ) from error
        except MemoryError:
            raise
        except Exception as error:
            raise Invalid(f"the model's file {path.name!r} cannot be loaded: {type(error).__name__}") from error


def read_rows(folder: Path, manifest: dict[str, Any], what: str) -> Any:
    """Reads the rows that were logged as ``sample`` or ``targets``, None when there are none."""
    name = manifest.get(what)
    if not name:
        return None
    path = _whole(folder / str(name), str(manifest[f"{what}_sha256"]))
    if path.suffix in (".npy", ".npz"):
        return _read_arrays(path)
    if path.suffix == ".json":
        return json.loads(path.read_text("utf-8"))
    with path.open("rb") as file:
        return pickle.load(file)


def _read_arrays(path: Path) -> Any:
    """Reads numbers; never objects, which would execute what they contain, nor an archive that holds far too much."""
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        with zipfile.ZipFile(path) as archive:
            size = sum(one.file_size for one in archive.infolist())
        if size > ARRAYS_LIMIT_BYTES:
            raise Invalid(f"{path.name} holds {size / 1e9:.1f} GB of rows: log a smaller sample")
        with np.load(path, allow_pickle=False) as arrays:
            named = {key: arrays[key] for key in arrays.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise Invalid(f"the rows in {path.name} are no arrays of numbers or text: {str(error)[:200]}") from error
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


def _load_skops(path: Path) -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise Invalid(
            'the model was saved with skops, which is missing: pip install "jupyter-mlstudio[skops]", or log it with'
            " serialization_format='cloudpickle'"
        ) from error
    try:
        types = set(skops.io.get_untrusted_types(file=path))
        if not types - SKOPS_TYPES:
            return skops.io.load(path, trusted=sorted(types))
    except Exception as error:
        raise Invalid(f"the model's file {path.name!r} cannot be loaded: {type(error).__name__}") from error
    strange = sorted(one[:100] for one in types - SKOPS_TYPES)
    more = f" and {len(strange) - TYPES_NAMED} more" if len(strange) > TYPES_NAMED else ""
    raise Invalid(
        f"the model holds types that are not trusted in a skops file: {', '.join(strange[:TYPES_NAMED])}{more}; log it"
        " with serialization_format='cloudpickle' if you trust whoever made it"
    )


def _whole(path: Path, sha256: str) -> Path:
    if not path.is_file():
        raise Invalid(f"the model's file {path.name!r} is not there")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise Invalid(f"the model's file {path.name!r} is not the one that was logged: digest mismatch")
    return path
