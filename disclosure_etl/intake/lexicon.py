"""The words of a form as they stand in documents: labels of indicators, blocks, columns and header fields.

Derived from the form file; not here: where in a grid they stand (`layout`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.forms import Form
from schemas.layoutfile import LayoutFile, LayoutMapping

# Fields of a return's header, by the words that forms print for them.
HEADER_FIELDS: dict[str, tuple[str, ...]] = {
    "bureau": ("填报单位", "填报单位名称", "单位名称", "报送单位", "填表单位", "填报机关"),
    "bureau_code": ("单位代码", "机构代码", "单位编码"),
    "period": ("统计时期", "统计时间", "报告期", "统计期间", "所属时期", "所属期"),
    "revision": ("修订号", "版本号", "修订次数"),
    "preparer": ("填报人", "填表人", "制表人", "经办人"),
    "checker": ("审核人", "复核人"),
    "signer": ("负责人", "单位负责人", "部门负责人", "签发人"),
    "filled_on": ("填报日期", "填表日期", "报出日期"),
    "telephone": ("联系电话", "电话"),
    "nil": ("本月无数据", "本季无数据", "本半年无数据", "本年无数据", "本期无数据", "无数据", "零报告"),
}
SHARE_WORDS = ("占比", "占比(%)", "比例", "比例(%)", "百分比", "占总数的比例", "所占比例")
# Columns that stand beside figures and hold none: what is in them is never taken for a figure.
ASIDE_WORDS = ("校验", "核对", "备注", "说明", "序号", "行次", "行号", "代码", "指标代码", "编号", "编码")
UNIT_WORDS = ("单位", "计量单位")
# Rows that number or letter the columns.
ASIDE_ROW_WORDS = ("甲", "乙", "丙", "栏次", "栏号", "列次")

FOOTNOTE_SIGNS = "①-⓿❶-➓⁰-₎²³¹*※"
_FOOTNOTE = re.compile(f"[{FOOTNOTE_SIGNS}]")
_ENUMERATION = re.compile(
    r"^(?:(?:[一二三四五六七八九十]{1,3}|\d{1,2})[、.,)](?!\d)|[A-Za-z][、.,)](?=[^\x00-\x7f])|\d{1,2}(?:\.\d{1,2})+[、.)]?"
    r"|\((?:[一二三四五六七八九十]{1,3}|\d{1,2}|[A-Za-z])\)|[-—–―·•])+"
)
_ORDINAL = re.compile(r"^\s*\d{1,2}(?:\.\d{1,2})*\s+(?=[^\d\s])")  # told by the space behind it: 1 当面申请
_OF_WHICH = re.compile(r"^(?:其中|包括)[::]?")
_UNIT = r"[十百千万亿]*(?:人次|件次|条|件|元|次|个|人|篇|项|份|起|宗|户|家|部|期|场|%)"
_UNIT_SUFFIX = re.compile(rf"\((?:(?:计量)?单位:?)?({_UNIT})\)$")
_CAPTION = re.compile(rf"^\(?(?:计量|金额)?单位:({_UNIT})\)?$")
_BRACKET = re.compile(r"\([^()]{1,6}\)$")  # behind a header field: (盖章), (年月)


def _plain(label: str) -> str:
    text = unicodedata.normalize("NFKC", _ORDINAL.sub("", _FOOTNOTE.sub("", label)))
    text = re.sub(r"\s+", "", text).rstrip(":")
    previous = None
    while text != previous:
        previous = text
        text = _OF_WHICH.sub("", _ENUMERATION.sub("", text))
    return text


def normalised(label: str) -> str:
    """A label without what varies: width, spaces, numbering, footnote signs, 其中, a unit in brackets, a colon at the end."""
    return _UNIT_SUFFIX.sub("", _plain(label))


class WordKind(StrEnum):
    """What a label in a document can stand for."""

    INDICATOR = "indicator"  # by its code or its full label
    ALIAS = "alias"  # of an indicator: means it among its own block's rows only
    HEADING = "heading"  # of a group of rows, above the indicator: no figures stand in it
    BLOCK = "block"
    TABLE = "table"
    COLUMN = "column"
    SHARE = "share"
    ASIDE = "aside"
    UNIT = "unit"  # the heading of the column that tells units
    CAPTION = "caption"  # a unit for what stands below
    ASIDE_ROW = "aside_row"
    HEADER = "header"


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A text that the form knows: everything that it may stand for, as (kind, code).

    `fields` are header fields whose values stand behind their colons, several in one cell perhaps; `unit` is the unit that
    stands in brackets behind a label. A lexicon gives the same text the same word, so words are compared, and layouts found
    again, by identity.
    """

    senses: tuple[tuple[WordKind, str], ...]
    fields: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    length: int = 0  # signs of the label without what varies

    def codes(self, kind: WordKind) -> tuple[str, ...]:
        """What it may stand for as `kind`."""
        return tuple(code for sense, code in self.senses if sense is kind)

    def has(self, kind: WordKind) -> bool:
        """Whether it may stand for a `kind`."""
        return any(sense is kind for sense, _ in self.senses)


