"""What must hold between the tables of a form: figures that are compared stand in the same columns.

Not here: what must hold wherever they stand (`formchecks`).
"""

from __future__ import annotations

from schemas.forms import Form
from schemas.yamlfile import Source


def check_tables(form: Form, source: Source) -> None:
    """Every relation between indicators can be made a constraint in each column that it is asked in.

    Raises:
        ConfigError: with file and line.
    """
    columns = {
        item.code: [column.code for column in table.columns]
        for table in form.tables
        for block in table.blocks
        for item in block.indicators
    }

    def hold(at: tuple[str | int, ...], one: str, other: str) -> None:
        if lacking := [code for code in columns[one] if code not in columns[other]]:
            raise source.error(
                at,
                f"「{other}」所在的表没有「{one}」所在表的列:{'、'.join(lacking)};两者无从比较。",
                f"The table of '{other}' lacks columns that the table of '{one}' has: {', '.join(lacking)}; they cannot be "
                "compared.",
            )

    accounts: dict[str, int] = {}
    for t, table in enumerate(form.tables):
        for b, block in enumerate(table.blocks):
            for i, item in enumerate(block.indicators):
                at = ("tables", t, "blocks", b, "indicators", i)
                for n, breakdown in enumerate(item.breakdowns):
                    for p, part in enumerate(breakdown.parts):
                        hold((*at, "breakdowns", n, "parts", p), item.code, part)
                    for name in breakdown.shares.columns if breakdown.shares else ():
                        if name not in columns[item.code]:
                            raise source.error(
                                (*at, "breakdowns", n, "shares"),
                                f"「{item.code}」所在的表没有列「{name}」,占比无总数可依。",
                                f"The table of '{item.code}' has no column '{name}', so shares there have no total.",
                            )
                if item.subset_of:
                    hold((*at, "subset_of"), item.code, item.subset_of)
                if item.balance:
                    account = item.balance.account
                    if (home := accounts.setdefault(account, t)) != t:
                        first = form.tables[home].code
                        raise source.error(
                            (*at, "balance"),
                            f"账户「{account}」分在两张表中(「{first}」和「{table.code}」);一个账户应在一张表内。",
                            f"Account '{account}' is spread over two tables ('{first}', '{table.code}'); it stands in one.",
                        )
