"""Opening the database: dialect settings, schema version, transactions. SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from schemas.errors import AwayError, Message, Passing, UserError

_MIGRATIONS = Path(__file__).parent / "migrations"
_PATIENCE_SECONDS = 10
_LONGEST = 30  # seconds that a command waits for another writer of SQLite
ONE_WRITER = 0x64697363  # the advisory lock of everyone who writes to the warehouse
# A server that is gone without a word is noticed within a minute, not after the system's two hours.
_NOTICING = {
    "connect_timeout": _PATIENCE_SECONDS, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}  # fmt: skip

# Opened as they are needed, and then kept: a new one costs more than most of what a page asks.
_POOLED: dict[str, Any] = {"pool_size": 15, "max_overflow": 0, "pool_timeout": _PATIENCE_SECONDS}


def open_engine(url: str) -> Engine:
    """An engine for `url`; nothing is connected yet, but a SQLite file's folder is made.

    Raises:
        UserError: the URL is none, or of a database that is not supported.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(parsed.drivername)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        remote = parsed.get_backend_name() == "postgresql"
        pool = _POOLED if remote or parsed.database not in (None, "", ":memory:") else {}
        engine = create_engine(parsed, pool_pre_ping=remote, connect_args=_NOTICING if remote else {}, **pool)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UserError(
            "数据库地址无效;请写文件路径,或 postgresql://用户@主机/库名。",
            "The database address is not usable; give a file path or postgresql://user@host/name.",
        ) from error
    (_prepare_sqlite if engine.dialect.name == "sqlite" else _prepare_postgresql)(engine)
    return engine


def _prepare_postgresql(engine: Engine) -> None:
    logging.getLogger("psycopg").setLevel(
        logging.ERROR
    )  # it warns of a line that broke, which is told as a fault besides

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # So that the server, too, notices that we are gone, and gives our locks to somebody else.
        for name, value in (("idle", 30), ("interval", 10), ("count", 3)):
            connection.execute(f"SET tcp_keepalives_{name} = {value}")
        # Compiling a statement takes longer than it saves in ours; it pays in analyses of minutes.
        connection.execute("SET jit = off")
        connection.commit()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where `begin` says so, not where the driver guesses
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        patience = options.get("patience")
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int((_LONGEST if patience is None else patience) * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing", False) else "BEGIN")


@dataclass(frozen=True)
class Rehearsal:
    """In the place of an engine: one transaction in which everything is read and written, and which is then taken back."""

    engine: Engine
    connection: Connection

    def dispose(self) -> None:
        """The transaction ends by itself."""


@contextmanager
def rehearsing(engine: Engine) -> Iterator[Rehearsal]:
    """What is written is seen by whoever reads through this, and by nobody else; nothing of it stays."""
    with writing(engine) as connection:
        transaction = connection.get_transaction()
        assert transaction is not None
        try:
            yield Rehearsal(engine, connection)
        finally:
            transaction.rollback()


@contextmanager
def reading(engine: Engine | Rehearsal) -> Iterator[Connection]:
    """A read transaction: one consistent view."""
    if isinstance(engine, Rehearsal):
        yield engine.connection
        return
    # PostgreSQL's own default gives every statement a view of its own.
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with told(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine | Rehearsal, patience: float | None = None) -> Iterator[Connection]:
    """A write transaction, one at a time over all processes: all of it is stored, or nothing. `patience`: the seconds that other
    writers are waited for, of somebody who does not wait as long as a command does.

    Raises:
        AwayError: the database cannot be used, or another writer took longer.
    """
    if isinstance(engine, Rehearsal):
        with engine.connection.begin_nested():
            yield engine.connection
        return
    options = {"writing": True, "patience": patience}
    with told(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            if patience is not None:
                wait = {"wait": f"{int(patience * 1000)}ms"}
                connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), wait)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_WRITER})
        yield connection


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """A database that cannot be reached, or has no room, is the operator's to mend: they are told the address, without its password;
    nobody else is."""
    try:
        yield
    except PoolTimeout as error:  # as many as may be connected are, and none of them was done in time
        raise AwayError(Passing(_CROWDED.zh, _CROWDED.en, _CROWDED)) from error
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:  # the driver's own come from what `bulk` does
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not _is_of_its_surroundings(engine, cause):
            raise
        shown = engine.url.render_as_string(hide_password=True)
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        if _is_busy(cause):
            raise AwayError(Passing(_BUSY.zh, _BUSY.en, _BUSY)) from error
        if _NO_ROOM.search(reason):
            in_full = Message(
                f"数据库 {shown} 所在的磁盘已满({reason}),没有存入任何不完整的内容。请腾出空间后再运行一次,余下的会自动补上。",
                f"The disk of the database {shown} is full ({reason}); nothing was stored in part. Make room and run it again: "
                "the rest is done then.",
            )
            raise AwayError(Passing(_FULL.zh, _FULL.en, in_full)) from error
        in_full = Message(
            f"无法使用数据库 {shown}:{reason}。请检查地址、账号与服务是否正常;恢复后再运行一次,余下的会自动补上。",
            f"The database {shown} cannot be used: {reason}. Check address, account and server; then run it again, and what is "
            "left is done.",
        )
        raise AwayError(Passing(_AWAY.zh, _AWAY.en, in_full)) from error


