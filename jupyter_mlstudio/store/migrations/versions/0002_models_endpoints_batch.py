"""Several deployments behind an endpoint, batch endpoints, the registry in full, sweeps."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from jupyter_mlstudio.store.schema import UTCTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("runs", sa.Column("row_json", sa.Text(), nullable=True))
    op.add_column("experiments", sa.Column("run_count", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE experiments SET run_count = (SELECT count(*) FROM runs WHERE experiment_id = experiments.id)")
    op.add_column("model_versions", sa.Column("policy", sa.Text(), nullable=True))
    for column in (
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("sticky_header", sa.String(length=100), nullable=True),
        sa.Column("canary", sa.Text(), nullable=True),
        sa.Column("host", sa.String(length=64), nullable=True),
        sa.Column("allowed_hosts", sa.Text(), nullable=True),
    ):
        op.add_column("endpoints", column)
    op.execute(
        "UPDATE endpoints SET run_id = (SELECT run_id FROM deployments WHERE deployments.endpoint = endpoints.name)"
    )
    op.drop_column("deployments", "run_id")
    further: list[sa.Column[Any]] = [
        sa.Column("mirror", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("kind", sa.String(length=16), nullable=False, server_default="onnx"),
        sa.Column("script", sa.Text(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("updated_at", UTCTime(), nullable=True),
        sa.Column("changed_with", sa.Integer(), nullable=False, server_default="0"),
    ]
    for one in further:
        op.add_column("deployments", one)
    op.create_table(
        "batch_endpoints",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("default_deployment", sa.String(length=32), nullable=False),
        sa.Column("deployments", sa.Text(), nullable=False),
        sa.Column("user", sa.String(length=255), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", UTCTime(), nullable=False),
        sa.Column("updated_at", UTCTime(), nullable=False),
        sa.Column("etag", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_batch_endpoints")),
        sa.UniqueConstraint("request_id", name=op.f("uq_batch_endpoints_request_id")),
    )
    for name in ("tags", "protected_aliases"):
        op.add_column("models", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("models", sa.Column("archived_at", UTCTime(), nullable=True))
    op.add_column("model_versions", sa.Column("stage", sa.String(length=20), nullable=True))
    for name in ("approval", "options", "formats", "profile", "threshold"):
        op.add_column("model_versions", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("model_versions", sa.Column("archived_at", UTCTime(), nullable=True))
    op.create_table(
        "model_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("at", UTCTime(), nullable=False),
        sa.Column("user", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_model_events_model"), "model_events", ["model"])
    op.create_table(
        "sweeps",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("control", sa.Text(), nullable=False),
        sa.Column("etag", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("lead", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_sweeps")),
    )
    op.create_table(
        "trials",
        sa.Column("sweep_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("feasible", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweeps.run_id"], name=op.f("fk_trials_sweep_id_sweeps"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sweep_id", "number", name=op.f("pk_trials")),
    )
    op.create_index("ix_trials_sweep_version", "trials", ["sweep_id", "version"])
    op.create_index("ix_trials_sweep_value", "trials", ["sweep_id", "state", "value"])
