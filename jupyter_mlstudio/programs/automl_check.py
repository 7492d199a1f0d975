"""Checks a fitted model as a conversion would: its ONNX form must load, agree with it, and is timed at one row."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck
from jupyter_mlstudio.errors import StudioError

ROWS = 500
REPEATS = 15
REPEATS_S = 0.3


class ModelCheck:
    """The check of a search, see :class:`jupyter_mlstudio.learning.onnx_check.Check`."""

    def __call__(self, model: Any, rows: Any, *, speed: bool = True) -> OnnxCheck:
        """Converts a model and compares it with its ONNX form.

        Args:
            model: a fitted model of scikit-learn's kind, e.g. a pipeline.
            rows: a data frame of rows that it was not fitted on, numbers as float64; at most :data:`ROWS` count.
            speed: whether both are timed at one row.

        Returns:
            What was found; nothing is raised, since a model that does not convert is an answer too.
        """
        from sklearn import __version__

        from jupyter_mlstudio.plugins.converters.base import Original
        from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
        from jupyter_mlstudio.programs.ladder import climb

        rows = rows.iloc[:ROWS]
        try:
            outcome = climb(SklearnConverter(), Original(model, rows, f"scikit-learn {__version__}"))
        except StudioError as error:
            return OnnxCheck(ready=False, rows=len(rows), reason=error.message)
        except Exception as error:
            return OnnxCheck(ready=False, rows=len(rows), reason=f"{type(error).__name__}: {str(error)[:300]}")
        conversion, report = outcome.conversion, outcome.conversion.parity
        speedup = None
        if speed and conversion.ready and outcome.onnx is not None and conversion.signature is not None:
            speedup = _speedup(model, rows, outcome.onnx, conversion.signature)
        return OnnxCheck(
            ready=conversion.ready, rows=len(rows), label_flips=report.label_flips if report else None,
            max_abs_difference=report.max_abs_difference if report else None, speedup=speedup,
            size_bytes=len(outcome.onnx or b""), reason=conversion.reason,
        )  # fmt: skip

    def warm(self) -> None:
        """Does what every check begins with, so that forked processes have done it: imports, and a tiny conversion.

        onnxruntime is imported and not used: its threads would be missing after a fork.
        """
        import msgspec
        import pandas as pd
        from sklearn.compose import ColumnTransformer
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        import jupyter_mlstudio.programs.ladder  # noqa: F401
        from jupyter_mlstudio.client.rows import request
        from jupyter_mlstudio.onnx import session
        from jupyter_mlstudio.onnx.protocol import Protocol
        from jupyter_mlstudio.plugins.converters.base import Original
        from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter

        session.load()
        rows = pd.DataFrame({"a": [0.0, 1.0, 3.0]})
        columns = ColumnTransformer([("numbers", StandardScaler(), ["a"])])
        model = Pipeline([("columns", columns), ("model", LinearRegression())]).fit(rows, [0.0, 1.0, 2.0])
        converter, original = SklearnConverter(), Original(model, rows, "")
        converter.predict(original)
        signature = converter.convert(original, converter.dtypes[0]).signature
        Protocol(signature, "model", "1").read(msgspec.json.encode(request(signature, rows)))


def _speedup(model: Any, rows: Any, onnx: bytes, signature: Any) -> float:
    """How many times faster onnxruntime answers one row, both with the least time of several calls."""
    from jupyter_mlstudio.onnx.session import Execution, open_session
    from jupyter_mlstudio.plugins.converters.base import Converted
    from jupyter_mlstudio.programs.ladder import answers

    one = rows.iloc[:1]
    feeds, _ = answers(Converted(onnx, signature), one)
    names = [spec.onnx_name or spec.name for spec in signature.outputs]
    execution = Execution(open_session(onnx))
    ask = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    native = _least(lambda: ask(one))
    return round(native / max(_least(lambda: execution.run(names, feeds)), 1e-7), 1)


def _least(call: Callable[[], Any]) -> float:
    seconds: list[float] = []
    while len(seconds) < REPEATS and sum(seconds) < REPEATS_S:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
