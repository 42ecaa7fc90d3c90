"""Every command pressed twice: the second time nothing changes but the record of runs; what only reads changes nothing at all.

The table is held against the command line itself, so that a new command has to say which of the two it is.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from disclosure_etl.office import Office
from disclosure_etl.settings import load_settings
from disclosure_etl.warehouse import Warehouse
from flows.cli import app
from schemas.periods import Period
from tests.conftest import Said
from tests.factories import default_form, office_of, return_bytes, send, send_month, with_slip
from tests.postgres import Server
from tests.test_deltas import with_open

JANUARY, FEBRUARY, DECEMBER = (Period.parse(f"2014-{number}") for number in ("01", "02", "12"))
CODES = ("shiju", "dongcheng", "haidian")
WHY = ("--reason", "单位来电说明", "--by", "王处长")


@dataclass(frozen=True)
class Twice:
    """How a command that writes comes to do something: what is done before it, the words, and the code with which it ends the
    second time. `NUMBER` and `ID` among the words: of what stands in the warehouse then."""

    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    again: int = 0
    year: bool = False  # in the office that has a year to lock
    first: int = 0


SIGN = ("sign-off", "2014-01", "--by", "王处长", "--without-held")
CORRECT, RERUN = ("correct",), ("rerun", "2014-01")  # `correct`: a second revision of Haidian's January arrives
LOCK = ("lock", "2014", "--by", "王处长", "--reason", "年度终了")
REOPEN = ("reopen", "2014", "--by", "王处长", "--second", "李主任", "--reason", "海淀更正")
ADD = ("restatements", "add", "2014-02", "haidian", "enquiries", "--amount", "2", "--code", "recount", *WHY)
HAIDIAN = "haidian_2014-01.xlsx"
NO_WAREHOUSE = ("no warehouse",)
ADMIN, LI = (
    ("desk", "create-user", "admin", "--name", "王芳"),
    ("desk", "create-user", "li", "--name", "李强", "--role", "head"),
)
TOKEN = ("desk", "create-token", "区级平台", "--bureau", "haidian", "--ends", "2015-12-31")

TABLE: dict[str, tuple[Twice, ...]] = {
    "consolidate": (
        Twice(("consolidate", "2014-01"), (CORRECT,), again=1, first=1),
        Twice(("consolidate", "2014-03"), again=1, first=1),
        Twice(("consolidate", "2014Q1"), again=1, first=1),
        Twice(("consolidate", "2014-12"), (LOCK, CORRECT), year=True, again=1, first=1),
    ),
    "rerun": (
        Twice(RERUN, (CORRECT,), again=1, first=1),
        Twice(("rerun", "2014-01", "--bureau", "海淀分局"), (CORRECT,), again=1, first=1),
        Twice(("rerun", "2014-02", "--from", "2014-01"), (CORRECT,), again=1, first=1),
    ),
    "decide": (
        Twice(("decide", "2014-01", "ID", *WHY)),
        Twice(("decide", "2014-01", "ID", *WHY, "--to", "2014-03")),
        Twice(("decide", "2014-01", "--withdraw", "1", *WHY), (("decide", "2014-01", "ID", *WHY),), again=2),
    ),
    "returns send-back": (Twice(("returns", "send-back", "2014-01", HAIDIAN, *WHY)),),
    "returns withdraw": (Twice(("returns", "withdraw", "2014-01", HAIDIAN, *WHY)),),
    "returns reinstate": (Twice(("returns", "reinstate", "2014-01", HAIDIAN, *WHY), (CORRECT, RERUN)),),
    "returns undo": (
        Twice(("returns", "undo", "1", *WHY), (("returns", "send-back", "2014-01", HAIDIAN, *WHY),), again=2),
    ),
    "deltas confirm": (Twice(("deltas", "confirm", "haidian", *WHY), (CORRECT, RERUN), again=2),),
    "restatements add": (Twice(ADD),),
    "restatements withdraw": (Twice(("restatements", "withdraw", "1", *WHY), (ADD,), again=2),),
    "sign-off": (Twice(SIGN),),
    "lock": (Twice(LOCK, year=True),),
    "reopen": (Twice(REOPEN, (LOCK, CORRECT, ("consolidate", "2014-12")), year=True),),
    "release": (Twice(("release", "2014-01", "--by", "李主任"), (SIGN,)),),
    "correction-notice": (Twice(("correction-notice", "2014-01"), (SIGN, CORRECT, RERUN)),),
    "import-history": (
        Twice(("import-history", "past.csv")),
        Twice(("import-history", "other.csv", "--replace"), (("import-history", "past.csv"),)),
    ),
    "template": (Twice(("template", "--period", "2014-03", "--out", "blanks")),),
    "export": (
        Twice(("export", "2014-01..2014-02", "--format", "xlsx", "--out", "figures.xlsx")),
        Twice(("export", "2014-01", "--out", "figures.csv")),
    ),
    "status": (Twice(("status", "2014-01", "--table", "then.xlsx"), again=2, first=1),),
    "init": (Twice(("init", "fresh")),),
    "desk set-password": (Twice(("desk", "set-password", "li"), (ADMIN, LI)),),
    "desk close-user": (Twice(("desk", "close-user", "li"), (ADMIN, LI)),),
    "desk open-user": (Twice(("desk", "open-user", "li"), (ADMIN, LI, ("desk", "close-user", "li"))),),
    "desk create-token": (Twice(TOKEN, again=2),),
    "desk revoke-token": (Twice(("desk", "revoke-token", "1"), (TOKEN,)),),
    "warehouse upgrade": (Twice(("warehouse", "upgrade"), (NO_WAREHOUSE,)),),
    "warehouse backup": (Twice(("warehouse", "backup", "kept.zip"), again=2),),
    "warehouse restore": (
        Twice(("warehouse", "restore", "kept.zip"), (("warehouse", "backup", "kept.zip"), NO_WAREHOUSE), again=2),
    ),
}

NOTHING_CHANGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "rerun": (("rerun", "2014-01", "--dry-run"), ("rerun", "2014-02", "--from", "2014-01", "--bureau", "haidian", "--dry-run")),
    "status": (("status",), ("status", "2014-01"), ("status", "2014-01", "--as-of", "2014-03-07")),
    "failures": (("failures", "2014-01"),),
    "releases": (("releases",),),
    "changes": (("changes", "2014-01", "--from", "1"),),
    "revisions": (("revisions", "enquiries"), ("revisions", "enquiries", "--by-bureau")),
    "returns list": (("returns", "list", "2014-01"),),
    "deltas list": (("deltas", "list"),),
    "restatements list": (("restatements", "list"),),
    "rules": (("rules",), ("rules", "--period", "2014-01", "--markdown")),
    "rules compare": (("rules", "compare", "2014-01"),),
    "rules try": (("rules", "try", "draft.yaml"),),
    "rules health": (("rules", "health"),),
    "unmatched": (("unmatched", "2014-01", "--family", "key-areas"),),
    "check": (("check", "inbox"),),
    "export": (("export", "2014-01"),),
    "audit verify": (("audit", "verify"),),
    "audit list": (("audit", "list"),),
    "desk users": (("desk", "users"), ("desk", "users", "--json")),
    "desk tokens": (("desk", "tokens"),),
    "doctor": (("doctor",),),
    "config check": (("config", "check"),),
    "warehouse verify": (("warehouse", "verify"),),
    "warehouse grants": (("warehouse", "grants", "service"),),
}  # fmt: skip

ELSEWHERE = {
    "desk": "runs until it is stopped; what its pages write is pressed twice in tests/desk",
    "desk create-user": "a login that is taken is refused: tests/desk/test_door",
    "demo": "makes an office anew by design, and replaces an earlier one only where nothing was changed: test_demo_folder",
    "serve": "runs until it is stopped, and does nothing itself but start consolidate and rerun: test_serve",
}


def leaves(group, words: tuple[str, ...] = ()) -> set[str]:
    """Every command by its words, and each group that does something by itself."""
    inner = getattr(group, "commands", {})
    own = {" ".join(words)} if words and (not inner or group.invoke_without_command) else set()
    return own.union(*(leaves(command, (*words, name)) for name, command in inner.items()))


def test_every_command_has_said_whether_it_writes() -> None:
    assert leaves(typer.main.get_command(app)) == {*TABLE, *NOTHING_CHANGES, *ELSEWHERE}


# -- offices


def _furnish(folder: Path, owes_from: str, months: tuple[Period, ...]) -> None:
    office = office_of(folder, None, *CODES)
    for name, old, new in (
        ("settings.yaml", "processes: auto", "processes: 0"),
        (
            "bureaus.yaml",
            "family: bureau-monthly\n    from: '2008-05-01'",
            f"family: bureau-monthly\n    from: '{owes_from}'",
        ),
    ):
        path = folder / "config" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    office = Office(load_settings(folder / "config", {}, folder), office.clock)
    for month in months:
        send_month(
            office, month, without=("haidian",), changed={"dongcheng": with_slip()} if month == JANUARY else None
        )
        open_before = 0 if month == months[0] else 3
        figures = with_open(month.ordinal, open_before, 3, before=3 if open_before else 0)
        send(office, f"haidian_{month}.xlsx", return_bytes(default_form(), month, "haidian", "海淀分局", figures))
    for name, value in (("past.csv", 5), ("other.csv", 6)):
        text = f"bureau,period,indicator,column,value\n,2013-12,publications,month,{value}\n"
        (folder / name).write_text(text, encoding="utf-8")
    draft = "overrides:\n  - {rule: 'jump', severity: notice, reason: 试行}\n"
    (folder / "draft.yaml").write_text(draft, encoding="utf-8")


def _correct(folder: Path, month: Period) -> None:
    """Haidian had five open where it told of three."""
    figures = with_open(month.ordinal, 0, 5)
    data = return_bytes(default_form(), month, "haidian", "海淀分局", figures, revision=2)
    (folder / "inbox" / f"haidian_{month}_2.xlsx").write_bytes(data)


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The office that has consolidated January and February; and (True) the one whose only month and year are final."""
    from flows.cli import main

    made = {}
    with pytest.MonkeyPatch.context() as patch:
        for is_year, owes_from, months in (
            (False, "2008-05-01", (JANUARY, FEBRUARY)),
            (True, "2014-12-01", (DECEMBER,)),
        ):
            folder = tmp_path_factory.mktemp("year" if is_year else "months")
            _furnish(folder, owes_from, months)
            patch.chdir(folder)
            now = "2015-01-06" if is_year else "2014-03-06"
            for month in months:
                assert main(["--now", now, "consolidate", month.code]) in {0, 1}
            if is_year:
                assert main(["--now", now, "consolidate", "2014"]) in {0, 1}
                for code in ("2014-12", "2014"):
                    assert main(["--now", now, "sign-off", code, "--by", "王处长", "--acknowledge", "已核"]) == 0
            made[is_year] = folder
    return made


