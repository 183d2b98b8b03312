"""Windows: the parts of a table that queries ask for, and the questions themselves."""

from dataclasses import dataclass, field

from indexer.model.json import Json

__all__ = ["Keyset", "Offset", "PageRequest", "Prefix", "PrefixCount", "Prefixes", "Range", "TieGroup", "Window"]


@dataclass(frozen=True, slots=True)
class Range:
    """The rows with `lo < key column <= hi`.

    Attributes:
        lo: exclusive; it may lie one below the column type's smallest value, and is then not sent.
        hi: inclusive.
    """

    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Prefix:
    """The text values that begin with `text`; with `exact`, only the value `text` itself.

    Attributes:
        text: the prefix, as the user wrote the value: escaping for LIKE is the source's business.
        exact: whether longer values are left out.
        rows: how many rows the prefix count counted.
    """

    text: str
    exact: bool = False
    rows: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The rows whose key column begins with one of these, in no order: a text range is not flat in CrateDB, this is."""

    prefixes: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class TieGroup:
    """The rows of one key value, in the order of what breaks ties.

    Attributes:
        value: the key value; None for the rows where the key column is NULL.
        after: the tie values of the last row that was read, exclusive; None to begin.
    """

    value: int | str | None
    after: tuple[Json, ...] | None = None


@dataclass(frozen=True, slots=True)
class Keyset:
    """All rows where the key column is not NULL, in the order of the key column and its ties, without an upper bound.

    Attributes:
        after: the key column and tie values of the last row that was read, exclusive; None to begin.
    """

    after: tuple[Json, ...] | None = None


@dataclass(frozen=True, slots=True)
class Offset:
    """All rows, in the order of the key column and its ties, from the row `offset` on.

    Attributes:
        offset: how many rows to skip.
    """

    offset: int = 0


Window = Range | Prefixes | TieGroup | Keyset | Offset


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One query for one page.

    Attributes:
        window: which rows.
        limit: how many of them at most.
        ordered: whether the rows of a `Range` are to come in the order of the key column, so that a page that was cut off at
            its limit can be used; it costs the source more. Other windows have their own order, or none.
    """

    window: Window
    limit: int
    ordered: bool = False

    @property
    def skipped(self) -> int:
        """Rows that the source holds in memory, and sorts, before it comes to the first one of the page."""
        return self.window.offset if isinstance(self.window, Offset) else 0


@dataclass(frozen=True, slots=True)
class PrefixCount:
    """One query for the number of rows per longer prefix below a prefix.

    Attributes:
        prefix: the prefix whose values are counted; empty for all values.
        units: the length of the longer prefixes in UTF-16 units, as CrateDB's `substr` counts; one more where the
            last unit would be half of a surrogate pair.
    """

    prefix: str
    units: int
