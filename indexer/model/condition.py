"""A condition of `--where`: a field, an operator and a value, typed by the mapping."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final

from indexer.errors import Refused
from indexer.model.json import Json, JsonObject
from indexer.model.live_fields import DATES, TEXTS, LiveFields
from indexer.model.moment import milliseconds, parse_moment

__all__ = ["Condition", "equals", "filter_of", "parse_condition"]

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
        Refused: where it has no field, operator or value.
    """
    found = _FORM.fullmatch(text)
    if found is None or not found["value"]:
        raise Refused(f"--where {text!r} is not a condition: write FIELD=VALUE, with one of = != > >= < <= ~.")
    return Condition(found["field"], found["op"], found["value"])


def filter_of(condition: Condition, fields: LiveFields, now: datetime) -> JsonObject:
    """The query for a condition.

    Args:
        condition: the condition.
        fields: what the index has.
        now: what `2h` is before.

    Raises:
        Refused: for an unknown field, a value that the field cannot have, or an operator that its type does not know.
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


def equals(field: str, values: tuple[str, ...], fields: LiveFields, now: datetime) -> JsonObject:
    """The query for a field that has one of these values."""
    any_of: list[Json] = [filter_of(Condition(field, "=", value), fields, now) for value in values]
    return any_of[0] if len(any_of) == 1 and isinstance(any_of[0], dict) else {"bool": {"should": any_of}}


def _words(condition: Condition, kind: str) -> JsonObject:
    if kind not in TEXTS:
        raise Refused(f"--where {condition}: ~ looks for words, and {condition.field} is {kind}: use =.")
    return {"match": {condition.field: {"query": condition.value, "operator": "and"}}}


def _exact(condition: Condition, fields: LiveFields) -> JsonObject:
    exact = fields.keyword(condition.field)
    if condition.op != "=" or exact is None:
        remedy = f"use {exact}" if exact else "use ~ for words in it"
        raise Refused(f"--where {condition}: {condition.field} is text, which has no order: {remedy}.")
    limit = fields.definitions[exact].get("ignore_above")
    if isinstance(limit, int) and len(condition.value) > limit:
        raise Refused(
            f"--where {condition.field}: {exact} keeps values of at most {limit} characters: search for a phrase."
        )
    return {"term": {exact: condition.value}}


def _compared(condition: Condition, kind: str, value: Json) -> JsonObject:
    if condition.op == "=":
        return {"term": {condition.field: {"value": value}}}
    if kind in {"boolean", "geo_point"} or (kind == "ip" and "/" in condition.value):
        raise Refused(f"--where {condition}: {condition.value} has no order: use = or !=.")
    form: JsonObject = {"format": "epoch_millis"} if kind in DATES else {}
    return {"range": {condition.field: {_RANGES[condition.op]: value, **form}}}


def _value(condition: Condition, kind: str, now: datetime) -> Json:
    if kind in DATES:
        return milliseconds(parse_moment(condition.value, now, f"--where {condition.field}"))
    try:
        return _reader(kind)(condition.value)
    except (ValueError, KeyError) as error:
        raise Refused(
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
