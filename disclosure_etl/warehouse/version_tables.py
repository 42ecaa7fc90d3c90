"""What a frozen version was made of and is changed afterwards: failures, refused files, the figures of nil returns. Definitions
only.

Verdicts are renewed whenever a return is judged again, so a version keeps its own. All of it is only ever appended to (migration
0005). Not here: the version itself (`tables`).
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Integer, String, Table, Text

from disclosure_etl.warehouse.dimension_tables import metadata

# The failures of a period as they were known when a version of it was frozen: the columns of `failure`.
version_failure = Table(
    "version_failure",
    metadata,
    Column("consolidation_id", ForeignKey("consolidation.id"), primary_key=True),
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("failure_id", String(32), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("rule", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("block", String(64)),
    Column("indicators", JSON, nullable=False),
    Column("column_code", String(64)),
    Column("cells", JSON, nullable=False),
    Column("seen", JSON, nullable=False),
    Column("expected", Text),
    Column("difference", Text),
    Column("diagnosis", Text),
    Column("impact", Float),
    Column("legal", Text),
    Column("message_zh", Text, nullable=False),
    Column("message_en", Text, nullable=False),
    Column("implied_by", String(32)),
    Column("case_id", String(32)),
    Column("waiver", ForeignKey("decision.id")),
)

# The files of the period that gave no figures then; a row for every version that has its failures kept.
version_refused = Table(
    "version_refused",
    metadata,
    Column("consolidation_id", ForeignKey("consolidation.id"), primary_key=True, autoincrement=False),
    Column("files", JSON, nullable=False, comment="as queries.Refused"),
)

# A nil return stands for what came before it; where that was corrected, the figures that it stood for until then.
fact_refilled = Table(
    "fact_refilled",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("cell_id", ForeignKey("dim_cell.id"), primary_key=True),
    Column(
        "until", Integer, primary_key=True, autoincrement=False,
        comment="the newest version (consolidation.id) that may have counted it; 0 where there was none",
    ),
    Column("value", BigInteger),
)  # fmt: skip
