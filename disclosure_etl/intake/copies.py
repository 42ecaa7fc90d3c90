"""One return in several files: the workbook, and the print of it that somebody signed. One of them is the return, the others
are copies of it, to be kept with it.

Not here: scans, in which nothing can be read (`scans`); or returns that differ (`quality.returns`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from schemas.forms import Form
from schemas.records import Submission

# What tells most exactly what was meant, first.
_FORMATS = ("xlsx", "xls", "ods", "json", "csv", "docx", "html", "text", "pdf")
_SIGNED = ("preparer", "checker", "signer")


def copies_of(
    form: Form, stored: Sequence[Submission], new: Sequence[Submission], formats: Mapping[str, str | None]
) -> dict[str, str]:
    """By the digest of a new file that is a copy, the digest of its return: same bureau, period, revision and figures, signed by
    the same people as far as both say so, and of another format.

    Args:
        stored: the period's returns that count or wait; formats: by digest.
    """
    by_bureau: dict[tuple, list[Submission]] = defaultdict(list)
    for one in (*stored, *sorted(new, key=lambda one: _rank(formats.get(one.digest)))):
        if one.bureau is not None and one.form == form.key:
            by_bureau[one.bureau, one.period, one.revision, one.nil].append(one)
    fresh = {one.digest for one in new}
    found: dict[str, str] = {}
    for group in by_bureau.values():
        for at, one in enumerate(group):
            if at and one.digest in fresh:
                earlier = (before for before in group[:at] if before.digest not in found)
                first = next((before for before in earlier if _is_copy(form, one, before, formats)), None)
                if first is not None:
                    found[one.digest] = first.digest
    return found


def _is_copy(form: Form, one: Submission, other: Submission, formats: Mapping[str, str | None]) -> bool:
    return (
        formats.get(one.digest) != formats.get(other.digest)
        and all(
            (one.numbers[at], one.meanings[at]) == (other.numbers[at], other.meanings[at])
            for at in (cell.position for cell in form.cells if cell.measure != "share")
        )
        and _signed_alike(one, other)
    )


def _rank(kind: str | None) -> int:
    return _FORMATS.index(kind) if kind in _FORMATS else len(_FORMATS)


def _signed_alike(one: Submission, other: Submission) -> bool:
    pairs = ((one.header.get(name, "").strip(), other.header.get(name, "").strip()) for name in _SIGNED)
    return all(mine == theirs or not mine or not theirs for mine, theirs in pairs)
