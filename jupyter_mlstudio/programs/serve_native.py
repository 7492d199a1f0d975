"""A process that answers with a model's own framework: ``python -m jupyter_mlstudio.programs.serve_native FD``.

For models that ONNX cannot hold. Loading such a file executes what it contains, as the user: that is why it is opted
for, and why the process receives no request from outside itself. It speaks every dialect, through the same signature.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid, StudioError, TimedOut, TooLarge
from jupyter_mlstudio.onnx.protocol import DTYPES, Protocol
from jupyter_mlstudio.onnx.tensors import Inference
from jupyter_mlstudio.plugins.converters.base import Converter, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.sklearn_inputs import input_specs
from jupyter_mlstudio.programs.convert import find_converter, read_manifest
from jupyter_mlstudio.serving.app import Application
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.fellows import Fellows
from jupyter_mlstudio.serving.memory import loading, tell_lack
from jupyter_mlstudio.serving.process import Lines, Process, keep_channel, say
from jupyter_mlstudio.serving.script import model_folder
from jupyter_mlstudio.serving.stats import Stats
from jupyter_mlstudio.serving.turns import Turns

LABEL, PROBABILITIES, VALUE = "label", "probabilities", "value"
TRIED_ROWS = 5


class Native:
    """A model in its own framework, which answers like an ONNX one."""

    def __init__(self, config: ServeConfig) -> None:
        folder = model_folder(config)
        source = Source(folder, read_manifest(folder))
        self._converter: Converter = find_converter(source)
        self._original = self._converter.load(source)
        self.signature = config.signature or self._derived()
        self.protocol = Protocol(self.signature, config.model, config.version, config.limits.rows)
        self._limits = config.limits
        self._turns = Turns(config.limits, 1, "native")

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return self._turns.waiting

    def is_quick(self, rows: int) -> bool:
        """Never: nothing is known of how long it takes."""
        return False

    def run(self, inference: Inference) -> list[Any]:
        """Computes in this thread.

        Raises:
            Invalid: the model cannot compute an answer for these values. TooLarge: it ran out of memory.
        """
        try:
            prediction = self._predict(rows_like(self._original.rows, self.signature, inference))
        except MemoryError as error:
            tell_lack(self._limits.memory_bytes)
            raise TooLarge("this request needs more memory than the deployment may use") from error
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            raise Invalid("the model cannot compute an answer for these values") from error
        return [tensor_of(spec, prediction, inference.rows) for spec in inference.outputs]

    async def run_aside(self, inference: Inference) -> list[Any]:
        """Computes in a thread, when it is this request's turn.

        Raises:
            Busy: too many requests wait already, or this one has waited for too long. TimedOut: the deadline passed.
        """
        work = await self._turns.begin(self.run, inference)
        timeout_s = self._limits.request_timeout_s
        try:
            return await asyncio.wait_for(asyncio.shield(work), timeout_s)
        except TimeoutError as error:
            say(stuck=f"the model did not answer within {timeout_s:g} s")  # nothing else can end a thread
            raise TimedOut(f"the model did not answer within {timeout_s:g} s") from error

    async def aside(self, work: Callable[[], None]) -> None:
        """Does something that may take long in a thread."""
        await asyncio.get_running_loop().run_in_executor(None, work)

    def warm_up(self) -> None:
        """Answers a row of the sample once, so that the first request is not the slow one."""
        if self._original.rows is not None:
            self._predict(self._original.rows[:1])

    def _predict(self, rows: Any) -> Prediction:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._converter.predict(Original(self._original.model, rows, self._original.framework))

    def _derived(self) -> Signature:
        """The signature of a model that was never converted, from its sample and what it answers to it."""
        rows = self._original.rows
        if rows is None:
            raise Invalid("the model has no sample rows, so nothing is known of its inputs")
        inputs = input_specs(self._original.model, rows, "FP64", True)
        prediction = self._predict(rows[:TRIED_ROWS])
        if prediction.labels is None:
            outputs = [TensorSpec(name=VALUE, datatype="FP64", shape=[-1, *np.shape(prediction.values)[1:]])]
            return Signature(inputs=inputs, outputs=outputs, task="regression")
        kind = np.asarray(prediction.labels).dtype.kind
        outputs = [TensorSpec(name=LABEL, datatype="INT64" if kind in "iub" else "BYTES", shape=[-1])]
        if prediction.probabilities is not None:
            width = int(np.shape(prediction.probabilities)[1])
            outputs.append(TensorSpec(name=PROBABILITIES, datatype="FP64", shape=[-1, width]))
        labels = [str(one) for one in getattr(self._original.model, "classes_", [])]
        return Signature(inputs=inputs, outputs=outputs, task="classification", labels=labels)


def rows_like(sample: Any, signature: Signature, inference: Inference) -> Any:
    """Makes rows of a request's tensors, in the form that the model's sample has."""
    feeds = [inference.feeds[spec.onnx_name or spec.name] for spec in signature.inputs]
    if hasattr(sample, "columns"):
        import pandas as pd

        columns: Mapping[str, Any] = (
            {str(name): feeds[0][:, number] for number, name in enumerate(sample.columns)}
            if len(feeds) == 1 and feeds[0].ndim == 2 and feeds[0].shape[1] == len(sample.columns)
            else {spec.name: feed.reshape(inference.rows) for spec, feed in zip(signature.inputs, feeds, strict=True)}
        )
        frame = pd.DataFrame(columns)
        return frame.astype({name: sample[name].dtype for name in frame.columns}, errors="ignore")
    if isinstance(sample, list):
        return feeds[0].reshape(-1).tolist()
    wanted = getattr(sample, "dtype", None)
    return feeds[0].astype(wanted) if wanted is not None and wanted.kind == "f" else feeds[0]


def tensor_of(spec: TensorSpec, prediction: Prediction, rows: int) -> Any:
    """What a model answered, as the tensor that the signature promises."""
    found = {LABEL: prediction.labels, PROBABILITIES: prediction.probabilities}.get(spec.name)
    if found is None:
        found = prediction.values if prediction.values is not None else prediction.labels
    array = np.asarray(found)
    if spec.datatype == "BYTES":
        array = np.array([str(value) for value in array.ravel().tolist()], dtype=object)
    shape = [rows, *spec.shape[1:]]
    return array.astype(DTYPES[spec.datatype]).reshape(shape if array.size == np.prod(shape) else array.shape)


def main(descriptor: int) -> int:
    """Serves until standard input ends; exit status 3 when the model cannot be loaded, whoever tries again."""
    lines = Lines(sys.stdin.fileno())
    keep_channel()
    line = lines.next()
    if line is None:
        return 0
    listening = socket.socket(fileno=descriptor)
    try:
        config = msgspec.json.decode(line, type=ServeConfig)
        with loading(config.limits.memory_bytes):
            native = Native(config)
            native.warm_up()
        config = msgspec.structs.replace(config, signature=native.signature)
    except StudioError as error:
        say(failed=error.message)
        return 3
    application = Application(config, native, listening.getsockname()[1], Stats(), Fellows(config))
    Process(application, listening, lines).run()
    return 0


if __name__ == "__main__":
    end(main(int(sys.argv[1])))
