"""The dated tree of bureaus: who exists, who owes, how a written name finds its bureau, and what a tree must not be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from disclosure_etl.bureaus import Bureaus, load_bureaus
from disclosure_etl.settings import default_config_dir
from schemas.errors import ConfigError
from schemas.periods import Period

DAY = date(2014, 5, 31)


def entry(code: str, name: str, rest: str = "") -> str:
    return (
        f"  - {{code: {code}, name_zh: {name}, name_en: {code} bureau, from: 2008-05-01{', ' if rest else ''}{rest}}}\n"
    )


def written(folder: Path, *entries: str) -> Path:
    path = folder / "bureaus.yaml"
    path.write_text("bureaus:\n" + "".join(entries), encoding="utf-8")
    return path


def loaded(folder: Path, *entries: str) -> Bureaus:
    return load_bureaus(written(folder, *entries))


def refusal(folder: Path, *entries: str) -> str:
    """The English text of the refusal, without the folder; the first entry stands on line 2."""
    path = written(folder, *entries)
    with pytest.raises(ConfigError) as raised:
        load_bureaus(path)
    assert raised.value.message.zh.startswith(f"{path}:")
    return raised.value.message.en.replace(str(path), path.name)


@pytest.fixture(scope="module")
def reference() -> Bureaus:
    return load_bureaus(default_config_dir() / "bureaus.yaml")


def test_the_reference_office_is_a_municipal_bureau_over_sixteen_sub_bureaus(reference: Bureaus) -> None:
    owing = reference.owing("bureau-monthly", Period.parse("2014-05"))

    assert len(owing) == 17
    assert [bureau.code for bureau in owing if bureau.parent is None] == ["shiju"]
    assert {bureau.parent for bureau in owing[1:]} == {"shiju"}


@pytest.mark.parametrize(
    "name",
    [
        "dongcheng",
        "DONGCHENG",
        "东城分局",
        "东城 分局",
        "北京市国土资源局东城分局",
        "\uff44ongcheng",  # a full-width letter
        "Dongcheng Sub-bureau",
    ],
)
def test_a_code_a_name_and_an_alias_find_their_bureau(reference: Bureaus, name: str) -> None:
    found = reference.find(name, DAY)

    assert found is not None and found.code == "dongcheng"


@pytest.mark.parametrize("name", ["", "东城", "分局", "上海市国土资源局东城分局", "东城分局办公室"])
def test_a_name_that_is_not_listed_is_not_guessed(reference: Bureaus, name: str) -> None:
    assert reference.find(name, DAY) is None


def test_nobody_exists_or_owes_before_the_first_day(reference: Bureaus) -> None:
    assert reference.at(date(2008, 4, 30)) == ()
    assert reference.owing("bureau-monthly", Period.parse("2008-04")) == ()
    assert len(reference.owing("bureau-monthly", Period.parse("2008-05"))) == 17


def test_known_lists_every_code_once_with_its_latest_name(tmp_path: Path) -> None:
    bureaus = loaded(
        tmp_path,
        entry("lands", "国土局", "to: 2018-12-31"),
        entry("water", "水务局"),
        "  - {code: lands, name_zh: 规自局, name_en: Planning, from: 2019-01-01}\n",
    )

    assert bureaus.known() == ("lands(规自局)", "water(水务局)")
    assert bureaus.codes == ("lands", "water")


def test_a_renamed_bureau_is_found_by_the_name_of_the_day(tmp_path: Path) -> None:
    bureaus = loaded(
        tmp_path,
        entry("lands", "国土局", "to: 2018-12-31"),
        "  - {code: lands, name_zh: 规自局, name_en: Planning, from: 2019-01-01}\n",
    )

    before, after = date(2018, 12, 31), date(2019, 1, 1)
    assert [bureau.name_zh for bureau in bureaus.at(before)] == ["国土局"]
    assert [bureau.name_zh for bureau in bureaus.at(after)] == ["规自局"]
    assert bureaus.find("国土局", after) is None
    found = bureaus.find("lands", None)
    assert found is not None and found.name_zh == "规自局"


def test_a_name_that_two_bureaus_had_one_after_the_other_needs_a_day(tmp_path: Path) -> None:
    bureaus = loaded(
        tmp_path,
        entry("old", "城区分局", "to: 2010-06-30"),
        "  - {code: new, name_zh: 城区分局, name_en: New, from: 2010-07-01}\n",
    )

    found = bureaus.find("城区分局", DAY)
    assert found is not None and found.code == "new"
    assert bureaus.find("城区分局", None) is None


def test_a_bureau_that_ends_within_a_month_leaves_its_return_to_the_successor(tmp_path: Path) -> None:
    owes = "owes: [{family: f, from: 2008-05-01}]"
    bureaus = loaded(
        tmp_path,
        entry("old", "旧局", f"to: 2010-06-15, {owes}"),
        f"  - {{code: new, name_zh: 新局, name_en: New, from: 2010-06-16, {owes}}}\n",
    )

    assert [bureau.code for bureau in bureaus.owing("f", Period.parse("2010-05"))] == ["old"]
    assert [bureau.code for bureau in bureaus.owing("f", Period.parse("2010-06"))] == ["new"]


def test_who_owes_is_told_by_family_and_dates_in_listed_order(tmp_path: Path) -> None:
    bureaus = loaded(
        tmp_path,
        entry("b", "乙局", "owes: [{family: f, from: 2014-01-01}]"),
        entry("a", "甲局", "owes: [{family: f, from: 2008-05-01}, {family: g, from: 2008-05-01, to: 2013-12-31}]"),
        entry("c", "丙局"),
    )

    assert [bureau.code for bureau in bureaus.owing("f", Period.parse("2014-01"))] == ["b", "a"]
    assert [bureau.code for bureau in bureaus.owing("f", Period.parse("2013-12"))] == ["a"]
    assert [bureau.code for bureau in bureaus.owing("g", Period.parse("2013"))] == ["a"]
    assert bureaus.owing("g", Period.parse("2014")) == ()


def test_one_code_twice_at_one_time_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, entry("a", "甲局"), entry("a", "乙局"))

    assert message.startswith("bureaus.yaml:3: 'a' and 'a' on line 2 have the code or name 'a' at the same time")


def test_two_bureaus_with_one_name_at_one_time_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, entry("a", "甲局"), entry("b", "乙局", "aliases: [甲 局]"))

    assert message.startswith("bureaus.yaml:3: 'b' and 'a' on line 2 have the code or name '甲局' at the same time")


def test_two_bureaus_with_one_name_on_a_shared_day_are_refused(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        entry("a", "甲局", "to: 2010-06-30"),
        "  - {code: b, name_zh: 甲局, name_en: B, from: 2010-06-30}\n",
    )

    assert "at the same time" in message


def test_an_unknown_parent_is_refused_with_the_closest_code(tmp_path: Path) -> None:
    message = refusal(tmp_path, entry("shiju", "市局"), entry("a", "甲局", "parent: shju"))

    assert message == (
        "bureaus.yaml:3: 'a' has the parent 'shju', which is not there. Did you mean 'shiju'? Known: shiju, a."
    )


def test_a_parent_that_ends_before_its_child_is_refused_with_the_day(tmp_path: Path) -> None:
    message = refusal(tmp_path, entry("top", "上级", "to: 2018-12-31"), entry("a", "甲局", "parent: top"))

    assert message.startswith("bureaus.yaml:3: The parent 'top' of 'a' does not exist on 2019-01-01")


def test_a_parent_that_is_renamed_stays_the_parent(tmp_path: Path) -> None:
    bureaus = loaded(
        tmp_path,
        entry("top", "上级", "to: 2018-12-31"),
        "  - {code: top, name_zh: 新上级, name_en: Top, from: 2019-01-01}\n",
        entry("a", "甲局", "parent: top"),
    )

    assert bureaus.codes == ("top", "a")


@pytest.mark.parametrize("above", [("a",), ("b", "a"), ("b", "c", "b")])
def test_a_circle_is_refused_and_shown(tmp_path: Path, above: tuple[str, ...]) -> None:
    codes = ("a", *above[:-1])

    message = refusal(
        tmp_path, *(entry(code, f"{code}局", f"parent: {parent}") for code, parent in zip(codes, above, strict=True))
    )

    assert "bureaus.yaml:2: Parents form a circle on 2008-05-01: " in message
    assert " → ".join(("a", *above)) in message


def test_parents_that_change_places_over_time_are_no_circle(tmp_path: Path) -> None:
    bureaus = loaded(
        tmp_path,
        entry("a", "甲局", "to: 2010-12-31"),
        entry("b", "乙局", "parent: a, to: 2010-12-31"),
        "  - {code: a, name_zh: 甲局, name_en: A, from: 2011-01-01, parent: b}\n",
        "  - {code: b, name_zh: 乙局, name_en: B, from: 2011-01-01}\n",
    )

    assert [bureau.parent for bureau in bureaus.at(DAY)] == ["b", None]


def test_a_circle_of_a_later_time_is_found(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        entry("a", "甲局", "to: 2010-12-31"),
        entry("b", "乙局", "parent: a"),
        "  - {code: a, name_zh: 甲局, name_en: A, from: 2011-01-01, parent: b}\n",
    )

    assert "bureaus.yaml:4: Parents form a circle on 2011-01-01: a → b → a" in message


@pytest.mark.parametrize("rest", ["to: 2008-04-30", "owes: [{family: f, from: 2014-01-01, to: 2013-12-31}]"])
def test_what_ends_before_it_begins_is_refused(tmp_path: Path, rest: str) -> None:
    message = refusal(tmp_path, entry("a", "甲局", rest))

    assert message.startswith("bureaus.yaml:2: 'a' has a 'to'") and "before its 'from'" in message


def test_a_misspelt_kind_of_reporting_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    assert "Known: own, whole." in refusal(tmp_path, entry("a", "甲局", "reports: all"))


def test_a_list_without_bureaus_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bureaus.yaml"
    path.write_text("bureaus: []\n")

    with pytest.raises(ConfigError, match="at least 1 items are expected"):
        load_bureaus(path)


def test_a_branch_within_a_branch_is_counted_by_the_nearest_only(tmp_path: Path) -> None:
    owes = "owes: [{family: bureau-monthly, from: 2008-05-01}]"
    tree = loaded(
        tmp_path,
        entry("city", "市局", f"reports: whole, {owes}"),
        entry("east", "东区", f"parent: city, reports: whole, {owes}"),
        entry("north", "北所", f"parent: east, {owes}"),
        entry("west", "西区", f"parent: city, {owes}"),
    )
    units = tree.units("bureau-monthly", Period.parse("2014-05"))
    assert units == {"city": ("east", "west"), "east": ("north",)}


@pytest.mark.parametrize(
    ("entries", "line", "said"),
    [
        (("into: [b]",), 2, "has an 'into' and no 'to'"),
        (("to: 2014-06-30, into: [a]",), 2, "cannot go over into itself"),
        (("to: 2014-06-30, into: [bb]",), 2, "which is not there. Did you mean 'b'?"),
        (("to: 2014-05-31, into: [b]",), 2, "goes over into 'b', which does not exist on 2014-06-01"),
    ],
)
def test_successors_that_cannot_be_are_refused(tmp_path: Path, entries: tuple[str], line: int, said: str) -> None:
    message = refusal(
        tmp_path, entry("a", "甲局", entries[0]), "  - {code: b, name_zh: 乙局, name_en: B, from: 2014-07-01}\n"
    )

    assert message.startswith(f"bureaus.yaml:{line}: 'a'") and said in message


def test_one_that_goes_on_under_its_code_has_no_successors(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        entry("a", "甲局", "to: 2014-06-30, into: [b]"),
        "  - {code: b, name_zh: 乙局, name_en: B, from: 2014-07-01}\n",
        "  - {code: a, name_zh: 丙局, name_en: A, from: 2014-07-01}\n",
    )

    assert "it goes on under its code on 2014-07-01" in message


def test_a_bureau_that_comes_back_needs_a_new_code(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        entry("a", "甲局", "to: 2014-06-30, into: [b]"),
        "  - {code: b, name_zh: 乙局, name_en: B, from: 2014-07-01, to: 2015-06-30, into: [a]}\n",
        "  - {code: a, name_zh: 甲局, name_en: A, from: 2015-07-01}\n",
    )

    assert message == (
        "bureaus.yaml:3: Mergers and splits come back to where they began: a → b → a; give a bureau that is set up again a "
        "new code."
    )


def test_the_example_in_the_readme_can_be_used(tmp_path: Path) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    example = readme.split("**Bureaus that merge", 1)[1].split("```yaml\n", 1)[1].split("```", 1)[0]
    path = tmp_path / "bureaus.yaml"
    path.write_text(example + entry("shiju", "市局"), encoding="utf-8")

    assert load_bureaus(path).successions == (
        (date(2010, 7, 1), "chongwen", "dongcheng"),
        (date(2014, 7, 1), "kaifaqu", "yizhuang"),
        (date(2014, 7, 1), "kaifaqu", "linkong"),
    )
