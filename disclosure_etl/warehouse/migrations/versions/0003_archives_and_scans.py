"""who sent what arrived, and the archive that it came in; sealed scans as attachments of returns"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipt", sa.Column("sender", sa.Text(), comment="who sent it, where the source knows"))
    op.add_column(
        "receipt", sa.Column("archive", sa.String(length=64), comment="the digest of the archive that it came in")
    )
    op.create_table(
        "attachment",
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="of the sealed scan, or of a copy in another format"
        ),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_attachment_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_attachment_run_id_run")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_submission_id"), "attachment", ["submission_id"])
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        comment = "read, unreadable, failed or misdirected; archive or attached, which are no returns"
        op.execute(f"COMMENT ON COLUMN document.status IS '{comment}'")
