"""The figures of running text, with the marks between them: number + unit + label + span; shares; what did not happen (zero).

Years, dates, document numbers, ordinals, round numbers and growth are no figures of a structure. Not here: which figure is
part of which (`prose_lists`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial

from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.simplified import simplified

_DIGITS = r"(?<![\d.,A-Za-z第〔-])\d{1,3}(?:,\d{3})+(?![\d,]*\d)(?:\.\d+)?|(?<![\d.A-Za-z第-])\d{1,15}(?:\.\d{1,8})?"
_HAN = r"(?<![第零〇一二两三四五六七八九十百千几数近上])[零〇一二两三四五六七八九十百千]{1,9}"
_UNIT = r"件次|人次|条次|万元|亿元|条|件|人|次|个|篇|元|项|份|起|宗|户|家|例"
_HAN_UNIT = r"人次|条|件|宗|起|篇|份"  # 一个, 一次, 一家 are articles more often than counts
# Words behind 个, 次, 人 that make a measure of time, an occasion or a title of it and no count.
_NOT_COUNTED = r"(?!方面|工作日|月|季度|百分点|小时|星期|阶段|层面|环节|会议|全会|民币|代会)"
_ZERO = (
    r"(?:未|没有|尚未)(?:收到|接到|接获|接收到?|受理|发生|出现|产生)(?P<nothing>[^,。;:\n]{0,40}"
    r"(?:申请|复议|诉讼|举报|咨询|案件|事件|投诉))"
)
_EVENT = re.compile(
    rf"(?P<share>(?P<percent>{_DIGITS})\s?%)"
    rf"|(?P<figure>(?P<number>{_DIGITS})\s?(?P<scale>[万亿]?)(?P<unit>{_UNIT}){_NOT_COUNTED})"
    rf"|(?P<bare>(?<![\d.A-Za-z第-])\d{{1,15}}(?=,占|\s?[(,]占|(?:[、和及与]\s?\d{{1,15}}){{1,12}}\s?(?:{_UNIT})))"
    rf"|(?P<han>(?P<hannumber>{_HAN})(?P<hanunit>{_HAN_UNIT}){_NOT_COUNTED})"
    rf"|(?P<zero>{_ZERO})"
    r"|(?P<mark>[,、;。:!?()\n])"
)
_CHANGE = re.compile(r"(?:增加|减少|增长|上升|下降|提高|增|减|净增|多出?|少)了?(?:约|近)?$")
_THAN = re.compile(r"同比|环比|相比|比上|较上|较去|比去|同期")
_ROUND = re.compile(r"(?:约|近|超过|超|逾|至少|不少于|大约|共计约|突破|达到近|平均)$")
_GROWTH = re.compile(r"同比|环比|增长|增加|上升|下降|提高|减少|增幅|降幅|升幅")
_AROUND = " 的为是有共数计达约:"
_LEADS = re.compile(
    r"^(?:其中|包括了?|含有?|包含|涵盖|以及|并且|并|和|及|与|另有|此外|另外|还有|还|同时|分别[为是]|分为|主要|年内|[,、:(\s])+"
)
_LONGEST_LABEL = 60


class Mark(Enum):
    """What stands between figures, by what it closes."""

    SENTENCE = "。"
    SEMICOLON = ";"
    COMMA = ","
    PAUSE = "、"
    COLON = ":"
    OPEN = "("
    CLOSE = ")"


_MARKS = {
    ",": Mark.COMMA, "、": Mark.PAUSE, ";": Mark.SEMICOLON, "。": Mark.SENTENCE, "!": Mark.SENTENCE, "?": Mark.SENTENCE,
    "\n": Mark.SENTENCE, ":": Mark.COLON, "(": Mark.OPEN, ")": Mark.CLOSE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A figure of the text. `start`–`end` is the span of number and unit; `before` and `after` are the simplified words
    around it, up to the next mark, `clause` those before it up to a mark that ends a clause (「、」 does not); `is_change` one of growth (增加3件), `is_round` one that was not counted out (约3000件)."""

    label: str
    text: str
    number: Decimal
    decimals: int
    unit: str
    start: int
    end: int
    before: str
    after: str
    clause: str
    is_share: bool = False
    is_change: bool = False
    is_round: bool = False
    is_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """A mark, and the simplified words since the last mark or figure."""

    mark: Mark
    words: str


Piece = Said | Between


def pieces_of(text: str) -> Iterator[Piece]:
    """Figures and marks of a text, in order. Linear in its length."""
    plain = simplified(text)
    found = list(_EVENT.finditer(plain))
    since, clause_start = 0, 0
    for at, event in enumerate(found):
        words = plain[max(since, event.start() - _LONGEST_LABEL) : event.start()]
        if (sign := event["mark"]) is not None:
            yield Between(_MARKS[sign], words)
            since = event.end()
            clause_start = clause_start if sign == "、" else since
            continue
        following = found[at + 1].start() if at + 1 < len(found) else len(plain)
        after = plain[event.end() : min(following, event.end() + 30)]
        clause = plain[max(clause_start, event.start() - 2 * _LONGEST_LABEL) : event.start()]
        said = _said(text, event, _Around(words, after, clause, since))
        if said is not None:
            yield said
            since = clause_start = event.end()
    yield Between(Mark.SENTENCE, "")


@dataclass(frozen=True, slots=True)
class _Around:
    """The simplified words around a figure, and where they begin."""

    before: str
    after: str
    clause: str
    since: int


def _said(text: str, event: re.Match[str], around: _Around) -> Said | None:
    before, after = around.before, around.after
    start, end = event.span()
    label = _label(text, before, max(around.since, start - _LONGEST_LABEL)) or after.strip(_AROUND)[:20]
    here = partial(Said, text=text[start:end], start=start, end=end, before=before, after=after, clause=around.clause)
    if event["zero"]:
        label = text[event.start("nothing") : end]
        return here(label=label, number=Decimal(0), decimals=0, unit="件", is_nothing=True)
    if event["share"]:
        number, decimals = Decimal(event["percent"].replace(",", "")), _decimals(event["percent"])
        growth = bool(_GROWTH.search(before))
        return here(label=label, number=number, decimals=decimals, unit="%", is_share=True, is_change=growth)
    if event["han"]:
        read = figure(event["han"])
        if read.number is None or (event["hannumber"] == "一" and after):  # 形成一条兼顾…的渠道: an article
            return None
        number, unit, scale, decimals = Decimal(read.number), event["hanunit"], "", 0
    else:
        digits = (event["number"] or event["bare"]).replace(",", "")
        number, unit, scale, decimals = Decimal(digits), event["unit"] or "", event["scale"] or "", _decimals(digits)
    if scale:
        number, decimals = number.scaleb(4 if scale == "万" else 8), 0
    change = bool(_CHANGE.search(before)) and (
        bool(_THAN.search(before)) or not before.endswith(("多", "少", "增", "减"))
    )
    is_round = bool(scale) or bool(_ROUND.search(before)) or after.startswith(("以上", "左右", "以下", "以内"))
    return here(label=label, number=number, decimals=decimals, unit=unit, is_change=change, is_round=is_round)


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2])


def _label(text: str, before: str, start: int) -> str:
    """The label as written, without what only leads up to it or on to the number."""
    lead = _LEADS.match(before)
    first = lead.end() if lead else 0
    last = len(before.rstrip(_AROUND))
    return text[start + first : start + max(last, first)].strip()