def _told(file: LayoutFile, form: Form | None) -> Iterator[tuple[WordKind, str, tuple[str, ...]]]:
    """The words of a layout that `form` can have."""
    for name, labels in file.fields.items():
        yield WordKind.HEADER, name, labels
    if form is not None:
        yield from ((WordKind.COLUMN, code, labels) for code, labels in file.columns.items() if code in form.columns)
        yield from (
            (WordKind.INDICATOR, code, labels) for code, labels in file.words.items() if code in form.indicators
        )


_REMEMBERED = 50_000  # distinct cell texts; a month of one template has a few hundred


@dataclass
class Lexicon:
    """The words of one form. `word` is asked of every text cell, so its answers are remembered, in `known`."""

    senses: dict[str, tuple[tuple[WordKind, str], ...]]
    known: dict[str, Word | None] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Form | None, mapping: LayoutMapping | None = None) -> Lexicon:
        """All labels and aliases of `form`, and the header fields, which every form has (alone where `form` is None). What
        `mapping` calls something means that, and nothing else that is called alike."""
        found: dict[str, list[tuple[WordKind, str]]] = {}

        def add(kind: WordKind, code: str, *labels: str) -> None:
            for label in labels:
                senses = found.setdefault(normalised(label), [])
                if (kind, code) not in senses:
                    senses.append((kind, code))

        for name, labels in HEADER_FIELDS.items():
            add(WordKind.HEADER, name, *labels)
        if form is not None:
            add(WordKind.SHARE, "share", *SHARE_WORDS)
            add(WordKind.ASIDE, "aside", *ASIDE_WORDS)
            add(WordKind.UNIT, "unit", *UNIT_WORDS)
            add(WordKind.ASIDE_ROW, "aside", *ASIDE_ROW_WORDS)
            for table in form.tables:
                add(WordKind.TABLE, table.code, table.title.zh, table.title.en)
            for column in form.columns.values():
                add(WordKind.COLUMN, column.code, column.code, column.label.zh, column.label.en, *column.aliases)
                add(WordKind.ASIDE, "aside", f"{column.label.zh}校验")
            for block in form.blocks:
                add(WordKind.BLOCK, block.code, block.label.zh, block.label.en, *block.aliases)
                for item in block.indicators:
                    add(WordKind.INDICATOR, item.code, item.code, item.label.zh)
                    add(WordKind.ALIAS, item.code, *item.aliases)
                    if item.heading is not None:
                        add(WordKind.HEADING, item.code, item.heading.zh, item.heading.en)
        for kind, code, labels in _told(mapping.file, form) if mapping else ():
            for label in labels:
                found[normalised(label)] = []
            add(kind, code, *labels)
        return cls({label: tuple(senses) for label, senses in found.items()})

    def word(self, text: str) -> Word | None:
        """What `text` stands for, or None. 「填报单位:东城分局」 is the field with its value."""
        if text in self.known:
            return self.known[text]
        if len(self.known) > _REMEMBERED:
            self.known.clear()
        self.known[text] = answer = self._look_up(text)
        return answer

    def _look_up(self, text: str) -> Word | None:
        if len(text) > 200:
            return None
        plain = _plain(text)
        label = _UNIT_SUFFIX.sub("", plain)
        if senses := self.senses.get(label):
            unit = _UNIT_SUFFIX.search(plain)
            return Word(senses, unit=unit[1] if unit else "", length=len(label))
        if found := _CAPTION.match(plain):
            return Word(((WordKind.CAPTION, "unit"),), unit=found[1])
        if header := self._header_senses(_BRACKET.sub("", plain)):
            return Word(header)
        fields = self._fields(unicodedata.normalize("NFKC", text))
        return Word(tuple((WordKind.HEADER, name) for name, _ in fields), fields) if fields else None

    def _header_senses(self, label: str) -> tuple[tuple[WordKind, str], ...]:
        return tuple(sense for sense in self.senses.get(label, ()) if sense[0] is WordKind.HEADER)

    def _fields(self, text: str) -> tuple[tuple[str, str], ...]:
        """Header fields with their values behind a colon; nothing where the text begins with something else."""
        parts = text.split(":")
        found: list[tuple[str, str]] = []
        name = self._field(parts[0])
        for at, part in enumerate(parts[1:], 1):
            if name is None:
                break
            # The next field's label is the last word before the next colon, if it is one that is known.
            value, _, last = part.rstrip().rpartition(" ")
            following = self._field(last) if at + 1 < len(parts) else None
            if following is None:
                found.append((name, ":".join(parts[at:]).strip()))
                break
            found.append((name, value.strip()))
            name = following
        return tuple(found)

    def _field(self, label: str) -> str | None:
        senses = self._header_senses(_BRACKET.sub("", _plain(label)))
        return senses[0][1] if senses else None