# -- pressing


@dataclass
class Desk:
    """The command line in an office's folder, on one database."""

    say: Callable
    folder: Path
    url: str | None
    patch: pytest.MonkeyPatch

    def press(self, *words: str) -> Said:
        """One command, as on one and the same day. The password that it may ask for is made of the command's name, so that it is
        the same each time, and another than that of an account that was made before."""
        self.patch.setattr("sys.stdin", io.StringIO(f"a password of {words[1:2]}\n"))
        return self.say("--now", "2015-01-20", "--lang", "en", *words)

    def prepare(self, words: tuple[str, ...], is_year: bool) -> None:
        """What is done before."""
        if words == CORRECT:
            _correct(self.folder, DECEMBER if is_year else JANUARY)
        elif words == NO_WAREHOUSE:
            for path in (self.folder / "var").glob("warehouse.sqlite*"):
                path.unlink()
        else:
            said = self.press(*self.meant(words))
            assert said.code in {0, 1}, said.err

    def meant(self, words: tuple[str, ...]) -> list[str]:
        """The words, with the id of the failure that may be waived."""
        if "ID" not in words:
            return list(words)
        (found,) = {one["id"] for one in self.say("failures", "2014-01", "--json").json if one["rule"] == "breakdown:enquiries:channel"}  # fmt: skip
        return [found if word == "ID" else word for word in words]

    def everything(self) -> dict[str, object]:
        """Every row of every table, and every file of the folder by its digest, but for the database's own."""
        found: dict[str, object] = {
            f"{path.relative_to(self.folder)}": hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file() and not path.name.startswith("warehouse.sqlite")
        }
        return found | (_rows(self.folder / "var" / "warehouse.sqlite") if self.url is None else _copied(self))


