"""Lines that say no more than which page they stand on: `第 1 页`, `- 2 -`, `3/10`. Not here: where a page begins and ends."""

from __future__ import annotations

import re

_LONGEST = 40
_NUMBER = r"(?:\d{1,5}|[一二三四五六七八九十百]{1,5})"
_DASHES = r"[\-—–－~～·.]*"
_PAGE = re.compile(
    rf"{_DASHES}(?:第?{_NUMBER}页?|第{_NUMBER}页?[,，/／]?共{_NUMBER}页?|共{_NUMBER}页?[,，/／]?第{_NUMBER}页?"
    rf"|{_NUMBER}[/／]{_NUMBER}|page{_NUMBER}(?:(?:of|/){_NUMBER})?){_DASHES}",
    re.IGNORECASE,
)


def is_page_number(line: str) -> bool:
    """Whether a line is a page's number and nothing else."""
    return len(line) <= _LONGEST and bool(_PAGE.fullmatch("".join(line.split())))
