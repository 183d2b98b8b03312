"""What a job needs of a source; `cratedb` and `sqlalchemy` implement it."""

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
    """The result of one query.

    Attributes:
        rows: the rows, each with `Selection.width` values.
        size: its bytes, decompressed; an estimate where the driver does not count them.
    """

    rows: Sequence[Row]
    size: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """The number of rows and the range of the key column, under the selection's filter.

    Attributes:
        rows: all rows, including those whose key column is NULL.
        nulls: the rows whose key column is NULL.
        lo: the smallest key; None where the key column is not a number, or has no values.
        hi: the largest key; None as for `lo`.
    """

    rows: int
    nulls: int
    lo: int | None
    hi: int | None


class Reader(Protocol):
    """Reads pages of one selection over one connection; not shared between threads."""

    def page(self, request: PageRequest, max_bytes: int | None = None) -> Page:
        """Read one page.

        Args:
            request: which rows.
            max_bytes: bytes beyond which the response is abandoned; None for no limit. Drivers that only hand out
                complete results ignore it.

        Raises:
            SourceUnavailable: where a retry may help.
            ResponseTooLarge: where a smaller page may help: `max_bytes` was exceeded, or a circuit breaker tripped.
            SourceError: where neither helps.
        """

    def rows(self, identities: Sequence[Sequence[Json]], max_bytes: int | None = None) -> Page:
        """Read rows by identity, as far as they exist and match `--where`.

        Args:
            identities: for each row, the values that its `_id` is made of, in column order; at most `MAX_IDENTITIES`.
            max_bytes: as for `page`.

        Raises: as `page`.
        """

    def count_prefixes(self, prefix_count: PrefixCount) -> list[tuple[str, int]]:
        """Count the rows of each longer prefix. Raises as `page`."""

    def close(self) -> None:
        """Close the connection."""


class Source(Protocol):
    """A database that tables are read from. Methods raise as `Reader.page`, and `UsageError` for bad input."""

    def describe(self, name: TableName) -> Table:
        """Read the definition of a table.

        Raises:
            UsageError: where there is no such table (naming the nearest), or the user may not read it.
        """

    def refresh(self, table: Table) -> None:
        """Make every row written so far visible; does nothing where writes are visible at once."""

    def has_flat_windows(self, key_column: Column) -> bool:
        """Whether windows of this key column cost the same anywhere in the table; if not, plain keyset paging does."""

    def bounds(self, selection: Selection) -> Bounds:
        """Count the rows, and find the smallest and the largest key. This is the first query with the user's `--where`.

        Raises:
            UsageError: where the source rejects the condition.
        """

    def bins(self, selection: Selection, width: int) -> list[Bin]:
        """The histogram of a numeric key column, in one query: keys with the same `key / width` share a bin."""

    def unavailable_shards(self, table: Table) -> tuple[str, ...]:
        """The shards and partitions that cannot be read now, each described; empty where all can.

        CrateDB leaves the rows of an unavailable shard of a partitioned table out, without an error (docs/servers.md).
        """

    def stored_rows(self, table: Table) -> int | None:
        """The number of rows by the statistics of the table's primary shards; None where the source has no shards."""

    def update_checksum(self, selection: Selection) -> int | None:
        """A number that changes when a row is updated; None where the source has no row versions.

        The table must have a primary key.
        """

    def reader(self, selection: Selection) -> Reader:
        """A new reader, with its own connection."""

    def close(self) -> None:
        """Close all connections that this source opened for itself."""
