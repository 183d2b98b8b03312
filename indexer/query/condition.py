"""A condition of `--where`: a field, an operator and a value, which gets its type from the mapping."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.field_type import DATES, FLOATS, INTEGERS
from indexer.model.mapping.index_fields import TEXTS, IndexFields
from indexer.query.moment import epoch_milliseconds, parse_time

__all__ = ["Condition", "any_value_filter", "condition_filter", "parse_condition"]

_SYNTAX: Final = re.compile(
    r"\s*(?P<field>[^\s<>=!~]+)\s*(?P<operator>!=|>=|<=|=|>|<|~)\s*(?P<value>.*?)\s*", re.DOTALL
)
_RANGE_OPERATORS: Final = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a field's value must be.

    Attributes:
        field: the field's dotted name.
        operator: `=`, `!=`, `>`, `>=`, `<`, `<=`, or `~` for words of a text.
        value: as written; `*` with `=` or `!=` means any value.
    """

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{self.value}"


def parse_condition(text: str) -> Condition:
    """Parse `status=500`, `latency_ms > 300` or `message ~ connection pool`.

    Raises:
        UsageError: if it lacks a field, an operator or a value.
    """
    match = _SYNTAX.fullmatch(text)
    if match is None or not match["value"]:
        raise UsageError(f"--where {text!r} is not a condition: write FIELD=VALUE, with one of = != > >= < <= ~.")
    return Condition(match["field"], match["operator"], match["value"])


def condition_filter(condition: Condition, fields: IndexFields, now: datetime) -> JsonObject:
    """The Elasticsearch query of a condition.

    Args:
        condition: the condition.
        fields: the fields of the index.
        now: the present, for values such as `2h`.

    Raises:
        UsageError: for an unknown field, a value that it cannot have, or an operator that does not suit its type.
    """
    kind = fields.type(condition.field)
    if condition.operator == "!=":
        equal = Condition(condition.field, "=", condition.value)
        return {"bool": {"must_not": condition_filter(equal, fields, now)}}
    if condition.operator == "=" and condition.value == "*":
        return {"exists": {"field": condition.field}}
    if condition.operator == "~":
        return _match_filter(condition, kind)
    if kind in TEXTS:
        return _keyword_filter(condition, fields)
    return _value_filter(condition, kind, _typed_value(condition, kind, now))


def any_value_filter(field: str, values: tuple[str, ...], fields: IndexFields, now: datetime) -> JsonObject:
    """The Elasticsearch query for a field that has one of these values."""
    alternatives = [condition_filter(Condition(field, "=", value), fields, now) for value in values]
    return alternatives[0] if len(alternatives) == 1 else {"bool": {"should": [*alternatives]}}


def _match_filter(condition: Condition, kind: str) -> JsonObject:
    if kind not in TEXTS:
        raise UsageError(f"--where {condition}: ~ searches for words, but {condition.field} is {kind}: use =.")
    return {"match": {condition.field: {"query": condition.value, "operator": "and"}}}


def _keyword_filter(condition: Condition, fields: IndexFields) -> JsonObject:
    keyword = fields.keyword(condition.field)
    if condition.operator != "=" or keyword is None:
        remedy = f"use {keyword}" if keyword else "use ~ for words in it"
        raise UsageError(
            f"--where {condition}: {condition.field} is text, which {condition.operator} cannot compare: {remedy}."
        )
    limit = fields.definitions[keyword].get("ignore_above")
    if isinstance(limit, int) and len(condition.value) > limit:
        raise UsageError(
            f"--where {condition.field}: {keyword} indexes values of at most {limit} characters: search for a phrase."
        )
    return {"term": {keyword: condition.value}}


def _value_filter(condition: Condition, kind: str, value: Json) -> JsonObject:
    if condition.operator == "=":
        return {"term": {condition.field: {"value": value}}}
    if kind in {"boolean", "geo_point"} or (kind == "ip" and "/" in condition.value):
        raise UsageError(f"--where {condition}: {condition.value} has no order: use = or !=.")
    options: JsonObject = {"format": "epoch_millis"} if kind in DATES else {}
    return {"range": {condition.field: {_RANGE_OPERATORS[condition.operator]: value, **options}}}


def _typed_value(condition: Condition, kind: str, now: datetime) -> Json:
    if kind in DATES:
        return epoch_milliseconds(parse_time(condition.value, now, f"--where {condition.field}"))
    try:
        return _value_parser(kind)(condition.value)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"--where {condition}: {condition.field} is {kind}, and {condition.value!r} is not: correct the value."
        ) from error


def _value_parser(kind: str) -> Callable[[str], Json]:
    if kind in INTEGERS:
        return int
    if kind in FLOATS:
        return float
    special: dict[str, Callable[[str], Json]] = {"boolean": _parse_boolean, "ip": _parse_address}
    return special.get(kind, str)


def _parse_boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _parse_address(text: str) -> str:
    return str(ip_network(text, strict=False) if "/" in text else ip_address(text))
