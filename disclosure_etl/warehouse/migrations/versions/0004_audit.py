"""the record of what was done, which nobody changes; the course of each return, and the moves that it may make"""

import sqlalchemy as sa
from alembic import op

from disclosure_etl.warehouse.dimension_tables import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOVES = (
    ("received", ("held", "partly_held", "accepted", "failed", "superseded")),
    ("held", ("partly_held", "accepted", "failed", "superseded")),
    ("partly_held", ("accepted", "failed", "superseded")),
    ("accepted", ("partly_held", "failed", "superseded")),
    ("failed", ("held", "partly_held", "accepted", "superseded")),
    ("superseded", ("held", "partly_held", "accepted", "failed")),
)
_KEPT = ("audit_event", "state_change", "decision", "consolidated_figure", "consolidation_member")


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="1, 2, 3, … without a gap"),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="family, period and bureau, as far as it is about one"),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False, comment="the hash of the event before"),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 over everything else in the event"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_event_hash")),
    )
    op.create_table(
        "state_change",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.SmallInteger(), autoincrement=False, nullable=False, comment="1, 2, 3, … of this return"),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_state_change_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(["event"], ["audit_event.number"], name=op.f("fk_state_change_event_audit_event")),
        sa.PrimaryKeyConstraint("submission_id", "place", name=op.f("pk_state_change")),
    )
    op.create_index(op.f("ix_state_change_event"), "state_change", ["event"])
    move = op.create_table(
        "state_move",
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("before", "after", name=op.f("pk_state_move")),
    )
    op.bulk_insert(move, [{"before": before, "after": after} for before, afters in _MOVES for after in afters])
    (_on_postgresql if op.get_bind().dialect.name == "postgresql" else _on_sqlite)()


def _on_sqlite() -> None:
    for table in _KEPT:
        for done in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{done.lower()} BEFORE {done} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is only ever appended to'); END"
            )
    op.execute(
        "CREATE TRIGGER submission_moves BEFORE UPDATE OF status ON submission WHEN OLD.status <> NEW.status AND NOT EXISTS "
        "(SELECT 1 FROM state_move WHERE before = OLD.status AND after = NEW.status) "
        "BEGIN SELECT RAISE(ABORT, 'a return makes no such move'); END"
    )


def _on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION only_appended() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is only ever appended to', TG_TABLE_NAME; END $$"
    )
    for table in _KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION only_appended()"
        )
    op.execute(
        "CREATE FUNCTION submission_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NOT EXISTS (SELECT 1 FROM state_move WHERE before = OLD.status AND after = NEW.status) THEN "
        "RAISE EXCEPTION 'a return makes no such move: % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation'; "
        "END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER submission_moves BEFORE UPDATE OF status ON submission FOR EACH ROW "
        "WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION submission_moves()"
    )
