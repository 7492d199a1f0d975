"""The tables.

A metric's name is an integer key; its points are packed into chunks (see :mod:`jupyter_mlstudio.store.points`).
SQLite turns NaN into NULL, so a last value that is not finite is kept as text beside a NULL.
A change here needs a migration in ``migrations/versions``; a test compares both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
)

HEAD = "0002"
"""The migration that this code reads and writes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UTCTime(TypeDecorator[datetime]):
    """An aware UTC time as an integer of microseconds since 1970: sorts, compares and survives every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


Key = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("epoch", String(32), nullable=False),
)
"""One row: the last change's number, and a random name of this database's line of numbers."""

changes = Table(
    "changes",
    metadata,
    Column("kind", String(16)),
    Column("id", String(255)),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("deleted", Boolean, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
)
"""The latest change of each thing, so that the table stays as small as the number of things."""

experiments = Table(
    "experiments",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("primary_metric", String(255)),
    Column("goal", String(16), nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("archived_at", UTCTime),
    Column("run_count", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("experiment_id", Key, ForeignKey("experiments.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("exit_code", Integer),
    Column("user", String(255), nullable=False),
    Column("target", String(64), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("cpus", Float, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("waits_for", String(255)),
    Column("created_at", UTCTime, nullable=False),
    Column("claimed_at", UTCTime),
    Column("started_at", UTCTime),
    Column("ended_at", UTCTime),
    Column("duration_s", Float),
    Column("last_seen_at", UTCTime),
    Column("stop_requested_at", UTCTime),
    Column("parent_run_id", String(32)),
    Column("retry_of", String(32)),
    Column("request_id", String(64), unique=True),
    Column("description", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("environment", Text),
    Column("progress", Text),
    Column("snapshot_id", String(64)),
    Column("boot_id", String(64)),
    Column("supervisor_pid", Integer),
    Column("supervisor_started", Float),
    Column("work_pid", Integer),
    Column("work_started", Float),
    Column("gateway_url", String(255)),
    Column("row_params", Text, nullable=False),
    Column("row_metrics", Text, nullable=False),
    Column("row_tags", Text, nullable=False),
    Column("row_json", Text),
    Column("etag", Integer, nullable=False),
    Index("ix_runs_experiment_created", "experiment_id", "created_at"),
    Index("ix_runs_status_created", "status", "created_at"),
    Index("ix_runs_created", "created_at"),
    Index("ix_runs_parent", "parent_run_id"),
    Index("ix_runs_name", "name"),
    sqlite_autoincrement=True,
)

params = Table(
    "params",
    metadata,
    Column("run_key", Key, ForeignKey("runs.key", ondelete="CASCADE")),
    Column("key", String(250)),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("run_key", "key"),
    Index("ix_params_key", "key", "run_key"),
)

tags = Table(
    "tags",
    metadata,
    Column("run_key", Key, ForeignKey("runs.key", ondelete="CASCADE")),
    Column("key", String(250)),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("run_key", "key"),
    Index("ix_tags_key", "key", "run_key"),
)

metric_names = Table(
    "metric_names",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("name", String(250), nullable=False, unique=True),
)

run_metrics = Table(
    "run_metrics",
    metadata,
    Column("run_key", Key, ForeignKey("runs.key", ondelete="CASCADE")),
    Column("metric_id", Key, ForeignKey("metric_names.id")),
    Column("last", Float),
    Column("last_text", String(10)),
    Column("last_step", BigInteger, nullable=False),
    Column("last_at", UTCTime, nullable=False),
    Column("min", Float),
    Column("max", Float),
    Column("count", BigInteger, nullable=False),
    Column("tail_chunk", Integer, nullable=False),
    Column("tail_count", Integer, nullable=False),
    Column("spark", LargeBinary, nullable=False),
    Column("spark_stride", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_key", "metric_id"),
    Index("ix_run_metrics_last", "metric_id", "last", "run_key"),
)
"""What is known of a metric without reading its points."""

metric_chunks = Table(
    "metric_chunks",
    metadata,
    Column("run_key", Key, ForeignKey("runs.key", ondelete="CASCADE")),
    Column("metric_id", Key),
    Column("chunk", Integer),
    Column("count", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run_key", "metric_id", "chunk"),
)

batches = Table(
    "batches",
    metadata,
    Column("run_key", Key, ForeignKey("runs.key", ondelete="CASCADE")),
    Column("client", String(64)),
    Column("sequence", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_key", "client"),
)
"""The last batch taken from each client, so that a batch that comes twice is taken once."""

targets = Table(
    "targets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("slots", Integer, nullable=False),
)

logged_models = Table(
    "logged_models",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("run_id", String(32), index=True),
    Column("experiment_id", Key, nullable=False),
    Column("data", Text, nullable=False),
)
"""Models that MLflow clients logged to a run, as MLflow's own JSON."""

