"""Whose return it is, for when, in which revision: from the document's header, else from the file name.

Where header and file name disagree, nobody guesses: the header stands and the disagreement is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from disclosure_etl.bureaus import Bureau, Bureaus
from schemas.errors import Message
from schemas.periods import Frequency, Period
from schemas.records import Finding

# A day is never a period: it is when somebody sent the file.
_NAME_PERIODS = (
    re.compile(r"(?<!\d)(?:19|20)\d\d-\d\d(?!-?\d)"),
    re.compile(r"(?<!\d)(?:19|20)\d\d[QH]\d(?!\d)"),
    re.compile(r"(?<!\d)(?:19|20)\d\d年\d{1,2}月(?!\d{1,2}[日号])"),
    re.compile(r"(?<!\d)(?:19|20)\d\d年第?[1-4一二三四]季度?"),
    re.compile(r"(?<!\d)(?:19|20)\d\d年?[上下]半年"),
    re.compile(r"(?<!\d)(?:19|20)\d\d年度"),
    re.compile(r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?!\d)"),
)
# What is found of a return that was sent here by mistake: no bureau of this office sent it, or one that owes none.
UNKNOWN_BUREAU, NOT_OWED = "identity:unknown_bureau", "identity:not_owed"
MISDIRECTED = frozenset({UNKNOWN_BUREAU, NOT_OWED})
UNCONFIRMED_SENDER = "unconfirmed_sender"  # a mail that no allowed domain has signed
NOT_THROUGH_HERE = "not_through_here"  # it came through a source that is bound to other bureaus
_TICKS = ("√", "✓", "✔", "☑", "■", "是", "v", "V", "Y", "y", "1")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a return says of itself. None where it says nothing that is understood."""

    bureau: Bureau | None
    bureau_written: str
    period: Period | None
    named_period: Period | None
    revision: int
    nil: bool
    findings: tuple[Finding, ...]


def period_in_name(name: str) -> Period | None:
    """The period that a file name tells: `东城_2014-05.xlsx`, `2014年5月…`."""
    for pattern in _NAME_PERIODS:
        if (found := pattern.search(name)) and (period := Period.read(found[0])):
            return period
    return None


