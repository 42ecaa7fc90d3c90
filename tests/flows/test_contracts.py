"""What machines get, held against the schemas in `schemas/contracts`."""

from __future__ import annotations

import io
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import typer.main

import disclosure_etl
from disclosure_etl.warehouse import returning
from flows.cli import app
from schemas.periods import Period
from tests.factories import contract, default_form, make_office, return_bytes, send, send_month, some_figures, with_slip

# Every command that prints JSON, and the schema that holds it.
CONTRACTS = {
    "consolidate": "consolidation", "rerun": "consolidation", "status": "status", "failures": "failures", "check": "check",
    "rules": "rules", "rules compare": "trial", "rules try": "trial", "rules health": "rule-health", "decide": "decision",
    "unmatched": "unmatched", "import-history": "import-history", "config check": "config-check", "doctor": "doctor",
    "warehouse verify": "warehouse-verify", "audit verify": "audit-verify", "audit list": "audit", "sign-off": "sign-off",
    "lock": "year-lock", "reopen": "year-lock", "changes": "changes", "correction-notice": "correction-notice",
    "revisions": "revisions", "release": "release", "releases": "releases",
    "returns list": "returns", "returns send-back": "return-decision", "returns withdraw": "return-decision",
    "returns reinstate": "return-decision", "returns undo": "return-decision", "deltas list": "deltas",
    "deltas confirm": "confirmation", "restatements list": "restatements", "restatements add": "restatement",
    "restatements withdraw": "restatement", "export": "export", "desk users": "users", "desk tokens": "tokens",
    "desk create-token": "token",
}  # fmt: skip
JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-10")


@pytest.fixture
def january(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY, without=("yanqing", "miyun"), changed={"haidian": with_slip()})
    send(office, "miyun_2014-01.xlsx", b"")
    say(*NOW, "consolidate", "2014-01")
    say("--now", "2014-04-10", "consolidate", "2014Q1")


@pytest.mark.usefixtures("january")
@pytest.mark.parametrize("period", ["2014-01", "2014Q1"])
def test_failures(say, period: str) -> None:
    said = say("--now", "2014-04-10", "failures", period, "--json")

    contract("failures").validate(said.json)
    assert {one["kind"] for one in said.json} >= {"breakdown", "duty", "unreadable"}


@pytest.mark.usefixtures("january")
def test_status_without_a_period(say) -> None:
    said = say("status", "--json")

    contract("status").validate(said.json)
    assert len(said.json) == 2


def test_each_of_statuss_items_is_what_consolidate_prints() -> None:
    folder = files("schemas") / "contracts"
    one, many = (
        json.loads((folder / f"{name}.schema.json").read_text("utf-8")) for name in ("consolidation", "status")
    )

    assert many["items"] == {key: one[key] for key in ("type", "additionalProperties", "required", "properties")}


@pytest.mark.usefixtures("january")
def test_a_dry_rerun_tells_file_bureau_revision_and_held_blocks(say, tmp_path: Path) -> None:
    slip = return_bytes(default_form(), JANUARY, "yanqing", "延庆分局", with_slip())
    good = return_bytes(default_form(), JANUARY, "haidian", "海淀分局", some_figures(default_form()), revision=2)
    office = make_office(tmp_path)
    for name, data in (("yanqing.xlsx", slip), ("haidian_2.xlsx", good), ("bad_2014-01.xlsx", b"PK")):
        send(office, name, data)

    said = say(*NOW, "rerun", "2014-01", "--dry-run", "--json")

    contract("rehearsal").validate(said.json)
    would = {(one["what"], one["file"], one["bureau"], one["revision"], *one["holds"]) for one in said.json["would"]}
    assert would == {
        ("take", "yanqing.xlsx", "yanqing", 1, "enquiries"),
        ("take", "haidian_2.xlsx", "haidian", 2),
        ("refuse", "bad_2014-01.xlsx", None, None),
        ("freeze", None, None, None),
    }
    assert said.json["would"][-1]["periods"] == ["2014-01", "2014Q1"]


