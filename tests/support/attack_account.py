"""Keeps account of the attacks in tests/fault and prints a table of them: what was tried, rows lost, peak memory.

Every test there is a row of the table; one that has figures notes them in a line::

    def test_a_restart_is_survived(account: Account, ...) -> None:
        ...
        account.tried(rows=len(expected), lost=len(expected - found), memory="64MiB", peak=ended.peak)

`--attacks FILE` writes the table as Markdown too.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Account", "account_of", "table"]

MIB = 2**20

_HEAD = ("attack", "tried", "rows", "lost", "`--memory`", "peak RSS")


@dataclass
class Account:
    """One attack, or several of the same kind, and what came of them.

    Attributes:
        name: what was attacked, in the words of its test.
        tries: how often it was tried.
        rows: rows that had to arrive, over all tries.
        lost: how many of them did not.
        memory: the budget that it ran with, as `--memory` takes it; empty where memory is not what it is about.
        peak: the most memory that a process under attack held, in bytes; 0 where nobody looked.
        failed: whether its test failed.
    """

    name: str
    tries: int = 0
    rows: int = 0
    lost: int = 0
    memory: str = ""
    peak: int = 0
    failed: bool = False

    def tried(self, times: int = 1, *, rows: int = 0, lost: int = 0, memory: str = "", peak: int = 0) -> None:
        """Note so many tries. One that lost a row fails its test here, once the loss is in the table."""
        self.tries += times
        self.rows += rows
        self.lost += lost
        self.memory = memory or self.memory
        self.peak = max(self.peak, peak)
        assert not lost, f"{lost:,} of {rows:,} rows are lost"


def table(accounts: Iterable[Account]) -> list[str]:
    """The table's lines, as Markdown: a line an attack, those that failed marked so, and the sum."""
    merged = _merged(accounts)
    if not merged:
        return []
    everything = Account("all", sum(one.tries for one in merged), sum(one.rows for one in merged))
    everything.lost = sum(one.lost for one in merged)
    cells = [_HEAD, *map(_cells, (*merged, everything))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    first, *others = widths
    ruler = "|".join(["-" * (first + 2), *("-" * (width + 1) + ":" for width in others)])
    head, *rows = (_line(row, widths) for row in cells)
    return [head, f"|{ruler}|", *rows]


def _merged(accounts: Iterable[Account]) -> list[Account]:
    """The cases of one function and one budget as one attack; a test that noted nothing was one try."""
    merged: dict[tuple[str, str], Account] = {}
    for account in accounts:
        one = merged.setdefault((account.name, account.memory), Account(account.name, memory=account.memory))
        one.tries += account.tries or 1
        one.rows += account.rows
        one.lost += account.lost
        one.peak = max(one.peak, account.peak)
        one.failed |= account.failed
    return list(merged.values())


def _cells(account: Account) -> tuple[str, ...]:
    return (
        f"{account.name}{' FAILED' if account.failed else ''}",
        f"{account.tries:,}",
        f"{account.rows:,}" if account.rows else "",
        f"{account.lost:,}" if account.rows else "",
        account.memory,
        f"{account.peak / MIB:.0f} MiB" if account.peak else "",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if not place else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


_ALL = pytest.StashKey[dict[str, Account]]()
_OF_A_TEST = pytest.StashKey[Account]()


def account_of(item: pytest.Item) -> Account:
    """The account of one test; its name is the test's."""
    account = Account(getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " "))
    item.stash[_OF_A_TEST] = account
    return account


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attacks", type=Path, metavar="FILE", help="write the table of attacks there, as Markdown")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ALL] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put an attack into the table once it was made, or could not be: one that was skipped is not in it."""
    report = yield
    account = item.stash.get(_OF_A_TEST, None)
    if account is not None and (report.failed or (call.when == "call" and report.passed)):
        account.failed |= report.failed
        item.config.stash[_ALL][item.nodeid] = account
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    lines = table(config.stash[_ALL].values())
    if lines:
        terminalreporter.section("attacks")
        terminalreporter.write_line("\n".join(lines))
    file: Path | None = config.getoption("--attacks")
    if file is not None:
        file.write_text("\n".join([*lines, ""]), "utf-8")
