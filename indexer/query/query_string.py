"""Query strings in Lucene's syntax: their fields, where they break, and their Korean words as prefixes."""

import re
from collections.abc import Collection, Iterator
from typing import Final

__all__ = ["escaped_at", "named_fields", "with_prefixes"]

_ESCAPED: Final = r"\\."
_LETTER: Final = rf"(?:{_ESCAPED}|[^\s+\-!():^\[\]\"{{}}~*?\\/&|])"
_TOKEN: Final = re.compile(
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
"""The tokens of Lucene's grammar that matter here; any `other` character is copied."""

_HANGUL: Final = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9](?:[\w.]*[A-Za-z0-9])?", re.ASCII)
_OPERATORS: Final = frozenset({"AND", "OR", "NOT"})
_SEPARATOR: Final = re.compile(r"\\.|(?<!\d),|,(?!\d)|[^\w.,'\u2019·]", re.DOTALL)
"""What separates words for the standard analyzer. A full stop, apostrophe or middle dot between letters does not."""


def with_prefixes(query: str, fields: Collection[str], star: str = "*") -> str:
    """Search Korean words as prefixes, so that 반도체 finds 반도체를, and others also with a particle: GPU finds GPU를.

    Quoted phrases, wildcards, fuzzy words, ranges, regular expressions, operators and words in other fields stay
    unchanged.

    Args:
        query: the query string.
        fields: the fields that index a word and its particle as one term; words without a field are searched in them.
        star: what makes a prefix; `**` matches the same as a pattern that does not use `index_prefixes`.
    """
    return query if not fields else _PrefixRewriter(fields, star).rewrite(query)


def named_fields(query: str) -> Iterator[tuple[str, int]]:
    """The fields that a query names, each with its column, from 1."""
    return ((_unescaped(token["field"]), token.start() + 1) for token in _TOKEN.finditer(query) if token["field"])


def escaped_at(query: str, column: int) -> str:
    """The query with a backslash before the likely cause of a parse error: the column, or an unclosed bracket.

    Args:
        query: the query string.
        column: where the server stopped parsing, from 1; one past the end where the query ended too early.
    """
    cause = column - 1 if column <= len(query) else max(map(query.rfind, _unclosed(query)), default=len(query) - 1)
    cause = max(0, min(cause, len(query) - 1))
    return f"{query[:cause]}\\{query[cause:]}"


def _unclosed(query: str) -> Iterator[str]:
    """The kinds of brackets, quotes and slashes of which one is not closed."""
    yield from (opener for opener, closer in ("()", "[]", "{}") if query.count(opener) > query.count(closer))
    yield from (mark for mark in '"/' if query.count(mark) % 2)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _PrefixRewriter:
    def __init__(self, fields: Collection[str], star: str) -> None:
        self._star = star
        self._fields = fields
        self._field: str | None = None
        self._outer: list[str | None] = [None]

    def rewrite(self, query: str) -> str:
        return "".join(self._token(token) for token in _TOKEN.finditer(query))

    def _token(self, token: re.Match[str]) -> str:
        text = token.group()
        if token["field"]:
            self._field = _unescaped(token["field"])
        elif token["open"]:
            self._outer.append(self._field)
        elif token["close"]:
            self._outer[1:] = self._outer[1:-1]
            self._field = self._outer[-1]
        elif token["word"]:
            text = self._word(text) if not token["fuzzy"] and self._in_scope() else text
            self._field = self._outer[-1]
        elif token["whole"]:
            self._field = self._outer[-1]
        return text

    def _in_scope(self) -> bool:
        """Whether the next word is searched in one of the fields."""
        return self._field is None or self._field in self._fields

    def _word(self, word: str) -> str:
        if _PLAIN.fullmatch(word) and word not in _OPERATORS:
            return f"({word} OR /{word.lower().replace('.', '[.]')}[가-힣]+/)"
        if not _HANGUL.search(word) or re.search(r"(?<!\\)[*?]", word) or word[0] in "<>":
            return word
        pieces = [piece.strip(".,'\u2019·") for piece in _SEPARATOR.split(word)]
        terms = [f"{piece}{self._star}" if _HANGUL.search(piece) else piece for piece in pieces if piece]
        return terms[0] if len(terms) == 1 else f"({' AND '.join(terms)})"
