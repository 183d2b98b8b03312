"""A query string in Lucene's syntax: its fields, its mistakes, and its Korean words where an index keeps them whole."""

import re
from collections.abc import Collection, Iterator
from typing import Final

__all__ = ["escaped_at", "named_fields", "with_prefixes"]

_ESCAPED: Final = r"\\."
_LETTER: Final = rf"(?:{_ESCAPED}|[^\s+\-!():^\[\]\"{{}}~*?\\/&|])"
_PART: Final = re.compile(
    rf"""
      (?P<whole>"(?:{_ESCAPED}|[^"\\])*"?(?:~\d*)? | /(?:{_ESCAPED}|[^/\\])*/ | [\[{{][^\]}}]*[\]}}]?)
    | \^[\d.]*
    | (?P<open>\() | (?P<close>\))
    | (?P<field>{_LETTER}(?:{_LETTER}|[+\-])*):
    | (?P<word>(?:{_LETTER}|[*?])(?:{_LETTER}|[+\-*?])*)(?P<fuzzy>~[\d.]*)?
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""What Lucene's grammar tells apart, as far as it matters here: what is left of it, `other`, is copied."""

_HANGUL: Final = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9](?:[\w.]*[A-Za-z0-9])?", re.ASCII)
_OPERATORS: Final = frozenset({"AND", "OR", "NOT"})
_BETWEEN: Final = re.compile(r"\\.|(?<!\d),|,(?!\d)|[^\w.,'\u2019·]", re.DOTALL)
"""What ends a word for the standard analyzer; a full stop, an apostrophe or a middle dot between letters does not."""


def with_prefixes(query: str, fields: Collection[str], star: str = "*") -> str:
    """Ask Korean words as prefixes, so that 반도체 finds 반도체를, and others also with a particle: GPU finds GPU를.

    Quoted phrases, wildcards, fuzzy words, ranges, regular expressions, operators and words in other fields stay as
    they are.

    Args:
        query: the query string.
        fields: the fields that keep a word and its particle together; words without a field are asked of them.
        star: what makes a prefix; `**` finds the same, as a pattern that goes past the index's own prefixes.
    """
    return query if not fields else _Rewriting(fields, star).rewrite(query)


def named_fields(query: str) -> Iterator[tuple[str, int]]:
    """The fields that a query names, each with its column, from 1."""
    return ((_unescaped(found["field"]), found.start() + 1) for found in _PART.finditer(query) if found["field"])


def escaped_at(query: str, column: int) -> str:
    """The query with a backslash before what may have broken it: what stands at the column, or was not closed.

    Args:
        query: the query string.
        column: where the server stopped reading, from 1; one past the end where the query ended too early.
    """
    at = column - 1 if column <= len(query) else max(map(query.rfind, _left_open(query)), default=len(query) - 1)
    at = max(0, min(at, len(query) - 1))
    return f"{query[:at]}\\{query[at:]}"


def _left_open(query: str) -> Iterator[str]:
    """The brackets, quotes and slashes of which one was not closed."""
    yield from (opener for opener, closer in ("()", "[]", "{}") if query.count(opener) > query.count(closer))
    yield from (mark for mark in '"/' if query.count(mark) % 2)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Rewriting:
    def __init__(self, fields: Collection[str], star: str) -> None:
        self._star = star
        self._fields = fields
        self._field: str | None = None
        self._outer: list[str | None] = [None]

    def rewrite(self, query: str) -> str:
        return "".join(self._part(found) for found in _PART.finditer(query))

    def _part(self, found: re.Match[str]) -> str:
        text = found.group()
        if found["field"]:
            self._field = _unescaped(found["field"])
        elif found["open"]:
            self._outer.append(self._field)
        elif found["close"]:
            self._outer[1:] = self._outer[1:-1]
            self._field = self._outer[-1]
        elif found["word"]:
            text = self._word(text) if not found["fuzzy"] and self._asked() else text
            self._field = self._outer[-1]
        elif found["whole"]:
            self._field = self._outer[-1]
        return text

    def _asked(self) -> bool:
        return self._field is None or self._field in self._fields

    def _word(self, word: str) -> str:
        if _PLAIN.fullmatch(word) and word not in _OPERATORS:
            return f"({word} OR /{word.lower().replace('.', '[.]')}[가-힣]+/)"
        if not _HANGUL.search(word) or re.search(r"(?<!\\)[*?]", word) or word[0] in "<>":
            return word
        pieces = [piece.strip(".,'\u2019·") for piece in _BETWEEN.split(word)]
        asked = [f"{piece}{self._star}" if _HANGUL.search(piece) else piece for piece in pieces if piece]
        return asked[0] if len(asked) == 1 else f"({' AND '.join(asked)})"
