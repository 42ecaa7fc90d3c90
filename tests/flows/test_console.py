"""What stands on a screen of 100 columns: whole words, labels that cannot be taken for one another, a row a bureau."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from disclosure_etl.pipeline import consolidate, roll_up
from flows.console import labels_of
from flows.period_screen import show_period
from flows.session import Session
from schemas.periods import Period
from tests.factories import FAMILY, default_form, make_office, send_month, some_figures

JANUARY = Period.parse("2014-01")


def screen(language: str, width: int = 100) -> Session:
    session = Session(None, language)
    session.__dict__["console"] = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    return session


def printed(session: Session) -> list[str]:
    return session.console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.fixture
def held(tmp_path: Path):
    """A month in which the block with the longest name is held."""
    office = make_office(tmp_path)
    figures = some_figures(default_form())
    figures[("applications.received.letter", "month")] += 2
    send_month(office, JANUARY, without=("yanqing",), changed={"haidian": figures})
    consolidate(office, FAMILY, JANUARY)
    yield office
    office.warehouse.close()


def test_english_headings_keep_their_words_at_100_columns(held) -> None:
    session = screen("en")

    show_in(session, held)

    lines = printed(session)
    head = next(at for at, line in enumerate(lines) if line.startswith("bureau"))
    words = " ".join(lines[head - 2 : head + 1]).split()
    assert {"Information", "published", "Enquiries", "answered", "Applications", "received", "Replies", "err."} <= set(
        words
    )
    assert all(len(line.rstrip()) <= 100 for line in lines[head : head + 20])
    row = next(line for line in lines if line.startswith("Haidian Sub-bureau"))
    assert "partly held:" in row and row.split()[-2:] == ["20*", "20*"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_columns_that_nobody_has_anything_in_are_left_out(held, language: str) -> None:
    session = screen(language)

    show_in(session, held)

    lines = printed(session)
    head = next(at for at, line in enumerate(lines) if line.startswith(session.pick("单位", "bureau")))
    heading = " ".join(lines[head - 1 : head + 1])
    assert session.pick("错误", "err.") in heading
    assert session.pick("警告", "warn.") not in heading


def test_a_quarter_says_which_month_a_bureau_missed(held) -> None:
    for number in (2, 3):
        send_month(held, Period.parse(f"2014-0{number}"))
        consolidate(held, FAMILY, Period.parse(f"2014-0{number}"))
    roll_up(held, FAMILY, Period.parse("2014Q1"))
    session = screen("zh")

    show_in(session, held, Period.parse("2014Q1"))

    lines = printed(session)
    assert next(line for line in lines if line.startswith("延庆分局")).split()[1:3] == ["缺", "2014-01"]
    assert any(line.startswith("未报:延庆分局(缺 2014-01)") for line in lines)


def test_labels_that_read_alike_name_their_block() -> None:
    form, session = default_form(), screen("en")

    told = labels_of(session, form, ("replies", "reconsiderations.received", "litigation.received"))

    assert told == ["Replies", "Reconsiderations: received", "Litigation: received"]


def show_in(session: Session, office, period: Period = JANUARY) -> None:
    """As `status` does, in the packaged office of the factories."""

    class Furnished(Session):
        @property
        def office(self):
            return office

    own = Furnished(None, session.chosen_language)
    own.__dict__["console"] = session.console
    show_period(own, FAMILY, period)
