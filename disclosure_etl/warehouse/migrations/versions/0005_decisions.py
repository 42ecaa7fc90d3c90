"""decisions about returns, figures, versions and years; bureaus that follow others; the moves of documents"""

import sqlalchemy as sa
from alembic import op

from disclosure_etl.warehouse.dimension_tables import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RETURN_MOVES = (
    ("held", ("returned", "withdrawn")),
    ("partly_held", ("returned", "withdrawn")),
    ("accepted", ("returned", "withdrawn")),
    ("failed", ("returned", "withdrawn")),
    ("returned", ("held", "partly_held", "accepted", "failed", "superseded", "withdrawn")),
    ("withdrawn", ("held", "partly_held", "accepted", "failed", "superseded", "returned")),
    ("superseded", ("returned",)),
)
_DOCUMENT_MOVES = (
    ("read", ("unreadable", "misdirected", "failed", "attached")),
    ("unreadable", ("read", "misdirected", "failed", "attached", "archive")),
    ("misdirected", ("read", "unreadable", "failed")),
    ("failed", ("read", "unreadable", "misdirected", "attached", "archive")),
)
_KEPT = (
    "consolidation", "return_decision", "restatement", "confirmation", "sign_off", "release", "year_lock", "version_failure",
    "version_refused", "fact_refilled",
)  # fmt: skip


