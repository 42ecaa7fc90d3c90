"""Bytes to text, in whatever encoding a Chinese office writes; told by whether the words make sense.

Not here: what the text is (`plain_text`, `delimited`, `html`).
"""

from __future__ import annotations

import re

from schemas.documents import Unreadable

# What a Chinese return certainly contains; text decoded by the wrong code page is full of rare signs instead.
_COMMON = (
    "的一年月日单位数公开申请信息政府填报统计时期本累计合人条件元中其他受理答复"
    "單數開請報統計時間條個複覆復訴訟議網電話現場當圍項類會與對為發應動國務院"
    "局区市县省不予同意部分主动依法规文机构职能业务行政来收费用情况指标表号名称审核负责诉讼议咨询"
)
_COMMON_SIGN = re.compile(f"[{_COMMON}]")
_STRANGE_SIGN = re.compile("[\ue000-\uf8ff\uff61-\uff9f]")
_LEAST_COMMON = 12  # of so many Chinese signs at least one is such
_SENSIBLE = (
    0.3  # the share of common signs beyond which nobody need look for another encoding; nonsense has a few hundredths
)
_CONTROLS = bytes((*range(9), *range(14, 26), *range(27, 32)))  # 26 ends a text of DOS
_HAN = re.compile("[\u4e00-\u9fff]")
_META = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.IGNORECASE)


def decoded(data: bytes) -> str:
    """The text of a file.

    Raises:
        Unreadable: no text (unknown_format), or in no encoding in which it makes sense (undecodable).
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise unknown_format() from None
    if b"\x00" in data[:4096] and (wide := _wide(data)) is not None:
        return wide
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls * 50 > len(data) or b"\x00" in data[:4096]:
        raise unknown_format()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    candidates = []
    # Big5 and others decode as gb18030 without an error, into nonsense: the words must make sense too.
    for encoding in ("gb18030", "big5hkscs"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        candidates.append((_sense(text), text))
        if candidates[-1][0] > _SENSIBLE:
            break
    best = max(candidates, key=lambda one: one[0], default=None)  # of equals the first: what is used most
    if best is None or best[0] * _LEAST_COMMON < 1:
        raise _undecodable()
    return best[1]


def decoded_page(data: bytes) -> str:
    """The text of a web page: by the encoding that it names where that can be, else as any text.

    Raises:
        Unreadable: as `decoded`.
    """
    named = _META.search(data[:4096])
    if named is not None and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        name = named[1].decode("ascii").lower()
        try:  # GBK and GB2312 are named where GB18030 is meant
            text = data.decode("gb18030" if name.startswith("gb") else name)
        except (UnicodeDecodeError, LookupError, ValueError):
            return decoded(data)
        if _sense(text) * _LEAST_COMMON >= 1:
            return text
    return decoded(data)


def _sense(text: str) -> float:
    """The share of common signs among the Chinese ones; 1 where there are none."""
    han, strange = len(_HAN.findall(text)), len(_STRANGE_SIGN.findall(text))
    if not han:
        return 0.0 if strange else 1.0
    return len(_COMMON_SIGN.findall(text)) / (han + strange)


def _wide(data: bytes) -> str | None:
    """UTF-16 without its mark."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and "\n" in text and _HAN.search(text) and _sense(text) * 4 >= 1:
            return text
    return None


def unknown_format() -> Unreadable:
    """The refusal of bytes that are none of what is read here."""
    return Unreadable(
        "unknown_format",
        "认不出文件格式,或文件已损坏。可读取的有:.xlsx、.xls、.et、.ods、.csv、.docx、网页、文本型 .pdf、纯文本、本产品约定的 .json。"
        "请用下发的空白表填报并保存为 .xlsx。",
        "The format is not known, or the file is damaged. Read are .xlsx, .xls, .et, .ods, .csv, .docx, web pages, .pdf "
        "with text, plain text, and .json in this product's own contract. Use the blank workbook and save it as .xlsx.",
    )


def _undecodable() -> Unreadable:
    return Unreadable(
        "undecodable",
        "文字编码无法识别(不是 UTF-8、GBK/GB18030、Big5 或 UTF-16)。请另存为 UTF-8 的 CSV,或直接保存为 .xlsx。",
        "The text is in no known encoding (UTF-8, GBK/GB18030, Big5, UTF-16). Save it as CSV in UTF-8, or as .xlsx.",
    )
