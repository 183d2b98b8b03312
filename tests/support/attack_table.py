"""The table of attacks that tests/fault prints: the number of tries, rows, lost rows, peak memory.

Every test there is a row of the table; a test with figures records them::

    def test_a_restart_is_survived(record: AttackRecord, ...) -> None:
        ...
        record.tried(rows=len(expected), lost=len(expected - found), memory="64MiB", peak=ended.peak)

`--attacks FILE` also writes the table as Markdown.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["AttackRecord", "attack_table", "record_of"]

MIB = 2**20

_HEAD = ("attack", "tried", "rows", "lost", "`--memory`", "peak RSS")


@dataclass
class AttackRecord:
    """The results of an attack, or of several of the same kind.

    Attributes:
        name: the attack, in the words of its test's name.
        tries: the number of tries.
        rows: the rows that had to arrive, over all tries.
        lost: the number of those that did not.
        memory: the job's budget, as `--memory` takes it; empty if the attack is not about memory.
        peak: the peak memory of a process under attack, in bytes; 0 if it was not measured.
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
        """Record tries; if a row was lost, the test fails here, after the loss was recorded."""
        self.tries += times
        self.rows += rows
        self.lost += lost
        self.memory = memory or self.memory
        self.peak = max(self.peak, peak)
        assert not lost, f"{lost:,} of {rows:,} rows are lost"


def attack_table(records: Iterable[AttackRecord]) -> list[str]:
    """The lines of the table, in Markdown: one for each attack, failed ones marked, and the total."""
    merged = _merged(records)
    if not merged:
        return []
    total = AttackRecord("all", sum(attack.tries for attack in merged), sum(attack.rows for attack in merged))
    total.lost = sum(attack.lost for attack in merged)
    cells = [_HEAD, *map(_cells, (*merged, total))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    first, *others = widths
    ruler = "|".join(["-" * (first + 2), *("-" * (width + 1) + ":" for width in others)])
    head, *rows = (_line(row, widths) for row in cells)
    return [head, f"|{ruler}|", *rows]


def _merged(records: Iterable[AttackRecord]) -> list[AttackRecord]:
    """The records with one row for all cases of a test with the same budget; without figures, a test is one try."""
    merged: dict[tuple[str, str], AttackRecord] = {}
    for record in records:
        attack = merged.setdefault((record.name, record.memory), AttackRecord(record.name, memory=record.memory))
        attack.tries += record.tries or 1
        attack.rows += record.rows
        attack.lost += record.lost
        attack.peak = max(attack.peak, record.peak)
        attack.failed |= record.failed
    return list(merged.values())


def _cells(record: AttackRecord) -> tuple[str, ...]:
    return (
        f"{record.name}{' FAILED' if record.failed else ''}",
        f"{record.tries:,}",
        f"{record.rows:,}" if record.rows else "",
        f"{record.lost:,}" if record.rows else "",
        record.memory,
        f"{record.peak / MIB:.0f} MiB" if record.peak else "",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if not place else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


_RECORDS = pytest.StashKey[dict[str, AttackRecord]]()
_TEST_RECORD = pytest.StashKey[AttackRecord]()


def record_of(item: pytest.Item) -> AttackRecord:
    """A new record for a test, named after it."""
    record = AttackRecord(getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " "))
    item.stash[_TEST_RECORD] = record
    return record


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attacks", type=Path, metavar="FILE", help="write the table of attacks to FILE, as Markdown")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RECORDS] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add an attack to the table once it was run or failed in its setup; skipped ones are left out."""
    report = yield
    record = item.stash.get(_TEST_RECORD, None)
    if record is not None and (report.failed or (call.when == "call" and report.passed)):
        record.failed |= report.failed
        item.config.stash[_RECORDS][item.nodeid] = record
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    lines = attack_table(config.stash[_RECORDS].values())
    if lines:
        terminalreporter.section("attacks")
        terminalreporter.write_line("\n".join(lines))
    file: Path | None = config.getoption("--attacks")
    if file is not None:
        file.write_text("\n".join([*lines, ""]), "utf-8")
