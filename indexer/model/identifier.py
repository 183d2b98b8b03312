"""Names as SQL writes them: `logs`, `doc.logs`, `"MyTable"`, `"select"`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from indexer.errors import Refused

__all__ = ["TableName", "nearest", "parse_table_name"]

_PART = r'(?:"(?P<{0}q>(?:[^"]|"")+)"|(?P<{0}p>[^\W\d][\w$]*))'
_TABLE = re.compile(rf"(?:{_PART.format('schema')}\.)?{_PART.format('name')}")


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name and, where it was given or found out, its schema.

    Attributes:
        name: the table, in its true case, without quotes.
        schema: the schema, likewise, or None for the source's default.
    """

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def parse_table_name(text: str) -> TableName:
    """Read a table name as CrateDB would: unquoted parts fold to lower case, quoted ones stay.

    Raises:
        Refused: where it is not an SQL identifier.
    """
    found = _TABLE.fullmatch(text.strip())
    if found is None:
        raise Refused(f'{text!r} is not a table name: write logs, doc.logs, or "MyTable" with its double quotes.')
    return TableName(name=_part(found, "name") or "", schema=_part(found, "schema"))


def _part(found: re.Match[str], which: str) -> str | None:
    quoted: str | None = found[f"{which}q"]
    if quoted is not None:
        return quoted.replace('""', '"')
    plain: str | None = found[f"{which}p"]
    return plain.lower() if plain is not None else None


def nearest(wanted: str, known: Iterable[str]) -> str:
    """A sentence part that names what the user may have meant: ` Did you mean a or b?`, or nothing."""
    close = get_close_matches(wanted, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""
