"""Zip archives: every file in them by its right name, nothing beyond the limits, office files left alone."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from disclosure_etl.intake.archives import Member, is_archive, members
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from tests.factories import default_form, return_bytes, some_figures
from tests.intake.sheets import package
from tests.intake.test_formats import as_docx, as_ods

GBK = "东城分局_2014-05.xlsx".encode("gbk")


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    """An archive with other bytes for a name, of the same length, and no mark of UTF-8."""
    assert len(old) == len(new)
    return data.replace(old, new)


def opened(data: bytes, limits: ReadLimits | None = None) -> dict[str, bytes]:
    """What comes out of an archive; the code of its problem where a file has one."""
    found: dict[str, bytes] = {}
    for one in members(data, limits or ReadLimits()):
        assert one.name not in found
        found[one.name] = one.problem.code.encode() if one.problem else one.data
    return found


def refusal(data: bytes, limits: ReadLimits | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        list(members(data, limits or ReadLimits()))
    assert caught.value.zh and caught.value.en
    return caught.value


def a_return() -> bytes:
    from schemas.periods import Period

    form = default_form()
    return return_bytes(form, Period.parse("2014-05"), "dongcheng", "东城分局", some_figures(form, 5))


def test_files_come_out_with_their_paths_and_folders_do_not() -> None:
    data = package({"2014-05/": b"", "2014-05/东城.xlsx": b"1", "a.csv": b"2"})
    assert opened(data) == {"2014-05/东城.xlsx": b"1", "a.csv": b"2"}


@pytest.mark.parametrize("written", [GBK, "延庆.xlsx".encode()], ids=["GBK", "UTF-8 without its mark"])
def test_names_that_are_not_marked_are_read_as_what_they_are(written: bytes) -> None:
    plain = b"x" * len(written)
    data = renamed(package({plain.decode(): b"1"}), plain, written)
    assert opened(data) == {written.decode("gbk" if written is GBK else "utf-8"): b"1"}


def test_a_backslash_of_windows_parts_folders() -> None:
    name = "报送\\东城.xlsx".encode("gbk")
    data = renamed(package({"x" * len(name): b"1"}), b"x" * len(name), name)
    assert opened(data) == {"报送/东城.xlsx": b"1"}


def test_locks_and_hidden_files_are_passed_over() -> None:
    data = package({"__MACOSX/._a.xlsx": b"0", "~$a.xlsx": b"0", ".DS_Store": b"0", "a.part": b"0", "a.xlsx": b"1"})
    assert opened(data) == {"a.xlsx": b"1"}


def test_archives_inside_are_opened_too() -> None:
    inner = package({"东城.xlsx": b"1"})
    assert opened(package({"区.zip": inner, "a.csv": b"2"})) == {"区.zip/东城.xlsx": b"1", "a.csv": b"2"}


@pytest.mark.parametrize(
    "data",
    [a_return(), as_docx(), as_ods(), b"a,b\n1,2\n", b"", a_return()[:900], package({"xl/workbook.xml": b""})],
    ids=["xlsx", "docx", "ods", "text", "nothing", "cut off", "a workbook without its types"],
)
def test_what_is_a_document_is_no_archive(data: bytes) -> None:
    assert not is_archive(data)


def test_an_archive_of_workbooks_is_one_however_they_are_packed() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as target:
            target.writestr("a.xlsx", a_return())
        assert is_archive(out.getvalue())
        assert list(members(out.getvalue(), ReadLimits())) == [Member("a.xlsx", a_return())]


def nested(depth: int) -> bytes:
    data = package({"a.csv": b"1"})
    for _ in range(depth - 1):
        data = package({"a.zip": data})
    return data


def test_archives_nest_up_to_the_limit() -> None:
    assert list(opened(nested(3))) == ["a.zip/a.zip/a.csv"]
    (name, said) = next(iter(opened(nested(4)).items()))
    assert (name, said) == ("a.zip/a.zip/a.zip", b"too_large")


@pytest.mark.parametrize(
    ("data", "limits", "named"),
    [
        (package({f"{number}.csv": b"1" for number in range(6)}), ReadLimits(max_files=5), "max_files"),
        (package({"a.csv": b"1" * 900, "b.csv": b"1" * 200}), ReadLimits(max_uncompressed_bytes=1000), "max_uncompressed_bytes"),
        (package({"a.csv": b"0" * 11_000_000}), ReadLimits(), "max_ratio"),
    ],
)  # fmt: skip
def test_an_archive_over_a_limit_is_refused_by_its_name(data: bytes, limits: ReadLimits, named: str) -> None:
    problem = refusal(data, limits)
    assert (problem.code, f"limits.{named}" in problem.zh, f"limits.{named}" in problem.en) == ("too_large", True, True)


def test_what_an_inner_archive_unpacks_counts_with_the_rest() -> None:
    inner = package({"b.csv": b"1" * 600})
    found = opened(package({"a.csv": b"1" * 600, "i.zip": inner}), ReadLimits(max_uncompressed_bytes=1000))
    assert found == {"a.csv": b"1" * 600, "i.zip": b"too_large"}


def test_a_size_that_is_told_too_small_unpacks_no_more_than_told() -> None:
    """A bomb that lies about its size: what is unpacked stays within what was admitted, and then its sum is wrong."""
    data = bytearray(package({"a.csv": b"0" * 100_000}))
    for at in [place for place in range(len(data) - 4) if data[place : place + 4] == struct.pack("<L", 100_000)]:
        data[at : at + 4] = struct.pack("<L", 10)
    assert opened(bytes(data)) == {"a.csv": b"truncated"}


def test_a_damaged_file_costs_the_others_nothing() -> None:
    data = package({"a.csv": b"first,file\n", "b.csv": b"second,file\n"})
    at = data.index(b"first") if b"first" in data else data.index(b"a.csv") + 5
    broken = data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]
    assert opened(broken) == {"a.csv": b"truncated", "b.csv": b"second,file\n"}


def test_a_password_is_told() -> None:
    data = bytearray(package({"a.csv": b"1"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(data)).code == "encrypted"


def test_an_uncommon_method_is_told() -> None:
    data = bytearray(package({"a.csv": b"1"}))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + offset] = 98  # PPMd
    assert opened(bytes(data)) == {"a.csv": b"unknown_format"}


def test_nothing_inside_is_told() -> None:
    assert refusal(package({})).code == "empty"
    assert refusal(package({"__MACOSX/._a": b"", "folder/": b""})).code == "empty"
