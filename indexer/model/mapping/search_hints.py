"""What a search should know about an index: its time, level and message fields, and its shorthands."""

from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from indexer.model.json import JsonObject
from indexer.model.mapping.field_type import DATES
from indexer.model.mapping.index_fields import TEXTS, IndexFields

__all__ = ["SearchHints", "resolve_hints"]

_TIME_NAMES: Final = ("ts", "@timestamp", "timestamp", "time", "date")
_LEVEL_NAMES: Final = ("level", "severity", "log.level", "loglevel")
_MESSAGE_NAMES: Final = ("message", "content", "msg", "log", "text")
_ORIGIN_NAMES: Final = ("service", "component", "host")


class SearchHints(BaseModel):
    """The `search` section of an overlay, which `reindex` writes into the index's `_meta`.

    Attributes:
        time: the field of `--since`, `--until`, `--histogram` and `--follow`.
        level: the field that colours a line.
        message: the text to show, with its matches highlighted.
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
        """Every field that the hints name."""
        roles = (name for name in (self.time, self.level, self.message) if name)
        return tuple(dict.fromkeys((*roles, *self.columns, *self.shorthands.values())))

    def as_meta(self) -> JsonObject:
        """The hints that were given, for `_meta`."""
        given: JsonObject = self.model_dump(mode="json", exclude_defaults=True)
        return given


def resolve_hints(fields: IndexFields) -> SearchHints:
    """The hints that the index was built with; what they leave open is guessed from common names and types."""
    try:
        given = SearchHints.model_validate(fields.meta.get("search") or {})
    except ValidationError:  # written by another version of this product, or by another product
        given = SearchHints()
    known = fields.definitions
    time = given.time if given.time in known else _guess(fields, _TIME_NAMES, DATES)
    level = given.level if given.level in known else _guess(fields, _LEVEL_NAMES, None)
    message = given.message if given.message in known else _guess(fields, _MESSAGE_NAMES, TEXTS)
    columns = tuple(name for name in given.columns if name in known)
    shorthands = {name: field for name, field in given.shorthands.items() if fields.has(field)}
    origin = next((name for name in _ORIGIN_NAMES if name in known), None)
    return SearchHints(
        time=time,
        level=level,
        message=message,
        columns=columns or tuple(name for name in (time, level, origin, message) if name),
        shorthands={**_keyword_shorthands(fields), **shorthands},
    )


def _guess(fields: IndexFields, names: tuple[str, ...], types: frozenset[str] | None) -> str | None:
    """The first of the common names whose field has such a type; failing that, the only field of such a type."""
    candidates = [name for name in fields.definitions if types is None or fields.type(name) in types]
    common = next((name for name in names if name in candidates), None)
    return common or (candidates[0] if types and len(candidates) == 1 else None)


def _keyword_shorthands(fields: IndexFields) -> dict[str, str]:
    keywords = (name for name in fields.definitions if "." not in name and fields.type(name) in {"keyword", "ip"})
    return {name.replace("_", "-").lower(): name for name in keywords}
