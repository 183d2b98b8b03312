"""What a search should know of an index: which field is the time, the level and the message, and its short-hands."""

from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from indexer.model.json import JsonObject
from indexer.model.mapping.index_fields import DATES, TEXTS, IndexFields

__all__ = ["SearchHints", "hints_of"]

_TIMES: Final = ("ts", "@timestamp", "timestamp", "time", "date")
_LEVELS: Final = ("level", "severity", "log.level", "loglevel")
_MESSAGES: Final = ("message", "content", "msg", "log", "text")
_BESIDE: Final = ("service", "component", "host")


class SearchHints(BaseModel):
    """The `search` part of an overlay, which `reindex` writes into the index's `_meta`.

    Attributes:
        time: the field of `--since`, `--until`, `--histogram` and `--follow`.
        level: the field that colours a line.
        message: the text that is shown, with its matches highlighted.
        columns: the fields of a line, in order; empty for the time, the level, the service and the message.
        shorthands: options by name, with the field that each filters: `service` for `--service payments`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: str | None = None
    level: str | None = None
    message: str | None = None
    columns: tuple[str, ...] = ()
    shorthands: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Every field that is named."""
        roles = (name for name in (self.time, self.level, self.message) if name)
        return tuple(dict.fromkeys((*roles, *self.columns, *self.shorthands.values())))

    def as_meta(self) -> JsonObject:
        """What was given, for `_meta`."""
        given: JsonObject = self.model_dump(mode="json", exclude_defaults=True)
        return given


def hints_of(fields: IndexFields) -> SearchHints:
    """What the index was built with; what it does not say is told by the usual names and types."""
    try:
        given = SearchHints.model_validate(fields.meta.get("search") or {})
    except ValidationError:  # another version of this product, or another product, wrote it
        given = SearchHints()
    known = fields.definitions
    time = given.time if given.time in known else _first(fields, _TIMES, DATES)
    level = given.level if given.level in known else _first(fields, _LEVELS, None)
    message = given.message if given.message in known else _first(fields, _MESSAGES, TEXTS)
    columns = tuple(name for name in given.columns if name in known)
    shorthands = {name: field for name, field in given.shorthands.items() if fields.holds(field)}
    beside = next((name for name in _BESIDE if name in known), None)
    return SearchHints(
        time=time,
        level=level,
        message=message,
        columns=columns or tuple(name for name in (time, level, beside, message) if name),
        shorthands={**_keywords(fields), **shorthands},
    )


def _first(fields: IndexFields, names: tuple[str, ...], types: frozenset[str] | None) -> str | None:
    """The first of the usual names that has such a type; without one, the only field of such a type."""
    fit = [name for name in fields.definitions if types is None or fields.type(name) in types]
    usual = next((name for name in names if name in fit), None)
    return usual or (fit[0] if types and len(fit) == 1 else None)


def _keywords(fields: IndexFields) -> dict[str, str]:
    exact = (name for name in fields.definitions if "." not in name and fields.type(name) in {"keyword", "ip"})
    return {name.replace("_", "-").lower(): name for name in exact}
