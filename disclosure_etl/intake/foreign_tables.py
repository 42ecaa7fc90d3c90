"""Tables whose labels belong to no form, by the structure that they show: rows and columns called 合计 or 总计, the identity that
table three prints on itself, the five results of table four.

Not here: tables of a form (`interpreter`), drawn lines to rows (`drawn_lines`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from disclosure_etl.intake.drawn_lines import Row
from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.simplified import simplified
from schemas.constraints import Kind
from schemas.structures import Stated, Tie
from schemas.values import Meaning

ROW_TOTAL, COLUMN_TOTAL, BALANCE = "text:row-total", "text:column-total", "text:balance"

_TOTAL = re.compile(r"^(?:\([一二三四五六七八九十]+\))?(?:总计|合计|小计|总数|共计|总和)$")
_ROLES = {
    "received": re.compile(r"新收.{0,10}申请|^一、.*新收"),
    "opening": re.compile(r"上(?:年|期|月|一?年度).{0,2}结转"),
    "answered": re.compile(r"^\(七\)总计$|办理结果总计"),
    "closing": re.compile(r"结转(?:下|至下|到下)"),
}
# The rows of table three have six kinds of applicants and their total, whether or not its heading has come along.
_APPLICANTS = 7
_APPLICANT_ROW = re.compile(
    r"新收|结转|予以公开|部分公开|国家秘密|禁止公开|三安全|第三方|内部事务|过程性|执法案卷|查询事项|不掌握|另行制作|不明确|"
    r"信访|重复申请|出版物|反复申请|重新出具|逾期|\(七\)总计"
)
_RESULTS = 5  # 维持, 纠正, 其他, 未结, 总计, for each of one to three proceedings
_RESULT_WORD = re.compile(r"结果维持|结果纠正|尚未审结|行政复议|行政诉讼|起诉")
_NUMBERING = re.compile(r"^[一二三四五六七八九十]+、|\s+")


@dataclass
class TableReading:
    """Figures and ties of the foreign tables of one document; `roles` are the totals of the account's rows."""

    figures: list[Stated] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    roles: dict[str, list[int]] = field(default_factory=dict)
    first: int = 0  # the position that the first figure will have


@dataclass(frozen=True, slots=True)
class _Line:
    """A row as read: its label, and the position of the figure in each of its columns (None for words)."""

    label: str
    at: tuple[int | None, ...]


def read_table(rows: Sequence[Row], reading: TableReading, around: str = "") -> None:
    """Add one table. `around` is what stands before it, for a table without its own headings."""
    lines: list[_Line] = []
    headings: list[list[str]] = []
    for row in rows:
        found = _line(row, reading, headings)
        if found is None:
            headings.append([_plain(text) for text in row.texts])
        else:
            lines.append(found)
    if not lines:
        return
    for line in lines:
        _row_total(line, headings, reading, around)
    _column_totals(lines, reading)
    _account(lines, reading)


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", simplified(text))


def _line(row: Row, reading: TableReading, headings: Sequence[Sequence[str]]) -> _Line | None:
    """A row with figures; None for one of words alone. A cell of words between figures names what follows it."""
    read = [figure(text or None) for text in row.texts]
    numbers = sum(one.number is not None for one in read)
    silent = sum(one.meaning in (Meaning.BLANK, Meaning.NOT_APPLICABLE) or "空" in one.text for one in read[1:])
    if not numbers and silent < 2:
        return None
    label = "" if read[0].number is not None else row.texts[0]
    places: list[int | None] = []
    named = label
    for column, (one, cell) in enumerate(zip(read, row.cells, strict=True)):
        is_label = one.number is None and one.meaning is Meaning.TEXT and "空" not in one.text
        if is_label or (column == 0 and label):
            named = one.text or named
            places.append(None)
            continue
        heading = next((line[column] for line in reversed(headings) if column < len(line) and line[column]), "")
        places.append(reading.first + len(reading.figures))
        number = None if one.number is None else Decimal(one.number)
        reading.figures.append(
            Stated(
                f"{named}·{heading}" if heading and heading != named else named or heading or "—", one.text, number,
                one.decimals or 0, "", "share" if one.percent else "count", cell, one.meaning,
            )
        )  # fmt: skip
    return _Line(_plain(label), tuple(places))


