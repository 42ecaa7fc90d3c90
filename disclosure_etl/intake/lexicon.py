"""The words of a form as they stand in documents: labels of indicators, blocks, columns and header fields.

Derived from the form file; not here: where in a grid they stand (`layout`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.forms import Form

# Fields of a return's header, by the words that forms print for them.
HEADER_FIELDS: dict[str, tuple[str, ...]] = {
    "bureau": ("填报单位", "填报单位名称", "单位名称", "报送单位", "填表单位"),
    "bureau_code": ("单位代码", "机构代码", "单位编码"),
    "period": ("统计时期", "统计时间", "报告期", "统计期间", "所属时期", "所属期"),
    "revision": ("修订号", "版本号", "修订次数"),
    "preparer": ("填报人", "填表人", "制表人"),
    "checker": ("审核人", "复核人"),
    "signer": ("负责人", "单位负责人", "签发人"),
    "filled_on": ("填报日期", "填表日期", "报出日期"),
    "telephone": ("联系电话", "电话"),
    "nil": ("本月无数据", "本期无数据", "无数据", "零报告"),
}
SHARE_WORDS = ("占比", "占比(%)", "比例", "比例(%)", "百分比", "占总数的比例", "所占比例")
# Columns that stand beside figures and hold none: what is in them is never taken for a figure.
ASIDE_WORDS = ("单位", "计量单位", "校验", "核对", "备注", "说明", "序号", "行次", "代码", "指标代码")

_CIRCLED = re.compile(r"[①-⓿❶-➓]")
_ENUMERATION = re.compile(
    r"^(?:(?:[一二三四五六七八九十]{1,3}|\d{1,2})[、.,)](?!\d)|\((?:[一二三四五六七八九十]{1,3}|\d{1,2})\))+"
)
_OF_WHICH = re.compile(r"^(?:其中|包括)[::]?")
_UNIT_SUFFIX = re.compile(r"\((?:单位[::]?)?(?:条|件|人次|元|万元|次|个|人|篇|%)\)$")


def normalised(label: str) -> str:
    """A label without what varies: width, spaces, numbering, 其中, a unit in brackets, a colon at the end."""
    text = unicodedata.normalize("NFKC", _CIRCLED.sub("", label))
    text = re.sub(r"\s+", "", text).rstrip(":")
    previous = None
    while text != previous:
        previous = text
        text = _OF_WHICH.sub("", _ENUMERATION.sub("", text))
    return _UNIT_SUFFIX.sub("", text)


class WordKind(StrEnum):
    """What a label in a document can stand for."""

    INDICATOR = "indicator"
    BLOCK = "block"
    COLUMN = "column"
    SHARE = "share"
    ASIDE = "aside"
    HEADER = "header"


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A text that the form knows: everything that it may stand for, as (kind, code), and a value written behind it.

    A lexicon gives the same text the same word, so words are compared, and layouts found again, by identity.
    """

    senses: tuple[tuple[WordKind, str], ...]
    value: str | None = None

    def codes(self, kind: WordKind) -> tuple[str, ...]:
        """What it may stand for as `kind`."""
        return tuple(code for sense, code in self.senses if sense is kind)

    def has(self, kind: WordKind) -> bool:
        """Whether it may stand for a `kind`."""
        return any(sense is kind for sense, _ in self.senses)


_REMEMBERED = 50_000  # distinct cell texts; a month of one template has a few hundred


@dataclass
class Lexicon:
    """The words of one form. `word` is asked of every text cell, so its answers are remembered, in `known`."""

    senses: dict[str, tuple[tuple[WordKind, str], ...]]
    known: dict[str, Word | None] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Form | None) -> Lexicon:
        """All labels and aliases of `form`, and the header fields, which every form has (alone where `form` is None)."""
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
            for column in form.columns.values():
                add(WordKind.COLUMN, column.code, column.label.zh, column.label.en, *column.aliases)
                add(WordKind.ASIDE, "aside", f"{column.label.zh}校验")
            for block in form.blocks:
                add(WordKind.BLOCK, block.code, block.label.zh, block.label.en, *block.aliases)
                for item in block.indicators:
                    add(WordKind.INDICATOR, item.code, item.code, item.label.zh, *item.aliases)
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
        if len(text) > 80:
            return None
        if senses := self.senses.get(normalised(text)):
            return Word(senses)
        field_name, colon, value = unicodedata.normalize("NFKC", text).partition(":")
        senses = self.senses.get(normalised(field_name), ()) if colon else ()
        header = tuple(sense for sense in senses if sense[0] is WordKind.HEADER)
        return Word(header, value.strip()) if header else None
