"""What a run can be told: metrics, parameters, tags, progress, files, tables, figures, charts.

Metrics, parameters, tags and charts go through the run's writer and never wait; files are sent before the call returns.
"""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import charts, files
from jupyter_mlstudio.client.checkpoints import Checkpoints
from jupyter_mlstudio.client.values import (
    PARAM_LIMIT,
    as_text,
    chart_name,
    chart_name_of,
    checked_name,
    int64,
    plain,
    real_number,
)
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.client.writer import Writer
from jupyter_mlstudio.errors import Invalid

StrPath = str | os.PathLike[str]


class Reporting(ABC):
    """The logging half of a :class:`~jupyter_mlstudio.Run`: whoever has the run can log to it."""

    _id: str
    _writer: Writer | None = None
    _checkpoints: Checkpoints | None = None
    _rows: dict[str, list[dict[str, object]]]

    @property
    def _log(self) -> Writer:
        """The writer, made at the first use."""
        if self._writer is None:
            self._rows = {}
            self._writer = Writer(self._id, self._gateway, self._local_folder())
        if not self._writer.started:
            self._writer.start()
        return self._writer

    @abstractmethod
    def _gateway(self) -> Connection:
        """Whom the run is logged to."""

    @abstractmethod
    def _local_folder(self) -> Path | None: ...

    @property
    def _files(self) -> files.ArtifactStore:
        return files.ArtifactStore(self._id, self._gateway(), self._local_folder())

    def log_metric(self, name: str, value: float, step: int | None = None) -> None:
        """Logs one value of a metric; without ``step`` it counts up from 0. NaN and infinities are kept.

        Raises:
            Invalid: the value is not one real number, the name is not text, the step is not an integer.
        """
        checked = checked_name(name, "metric")
        self._log.points.append((checked, real_number(value, name), int64(step, name), time.time()))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs one value of several metrics, all of them or, when one is wrong, none."""
        now, at = time.time(), int64(step, "metrics")
        points = [(checked_name(name, "metric"), real_number(value, name), at, now) for name, value in metrics.items()]
        self._log.points.extend(points)

    def log_param(self, name: str, value: object) -> None:
        """Keeps a parameter as text."""
        self.log_params({name: value})

    def log_params(self, params: Mapping[str, object]) -> None:
        """Keeps parameters as text."""
        kept = {
            checked_name(name, "parameter"): as_text(value, f"parameter {name!r}", PARAM_LIMIT)
            for name, value in params.items()
        }
        self._log.detail("params", kept)

    def set_tag(self, name: str, value: object) -> None:
        """Sets a tag; the same name again replaces it."""
        self.set_tags({name: value})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Sets tags; the same name again replaces one."""
        kept = {checked_name(name, "tag"): as_text(value, f"tag {name!r}") for name, value in tags.items()}
        self._log.detail("tags", kept)

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Says how far the run is: ``done`` of ``total`` units, and what it does now."""
        kept_done, kept_total = int64(done, "progress"), int64(total, "progress")
        if kept_done is None or kept_total is None or kept_done < 0 or kept_total < 0:
            raise Invalid(f"progress is {done!r} of {total!r}; give two numbers from 0 upwards")
        self._log.detail(
            "progress", {"done": kept_done, "total": kept_total, "text": as_text(text, "the progress text")}
        )

    def flush(self) -> bool:
        """Waits until everything logged so far has arrived; False says that the rest waits on disk."""
        return self._writer is None or self._writer.flush()

    def log_artifact(self, path: StrPath, folder: str | None = None) -> str:
        """Keeps a copy of a file (or of a folder with its files) with the run; returns its path among the artifacts."""
        source = Path(path).expanduser()
        name = f"{folder}/{source.name}" if folder else source.resolve().name
        if source.is_dir():
            self.log_artifacts(source, name)
            return files.artifact_name(name)
        return self._files.put_file(source, files.artifact_name(name))

    def log_artifacts(self, path: StrPath, folder: str | None = None) -> list[str]:
        """Keeps copies of all files below a folder; returns their paths among the artifacts."""
        store, prefix = self._files, f"{folder}/" if folder else ""
        found = files.files_below(Path(path).expanduser())
        return [store.put_file(file, files.artifact_name(prefix + name)) for file, name in found]

    def log_text(self, text: str, name: str) -> str:
        """Keeps text as a file."""
        return self._files.put_bytes(text.encode("utf-8", "surrogatepass"), files.artifact_name(name, ".txt"))

    def log_dict(self, content: object, name: str) -> str:
        """Keeps a dict or list as a JSON file."""
        text = json.dumps(plain(content), indent=2, ensure_ascii=False)
        return self.log_text(text, files.artifact_name(name, ".json"))

    def log_figure(self, figure: Any, name: str) -> str:
        """Keeps a figure: a plotly figure as a live chart, a matplotlib figure as an image."""
        if files.is_plotly(figure):
            self.log_chart(_stem(name), charts.envelope("plotly", json.loads(figure.to_json())))
            return _stem(name)
        artifact = files.artifact_name(name, ".png")
        if "/" not in artifact:
            artifact = f"figures/{artifact}"
        return self._image(files.figure_bytes(figure, Path(artifact).suffix), artifact)

    def log_image(self, name: str, path: StrPath | None = None, plot: Any = None, *, image: Any = None) -> str:
        """Keeps an image: a file (``path``), a matplotlib figure (``plot``), or an array or PIL image (``image``)."""
        if (path is not None) + (plot is not None) + (image is not None) != 1:
            raise Invalid("log_image takes exactly one of path, plot and image")
        if path is not None:
            artifact = self.log_artifact(path, "images")
            self.log_chart(_stem(name), charts.envelope("image", {"path": artifact}))
            return artifact
        content = files.figure_bytes(plot, ".png") if plot is not None else files.image_bytes(image)
        return self._image(content, f"images/{files.artifact_name(_stem(name), '.png')}")

    def _image(self, content: bytes, artifact: str) -> str:
        self._files.put_bytes(content, artifact)
        self.log_chart(_stem(Path(artifact).name), charts.envelope("image", {"path": artifact}))
        return artifact

    def log_table(self, name: str, table: Any) -> None:
        """Keeps a table as data: a data frame, a dict of columns, or a list of rows."""
        self.log_chart(name, charts.table(table))

    def log_row(self, name: str, **columns: object) -> None:
        """Adds a row to a table; each keyword is a column."""
        chart_name(name)
        self._log  # noqa: B018 - the rows begin with the writer
        rows = self._rows.setdefault(name, [])
        rows.append({column: plain(value) for column, value in columns.items()})
        self._log.chart(name, lambda: charts.table(rows[: charts.ROWS_LIMIT]))

    def log_confusion_matrix(
        self, y_true: Any, y_pred: Any, labels: Sequence[object] | None = None, name: str = "confusion_matrix"
    ) -> None:
        """Keeps a confusion matrix as data. Azure's form ``log_confusion_matrix(name, value)`` is read too."""
        if isinstance(y_true, str):
            self.log_chart(y_true, charts.azure("confusion_matrix", y_pred))
        else:
            self.log_chart(name, charts.confusion_matrix(y_true, y_pred, labels))

    def log_accuracy_table(self, name: str, value: object) -> None:
        """Keeps an accuracy table in Azure's schema ``accuracy_table`` 1.0.1, as a dict or JSON text."""
        self.log_chart(name, charts.azure("accuracy_table", value))

    def log_residuals(self, name: str, value: object) -> None:
        """Keeps a histogram of residuals in Azure's schema ``residuals`` 1.0.0, as a dict or JSON text."""
        self.log_chart(name, charts.azure("residuals", value))

    def log_predictions(self, name: str, value: object) -> None:
        """Keeps binned predictions in Azure's schema ``predictions`` 1.0.0, as a dict or JSON text."""
        self.log_chart(name, charts.azure("predictions", value))

    def log_chart(self, name: str, chart: charts.Envelope) -> None:
        """Keeps a chart in its envelope ``{"schema_type", "schema_version", "data"}``; the same name replaces it."""
        self._log.chart(chart_name(name), partial(dict, chart))

    def checkpoint(
        self,
        what: Any,
        step: int,
        metric: float | None = None,
        keep_best: int | None = None,
        goal: str = "maximize",
    ) -> str | None:
        """Keeps a checkpoint of a model in training, below ``checkpoints/`` of the run's artifacts.

        Args:
            what: a model, or the path of a file or folder with its state.
            step: epoch or iteration; the same step again replaces it.
            metric: what the checkpoint is worth.
            keep_best: how many are kept, the best by ``metric``; None keeps all.
            goal: ``maximize`` or ``minimize``.

        Returns:
            Its path among the artifacts, None when it is not among the best.
        """
        if self._checkpoints is None:
            self._checkpoints = Checkpoints(self)
        made = self._checkpoints.add(what, step, metric, keep_best, goal=goal)
        return None if made is None else made.path

    def log(self, name: str, value: object, step: int | None = None) -> None:
        """Logs a number as a metric and text as a tag, as Azure's ``run.log`` does."""
        if isinstance(value, str):
            self.set_tag(name, value)
        else:
            self.log_metric(name, value, step)  # type: ignore[arg-type]

    def log_list(self, name: str, value: Sequence[float]) -> None:
        """Logs the values of a list as one metric, its steps counting up."""
        checked, now = checked_name(name, "metric"), time.time()
        points = [(checked, real_number(item, name), None, now) for item in value]
        self._log.points.extend(points)


def _stem(name: str) -> str:
    """A chart's name: the file's name without its folder and without the ending of an image."""
    last = Path(name).name
    path = Path(last)
    images = (".png", ".svg", ".jpg", ".jpeg", ".pdf", ".html", ".json")
    return chart_name_of(path.stem if path.suffix.lower() in images else last)
