"""A corrected file in the steward's hands: what it would change is seen first, nothing changes before, and it is taken once."""

from __future__ import annotations

from disclosure_etl.office import Office
from tests.desk.conftest import JANUARY, Client, haidian_corrected
from tests.desk.test_own import everything, rows
from tests.desk.test_signing_off import finished


def tried(steward: Client, data: bytes) -> str:
    answer = steward.post("/months/2014-01/upload", files={"file": ("海淀更正.xlsx", data)})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_trial_tells_what_would_change_and_changes_nothing(office: Office, steward: Client) -> None:
    before = rows(office)

    shown = finished(steward, tried(steward, haidian_corrected(office)))

    assert "海淀更正.xlsx" in shown and "采用并重跑" in shown and "2014-01" in shown
    assert rows(office) == before
    assert office.warehouse.consolidation(office.settings.family, JANUARY).version == 1


def test_it_is_taken_once(office: Office, steward: Client) -> None:
    where = tried(steward, haidian_corrected(office))
    finished(steward, where)

    for _ in range(2):
        answer = steward.post(f"{where}/take")
        assert answer.status_code == 303
        finished(steward, answer.headers["location"])

    one = office.warehouse.consolidation(office.settings.family, JANUARY)
    assert one.version == 2
    assert next(state.status for state in one.bureaus if state.bureau == "haidian") == "accepted"
    kept = [name for name in everything(office.settings.uploads_path) if name.endswith(".xlsx")]
    assert len(kept) == 1 and len(office.warehouse.uploads("haidian")) == 1


def test_a_file_of_nobody_is_not_taken(steward: Client) -> None:
    where = tried(steward, b"\xff\xd8\xff\xe0 a photograph")
    shown = finished(steward, where)

    assert "无法读取" in shown
    assert steward.post(f"{where}/take").status_code == 422
