"""A bureau's word that its figures follow a correction, with the return that was made of it: stored in one transaction.

Not here: what follows (`quality.following`), or making the return (`disclosure_etl.deltas`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from disclosure_etl.warehouse import audit, loading
from disclosure_etl.warehouse.arrivals import record_documents, record_receipts
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import insert_new, storable
from disclosure_etl.warehouse.decision_tables import confirmation
from disclosure_etl.warehouse.dimensions import period_id
from disclosure_etl.warehouse.pending import Dependents, note_freezing, note_siblings
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import DocumentRecord, Judged, Receipt


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What was confirmed: the digest of the return that it is based on, the cells with what was reported and confirmed
    (`indicator`, `column`, `reported`, `confirmed`, `scale`), why, and by whom."""

    basis: str
    deltas: Sequence[Mapping[str, object]]
    reason: str
    by: str


def confirm(
    connection: Connection,
    act: Act,
    form: Form,
    period: Period,
    judged: Judged,
    receipt: Receipt,
    document: DocumentRecord,
    told: Confirmed,
    rules: str,
    dependents: Dependents,
) -> set[str]:
    """Store the return, and by whose word it is there; the bureaus whose accepted figures changed."""
    sent = judged.submission
    record_receipts(connection, act.run or "", [receipt])
    record_documents(connection, period.code, [document])
    row = {
        "family": form.family, "period_id": period_id(connection, period), "bureau_code": sent.bureau,
        "digest": sent.digest, "basis": told.basis, "deltas": [dict(one) for one in told.deltas],
        "reason": storable(told.reason), "decided_by": storable(told.by), "decided_at": act.at,
    }  # fmt: skip
    insert_new(connection, confirmation, [row], ["digest"])
    details = {"digest": sent.digest, "basis": told.basis, "deltas": row["deltas"], "reason": told.reason}
    audit.append(connection, act, "confirm", f"{form.family} {period} {sent.bureau}", details)
    changed = loading.load(connection, act, form, period, [judged], {sent.digest: receipt}, rules, dependents)
    note_siblings(connection, (form.family, period), dependents, changed)
    note_freezing(connection, [(form.family, period), *dependents.frozen])
    return changed
