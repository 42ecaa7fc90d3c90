"""The file that an office with a past begins with: earlier figures as CSV. Not here: what becomes of them (`warehouse`)."""

from __future__ import annotations

import csv
import io
from decimal import Decimal, InvalidOperation
from pathlib import Path

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.warehouse import BaselineRow
from schemas.errors import Message, UserError
from schemas.periods import Period
from schemas.yamlfile import unknown_name

_TOLD_AT_ONCE = 10  # bad lines told in one message; more would scroll the first one away
COLUMNS = ("bureau", "period", "indicator", "column", "value")


def read_baseline(path: Path, bureaus: Bureaus) -> list[BaselineRow]:
    """Read the CSV. `bureau` is a code or name, empty for the whole office; `value` a plain number.

    Raises:
        UserError: with file and line: not readable, a column missing, an unknown bureau, no period, no number. Up to ten
            bad lines are told at once, in their order.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"读不到文件 {path}:{error.strerror}。", f"Cannot read {path}: {error.strerror}.") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise UserError(f"{path} 不是 UTF-8 或 GBK 文本。", f"{path} is neither UTF-8 nor GBK text.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise UserError(
            f"{path} 第 1 行缺少列:{'、'.join(missing)}。应有的列:{','.join(COLUMNS)}。",
            f"{path}, line 1: columns missing: {', '.join(missing)}. Expected: {','.join(COLUMNS)}.",
        )
    rows: list[BaselineRow] = []
    wrong: list[Message] = []
    for row in reader:
        try:
            rows.append(_row(path, reader.line_num, row, bureaus))
        except UserError as error:
            wrong.append(error.message)
    if wrong:
        more = len(wrong) - _TOLD_AT_ONCE
        zh, en = [one.zh for one in wrong[:_TOLD_AT_ONCE]], [one.en for one in wrong[:_TOLD_AT_ONCE]]
        if more > 0:
            zh.append(f"……另有 {more} 行。")
            en.append(f"… and {more} more lines.")
        raise UserError("\n".join(zh), "\n".join(en))
    if not rows:
        raise UserError(f"{path} 没有数据行。", f"{path} has no rows.")
    return rows


def _row(path: Path, line: int, row: dict[str, str | None], bureaus: Bureaus) -> BaselineRow:
    texts = {name: (row.get(name) or "").strip() for name in COLUMNS}
    try:
        period = Period.read(texts["period"]) or Period.parse(texts["period"])
    except UserError as error:
        raise UserError(f"{path} 第 {line} 行:{error.message.zh}", f"{path}, line {line}: {error.message.en}") from None
    code = ""
    if texts["bureau"]:
        bureau = bureaus.find(texts["bureau"], period.end)
        if bureau is None:
            zh, en = unknown_name(texts["bureau"], bureaus.codes)
            raise UserError(
                f"{path} 第 {line} 行:没有单位「{texts['bureau']}」。{zh}",
                f"{path}, line {line}: no bureau '{texts['bureau']}'. {en}",
            )
        code = bureau.code
    try:
        value = Decimal(texts["value"].replace(",", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UserError(
            f"{path} 第 {line} 行:「{texts['value']}」不是数字。",
            f"{path}, line {line}: '{texts['value']}' is not a number.",
        )
    return BaselineRow(code, period, texts["indicator"], texts["column"], value, line)
