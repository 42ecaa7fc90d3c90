"""The warehouse's tables beside the dimensions: what arrived, what was made of it, what was decided. Definitions only; no query,
no connection.

`fact_observation` keeps every cell of every submission; `current_block` says whose block counts. Migrations make them.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip

from disclosure_etl.warehouse.dimension_tables import Moment, metadata

# -- what arrived -------------------------------------------------------------------------------------------------------

run = Table(
    "run",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("command", String(32), nullable=False),
    Column("family", String(64), nullable=False),
    Column("period", String(8), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("status", String(16), nullable=False),
    Column("counts", JSON, nullable=False),
)

document = Table(
    "document",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column(
        "status",
        String(12),
        nullable=False,
        comment="read, unreadable, failed or misdirected; archive or attached, which are no returns",
    ),
    Column("format", String(16)),
    Column("problem_code", String(32)),
    Column("problem_zh", Text),
    Column("problem_en", Text),
    Column("bureau_written", Text),
    Column("claimed_period", String(8), comment="what the header says"),
    Column("named_period", String(8), comment="what the file name says"),
    Column("form", String(80)),
    Column("seen_for", String(8), nullable=False, comment="the period of the run that first read it"),
)

receipt = Table(
    "receipt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("sender", Text, comment="who sent it, where the source knows"),
    Column("archive", String(64), comment="the digest of the archive that it came in"),
    Column("replaced", Boolean, nullable=False, comment="something else came under its name since"),
    Column("gone", Boolean, nullable=False, comment="it lies at its source no longer; noted of what could not be used"),
    # One content a name at a time: what keeps two runs from noting one arrival twice.
    Index(
        "uq_receipt_current",
        "source",
        "name",
        unique=True,
        sqlite_where=text("replaced = 0"),
        postgresql_where=text("NOT replaced"),
    ),
)

rule_set = Table(
    "rule_set",
    metadata,
    Column("version", String(64), primary_key=True, comment="SHA-256 of the content"),
    Column("family", String(64), nullable=False),
    Column("content", JSON, nullable=False, comment="form and settings, from which the rules can be made again"),
    Column("first_used_at", Moment, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("family", String(64), nullable=False),
    Column("form_id", ForeignKey("dim_form.id"), nullable=False),
    Column("period_id", ForeignKey("dim_period.id"), nullable=False),
    Column("claimed_period", String(8), nullable=False, comment="what the return says; '' where it says nothing"),
    Column("bureau_code", String(64), comment="null where the return names no known bureau"),
    Column("bureau_written", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column(
        "arrival", Integer, nullable=False, comment="the receipt that first brought it: what orders equal revisions"
    ),
    Column("nil", Boolean, nullable=False),
    Column("header", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("whole_return_held", Boolean, nullable=False),
    Column("fault", Text, comment="the program fault that ended its judging"),
    Column("not_assessable", JSON, nullable=False),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("rule_set", ForeignKey("rule_set.version"), comment="by which it was judged last"),
    Index("ix_submission_period", "family", "period_id", "bureau_code"),
    Index("ix_submission_bureau", "family", "bureau_code"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("digest", String(64), primary_key=True, comment="of the sealed scan, or of a copy in another format"),
    Column("submission_id", ForeignKey("submission.id"), nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("run_id", ForeignKey("run.id"), nullable=False),
)

submission_block = Table(
    "submission_block",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("block", String(64), primary_key=True),
    Column("accepted", Boolean, nullable=False),
    Column("stale", Boolean, nullable=False, comment="accepted before a rule could be judged that it now fails"),
)

current_block = Table(
    "current_block",
    metadata,
    Column("family", String(64), primary_key=True),
    Column("period_id", ForeignKey("dim_period.id"), primary_key=True),
    Column("bureau_code", String(64), primary_key=True),
    Column(
        "block", String(64), primary_key=True, comment="one submission a block: what keeps a figure from counting twice"
    ),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("stale", Boolean, nullable=False),
)

# No foreign keys here: on PostgreSQL they cost more than half of a load, and facts are only ever written together with
# their submission, for cells that were just looked up.
fact_observation = Table(
    "fact_observation",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("cell_id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, comment="the figure times ten to the cell's scale; null where there is none"),
    Column("meaning", SmallInteger, nullable=False),
    Column("decimals", SmallInteger, comment="as printed"),
    Column("trouble", SmallInteger, nullable=False),
    Column("text", Text, nullable=False, comment="as displayed"),
    Column("locator", Text, nullable=False),
    sqlite_with_rowid=False,
)

unread = Table(
    "unread",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", ForeignKey("submission.id"), nullable=False, index=True),
    Column("locator", Text, nullable=False),
    Column("text", Text, nullable=False),
)

failure = Table(
    "failure",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("failure_id", String(32), primary_key=True),
    Column("position", Integer, nullable=False, comment="the order in which a submission's failures are told"),
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
    Column("case_id", String(32), comment="the first failure of those that have one cause"),
    Column("waiver", ForeignKey("decision.id"), comment="the decision by which it holds nothing"),
    Index("ix_failure_failure_id", "failure_id"),
)

decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("action", String(16), nullable=False, comment="waive, or withdraw: of an earlier decision"),
    Column("withdraws", ForeignKey("decision.id")),
    Column("family", String(64), nullable=False),
    Column("bureau_code", String(64), nullable=False),
    Column("rule", String(255), nullable=False),
    Column("column_code", String(64)),
    Column("indicators", JSON, nullable=False),
    Column("seen", JSON, nullable=False, comment="the figures that it was given for; it lapses when they change"),
    Column("first_period", String(8), nullable=False),
    Column("last_period", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Index("ix_decision_bureau", "family", "bureau_code"),
)

# What is to be judged again (by bureau), or frozen anew (bureau ''), because something that it depends on has changed.
pending = Table(
    "pending",
    metadata,
    Column("family", String(64), primary_key=True),
    Column("period_id", ForeignKey("dim_period.id"), primary_key=True),
    Column("bureau_code", String(64), primary_key=True),
)

# What all bureaus together did in a period, so that one of them can be judged again without the others.
period_norm = Table(
    "period_norm",
    metadata,
    Column("family", String(64), primary_key=True),
    Column("period_id", ForeignKey("dim_period.id"), primary_key=True),
    Column("rule_set", ForeignKey("rule_set.version"), nullable=False),
    Column("norms", JSON, nullable=False, comment="one list a norm, in the order of the watched figures"),
)

# -- what was done ------------------------------------------------------------------------------------------------------

# Only ever appended to: triggers refuse everything else (migration 0004).
audit_event = Table(
    "audit_event",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3, … without a gap"),
    Column("at", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="family, period and bureau, as far as it is about one"),
    Column("details", JSON, nullable=False),
    Column("previous", String(64), nullable=False, comment="the hash of the event before"),
    Column("hash", String(64), nullable=False, unique=True, comment="SHA-256 over everything else in the event"),
)

# The course of each return, in the order of its moves. `event` is the audit event that vouches for the row.
state_change = Table(
    "state_change",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False, comment="1, 2, 3, … of this return"),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("event", ForeignKey("audit_event.number"), nullable=False, index=True),
)

# The moves that a return may make; a trigger refuses any other.
state_move = Table(
    "state_move",
    metadata,
    Column("before", String(16), primary_key=True),
    Column("after", String(16), primary_key=True),
)

# The moves that a document may make, while no return is stored of it; a trigger refuses any other.
document_move = Table(
    "document_move",
    metadata,
    Column("before", String(12), primary_key=True),
    Column("after", String(12), primary_key=True),
)

# -- what was made of it ------------------------------------------------------------------------------------------------

consolidation = Table(
    "consolidation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("family", String(64), nullable=False),
    Column("form_id", ForeignKey("dim_form.id"), nullable=False),
    Column("period_id", ForeignKey("dim_period.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("frozen_at", Moment, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("rule_set", ForeignKey("rule_set.version"), comment="the rules in force when it was frozen"),
    Column(
        "account", JSON, nullable=False, comment="counts, coverage, missing, late and each bureau's state, as frozen"
    ),
    UniqueConstraint("family", "period_id", "version"),
)

consolidated_figure = Table(
    "consolidated_figure",
    metadata,
    Column("consolidation_id", ForeignKey("consolidation.id"), primary_key=True),
    Column("indicator", String(128), primary_key=True),
    Column("column_code", String(64), primary_key=True),
    Column("measure", String(8), nullable=False),
    Column("value", BigInteger),
    Column("scale", SmallInteger, nullable=False),
    Column("validated", Boolean, nullable=False),
    Column("position", SmallInteger, nullable=False),
)

consolidation_member = Table(
    "consolidation_member",
    metadata,
    Column("consolidation_id", ForeignKey("consolidation.id"), primary_key=True),
    Column("bureau_code", String(64), primary_key=True),
    Column("block", String(64), primary_key=True),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("accepted", Boolean, nullable=False),
)

baseline = Table(
    "baseline",
    metadata,
    Column("family", String(64), primary_key=True),
    Column("period_id", ForeignKey("dim_period.id"), primary_key=True),
    Column("bureau_code", String(64), primary_key=True, comment="'' for the whole office"),
    Column("indicator", String(128), primary_key=True),
    Column("column_code", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("scale", SmallInteger, nullable=False),
    Column("source", Text, nullable=False, comment="where the figure was taken from; it was never checked here"),
    Column("run_id", ForeignKey("run.id"), nullable=False),
)