def _row_total(line: _Line, headings: Sequence[Sequence[str]], reading: TableReading, around: str) -> None:
    """Whether the last of a row's figures, or each that stands under 合计, is the total of those before it."""
    titles = headings[-1] if headings else []
    totals = [column for column, title in enumerate(titles) if _TOTAL.match(title) and column < len(line.at)]
    numbered = [column for column, at in enumerate(line.at) if at is not None]
    if totals:
        start = 0
        for column in totals:
            parts = [at for at in line.at[start:column] if at is not None]
            _add(reading, parts, line.at[column], ROW_TOTAL)
            start = column + 1
        return
    figures = [at for at in line.at if at is not None]
    if _APPLICANT_ROW.search(line.label) and len(numbered) == _APPLICANTS:
        _add(reading, figures[:-1], figures[-1], ROW_TOTAL)
    elif len(figures) in (_RESULTS, 2 * _RESULTS, 3 * _RESULTS) and _RESULT_WORD.search(
        _plain(around) + line.label + "".join("".join(one) for one in headings)
    ):
        for start in range(0, len(figures), _RESULTS):
            five = figures[start : start + _RESULTS]
            _add(reading, five[:-1], five[-1], ROW_TOTAL)


def _column_totals(lines: Sequence[_Line], reading: TableReading) -> None:
    """A row called 合计 is the total of the rows above it, up to the one before; subtotals are not added twice."""
    parts: list[_Line] = []
    subtotals: list[_Line] = []
    for line in lines:
        if not _TOTAL.match(_NUMBERING.sub("", line.label)):
            parts.append(line)
            continue
        if line.label.startswith("(七)"):  # table three: rows of two levels, and its own identity
            parts = []
            continue
        above = parts if parts or not subtotals else subtotals
        if line.label.endswith(("总计", "合计")) and subtotals and "小计" in subtotals[-1].label:
            above = [*subtotals, *parts]
        for column, at in enumerate(line.at):
            column_parts = [one.at[column] for one in above if column < len(one.at)]
            if all(len(one.at) == len(line.at) for one in above):
                _add(reading, [one for one in column_parts if one is not None], at, COLUMN_TOTAL)
        subtotals.append(line)
        parts = []


def _account(lines: Sequence[_Line], reading: TableReading) -> None:
    """一 + 二 = 三(七) + 四, in every column."""
    roles: dict[str, _Line] = {}
    for line in lines:
        for role, words in _ROLES.items():
            if words.search(line.label) and role not in roles:
                roles[role] = line
                figures = [at for at in line.at if at is not None]
                if figures:
                    reading.roles.setdefault(role, []).append(figures[-1])
                break
    if len(roles) < len(_ROLES):
        return
    ordered = [(1, roles["received"]), (1, roles["opening"]), (-1, roles["answered"]), (-1, roles["closing"])]
    if len({len(line.at) for _, line in ordered}) > 1:
        return
    for column in range(len(ordered[0][1].at)):
        terms = [(sign, line.at[column]) for sign, line in ordered]
        if all(at is not None for _, at in terms):
            reading.ties.append(Tie(BALANCE, Kind.BALANCE, tuple((sign, at) for sign, at in terms if at is not None)))


def _add(reading: TableReading, parts: Sequence[int], total: int | None, rule: str) -> None:
    if total is None or len(parts) < 2:
        return
    kind = Kind.ROW_TOTAL if rule == ROW_TOTAL else Kind.BREAKDOWN
    reading.ties.append(Tie(rule, kind, (*((1, part) for part in parts), (-1, total))))
