"""Damaged returns by the thousand: each is read or refused with a reason; nothing else ever comes out of reading."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections import Counter

import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.quality.judging import judge
from schemas.documents import Unreadable
from schemas.periods import Period
from schemas.records import Batch
from schemas.rules import RuleSettings, rule_set
from tests.factories import default_form, return_bytes, some_figures

pytestmark = pytest.mark.slow
MAY = Period.parse("2014-05")
_ROUNDS = 3000


def _flip(data: bytes, dealer: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dealer.choice((1, 1, 2, 8, 64))):
        changed[dealer.randrange(len(changed))] = dealer.randrange(256)
    return bytes(changed)


def _cut(data: bytes, dealer: random.Random) -> bytes:
    start, end = sorted(dealer.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:] if dealer.random() < 0.5 else data[:end]


def _inside(data: bytes, dealer: random.Random) -> bytes:
    """Damage within one part of the package, packed again: what a faulty exporting program would write."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        names = package.namelist()
        sheets = [name for name in names if name.startswith("xl/worksheets/")]
        victim = dealer.choice(sheets * 6 + [name for name in names if name.startswith("xl/")])
        for name in names:
            part = package.read(name)
            if name == victim:
                part = dealer.choice((_flip, _cut, _swapped, _retyped, _retyped))(part, dealer)
            target.writestr(name, part)
    return out.getvalue()


def _swapped(part: bytes, dealer: random.Random) -> bytes:
    """Values, types, references and formats that no longer fit together."""
    old, new = dealer.choice(
        [(b"<v>", b"<v>-"), (b"</v>", b"e999</v>"), (b' t="s"', b""), (b' t="s"', b' t="b"'), (b' r="C', b' r="XFD'),
         (b"<v>", b"<v>9999999999999999999"), (b' s="', b' s="9'), (b"</c>", b""), (b"<f>", b"<f>1/0+"), (b"<row ", b"<rov "),
         (b'r="1', b'r="0'), (b"0.00", b'"x"0.00;;@'), (b"<v>", b"<v>NaN"), (b"<v>", b"<v> "), (b"mergeCell ", b"mergeCel ")]
    )  # fmt: skip
    return part.replace(old, new, dealer.choice((1, 5, -1)))


def _retyped(part: bytes, dealer: random.Random) -> bytes:
    """Another content in a few number cells."""
    cells = list(re.finditer(rb'<c r="[C-E]\d+"(?: s="\d+")?>(?:<f>[^<]*</f>)?<v>([^<]*)</v>', part))
    for found in dealer.sample(cells, min(len(cells), dealer.choice((1, 3)))):
        content = dealer.choice((b"-5", b"1e999", b"abc", b"", b"3.7", b"99999999999999999999", b"NaN", b"0x1F", b"7"))
        start, end = found.span(1)
        if len(content) <= end - start:
            part = part[:start] + content.rjust(end - start) + part[end:]
        else:
            return part[:start] + content + part[end:]
    return part


def test_damaged_files_are_read_or_refused() -> None:
    form = default_form()
    whole = return_bytes(form, MAY, "dongcheng", "东城分局", some_figures(form, 5))
    interpreter = Interpreter([form], None)
    ends: Counter[str] = Counter()
    rules = rule_set(form, MAY, RuleSettings())
    for number in range(_ROUNDS):
        dealer = random.Random(number)
        damaged = dealer.choice((_flip, _cut, _inside, _inside, _inside))(whole, dealer)
        try:
            submission = interpreter.interpret(read_document("东城分局_2014-05.xlsx", damaged)).submission
        except Unreadable as problem:
            ends[problem.code if problem.zh and str(problem) else "without a reason"] += 1
            continue
        (judged,) = judge(Batch(form, MAY, (submission,)), rules).judged
        assert judged.fault is None, (number, judged.fault)
        ends["failing" if judged.failures else "sound"] += 1

    assert set(ends) >= {"truncated", "unknown_format", "no_known_label", "failing", "sound"}
    assert "without a reason" not in ends
    assert ends["failing"] > _ROUNDS // 20, ends
