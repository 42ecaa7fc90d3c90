"""rule sets, decisions, norms of a period; failures in cases"""

import sqlalchemy as sa
from alembic import op

from disclosure_etl.warehouse.tables import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_set",
        sa.Column("version", sa.String(length=64), nullable=False, comment="SHA-256 of the content"),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column(
            "content", sa.JSON(), nullable=False, comment="form and settings, from which the rules can be made again"
        ),
        sa.Column("first_used_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rule_set")),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False, comment="waive, or withdraw: of an earlier decision"),
        sa.Column("withdraws", sa.Integer(), nullable=True),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=255), nullable=False),
        sa.Column("column_code", sa.String(length=64), nullable=True),
        sa.Column("indicators", sa.JSON(), nullable=False),
        sa.Column(
            "seen", sa.JSON(), nullable=False, comment="the figures that it was given for; it lapses when they change"
        ),
        sa.Column("first_period", sa.String(length=8), nullable=False),
        sa.Column("last_period", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["withdraws"], ["decision.id"], name=op.f("fk_decision_withdraws_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_bureau", "decision", ["family", "bureau_code"])
    op.create_table(
        "period_norm",
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("rule_set", sa.String(length=64), nullable=False),
        sa.Column("norms", sa.JSON(), nullable=False, comment="one list a norm, in the order of the watched figures"),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_period_norm_period_id_dim_period")),
        sa.ForeignKeyConstraint(["rule_set"], ["rule_set.version"], name=op.f("fk_period_norm_rule_set_rule_set")),
        sa.PrimaryKeyConstraint("family", "period_id", name=op.f("pk_period_norm")),
    )
    _add("submission", "rule_set", "VARCHAR(64)", "rule_set (version)", "by which it was judged last")
    _add("consolidation", "rule_set", "VARCHAR(64)", "rule_set (version)", "the rules in force when it was frozen")
    _add("failure", "waiver", "INTEGER", "decision (id)", "the decision by which it holds nothing")
    op.add_column(
        "failure",
        sa.Column(
            "case_id", sa.String(length=32), nullable=True, comment="the first failure of those that have one cause"
        ),
    )


def _add(table: str, column: str, kind: str, refers_to: str, comment: str) -> None:
    """Add a column with its reference as both databases do it in place. SQLite would rebuild the table otherwise, and
    cannot while others refer to it."""
    other = refers_to.split()[0]
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT fk_{table}_{column}_{other} REFERENCES {refers_to}"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{comment}'")
