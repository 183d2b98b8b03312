"""Checkpoints: what is left of a job's slices, as JSON and back."""

from collections.abc import Sequence

from indexer.model.json import Json, JsonObject
from indexer.model.ledger import Left
from indexer.model.window import Group, Keyset, Offset, Prefix, Prefixes, Range, Window

__all__ = ["read_left", "write_left"]


def write_left(left: Sequence[Left]) -> list[Json]:
    """What is left of each slice, as JSON."""
    return [
        {
            "number": part.number,
            "rows": part.rows,
            "read": part.read,
            "dead": part.dead,
            "again": part.again,
            "windows": [_write(window) for window in part.windows],
            "span": _write(part.span),
        }
        for part in left
    ]


def read_left(content: Sequence[JsonObject]) -> tuple[Left, ...]:
    """The inverse of `write_left`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_left` made.
    """
    return tuple(
        Left(
            number=_int(part["number"]),
            windows=tuple(_read(_object(window)) for window in _list(part["windows"])),
            rows=_int(part["rows"]),
            read=_int(part["read"]),
            dead=_int(part["dead"]),
            again=_int(part["again"]),
            span=_read(_object(part["span"])),
        )
        for part in content
    )


def _write(window: Window) -> Json:
    match window:
        case Range(lo, hi):
            return {"range": [lo, hi]}
        case Prefixes(prefixes):
            return {"prefixes": [[prefix.text, prefix.exact, prefix.rows] for prefix in prefixes]}
        case Group(value, after):
            return {"group": value, "after": _after(after)}
        case Keyset(after):
            return {"keyset": _after(after)}
        case Offset(offset):
            return {"offset": offset}


def _after(after: tuple[Json, ...] | None) -> Json:
    return None if after is None else list(after)


def _read(content: JsonObject) -> Window:
    match content:
        case {"range": [int(lo), int(hi)]}:
            return Range(lo, hi)
        case {"prefixes": [*prefixes]}:
            return Prefixes(tuple(_prefix(_list(prefix)) for prefix in prefixes))
        case {"group": int() | str() | None as value, "after": after}:
            return Group(value, None if after is None else tuple(_list(after)))
        case {"keyset": after}:
            return Keyset(None if after is None else tuple(_list(after)))
        case {"offset": int(offset)}:
            return Offset(offset)
    raise ValueError(content)


def _prefix(content: list[Json]) -> Prefix:
    text, exact, rows = content
    if not isinstance(text, str):
        raise TypeError(content)
    return Prefix(text, exact=bool(exact), rows=_int(rows))


def _int(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value
