"""From a source into the raw store: what has arrived, kept under its digest before anybody looks inside.

Not here: where files come from (`sources`), or what they are (`reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from disclosure_etl.intake.identity import period_in_name
from disclosure_etl.intake.raw_store import RawStore, digest_of
from disclosure_etl.intake.sources import Delivery, reason
from schemas.records import DocumentRecord, Receipt


@dataclass(frozen=True, slots=True)
class Pulled:
    """One file: its receipt; and where its bytes could not be had, the record that says so."""

    receipt: Receipt
    unreachable: DocumentRecord | None = None


def pull(deliveries: Sequence[Delivery], source: str, store: RawStore) -> list[Pulled]:
    """Keep the bytes of each delivery, in order. A file that cannot be had costs the others nothing.

    Raises:
        OSError: the raw store cannot be written.
    """
    pulled = []
    for delivery in deliveries:
        try:
            data = delivery.read()
        except OSError as error:
            pulled.append(_unreachable(delivery, source, error))
        else:
            pulled.append(Pulled(Receipt(delivery.name, source, store.put(data), len(data), delivery.arrived_at)))
    return pulled


def _unreachable(delivery: Delivery, source: str, error: OSError) -> Pulled:
    """A file that was listed and cannot be read, or is gone: told of under its name, since it has no bytes to be known by.
    Once it can be read, it arrives as what it is."""
    why = reason(error)
    named = period_in_name(delivery.name)
    digest = digest_of(f"unreachable {delivery.name}".encode())
    record = DocumentRecord.unreadable(
        digest,
        named.code if named else None,
        "unreachable",
        f"文件{why.zh}(读取时)。请检查文件是否被移走、占用或设了权限,然后重新运行。",
        f"The file {why.en} (when it was to be read). See whether it was moved, is in use or is protected, and run again.",
    )
    return Pulled(Receipt(delivery.name, source, digest, 0, delivery.arrived_at), record)
