"""To which return a sealed scan (盖章扫描件) belongs: by the bureau and period that its name tells, else by what lies beside it.

No figure is read from a scan. Not here: telling that a file is one (`readers`), or noting what it is attached to (`warehouse`).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.identity import bureau_in_name, period_in_name
from schemas.periods import Period
from schemas.records import Receipt, Submission

_SHORTEST = 4  # signs of a return's name with which its scan's begins


def returns_of_scans(
    scans: Iterable[Receipt],
    sent: Sequence[Submission],
    read: Iterable[Receipt],
    bureaus: Bureaus,
    period: Period,
) -> dict[str, str]:
    """By the digest of a scan, the digest of its return; nothing of those of which it cannot be told.

    Args:
        scans: what arrived of them; sent: the period's returns, of one bureau from old to new; read: the receipts of all files
            that were read, of whatever period: a scan beside returns of several periods or bureaus is nobody's.
    """
    own = {one.digest: one for one in sent if one.bureau is not None}
    newest = {one.bureau: one for one in own.values()}
    beside: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in read:
        beside[receipt.source, _folder(receipt.name)].append(receipt)
    found = {}
    for scan in scans:
        near = _near(scan, beside[scan.source, _folder(scan.name)])
        named = bureau_in_name(scan.name, bureaus, period) if period_in_name(scan.name) == period else None
        codes = {named.code} if named else {own[digest].bureau if digest in own else None for digest in near}
        if len(codes) == 1 and (last := newest.get(codes.pop())) is not None:
            together = [digest for digest in near if digest in own and own[digest].bureau == last.bureau]
            found[scan.digest] = together[0] if len(together) == 1 else last.digest
    return found


def _near(scan: Receipt, beside: Sequence[Receipt]) -> list[str]:
    """The digests of the returns with whose name the scan's begins, else of all in its folder; at the top of a source, where
    everybody's lie, of none."""
    stem = _stem(scan.name)
    alike = [one for one in beside if len(_stem(one.name)) >= _SHORTEST and stem.startswith(_stem(one.name))]
    return [one.digest for one in alike or (beside if _folder(scan.name) else ())]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _stem(name: str) -> str:
    return os.path.splitext(name.rpartition("/")[2])[0]
