"""What every tree on a server has to do, whatever protocol it speaks: the checks that its tests share."""

from __future__ import annotations

import os
from pathlib import Path

from disclosure_etl.intake.sources import Source
from tests.intake.sources.conftest import arrived, contents

LONG_AGO = 1_401_600_000  # in June 2014


def lay_tree(folder: Path) -> None:
    """Files that arrived long ago, and some that are none."""
    for name, data in {
        "东城_2014-05.xlsx": b"1",
        "五月/b.csv": b"22",
        "五月/~$b.xlsx": b"3",
        "c.xlsx.part": b"4",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (LONG_AGO, LONG_AGO))


def check_tree(source: Source) -> None:
    """All that is finished arrives by name, with its bytes and its time."""
    assert contents(source) == {"东城_2014-05.xlsx": b"1", "五月/b.csv": b"22"}
    assert {one.arrived_at.timestamp() for one in arrived(source)} == {LONG_AGO}
    assert source.waiting() == []