_BUSY = Message(
    "数据库正忙(有人正在写入或试算),这一次没有存入任何内容。请稍后再试。",
    "The database is busy (somebody writes into it, or tries a file out), and nothing was stored this time. Try again later.",
)
# What was read in vain may have come after something that was stored.
_CROWDED = Message(
    "同时使用的人太多,数据库暂时不能应答。请稍后再试;刚才若在提交,请先看看是否已经存入。",
    "Too many use the database at once, and it cannot answer just now. Try again later; if you were sending something, look first "
    "whether it is there.",
)
_FULL = Message(
    "数据库所在的磁盘已满,没有存入任何不完整的内容。请告诉系统管理员,稍后再试。",
    "The database's disk is full; nothing was stored in part. Tell the administrator, and try again later.",
)
_AWAY = Message(
    "数据库暂时无法使用,没有存入任何不完整的内容。请稍后再试;仍不行时请告诉系统管理员。",
    "The database cannot be used just now; nothing was stored in part. Try again later, and tell the administrator if that does not "
    "help.",
)


_NO_ROOM = re.compile("is full|no space left|disk full|could not extend file|quota", re.IGNORECASE)


def _is_busy(cause: BaseException | None) -> bool:
    """Whether another writer was waited for in vain: of SQLite 5 is busy and 6 locked, of PostgreSQL a lock was not had in time."""
    return (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF in (5, 6) or getattr(
        cause, "sqlstate", None
    ) == "55P03"


def _is_of_its_surroundings(engine: Engine, cause: BaseException | None) -> bool:
    """Whether a fault is none of ours: the server, the line or the disk. Every fault of the database's own comes through here."""
    kinds = (engine.dialect.loaded_dbapi.OperationalError, engine.dialect.loaded_dbapi.InterfaceError)
    return isinstance(cause, kinds) or "not a database" in str(cause)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def schema_version(engine: Engine) -> tuple[str | None, str]:
    """The database's schema version and the one that this program needs."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision(), _head()


@lru_cache(maxsize=1)
def _head() -> str:
    """The schema version that this program needs; finding it loads every migration."""
    needed = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert needed is not None
    return needed


def known_versions(engine: Engine) -> list[str]:
    """The schema versions that this program knows, its own first."""
    with reading(engine) as connection:
        return [one.revision for one in ScriptDirectory.from_config(_config(connection)).walk_revisions()]


def upgrade(engine: Engine) -> None:
    """Bring the schema to this program's version, keeping all data; a second time changes nothing."""
    with writing(engine) as connection:
        command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Make an empty database's schema; refuse one of another version.

    Raises:
        UserError: the schema is older (or newer) than this program's.
    """
    found, needed = schema_version(engine)
    if found == needed:
        return
    if found is None:
        _make_schema(engine)
        return
    raise UserError(
        f"数据库结构版本为 {found},本程序需要 {needed}。请先备份,再运行 disclosure-etl warehouse upgrade。",
        f"The warehouse has schema version {found}, this program needs {needed}. Back it up, then run "
        "'disclosure-etl warehouse upgrade'.",
    )


def _make_schema(engine: Engine) -> None:
    """Make the schema in an empty database. Looked at again under the lock: another process may have made it meanwhile."""
    with writing(engine) as connection:
        if MigrationContext.configure(connection).get_current_revision() is not None:
            return
        if strangers := inspect(connection).get_table_names():
            raise UserError(
                f"数据库中已有别的程序的表({'、'.join(strangers[:5])}),不在其中建表;请换一个空库。",
                f"The database holds tables of another program ({', '.join(strangers[:5])}); nothing is made there. "
                "Name an empty one.",
            )
        command.upgrade(_config(connection), "head")


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _is_storable(text: str) -> bool:
    """Whether a database takes a text as it is. Encoding it tells that many times as fast as a pattern would."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def storable(text: str) -> str:
    """A text as any database takes it: what is no character (NUL, half a surrogate pair) becomes U+FFFD."""
    return text if _is_storable(text) else _UNSTORABLE.sub("\ufffd", text)


def storable_all(texts: Sequence[str]) -> Sequence[str]:
    """Each text as any database takes it; one look at all of them, since hardly any needs a change."""
    return texts if _is_storable("".join(texts)) else [storable(text) for text in texts]


def dialect_insert(connection: Connection, table: Any) -> Any:
    """The two dialects' own insert, which knows conflicts."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def insert_new(connection: Connection, table: Any, rows: Sequence[dict[str, Any]], key: Sequence[str]) -> None:
    """Insert the rows whose key is not there yet."""
    if rows:
        connection.execute(dialect_insert(connection, table).on_conflict_do_nothing(index_elements=key), rows)


def bulk(connection: Connection, table: Any, rows: Iterator[tuple], columns: list[str]) -> None:
    """Insert many rows as fast as the database takes them: executemany on SQLite, COPY on PostgreSQL.

    Rows are tuples in the order of `columns`, with values that the driver takes as they are.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    driver = connection.connection.driver_connection
    assert driver is not None
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our own names
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