def _rows(file: Path) -> dict[str, object]:
    """Every table of SQLite's file, as it is; making `copied` ready takes longer than most commands."""
    if not file.exists():
        return {}
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {f"table {name}": sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


def _copied(desk: Desk) -> dict[str, object]:
    settings = load_settings(desk.folder / "config", {"DISCLOSURE_WAREHOUSE": str(desk.url)}, desk.folder)
    with closing(Warehouse.open(settings.warehouse_url, any_version=True)) as warehouse, warehouse.copied() as copy:
        return {f"table {name}": sorted(lines) for name, _, lines in copy.tables()}


def differing(before: dict[str, object], after: dict[str, object]) -> set[str]:
    """The names of what is not the same."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.fixture
def desk(offices: dict[bool, Path], tmp_path: Path, say: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool, str | None], Desk]:  # fmt: skip
    """A copy of one of the offices, in the test's folder, on SQLite or moved to another database."""

    def sit_down(is_year: bool = False, url: str | None = None) -> Desk:
        shutil.copytree(offices[is_year], tmp_path, dirs_exist_ok=True)
        if url is not None:
            say("warehouse", "backup", "moved.zip")
            monkeypatch.setenv("DISCLOSURE_WAREHOUSE", url)
            assert say("warehouse", "restore", "moved.zip").code == 0
        return Desk(say, tmp_path, url, monkeypatch)

    return sit_down


def _pressed_twice(desk: Desk, one: Twice) -> None:
    for words in one.before:
        desk.prepare(words, one.year)
    words, untouched = desk.meant(one.words), desk.everything()

    first, once = desk.press(*words), desk.everything()
    again, twice = desk.press(*words), desk.everything()

    assert (first.code, differing(untouched, once) - {"table run"} != set()) == (one.first, True), first.err
    assert differing(once, twice) - {"table run"} == set()
    assert again.code == one.again, again.err
    assert "Traceback" not in again.err


def _cases() -> Iterator:
    for name, pressed in TABLE.items():
        for number, one in enumerate(pressed):
            yield pytest.param(one, id=f"{name} {number + 1}" if len(pressed) > 1 else name)


@pytest.mark.parametrize("one", list(_cases()))
def test_the_second_time_nothing_changes(desk, one: Twice) -> None:
    _pressed_twice(desk(one.year), one)


@pytest.mark.parametrize("name", ["rerun", "decide", "returns reinstate", "deltas confirm", "sign-off"])
def test_nor_does_it_on_postgresql(desk, postgres: Server, name: str) -> None:
    if postgres.url is None:
        pytest.skip(postgres.reason)
    one = TABLE[name][0]
    _pressed_twice(desk(one.year, postgres.fresh_database()), one)


def test_what_only_reads_changes_nothing_at_all(desk) -> None:
    one = desk()
    one.prepare(CORRECT, False)
    one.prepare(RERUN, False)
    one.prepare(CORRECT, False)
    before = one.everything()
    for pressed in NOTHING_CHANGES.values():
        for words in pressed:
            said = one.press(*words)
            assert said.code in {0, 1}, (words, said.err)
            after = one.everything()
            assert differing(before, after) == set(), words
            before = after
