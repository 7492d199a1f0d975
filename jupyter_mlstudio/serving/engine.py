"""Runs the model: at once where that is quick, in a thread with a deadline where it may not be.

A run whose graph has no loops and that is expected to take less than :data:`INLINE_S` is executed by the event loop
itself, which saves the way to a thread and back. Everything else runs in a small pool, is ended at the deadline by
onnxruntime's terminate flag, and never keeps the event loop from answering others.
"""

from __future__ import annotations

import asyncio
import time
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import TensorSpec
from jupyter_mlstudio.errors import StudioError, TimedOut, TooLarge
from jupyter_mlstudio.onnx.check import is_bounded
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.onnx.routed import open_file
from jupyter_mlstudio.onnx.session import Execution, execute
from jupyter_mlstudio.onnx.tensors import DTYPES, Inference
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.memory import tell_lack
from jupyter_mlstudio.serving.turns import Turns

INLINE_S = 0.002
MEASURED_ROWS = 64
HELD_SHARE = 0.25
"""Of a process's memory, for the loaded ones of many models; a load from a file takes no longer than a slow request."""


class Computes(typing.Protocol):
    """What computes answers: onnxruntime here, a model's own framework in a process that was opted for."""

    protocol: Protocol

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""

    def is_quick(self, rows: int) -> bool:
        """Tells whether so many rows are expected to be done at once."""

    def run(self, inference: Inference) -> list[Any]:
        """Computes in this thread."""

    async def run_aside(self, inference: Inference) -> list[Any]:
        """Computes aside, until it answers or the deadline passes."""

    async def aside(self, work: Callable[[], None]) -> None:
        """Does something that may take long in a thread."""


class Engine:
    """One model, loaded and measured."""

    def __init__(self, config: ServeConfig) -> None:
        self._limits = config.limits
        share = config.limits.memory_bytes * HELD_SHARE
        self._session = open_file(Path(config.onnx), config.sha256, config.limits.threads, share)
        assert config.signature is not None
        self.protocol = Protocol(config.signature, config.model, config.version, config.limits.rows)
        self._names = [spec.onnx_name or spec.name for spec in config.signature.outputs]
        self._turns = Turns(config.limits, config.limits.workers, "infer")
        self._bounded = is_bounded(config.operators) and not config.signature.routed_by
        self._call_s, self._row_s = self._measure() if self._bounded else (float("inf"), 0.0)

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return self._turns.waiting

    def is_quick(self, rows: int) -> bool:
        """Tells whether so many rows are expected to be done at once."""
        return self._call_s + rows * self._row_s < INLINE_S

    def run(self, inference: Inference) -> list[Any]:
        """Runs the model in this thread. Only for quick requests."""
        try:
            return execute(self._session, self._names_of(inference), inference.feeds)
        except TooLarge:
            tell_lack(self._limits.memory_bytes)
            raise

    async def run_aside(self, inference: Inference) -> list[Any]:
        """Runs the model in a thread, until it answers or the deadline passes; being cancelled ends the run too.

        Raises:
            TimedOut: the deadline passed.
            Busy: too many requests wait already, or this one has waited for too long.
        """
        execution = Execution(self._session)
        answer = await self._turns.begin(execution.run, self._names_of(inference), inference.feeds)
        try:
            return await asyncio.wait_for(answer, self._limits.request_timeout_s)
        except TooLarge:
            tell_lack(self._limits.memory_bytes)
            raise
        except TimeoutError as error:
            raise TimedOut(f"the model did not answer within {self._limits.request_timeout_s:g} s") from error
        finally:
            execution.stop()

    async def aside(self, work: Callable[[], None]) -> None:
        """Does something that may take long, such as an import, in a thread."""
        await self._turns.aside(work)

    def warm_up(self) -> None:
        """Runs once, so that the first real request is not the slow one; raises what the run raises."""
        if self._bounded:
            self.run(self._rows(1))

    def _names_of(self, inference: Inference) -> list[str]:
        if inference.outputs is self.protocol.signature.outputs:
            return self._names
        return [spec.onnx_name or spec.name for spec in inference.outputs]

    def _measure(self) -> tuple[float, float]:
        """Measures a run of one row, and what each further row adds, in seconds."""
        try:
            one, many = self._time(self._rows(1)), self._time(self._rows(MEASURED_ROWS))
        except StudioError:
            return float("inf"), 0.0
        return one, max(many - one, 0.0) / (MEASURED_ROWS - 1)

    def _time(self, inference: Inference) -> float:
        self.run(inference)
        best = float("inf")
        for _ in range(3):
            began = time.perf_counter()
            self.run(inference)
            best = min(best, time.perf_counter() - began)
        return best

    def _rows(self, rows: int) -> Inference:
        signature = self.protocol.signature
        feeds = {spec.onnx_name or spec.name: _zeros(spec, rows) for spec in signature.inputs}
        return Inference(feeds, rows, signature.outputs)


def _zeros(spec: TensorSpec, rows: int) -> Any:
    shape = [rows if not axis and length < 0 else max(length, 1) for axis, length in enumerate(spec.shape)]
    return np.full(shape, "", dtype=object) if spec.datatype == "BYTES" else np.zeros(shape, DTYPES[spec.datatype])