@pytest.mark.usefixtures("january")
def test_a_dry_rerun_of_nothing(say) -> None:
    said = say(*NOW, "rerun", "2014-01", "--dry-run", "--json")

    contract("rehearsal").validate(said.json)
    assert [one["what"] for one in said.json["would"]] == ["nothing"]


@pytest.mark.parametrize("furnished", [True, False])
def test_doctor(say, furnished: bool) -> None:
    contract("doctor").validate(say("doctor", "--json", furnished=furnished).json)


def test_import_history(say, tmp_path: Path) -> None:
    make_office(tmp_path)
    (tmp_path / "past.csv").write_text("bureau,period,indicator,column,value\n,2013-12,publications,month,5\n", "utf-8")

    contract("import-history").validate(say(*NOW, "import-history", tmp_path / "past.csv", "--json").json)


def test_config_check(say) -> None:
    said = say("config", "check", "--json")

    contract("config-check").validate(said.json)
    assert said.json["bureaus"] == 17


@pytest.mark.usefixtures("january")
def test_what_is_said_of_rules(say, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text("overrides:\n  - {rule: 'jump', severity: notice, reason: 试行}\n", encoding="utf-8")
    book = say(*NOW, "rules", "--period", "2014-01", "--json").json
    health = say(*NOW, "rules", "health", "--json").json

    contract("rules").validate(book)
    contract("rule-health").validate(health)
    contract("trial").validate(say(*NOW, "rules", "compare", "2014-01", "--json").json)
    contract("trial").validate(say(*NOW, "rules", "try", candidate, "--json").json)
    assert {one["code"] for one in book["rules"]} >= {one["rule"] for one in health if ":" in one["rule"]} - {
        "duty:missing"
    }
    assert any(one["fired"] for one in health)


@pytest.mark.usefixtures("january")
def test_a_decision_and_its_withdrawal(say) -> None:
    held = [one for one in say("failures", "2014-01", "--json").json if one["kind"] == "breakdown"]
    why = ("--reason", "经核实无误", "--by", "王处长", "--json")

    done = say(*NOW, "decide", "2014-01", held[0]["id"], *why).json
    undone = say(*NOW, "decide", "2014-01", "--withdraw", done["waiver"], *why).json

    contract("decision").validate(done)
    contract("decision").validate(undone)
    assert (done["withdrawn"], undone["withdrawn"]) == (False, True)
    assert "2014-01" in done["judged_again"]


@pytest.mark.usefixtures("january")
def test_what_is_said_of_returns(say) -> None:
    (mine,) = say("returns", "list", "2014-01", "--bureau", "海淀分局", "--json").json
    why = ("--reason", "请更正", "--by", "王处长", "--json")
    contract("returns").validate([mine])

    back = say(*NOW, "returns", "send-back", "2014-01", mine["digest"][:9], *why).json
    undone = say(*NOW, "returns", "undo", back["decision"], *why).json

    contract("return-decision").validate(back)
    contract("return-decision").validate(undone)
    assert (back["state"], undone["state"]) == ("returned", mine["state"])


def test_what_follows_a_correction_and_what_is_restated(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    february = Period.parse("2014-02")
    for number, period in enumerate((JANUARY, february), 1):
        send_month(office, period)
        say("--now", f"2014-0{number + 1}-10", "consolidate", period.code)
    more = some_figures(default_form())
    for place in (("enquiries", "month"), ("enquiries.telephone", "month"), ("enquiries", "year_to_date"), ("enquiries.telephone", "year_to_date")):  # fmt: skip
        more[place] += 2
    send(office, "haidian_2.xlsx", return_bytes(default_form(), JANUARY, "haidian", "海淀分局", more, revision=2))
    why = ("--reason", "补登两件", "--by", "李科长", "--json")

    before = say("status", "--json").json
    dry = say("--now", "2014-03-10", "rerun", "2014-01", "--dry-run", "--json")
    assert say("status", "--json").json == before
    contract("rehearsal").validate(dry.json)
    rerun = say("--now", "2014-03-10", "rerun", "2014-02", "--from", "2014-01", "--json").json
    contract("consolidation").validate(rerun)
    assert (rerun["deltas"], rerun["tasks"]) == (dry.json["deltas"], dry.json["tasks"])
    assert [(one["period"], one["indicator"], one["delta"]) for one in rerun["deltas"]] == [
        ("2014-02", "enquiries", 2), ("2014-02", "enquiries.telephone", 2),
    ]  # fmt: skip
    assert ("haidian", "confirm", 2) in [(one["who"], one["what"], one["count"]) for one in rerun["tasks"]]

    waiting = say("--now", "2014-03-10", "deltas", "list", "--bureau", "海淀分局", "--json")
    contract("deltas").validate(waiting.json)
    assert (waiting.code, waiting.json) == (1, rerun["deltas"])
    done = say("--now", "2014-03-10", "deltas", "confirm", "haidian", *why).json
    contract("confirmation").validate(done)
    assert (done["confirmed"], say("deltas", "list", "--json").json) == (rerun["deltas"], [])

    amount = ("--amount", "-1", "--code", "recount")
    added = say("--now", "2014-03-10", "restatements", "add", "2014-02", "haidian", "enquiries", *amount, *why).json
    contract("restatement").validate(added)
    contract("restatements").validate(say("restatements", "list", "--json").json)
    shown = say("status", "2014-02", "--json").json
    contract("consolidation").validate(shown)
    assert [one["amount"] for one in shown["restatements"]] == [-1]
    contract("restatement").validate(say("--now", "2014-03-10", "restatements", "withdraw", added["number"], *why).json)


def test_the_desks_people_and_tokens(say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_office(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("a password of the tests\n"))
    assert say("desk", "create-user", "li", "--name", "李强", "--role", "steward").code == 0

    made = say(
        "--now",
        "2014-02-10",
        "desk",
        "create-token",
        "区级平台",
        "--bureau",
        "海淀分局",
        "--ends",
        "2014-12-31",
        "--json",
    ).json
    contract("token").validate(made)
    contract("tokens").validate(listed := say("desk", "tokens", "--json").json)
    contract("users").validate(users := say("desk", "users", "--json").json)

    assert {**listed[0], "in_force": True, "token": made["token"]} == made
    assert [(one["login"], one["signs_in_with"], one["open"]) for one in users] == [("li", "password", True)]


def _json_commands(group, words: tuple[str, ...] = ()) -> set[str]:
    found = {" ".join(words)} if any(parameter.name == "json" for parameter in group.params) else set()
    for name, command in getattr(group, "commands", {}).items():
        found |= _json_commands(command, (*words, name))
    return found


def test_every_command_that_prints_json_has_a_schema() -> None:
    assert _json_commands(typer.main.get_command(app)) == set(CONTRACTS)
    for name in set(CONTRACTS.values()):
        contract(name)


def test_every_kind_of_event_is_in_the_schema_of_the_record() -> None:
    folder = Path(disclosure_etl.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    calls = re.findall(
        r"(?:audit\.append(?:_all)?|moves\.make)\(\s*connection,\s*(?:\w+\([^()]*(?:\(\))?[^()]*\)|\w+),\s*\"(\w+)\"",
        source,
    )
    schema = json.loads((files("schemas") / "contracts" / "audit.schema.json").read_text("utf-8"))
    known = set(schema["items"]["properties"]["kind"]["enum"])

    assert {"freeze", "load", "sign", "release", "waive"} <= set(calls) <= known
    assert {"lock", "reopen", *returning._KINDS.values()} <= known  # kinds that follow from what was decided