def bureau_in_name(name: str, bureaus: Bureaus, period: Period | None) -> Bureau | None:
    """The one bureau whose code or name stands in a file name; None where there are several or none."""
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    day = period.end if period else None
    parts = [stem, *re.split(r"[\s_\-—()()\[\]【】]+", stem)]
    found = {bureau.code: bureau for part in parts if part and (bureau := bureaus.find(part, day)) is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def identify(
    name: str,
    header: Mapping[str, str],
    cells: Mapping[str, str],
    frequency: Frequency,
    bureaus: Bureaus | None,
) -> Identity:
    """Put header and file name together.

    Args:
        name: the file's name as received.
        header: header field → text as displayed; cells: header field → locator of that text.
        frequency: of the form; a period of another one is nobody's return on this form.
        bureaus: the office's tree; None where nobody is to be recognised (checking without an office).
    """
    findings: list[Finding] = []
    named_period = period_in_name(name)
    if named_period is not None and named_period.frequency is not frequency:
        named_period = None  # `2014年度/东城.xlsx` tells the folder's year, not the return's month
    period = _period(header, cells, frequency, named_period, findings)
    bureau, written = _bureau(name, header, cells, bureaus, period, findings)
    revision = _revision(header, cells, findings)
    nil = header.get("nil", "").strip().strip("□") in _TICKS
    return Identity(bureau, written, period, named_period, revision, nil, tuple(findings))


def _period(
    header: Mapping[str, str],
    cells: Mapping[str, str],
    frequency: Frequency,
    named: Period | None,
    findings: list[Finding],
) -> Period | None:
    written = header.get("period", "").strip()
    if not written:
        if named is None:
            findings.append(_NO_PERIOD)
        return named
    period = Period.read(written)
    where = (cells["period"],)
    if period is not None and period.frequency is not frequency:
        findings.append(
            Finding(
                "identity:period",
                Message(
                    f"表头统计时期「{written}」({where[0]})不是{frequency.name_zh}时期;本表按{frequency.name_zh}报送。请更正后重报。",
                    f"The header's period '{written}' ({where[0]}) is not a {frequency.name_en}; this form is sent by the "
                    f"{frequency.name_en}. Correct it and send again.",
                ),
                where,
                (written,),
                named.code if named else None,
            )
        )
        return named
    if period is None:
        findings.append(
            Finding(
                "identity:period",
                Message(
                    f"表头统计时期「{written}」({where[0]})无法识别;请写成 2014-05 或 2014年5月。",
                    f"The header's period '{written}' ({where[0]}) is not understood; write 2014-05.",
                ),
                where,
                (written,),
                named.code if named else None,
            )
        )
        return named
    if named is not None and named != period:
        findings.append(
            Finding(
                "identity:period",
                Message(
                    f"表头统计时期为 {period}({where[0]}),文件名却是 {named}。不作猜测,整份暂存;请更正其一后重报。",
                    f"The header says {period} ({where[0]}), the file name {named}. Nothing is guessed: the return is "
                    "held; correct one of them and send it again.",
                ),
                where,
                (period.code,),
                named.code,
            )
        )
    return period


_NO_PERIOD = Finding(
    "identity:period",
    Message(
        "表头没有统计时期,文件名中也认不出。不作猜测,整份暂存;请填写表头后重报。",
        "Neither the header nor the file name tells the period. Nothing is guessed: the return is held; fill in the "
        "header and send it again.",
    ),
)


def _bureau(
    name: str,
    header: Mapping[str, str],
    cells: Mapping[str, str],
    bureaus: Bureaus | None,
    period: Period | None,
    findings: list[Finding],
) -> tuple[Bureau | None, str]:
    written_name, written_code = header.get("bureau", "").strip(), header.get("bureau_code", "").strip()
    written = written_code or written_name
    if bureaus is None:
        return None, written
    day = period.end if period else None
    by_name = bureaus.find(written_name, day) if written_name else None
    by_code = bureaus.find(written_code, day) if written_code else None
    named = bureau_in_name(name, bureaus, period)
    where = tuple(cells[key] for key in ("bureau", "bureau_code") if key in cells)
    place = "、".join(where)

    def disagree(zh: str, en: str, seen: tuple[str, ...], expected: str | None, code: str = "identity:bureau") -> None:
        findings.append(Finding(code, Message(zh, en), where, seen, expected))

    unknown = [text for text, found in ((written_name, by_name), (written_code, by_code)) if text and found is None]
    if unknown:
        shown = "、".join(unknown)
        disagree(
            f"没有名为或代码为「{shown}」的单位({place})。请核对填报单位和单位代码;若为新设单位,请先登记在 bureaus.yaml。",
            f"There is no bureau '{shown}' ({place}). Check name and code; a new bureau is first entered in bureaus.yaml.",
            tuple(unknown),
            None,
            UNKNOWN_BUREAU,
        )
        return None, shown
    if by_name and by_code and by_name.code != by_code.code:
        disagree(
            f"填报单位「{written_name}」与单位代码「{written_code}」不是同一单位({place})。请更正后重报。",
            f"Name '{written_name}' and code '{written_code}' are different bureaus ({place}). Correct and send again.",
            (written_name, written_code),
            None,
        )
        return None, f"{written_name}/{written_code}"
    bureau = by_code or by_name or named
    if bureau is None:
        disagree(
            "表头没有填报单位和单位代码,文件名中也认不出单位。请填写表头后重报。",
            "Neither the header nor the file name tells the bureau. Fill in the header and send again.",
            (),
            None,
        )
    elif named is not None and named.code != bureau.code:
        disagree(
            f"表头是「{bureau.name_zh}」({place}),文件名却是「{named.name_zh}」。不作猜测,整份暂存;请更正其一后重报。",
            f"The header says {bureau.name_en} ({place}), the file name {named.name_en}. Nothing is guessed: the return "
            "is held; correct one of them and send it again.",
            (bureau.code,),
            named.code,
        )
    return bureau, written or (bureau.code if bureau else "")


def _revision(header: Mapping[str, str], cells: Mapping[str, str], findings: list[Finding]) -> int:
    written = header.get("revision", "").strip()
    if not written:
        return 1
    if re.fullmatch("[0-90-9]{1,3}", written) and int(written) > 0:
        return int(written)
    findings.append(
        Finding(
            "identity:revision",
            Message(
                f"修订号「{written}」({cells['revision']})不是 1 到 999 的整数;首次报送填 1,每次更正加 1。",
                f"Revision '{written}' ({cells['revision']}) is not a whole number from 1 to 999; the first return has 1, "
                "each correction one more.",
            ),
            (cells["revision"],),
            (written,),
            "1",
        )
    )
    return 1


def not_through_here(bureau: str, source: str, bound: Collection[str]) -> Message:
    """What is said of a return of `bureau` that came through a source of others."""
    return Message(
        f"来源「{source}」只接收 {'、'.join(sorted(bound))} 的报表,这份却是「{bureau}」的。请由该单位经自己的途径报送;如确应由此报送,"
        "请在 sources.yaml 该来源的 bureaus 中加上它。",
        f"The source '{source}' takes returns of {', '.join(sorted(bound))} only, and this one is of '{bureau}'. The bureau "
        "sends it by its own way; if this is one, add it to bureaus of the source in sources.yaml.",
    )
