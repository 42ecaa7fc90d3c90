"""From a source into the raw store: what has arrived, kept under its digest before anybody looks inside; archives as they
came, and each file in them.

Not here: where files come from (`sources`), how an archive is opened (`archives`), or what a file is (`reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from disclosure_etl.intake.archives import is_archive, members
from disclosure_etl.intake.identity import period_in_name
from disclosure_etl.intake.raw_store import RawStore, digest_of
from disclosure_etl.intake.sources import Delivery, StillGrowing, reason
from disclosure_etl.intake.sources.names import DistinctNames
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from schemas.records import DocumentRecord, Receipt


@dataclass(frozen=True, slots=True)
class Pulled:
    """One file: its receipt; and where there is nothing to read in it, the record that says why: its bytes could not be had,
    they may not be read, or they were an archive."""

    receipt: Receipt
    settled: DocumentRecord | None = None


def pull(deliveries: Sequence[Delivery], store: RawStore, limits: ReadLimits) -> list[Pulled]:
    """Keep the bytes of each delivery, in order; after an archive come the files in it. A file that cannot be had costs
    the others nothing; one that is being written is left out, until the next round.

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
            pulled += _kept(delivery, data, store, limits)
    return pulled


def _kept(delivery: Delivery, data: bytes, store: RawStore, limits: ReadLimits) -> list[Pulled]:
    receipt = Receipt(delivery.name, delivery.source, store.put(data), len(data), delivery.arrived_at, delivery.sender)
    refused = _refused(delivery, receipt, data)
    if refused is not None or not is_archive(data):
        return [Pulled(receipt, refused)]
    try:
        inside = _opened(receipt, data, store, limits)
    except Unreadable as problem:
        return [Pulled(receipt, unreadable(receipt, problem))]
    return [Pulled(receipt, DocumentRecord.archive(receipt.digest, _named(receipt))), *inside]


def _opened(archive: Receipt, data: bytes, store: RawStore, limits: ReadLimits) -> list[Pulled]:
    """The files of an archive, each as if it had come by itself."""
    names, pulled = DistinctNames(), []
    for one in members(data, limits):
        name = names.give(f"{archive.name}/{one.name}")
        if one.problem is not None and not one.data:  # told of under its name, since it has no bytes to be known by
            digest = digest_of(f"unpackable {archive.digest} {one.name}".encode())
        else:
            digest = store.put(one.data)
        receipt = replace(archive, name=name, digest=digest, size=len(one.data), archive=archive.digest)
        pulled.append(Pulled(receipt, unreadable(receipt, one.problem) if one.problem else None))
    return pulled


def unreadable(receipt: Receipt, problem: Unreadable) -> DocumentRecord:
    """What is known of a file that was refused."""
    return DocumentRecord.unreadable(receipt.digest, _named(receipt), problem.code, problem.zh, problem.en)


def _named(receipt: Receipt) -> str | None:
    named = period_in_name(receipt.name)
    return named.code if named else None


def _refused(delivery: Delivery, receipt: Receipt, data: bytes) -> DocumentRecord | None:
    """Bytes that are kept, and wait for somebody to say that they may be read."""
    refusal = delivery.refuse(data) if delivery.refuse else None
    if refusal is None:
        return None
    return unreadable(receipt, Unreadable(refusal.code, refusal.message.zh, refusal.message.en))


def _unreachable(delivery: Delivery, error: OSError) -> Pulled:
    """A file that was listed and cannot be read, or is gone: told of under its name, since it has no bytes to be known by.
    Once it can be read, it arrives as what it is."""
    why = reason(error)
    where = "" if delivery.source == "inbox" else f"{delivery.source} "
    digest = digest_of(f"unreachable {where}{delivery.name}".encode())
    receipt = Receipt(delivery.name, delivery.source, digest, 0, delivery.arrived_at, delivery.sender)
    problem = Unreadable(
        "unreachable",
        f"文件{why.zh}(读取时)。请检查文件是否被移走、占用或设了权限,然后重新运行。",
        f"The file {why.en} (when it was to be read). See whether it was moved, is in use or is protected, and run again.",
    )
    return Pulled(receipt, unreadable(receipt, problem))
