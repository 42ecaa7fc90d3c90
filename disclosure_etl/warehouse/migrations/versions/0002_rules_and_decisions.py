"""rule sets, decisions, norms of a period, pending work; items of lists; failures in cases; receipts by what each name holds"""

import sqlalchemy as sa
from alembic import op

from disclosure_etl.warehouse.dimension_tables import Moment

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
    op.create_table(
        "pending",
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_pending_period_id_dim_period")),
        sa.PrimaryKeyConstraint("family", "period_id", "bureau_code", name=op.f("pk_pending")),
    )
    op.create_table(
        "fact_item",
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("list", sa.String(length=64), nullable=False),
        sa.Column("item_key", sa.Text(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=True, comment="the bureau that the row names"),
        sa.Column("entries", sa.JSON(), nullable=False, comment="the other columns: text, cell and day"),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "position", name=op.f("pk_fact_item")),
        sqlite_with_rowid=False,
    )
    _receipts_by_what_a_name_holds()
    op.add_column(
        "submission",
        sa.Column(
            "arrival",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="the receipt that first brought it: what orders equal revisions",
        ),
    )
    op.execute(
        "UPDATE submission SET arrival = COALESCE((SELECT min(r.id) FROM receipt r WHERE r.digest = submission.digest), 0)"
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


def _receipts_by_what_a_name_holds() -> None:
    """The newest receipt of a name is what it holds; those before were replaced. Nothing refers to receipts, so SQLite may
    rebuild the table to lose the old constraint."""
    with op.batch_alter_table("receipt") as batch:
        batch.drop_constraint("uq_receipt_source_name_digest", type_="unique")
        for name, comment in (
            ("replaced", "something else came under its name since"),
            ("gone", "it lies at its source no longer; noted of what could not be used"),
        ):
            batch.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false(), comment=comment))
    op.execute(
        "UPDATE receipt SET replaced = (1 = 1) WHERE EXISTS (SELECT 1 FROM receipt later WHERE later.source = receipt.source "
        "AND later.name = receipt.name AND later.id > receipt.id)"
    )
    op.create_index(
        "uq_receipt_current",
        "receipt",
        ["source", "name"],
        unique=True,
        sqlite_where=sa.text("replaced = 0"),
        postgresql_where=sa.text("NOT replaced"),
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
