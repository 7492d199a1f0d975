"""Batch endpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jupyter_mlstudio.store.schema import UTCTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
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