models = Table(
    "models",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("folder", String(64), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("next_version", Integer, nullable=False),
    Column("tags", Text),
    Column("protected_aliases", Text),
    Column("archived_at", UTCTime),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model", String(255), ForeignKey("models.name", ondelete="CASCADE")),
    Column("version", Integer),
    Column("status", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", String(32)),
    Column("source", Text, nullable=False),
    Column("convert_run_id", String(32)),
    Column("framework", String(64), nullable=False),
    Column("description", Text, nullable=False),
    Column("user", String(255), nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("request_id", String(64), unique=True),
    Column("tolerance", Float),
    Column("policy", Text),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("files", Text, nullable=False),
    Column("signature", Text),
    Column("parity", Text),
    Column("sample", Text),
    Column("operators", Text, nullable=False),
    Column("alias", String(64)),
    Column("tags", Text, nullable=False),
    Column("etag", Integer, nullable=False),
    Column("stage", String(20)),
    Column("approval", Text),
    Column("archived_at", UTCTime),
    Column("options", Text),
    Column("formats", Text),
    Column("profile", Text),
    Column("threshold", Text),
    PrimaryKeyConstraint("model", "version"),
    Index("ix_model_versions_run", "run_id"),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("control", Text, nullable=False),
    Column("etag", Integer, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("lead", Text),
    Column("version", BigInteger, nullable=False),
)
"""What people asked of a sweep while it runs, and what it said last. ``version`` is that of its newest trial."""

trials = Table(
    "trials",
    metadata,
    Column("sweep_id", String(32), ForeignKey("sweeps.run_id", ondelete="CASCADE")),
    Column("number", Integer),
    Column("version", BigInteger, nullable=False),
    Column("run_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("feasible", Boolean, nullable=False),
    Column("value", Float),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("sweep_id", "number"),
    Index("ix_trials_sweep_version", "sweep_id", "version"),
    Index("ix_trials_sweep_value", "sweep_id", "state", "value"),
)
"""Trials as their sweep told of them. ``version`` grows with every change, so that a reader asks for what is new."""

model_aliases = Table(
    "model_aliases",
    metadata,
    Column("model", String(255), ForeignKey("models.name", ondelete="CASCADE")),
    Column("alias", String(64)),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("model", "alias"),
)

model_events = Table(
    "model_events",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("model", String(255), nullable=False, index=True),
    Column("version", Integer),
    Column("at", UTCTime, nullable=False),
    Column("user", String(255), nullable=False),
    Column("action", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    sqlite_autoincrement=True,
)
"""What happened to models: added to and never changed, and kept when a version is gone."""

endpoints = Table(
    "endpoints",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("description", Text, nullable=False),
    Column("port", Integer),
    Column("nonce", String(64), nullable=False),
    Column("keys", Text, nullable=False),
    Column("user", String(255), nullable=False),
    Column("request_id", String(64), unique=True),
    Column("created_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("etag", Integer, nullable=False),
    Column("run_id", String(32)),
    Column("sticky_header", String(100)),
    Column("canary", Text),
    Column("host", String(64)),
    Column("allowed_hosts", Text),
)
"""``keys`` holds SHA-256 digests of the access keys, never a key."""

deployments = Table(
    "deployments",
    metadata,
    Column("endpoint", String(32), ForeignKey("endpoints.name", ondelete="CASCADE")),
    Column("name", String(32)),
    Column("model", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    Column("traffic", Integer, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("mirror", Integer, nullable=False, server_default="0"),
    Column("kind", String(16), nullable=False, server_default="onnx"),
    Column("script", Text),
    Column("settings", Text),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("updated_at", UTCTime),
    Column("changed_with", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("endpoint", "name"),
)
"""``changed_with`` is the endpoint's etag at the last change of this deployment."""

batch_endpoints = Table(
    "batch_endpoints",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("description", Text, nullable=False),
    Column("default_deployment", String(32), nullable=False),
    Column("deployments", Text, nullable=False),
    Column("user", String(255), nullable=False),
    Column("request_id", String(64), unique=True),
    Column("created_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("etag", Integer, nullable=False),
)
"""``deployments`` is a JSON list: there are few, and they are read and written together."""
