"""the star, arrivals, submissions and consolidations"""

import sqlalchemy as sa
from alembic import op

from disclosure_etl.warehouse.dimension_tables import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dim_bureau",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.String(length=64), nullable=True),
        sa.Column("reports", sa.String(length=8), nullable=False, comment="own figures, or those of the whole branch"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dim_bureau")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_dim_bureau_code_valid_from")),
    )
    op.create_table(
        "dim_form",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("frequency", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the definition"),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.String(length=8), nullable=False),
        sa.Column("valid_to", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dim_form")),
        sa.UniqueConstraint("family", "version", "digest", name=op.f("uq_dim_form_family_version_digest")),
    )
    op.create_table(
        "dim_period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("frequency", sa.String(length=12), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False, comment="month, quarter or half within the year"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dim_period")),
        sa.UniqueConstraint("code", name=op.f("uq_dim_period_code")),
    )
    op.create_table(
        "document",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False, comment="read, unreadable, failed or misdirected"),
        sa.Column("format", sa.String(length=16), nullable=True),
        sa.Column("problem_code", sa.String(length=32), nullable=True),
        sa.Column("problem_zh", sa.Text(), nullable=True),
        sa.Column("problem_en", sa.Text(), nullable=True),
        sa.Column("bureau_written", sa.Text(), nullable=True),
        sa.Column("claimed_period", sa.String(length=8), nullable=True, comment="what the header says"),
        sa.Column("named_period", sa.String(length=8), nullable=True, comment="what the file name says"),
        sa.Column("form", sa.String(length=80), nullable=True),
        sa.Column("seen_for", sa.String(length=8), nullable=False, comment="the period of the run that first read it"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_document")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("command", sa.String(length=32), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_table(
        "baseline",
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False, comment="'' for the whole office"),
        sa.Column("indicator", sa.String(length=128), nullable=False),
        sa.Column("column_code", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.SmallInteger(), nullable=False),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="where the figure was taken from; it was never checked here"
        ),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_baseline_period_id_dim_period")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_baseline_run_id_run")),
        sa.PrimaryKeyConstraint(
            "family", "period_id", "bureau_code", "indicator", "column_code", name=op.f("pk_baseline")
        ),
    )
    op.create_table(
        "consolidation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("frozen_at", Moment(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "account",
            sa.JSON(),
            nullable=False,
            comment="counts, coverage, missing, late and each bureau's state, as frozen",
        ),
        sa.ForeignKeyConstraint(["form_id"], ["dim_form.id"], name=op.f("fk_consolidation_form_id_dim_form")),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_consolidation_period_id_dim_period")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_consolidation_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consolidation")),
        sa.UniqueConstraint("family", "period_id", "version", name=op.f("uq_consolidation_family_period_id_version")),
    )
    op.create_table(
        "dim_indicator",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("label_zh", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("decimals", sa.SmallInteger(), nullable=False),
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("parent_code", sa.String(length=128), nullable=True, comment="the indicator of which it is a part"),
        sa.ForeignKeyConstraint(["form_id"], ["dim_form.id"], name=op.f("fk_dim_indicator_form_id_dim_form")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dim_indicator")),
        sa.UniqueConstraint("form_id", "code", name=op.f("uq_dim_indicator_form_id_code")),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_receipt_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("source", "name", "digest", name=op.f("uq_receipt_source_name_digest")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_digest"), ["digest"], unique=False)

    op.create_table(
        "submission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column(
            "claimed_period",
            sa.String(length=8),
            nullable=False,
            comment="what the return says; '' where it says nothing",
        ),
        sa.Column(
            "bureau_code", sa.String(length=64), nullable=True, comment="null where the return names no known bureau"
        ),
        sa.Column("bureau_written", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("nil", sa.Boolean(), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("whole_return_held", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True, comment="the program fault that ended its judging"),
        sa.Column("not_assessable", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["dim_form.id"], name=op.f("fk_submission_form_id_dim_form")),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_submission_period_id_dim_period")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_submission_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("digest", name=op.f("uq_submission_digest")),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index("ix_submission_period", ["family", "period_id", "bureau_code"], unique=False)

    op.create_table(
        "consolidated_figure",
        sa.Column("consolidation_id", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.String(length=128), nullable=False),
        sa.Column("column_code", sa.String(length=64), nullable=False),
        sa.Column("measure", sa.String(length=8), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("scale", sa.SmallInteger(), nullable=False),
        sa.Column("validated", sa.Boolean(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consolidation_id"],
            ["consolidation.id"],
            name=op.f("fk_consolidated_figure_consolidation_id_consolidation"),
        ),
        sa.PrimaryKeyConstraint("consolidation_id", "indicator", "column_code", name=op.f("pk_consolidated_figure")),
    )
    op.create_table(
        "consolidation_member",
        sa.Column("consolidation_id", sa.Integer(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False),
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consolidation_id"],
            ["consolidation.id"],
            name=op.f("fk_consolidation_member_consolidation_id_consolidation"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_consolidation_member_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("consolidation_id", "bureau_code", "block", name=op.f("pk_consolidation_member")),
    )
    op.create_table(
        "current_block",
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("bureau_code", sa.String(length=64), nullable=False),
        sa.Column(
            "block",
            sa.String(length=64),
            nullable=False,
            comment="one submission a block: what keeps a figure from counting twice",
        ),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["dim_period.id"], name=op.f("fk_current_block_period_id_dim_period")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_current_block_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("family", "period_id", "bureau_code", "block", name=op.f("pk_current_block")),
    )
    op.create_table(
        "dim_cell",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="place in the form's fixed order"),
        sa.Column("name", sa.String(length=255), nullable=False, comment="indicator|column|measure"),
        sa.Column("column_code", sa.String(length=64), nullable=False),
        sa.Column("measure", sa.String(length=8), nullable=False),
        sa.Column("scale", sa.SmallInteger(), nullable=False, comment="a value is the figure times ten to this power"),
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["dim_form.id"], name=op.f("fk_dim_cell_form_id_dim_form")),
        sa.ForeignKeyConstraint(
            ["indicator_id"], ["dim_indicator.id"], name=op.f("fk_dim_cell_indicator_id_dim_indicator")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dim_cell")),
        sa.UniqueConstraint("form_id", "position", name=op.f("uq_dim_cell_form_id_position")),
    )
    op.create_table(
        "failure",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("failure_id", sa.String(length=32), nullable=False),
        sa.Column(
            "position", sa.Integer(), nullable=False, comment="the order in which a submission's failures are told"
        ),
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
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_failure_submission_id_submission")),
        sa.PrimaryKeyConstraint("submission_id", "failure_id", name=op.f("pk_failure")),
    )
    op.create_table(
        "submission_block",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.String(length=64), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column(
            "stale", sa.Boolean(), nullable=False, comment="accepted before a rule could be judged that it now fails"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_submission_block_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("submission_id", "block", name=op.f("pk_submission_block")),
    )
    op.create_table(
        "unread",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_unread_submission_id_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unread")),
    )
    with op.batch_alter_table("unread", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unread_submission_id"), ["submission_id"], unique=False)

    op.create_table(
        "fact_observation",
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "value",
            sa.BigInteger(),
            nullable=True,
            comment="the figure times ten to the cell's scale; null where there is none",
        ),
        sa.Column("meaning", sa.SmallInteger(), nullable=False),
        sa.Column("decimals", sa.SmallInteger(), nullable=True, comment="as printed"),
        sa.Column("trouble", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="as displayed"),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "cell_id", name=op.f("pk_fact_observation")),
        sqlite_with_rowid=False,
    )
    for view in _VIEWS:
        op.execute(view)


# Views that BI tools and people read: figures as decimals, with names. Literal here, so that this step stays what it was.
_VIEWS = (
    """
    CREATE VIEW v_observation AS
    SELECT p.code AS period, p.year, s.family, s.bureau_code AS bureau, s.revision, i.code AS indicator,
           i.label_zh, i.label_en, i.unit, c.column_code AS "column", c.measure, o.text AS written,
           CASE c.scale WHEN 0 THEN 1.0 * o.value WHEN 2 THEN o.value / 100.0 WHEN 6 THEN o.value / 1000000.0 END AS value,
           s.status, o.locator, s.file
    FROM fact_observation o
    JOIN submission s ON s.id = o.submission_id
    JOIN dim_cell c ON c.id = o.cell_id
    JOIN dim_indicator i ON i.id = c.indicator_id
    JOIN dim_period p ON p.id = s.period_id
    """,
    """
    CREATE VIEW v_bureau_figure AS
    SELECT p.code AS period, p.year, b.family, b.bureau_code AS bureau, i.code AS indicator, i.label_zh, i.label_en,
           i.unit, c.column_code AS "column",
           CASE c.scale WHEN 0 THEN 1.0 * o.value WHEN 2 THEN o.value / 100.0 WHEN 6 THEN o.value / 1000000.0 END AS value,
           b.accepted AS validated, b.stale
    FROM current_block b
    JOIN fact_observation o ON o.submission_id = b.submission_id
    JOIN dim_cell c ON c.id = o.cell_id AND c.block = b.block
    JOIN dim_indicator i ON i.id = c.indicator_id
    JOIN dim_period p ON p.id = b.period_id
    WHERE c.measure <> 'share'
    """,
    """
    CREATE VIEW v_consolidated AS
    SELECT p.code AS period, p.year, k.family, k.version, k.status, f.indicator, i.label_zh, i.label_en, i.unit,
           f.column_code AS "column",
           CASE f.scale WHEN 0 THEN 1.0 * f.value WHEN 2 THEN f.value / 100.0 WHEN 6 THEN f.value / 1000000.0 END AS value,
           f.validated
    FROM consolidation k
    JOIN dim_period p ON p.id = k.period_id
    JOIN consolidated_figure f ON f.consolidation_id = k.id
    JOIN dim_indicator i ON i.form_id = k.form_id AND i.code = f.indicator
    WHERE k.version = (SELECT max(n.version) FROM consolidation n WHERE n.family = k.family AND n.period_id = k.period_id)
    """,
    """
    CREATE VIEW v_failure AS
    SELECT p.code AS period, s.family, s.bureau_code AS bureau, s.file, f.rule, f.kind, f.severity, f.block, f.cells,
           f.seen, f.expected, f.difference, f.diagnosis, f.impact, f.message_zh, f.message_en
    FROM failure f
    JOIN submission s ON s.id = f.submission_id
    JOIN dim_period p ON p.id = s.period_id
    WHERE s.status <> 'superseded'
    """,
)
