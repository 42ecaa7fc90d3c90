"""From a source into the raw store: what has arrived, kept under its digest before anybody looks inside.

Not here: where files come from (`sources`), or what they are (`reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from disclosure_etl.intake.identity import period_in_name
from disclosure_etl.intake.raw_store import RawStore, digest_of
from disclosure_etl.intake.sources import Delivery, StillGrowing, reason
from schemas.records import DocumentRecord, Receipt


@dataclass(frozen=True, slots=True)
class Pulled:
    """One file: its receipt; and where its bytes could not be had, or may not be read, the record that says so."""

    receipt: Receipt
    unreachable: DocumentRecord | None = None


def pull(deliveries: Sequence[Delivery], store: RawStore) -> list[Pulled]:
    """Keep the bytes of each delivery, in order. A file that cannot be had costs the others nothing; one that is being
    written is left out, until the next round.

    Raises:
        OSError: the raw store cannot be written.
    """
    pulled = []
    for delivery in deliveries:
        try:
            data = delivery.read()
        except StillGrowing:
            continue
        except OSError as error:
            pulled.append(_unreachable(delivery, error))
        else:
            receipt = Receipt(delivery.name, delivery.source, store.put(data), len(data), delivery.arrived_at)
            pulled.append(Pulled(receipt, _refused(delivery, receipt, data)))
    return pulled


def _refused(delivery: Delivery, receipt: Receipt, data: bytes) -> DocumentRecord | None:
    """Bytes that are kept, and wait for somebody to say that they may be read."""
    refusal = delivery.refuse(data) if delivery.refuse else None
    if refusal is None:
        return None
    named = period_in_name(delivery.name)
    message = refusal.message
    return DocumentRecord.unreadable(
        receipt.digest, named.code if named else None, refusal.code, message.zh, message.en
    )


def _unreachable(delivery: Delivery, error: OSError) -> Pulled:
    """A file that was listed and cannot be read, or is gone: told of under its name, since it has no bytes to be known by.
    Once it can be read, it arrives as what it is."""
    why = reason(error)
    named = period_in_name(delivery.name)
    where = "" if delivery.source == "inbox" else f"{delivery.source} "
    digest = digest_of(f"unreachable {where}{delivery.name}".encode())
    record = DocumentRecord.unreadable(
        digest,
        named.code if named else None,
        "unreachable",
        f"文件{why.zh}(读取时)。请检查文件是否被移走、占用或设了权限,然后重新运行。",
        f"The file {why.en} (when it was to be read). See whether it was moved, is in use or is protected, and run again.",
    )
    return Pulled(Receipt(delivery.name, delivery.source, digest, 0, delivery.arrived_at), record)