def upgrade() -> None:
    _make_tables()
    _make_version_tables()
    moves = sa.table("state_move", sa.column("before", sa.String), sa.column("after", sa.String))
    op.bulk_insert(moves, _pairs(_RETURN_MOVES))
    made = op.create_table(
        "document_move",
        sa.Column("before", sa.String(length=12), nullable=False),
        sa.Column("after", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("before", "after", name=op.f("pk_document_move")),
    )
    op.bulk_insert(made, _pairs(_DOCUMENT_MOVES))
    (_on_postgresql if op.get_bind().dialect.name == "postgresql" else _on_sqlite)()


def _pairs(moves) -> list[dict[str, str]]:
    return [{"before": before, "after": after} for before, afters in moves for after in afters]


def _make_tables() -> None:
    op.create_table(
        "dim_succession",
        sa.Column("predecessor_code", sa.String(length=64), nullable=False),
        sa.Column("successor_code", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False, comment="on which the successor has taken over"),
        sa.PrimaryKeyConstraint("predecessor_code", "successor_code", "first_day", name=op.f("pk_dim_succession")),
    )
    op.create_table(
        "return_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "action", sa.String(length=16), nullable=False,
            comment="return, withdraw, reinstate, or undo: of an earlier decision",
        ),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column(
            "revision", sa.Integer(), nullable=True,
            comment="of a reinstatement: the return counts as if it had come as this revision",
        ),
        sa.Column(
            "arrival", sa.Integer(), nullable=True, comment="of a reinstatement: and right after this receipt"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["undoes"], ["return_decision.id"], name=op.f("fk_return_decision_undoes_return_decision")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_return_decision_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_decision")),
    )  # fmt: skip
    op.create_index(op.f("ix_return_decision_submission_id"), "return_decision", ["submission_id"])
    op.create_table(
        "restatement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False, comment="restate, or withdraw: of an earlier one"),
        sa.Column("withdraws", sa.Integer(), nullable=True),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False),
        sa.Column("indicator", sa.String(length=128), nullable=False),
        sa.Column("column_code", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="what is added, times ten to the scale"),
        sa.Column("scale", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False, comment="the coded reason (schemas.restatements)"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["withdraws"], ["restatement.id"], name=op.f("fk_restatement_withdraws_restatement")),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_restatement_period_id_dim_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restatement")),
    )
    op.create_index(op.f("ix_restatement_place"), "restatement", ["family", "period_id", "bureau_code"])
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "basis", sa.String(length=64), nullable=False,
            comment="the digest of the return whose figures were carried over",
        ),
        sa.Column(
            "deltas", sa.JSON(), nullable=False, comment="cells with what was reported and what was confirmed"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_confirmation_period_id_dim_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        sa.UniqueConstraint("digest", name=op.f("uq_confirmation_digest")),
    )  # fmt: skip
    op.create_table(
        "sign_off",
        sa.Column("consolidation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True, comment="the second person, where the office asks for one"),
        sa.Column("signed_at", Moment(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("acknowledged", sa.JSON(), nullable=False, comment="the warnings that were acknowledged by it"),
        sa.ForeignKeyConstraint(
            ["consolidation_id"], ["consolidation.id"], name=op.f("fk_sign_off_consolidation_id_consolidation")
        ),
        sa.PrimaryKeyConstraint("consolidation_id", name=op.f("pk_sign_off")),
    )
    op.create_table(
        "release",
        sa.Column("consolidation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("released_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consolidation_id"], ["consolidation.id"], name=op.f("fk_release_consolidation_id_consolidation")
        ),
        sa.PrimaryKeyConstraint("consolidation_id", name=op.f("pk_release")),
    )
    op.create_table(
        "year_lock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False, comment="lock or reopen"),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True, comment="the second person of a reopening"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_lock")),
    )
    op.create_index(op.f("ix_year_lock_year"), "year_lock", ["family", "year"])


def _make_version_tables() -> None:
    op.create_table(
        "version_failure",
        sa.Column("consolidation_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("failure_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("block", sa.String(length=64), nullable=True),
        sa.Column("indicators", sa.JSON(), nullable=False),
        sa.Column("column_code", sa.String(length=64), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("difference", sa.Text(), nullable=True),
        sa.Column("diagnosis", sa.Text(), nullable=True),
        sa.Column("impact", sa.Float(), nullable=True),
        sa.Column("legal", sa.Text(), nullable=True),
        sa.Column("message_zh", sa.Text(), nullable=False),
        sa.Column("message_en", sa.Text(), nullable=False),
        sa.Column("implied_by", sa.String(length=32), nullable=True),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("waiver", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consolidation_id"], ["consolidation.id"], name=op.f("fk_version_failure_consolidation_id_consolidation")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_version_failure_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(["waiver"], ["decision.id"], name=op.f("fk_version_failure_waiver_decision")),
        sa.PrimaryKeyConstraint("consolidation_id", "submission_id", "failure_id", name=op.f("pk_version_failure")),
    )
    op.create_table(
        "version_refused",
        sa.Column("consolidation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("files", sa.JSON(), nullable=False, comment="as queries.Refused"),
        sa.ForeignKeyConstraint(
            ["consolidation_id"], ["consolidation.id"], name=op.f("fk_version_refused_consolidation_id_consolidation")
        ),
        sa.PrimaryKeyConstraint("consolidation_id", name=op.f("pk_version_refused")),
    )
    op.create_table(
        "fact_refilled",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("cell_id", sa.Integer(), nullable=False),
        sa.Column(
            "until", sa.Integer(), autoincrement=False, nullable=False,
            comment="the newest version (consolidation.id) that may have counted it; 0 where there was none",
        ),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_fact_refilled_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(["cell_id"], ["dim_cell.id"], name=op.f("fk_fact_refilled_cell_id_dim_cell")),
        sa.PrimaryKeyConstraint("submission_id", "cell_id", "until", name=op.f("pk_fact_refilled")),
    )  # fmt: skip


# What is stored of a document was made of what was read in it, so that it stays read.
_ILLEGAL = (
    "NOT EXISTS (SELECT 1 FROM document_move WHERE before = OLD.status AND after = NEW.status) "
    "OR EXISTS (SELECT 1 FROM submission WHERE digest = OLD.digest)"
)


def _on_sqlite() -> None:
    for table in _KEPT:
        for done in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{done.lower()} BEFORE {done} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is only ever appended to'); END"
            )
    op.execute(
        "CREATE TRIGGER document_moves BEFORE UPDATE OF status ON document WHEN OLD.status <> NEW.status AND "
        f"({_ILLEGAL}) BEGIN SELECT RAISE(ABORT, 'a document makes no such move'); END"
    )


def _on_postgresql() -> None:
    for table in _KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION only_appended()"
        )
    op.execute(
        "CREATE FUNCTION document_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_ILLEGAL} THEN "
        "RAISE EXCEPTION 'a document makes no such move: % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation'; "
        "END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER document_moves BEFORE UPDATE OF status ON document FOR EACH ROW "
        "WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION document_moves()"
    )
