"""A condition of `--where`: a field, an operator and a value, typed by the mapping."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import DATES, TEXTS, IndexFields

__all__ = ["Condition", "epoch_milliseconds", "equals", "filter_of", "parse_condition", "parse_time"]

_AGO: Final = re.compile(r"(\d{1,9})\s*(ms|s|m|h|d|w)(?: ago)?")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DAYS: Final = {"today": 0, "yesterday": 1}


def parse_time(text: str, now: datetime, option: str = "--since") -> datetime:
    """Read a moment; what names no time zone is in the user's.

    Args:
        text: a time ago (`15m`, `2h`, `7d`), `now`, `today`, `yesterday` (where they begin), a clock time of today, a
            date, or an ISO 8601 time.
        now: the present, with its time zone.
        option: for the message.

    Raises:
        UsageError: where it is none of these.
    """
    said = text.strip().lower()
    try:
        for read in _READERS:
            moment = read(said, now)
            if moment is not None:
                return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"{option} {text!r} is not a time: write 2h or 15m for a time ago, yesterday, 2026-11-22, or"
        " 2026-11-22T10:15:00+09:00."
    )


def epoch_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as dates are indexed."""
    return round(moment.timestamp() * 1000)


def _ago(said: str, now: datetime) -> datetime | None:
    if said == "now":
        return now
    found = _AGO.fullmatch(said)
    return now - int(found[1]) * _UNITS[found[2]] if found else None


def _day(said: str, now: datetime) -> datetime | None:
    if said not in _DAYS:
        return None
    # Without its zone, so that the midnight is that day's own where the clocks changed since.
    return datetime.combine(now.date() - timedelta(days=_DAYS[said]), time())


def _clock(said: str, now: datetime) -> datetime | None:
    return datetime.combine(now.date(), time.fromisoformat(said)) if re.match(r"\d\d:", said) else None


def _iso(said: str, _now: datetime) -> datetime:
    return datetime.fromisoformat(said.upper())


_READERS: Final[tuple[Callable[[str, datetime], datetime | None], ...]] = (_ago, _day, _clock, _iso)


_FORM: Final = re.compile(r"\s*(?P<field>[^\s<>=!~]+)\s*(?P<op>!=|>=|<=|=|>|<|~)\s*(?P<value>.*?)\s*", re.DOTALL)
_RANGES: Final = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}

_WHOLE: Final = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
_REAL: Final = frozenset({"double", "float", "half_float", "scaled_float"})


@dataclass(frozen=True, slots=True)
class Condition:
    """What a field must be.

    Attributes:
        field: its dotted name.
        op: `=`, `!=`, `>`, `>=`, `<`, `<=`, or `~` for words of a text.
        value: as written; `*` with `=` or `!=` is any value at all.
    """

    field: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.op}{self.value}"


def parse_condition(text: str) -> Condition:
    """Read `status=500`, `latency_ms > 300`, `message ~ connection pool`.

    Raises:
        UsageError: where it has no field, operator or value.
    """
    found = _FORM.fullmatch(text)
    if found is None or not found["value"]:
        raise UsageError(f"--where {text!r} is not a condition: write FIELD=VALUE, with one of = != > >= < <= ~.")
    return Condition(found["field"], found["op"], found["value"])


def filter_of(condition: Condition, fields: IndexFields, now: datetime) -> JsonObject:
    """The query for a condition.

    Args:
        condition: the condition.
        fields: what the index has.
        now: what `2h` is before.

    Raises:
        UsageError: for an unknown field, a value that the field cannot have, or an operator that its type does not know.
    """
    kind = fields.type(condition.field)
    if condition.op == "!=":
        return {"bool": {"must_not": filter_of(Condition(condition.field, "=", condition.value), fields, now)}}
    if condition.op == "=" and condition.value == "*":
        return {"exists": {"field": condition.field}}
    if condition.op == "~":
        return _words(condition, kind)
    if kind in TEXTS:
        return _exact(condition, fields)
    value = _value(condition, kind, now)
    return _compared(condition, kind, value)


def equals(field: str, values: tuple[str, ...], fields: IndexFields, now: datetime) -> JsonObject:
    """The query for a field that has one of these values."""
    any_of: list[Json] = [filter_of(Condition(field, "=", value), fields, now) for value in values]
    return any_of[0] if len(any_of) == 1 and isinstance(any_of[0], dict) else {"bool": {"should": any_of}}


def _words(condition: Condition, kind: str) -> JsonObject:
    if kind not in TEXTS:
        raise UsageError(f"--where {condition}: ~ looks for words, and {condition.field} is {kind}: use =.")
    return {"match": {condition.field: {"query": condition.value, "operator": "and"}}}


def _exact(condition: Condition, fields: IndexFields) -> JsonObject:
    exact = fields.keyword(condition.field)
    if condition.op != "=" or exact is None:
        remedy = f"use {exact}" if exact else "use ~ for words in it"
        raise UsageError(f"--where {condition}: {condition.field} is text, which has no order: {remedy}.")
    limit = fields.definitions[exact].get("ignore_above")
    if isinstance(limit, int) and len(condition.value) > limit:
        raise UsageError(
            f"--where {condition.field}: {exact} keeps values of at most {limit} characters: search for a phrase."
        )
    return {"term": {exact: condition.value}}


def _compared(condition: Condition, kind: str, value: Json) -> JsonObject:
    if condition.op == "=":
        return {"term": {condition.field: {"value": value}}}
    if kind in {"boolean", "geo_point"} or (kind == "ip" and "/" in condition.value):
        raise UsageError(f"--where {condition}: {condition.value} has no order: use = or !=.")
    form: JsonObject = {"format": "epoch_millis"} if kind in DATES else {}
    return {"range": {condition.field: {_RANGES[condition.op]: value, **form}}}


def _value(condition: Condition, kind: str, now: datetime) -> Json:
    if kind in DATES:
        return epoch_milliseconds(parse_time(condition.value, now, f"--where {condition.field}"))
    try:
        return _reader(kind)(condition.value)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"--where {condition}: {condition.field} is {kind}, and {condition.value!r} is not: correct the value."
        ) from error


def _reader(kind: str) -> Callable[[str], Json]:
    if kind in _WHOLE:
        return int
    if kind in _REAL:
        return float
    special: dict[str, Callable[[str], Json]] = {"boolean": _boolean, "ip": _address}
    return special.get(kind, str)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _address(text: str) -> str:
    return str(ip_network(text, strict=False) if "/" in text else ip_address(text))
