"""What the job asks of a source; `cratedb` and `database` answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.model.json import Json, Row
from indexer.model.paging.slice import Bin
from indexer.model.paging.window import PageRequest, PrefixCount
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, Table, TableName

__all__ = ["Bounds", "Page", "Reader", "Source"]


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one query.

    Attributes:
        rows: the rows, each with `Selection.width` values.
        size: how many bytes came over the wire, or an estimate where the driver does not say.
    """

    rows: Sequence[Row]
    size: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the key column's values span, under the selection's filter.

    Attributes:
        rows: all rows, those without a key value included.
        nulls: the rows where the key column is NULL.
        lo: the smallest key value; None where the key column is text, or there is none.
        hi: the largest.
    """

    rows: int
    nulls: int
    lo: int | None
    hi: int | None


class Reader(Protocol):
    """One connection that reads pages of one selection; not shared between threads."""

    def page(self, ask: PageRequest, most: int | None = None) -> Page:
        """Run one query.

        Args:
            ask: which rows.
            most: bytes of the answer beyond which it is abandoned; None for any. A database whose driver cannot tell
                before the rows are there takes them all.

        Raises:
            SourceUnavailable: where asking again may help.
            ResponseTooLarge: where asking for fewer rows may help: `most` was exceeded, or a breaker tripped.
            SourceError: where neither does.
        """

    def rows(self, identities: Sequence[Sequence[Json]], most: int | None = None) -> Page:
        """Read the rows again that documents were made of, as far as they are there and meet `--where`.

        Args:
            identities: what makes `_id` of each, in the order of its columns; at most `AT_ONCE`.
            most: as for `page`.

        Raises: as `page`.
        """

    def count_prefixes(self, prefix_count: PrefixCount) -> list[tuple[str, int]]:
        """Count the rows per longer prefix. Raises as `page`."""

    def close(self) -> None:
        """Close the connection."""


class Source(Protocol):
    """A database that tables are read from. Every method raises as `Reader.page`, or `UsageError` for bad input."""

    def describe(self, name: TableName) -> Table:
        """Look at a table.

        Raises:
            UsageError: where there is no such table (naming the nearest), or no privilege to read it.
        """

    def refresh(self, table: Table) -> None:
        """Make every row visible that was written so far; nothing where it is at once."""

    def has_flat_windows(self, key_column: Column) -> bool:
        """Whether windows of this key column are flat here; where they are not, plain keyset is."""

    def bounds(self, selection: Selection) -> Bounds:
        """Count the rows and find the smallest and largest key column; the first query that runs the user's `--where`.

        Raises:
            UsageError: where the source cannot parse the condition.
        """

    def bins(self, selection: Selection, width: int) -> list[Bin]:
        """The histogram of a number key column, in one query: values that share `value / width` share a bin."""

    def absent(self, table: Table) -> tuple[str, ...]:
        """The parts of the table that cannot be read now, each by its name; empty where everything can.

        A partitioned CrateDB table silently leaves out shards that are away (docs/servers.md): no error tells.
        """

    def stored_rows(self, table: Table) -> int | None:
        """The rows in the table's primary shards as these themselves say; None where the source has no shards."""

    def updates(self, selection: Selection) -> int | None:
        """A number that an UPDATE of a row that stays changes; None where the source cannot tell.

        The table has a primary key.
        """

    def reader(self, selection: Selection) -> Reader:
        """A connection of its own to read pages with."""

    def close(self) -> None:
        """Close what is open."""
