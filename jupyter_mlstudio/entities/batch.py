"""Batch endpoints: names that score whole data sets, each invocation a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_mlstudio.entities.values import JSON


class OutputAction(StrEnum):
    """What is kept of the answers; the names are Azure Machine Learning's."""

    APPEND_ROW = "append_row"
    SUMMARY_ONLY = "summary_only"


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrySettings:
    """How often a mini-batch is tried again, and how long one try may take in seconds."""

    max_retries: int = 3
    timeout_s: float = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSettings:
    """How a data set is scored.

    ``mini_batch_size`` counts rows for a model, files for a scoring script. ``max_concurrency`` is the number of
    worker processes. ``error_threshold`` is how many rows (or files) may fail before the run does; -1 is any number.
    The suffix of ``output_file_name`` chooses the form: ``.csv``, ``.jsonl`` or ``.parquet``.
    """

    mini_batch_size: int = 10_000
    max_concurrency: int = 2
    error_threshold: int = -1
    retries: RetrySettings = field(default_factory=RetrySettings)
    output_action: OutputAction = OutputAction.APPEND_ROW
    output_file_name: str = "predictions.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchDeployment:
    """A model version and how it scores. ``script`` is a scoring script below the workspace's root, with
    ``init()`` and ``run(mini_batch)``; without one the version's ONNX model answers for the rows of tables."""

    name: str
    model: str
    version: int
    settings: BatchSettings = field(default_factory=BatchSettings)
    script: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchEndpoint:
    """A name to invoke with a reference to data. ``jobs`` counts its invocations, ``last_job`` is the newest's run."""

    name: str
    description: str
    default_deployment: str
    deployments: list[BatchDeployment]
    jobs: int
    last_job: str | None
    user: str
    created_at: datetime
    updated_at: datetime
    etag: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSummary:
    """What a batch run did: rows read, answered and failed, and the digest of what was written."""

    rows: int
    answered: int
    failed: int
    mini_batches: int
    files: list[str]
    output: str | None
    sha256: str | None
    answers: dict[str, JSON] = field(default_factory=dict)
