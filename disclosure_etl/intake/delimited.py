"""Text tables (.csv, .tsv) as a grid of texts. Nothing is converted: 007 and 23.80 stay as they were written."""

from __future__ import annotations

import csv
import io

from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid, Unreadable

_DELIMITERS = ",\t;|"
# What a Chinese table certainly contains; text decoded by the wrong code page is full of rare signs instead.
_COMMON = frozenset("的一年月日单位数公开申请信息政府填报统计时期本累计合人条件元中其他受理答复")


def read_delimited(data: bytes, limits: ReadLimits) -> Grid:
    """Read a delimited text file.

    Raises:
        Unreadable: not text (unknown_format), in no encoding that makes sense (undecodable), with rows that an unclosed
            quotation mark has swallowed (unclosed_quote), or too large.
    """
    text = decoded(data)
    delimiter = _delimiter(text)
    csv.field_size_limit(min(limits.max_bytes, 2**31 - 1))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))
    except csv.Error:
        raise _unknown() from None
    _check_quotes(rows, delimiter)
    cells = sum(map(len, rows))
    if cells > limits.max_cells:
        raise refused("max_cells", cells, limits.max_cells)
    return Grid("CSV", [[cell if cell.strip() else None for cell in row] for row in rows])


_MOST_LINES = 3  # of a cell; a remark may have some, and no table inside it


def _check_quotes(rows: list[list[str]], delimiter: str) -> None:
    """A quotation mark that nobody closes makes one cell of all rows up to the next one."""
    for line, row in enumerate(rows, 1):
        for cell in row:
            lines = cell.splitlines() if "\n" in cell or "\r" in cell else ()
            if len(lines) > _MOST_LINES and sum(delimiter in one for one in lines) >= _MOST_LINES:
                raise Unreadable(
                    "unclosed_quote",
                    f'第 {line} 行有一个没有配对的引号("),其后 {len(lines) - 1} 行被并入同一格。请删去或补上引号后重新保存。',
                    f"Row {line} has a quotation mark that is never closed, and {len(lines) - 1} further lines went into one "
                    "cell. Delete or close it, and save the file again.",
                )


def _unknown() -> Unreadable:
    return Unreadable(
        "unknown_format",
        "认不出文件格式(既不是 .xlsx 工作簿,也不是文本表格),或文件已损坏。请用下发的空白表填报并保存为 .xlsx。",
        "The format is not known (neither an .xlsx workbook nor a text table), or the file is damaged. Use the blank "
        "workbook and save it as .xlsx.",
    )


def decoded(data: bytes) -> str:
    """The text of some bytes.

    Raises:
        Unreadable: not text (unknown_format), or in no encoding that makes sense (undecodable).
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise _unknown() from None
    controls = sum(data.count(bytes([code])) for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 18))
    if controls * 50 > len(data) or b"\x00" in data[:4096]:
        raise _unknown()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise _undecodable() from None
    # Big5 and others decode as gb18030 without an error, into nonsense: the words must make sense too.
    han = [sign for sign in text if "\u4e00" <= sign <= "\u9fff"]
    if han and sum(sign in _COMMON for sign in han) * 12 < len(han):
        raise _undecodable()
    return text


def _undecodable() -> Unreadable:
    return Unreadable(
        "undecodable",
        "文字编码无法识别(既不是 UTF-8,也不是 GBK/GB18030)。请另存为 UTF-8 的 CSV,或直接保存为 .xlsx。",
        "The text is in no known encoding (neither UTF-8 nor GBK/GB18030). Save it as CSV in UTF-8, or as .xlsx.",
    )


def _delimiter(text: str) -> str:
    """The sign that splits most lines, and splits them alike."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]

    def score(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in lines]
        split = [count for count in counts if count]
        return len(split), -len(set(split))

    return max(_DELIMITERS, key=score)
