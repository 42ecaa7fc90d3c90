"""A table or view at a bureau: the rows of one bureau and period are one delivery, as a text table in its form's shape.

The same rows give the same bytes, so an unchanged return is known by its digest. Not here: what the figures are worth; the
text is read like any other file.
"""

from __future__ import annotations

import csv
import io
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, NullPool, and_, column, create_engine, or_, select, table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError

from disclosure_etl.intake.sources.declared import SqlDeclared
from disclosure_etl.intake.sources.delivery import Delivery
from disclosure_etl.intake.sources.names import DistinctNames
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.unreached import Unreached, no_connection, not_let_in, timed_out, unexpected
from schemas.errors import UserError
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Period

_COLUMNS = ("bureau", "period", "indicator", "column", "value")


class SqlSource:
    """One source of this kind. Nothing is written at the bureau; each look is one statement."""

    kind = "sql"

    def __init__(
        self,
        declared: SqlDeclared,
        patience: Patience,
        secret: Callable[[Any], str | None],
        family: str,
        forms: Callable[[], Forms],
    ) -> None:
        self.name, self.bureaus = declared.name, frozenset(declared.bureaus)
        self._declared, self._patience = declared, patience
        self._family, self._forms = declared.family or family, forms
        self._since = Period.parse(declared.since) if declared.since else None
        self._engine = _engine(declared, patience, secret)
        schema, _, name = declared.table.rpartition(".")
        self._table = table(name, *(column(one) for one in _COLUMNS), schema=schema or None)

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """One a bureau and period, by these. Its time is when it was found."""
        names = DistinctNames()
        at = self._table.c
        stored: dict[tuple[str, str], list[Any]] = {}  # as the table has it: with spaces, as a number, as a date
        for row in self._rows(select(at.bureau, at.period).distinct()):
            bureau, written = (str(one).strip() for one in row)
            stored.setdefault((str(Period.read(written) or written), bureau), []).append(row)
        for (period, bureau), rows in sorted(stored.items()):
            read = Period.read(period)
            if read is not None and self._since is not None and read.start < self._since.start:
                continue
            which = or_(*(and_(at.bureau == one.bureau, at.period == one.period) for one in rows))
            fetch = partial(self._csv, bureau, period, read, which)
            yield Delivery(names.give(f"{period}/{bureau}.csv"), self.name, now, fetch)

    def waiting(self) -> list[str]:
        """A statement sees what is committed."""
        return []

    def close(self) -> None:
        """End the connection."""
        self._engine.dispose()

    def _csv(self, bureau: str, written: str, period: Period | None, which: ColumnElement[bool]) -> bytes:
        if period is None:
            raise Unreached(
                f"统计时期「{written}」无法识别,请在表中写成 2014-05",
                f"has the period '{written}', which is none; the table wants 2014-05",
            )
        try:
            form = self._forms().choose(self._family, period)
        except UserError:
            raise Unreached(
                f"在 {period} 没有适用的报表「{self._family}」",
                f"is of {period}, for which '{self._family}' has no form",
            ) from None
        at = self._table.c
        return _as_csv(form, bureau, period, self._rows(select(at.indicator, at.column, at.value).where(which)))

    def _rows(self, statement: Any) -> Sequence[Any]:
        def once() -> Sequence[Any]:
            late = threading.Event()
            try:
                with self._engine.connect() as connection, _hung_up(connection, self._patience.file_seconds, late):
                    return connection.execute(statement).all()
            except SQLAlchemyError as error:
                raise timed_out(self._patience.file_seconds) if late.is_set() else self._explained(error) from None

        return self._patience.patiently(once)

    def _explained(self, error: SQLAlchemyError) -> Unreached:
        """Only what kind of failure it was: the text of a driver may hold the address with everything in it."""
        said = str(getattr(error, "orig", "")).lower()
        if "password" in said or "authentication" in said or ("role" in said and "exist" in said):
            return not_let_in()
        if "no such" in said or "does not exist" in said or "permission denied" in said:
            return Unreached(
                f"没有可读取的表 {self._declared.table}(列:{'、'.join(_COLUMNS)})",
                f"has no table {self._declared.table} that may be read with the columns {', '.join(_COLUMNS)}",
            )
        if "statement timeout" in said or "timeout expired" in said or "timed out" in said:
            return timed_out(self._patience.timeout_seconds)
        if isinstance(error, OperationalError | InterfaceError):
            return no_connection()
        return unexpected(getattr(error, "orig", None) or error)


@contextmanager
def _hung_up(connection: Connection, seconds: float, late: threading.Event) -> Iterator[None]:
    """Hang up after `seconds`, and say so by `late`: a driver waits for the rest of an answer without end, and the server's
    own limit says nothing of the line. A database in a file has none."""
    driver: Any = connection.connection.driver_connection
    if not hasattr(driver, "fileno"):
        yield
        return
    line = socket.fromfd(driver.fileno(), socket.AF_INET, socket.SOCK_STREAM)  # of whatever family: it is only shut

    def hang_up() -> None:
        late.set()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        line.close()


def _engine(one: SqlDeclared, patience: Patience, secret: Callable[[Any], str | None]) -> Engine:
    wait = max(1, int(patience.timeout_seconds))
    try:
        url: URL = make_url(one.url)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        if user := secret(one.user):
            url = url.set(username=user)
        if password := secret(one.password):
            url = url.set(password=password)
        options: dict[str, Any] = {}
        if url.get_backend_name() == "postgresql":
            options = {
                "connect_timeout": wait,
                "options": f"-c statement_timeout={wait * 1000} -c default_transaction_read_only=on",
            }
        elif url.get_backend_name() == "sqlite":
            options = {"timeout": wait}
            if url.database and not Path(url.database).exists():  # it would be made, and be empty
                raise ArgumentError("no such file")
        return create_engine(url, connect_args=options, poolclass=NullPool, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        raise UserError(
            f"来源「{one.name}」的 url 不是可用的数据库地址(SQLAlchemy 格式,不含密码),或没有这个文件。",
            f"url of source '{one.name}' is no database address that can be used (SQLAlchemy's, without a password), or "
            "there is no such file.",
        ) from None


def _as_csv(form: Form, bureau: str, period: Period, rows: Sequence[Any]) -> bytes:
    """Rows in the form's order, whatever order they came in; what the form does not know comes last and is told as not
    understood."""
    figures: dict[tuple[str, str], str] = {}
    for indicator, code, value in rows:
        key = (str(indicator).strip(), str(code).strip())
        text = _text(value)
        if figures.setdefault(key, text) != text:
            raise Unreached(f"中 {key[0]}/{key[1]} 有两个不同的数", f"has two different figures of {key[0]}, {key[1]}")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("单位代码", bureau), ("统计时期", period.code)])
    for one in form.tables:
        writer.writerow(("指标", *(each.label.zh for each in one.columns)))
        for block in one.blocks:
            for item in block.indicators:
                cells = [figures.pop((item.code, each.code), "") for each in one.columns]
                writer.writerow((item.code, *cells))
    for (indicator, code), text in sorted(figures.items()):
        writer.writerow((f"{indicator} {code}", text))
    return out.getvalue().encode()


def _text(value: Any) -> str:
    """A value as it is written in full: 1000, never 1E+3."""
    if value is None:
        return ""
    if isinstance(value, float):
        value = Decimal(repr(value))
        value = value.to_integral_value() if value == value.to_integral_value() else value
    return f"{value:f}" if isinstance(value, Decimal) else str(value).strip()
