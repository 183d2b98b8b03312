"""The overlay: what a mapping file says about the fields, the index settings and the `_id` of one table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic import Field as Limit
from pydantic_core import ErrorDetails

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.model.mapping.analysis import AnalyzerChoice
from indexer.model.mapping.field_type import KNOWN
from indexer.model.mapping.search_hints import SearchHints
from indexer.model.table.table import nearest

__all__ = ["FieldOverlay", "Overlay", "parse_overlay"]


def _known_type(name: str) -> str:
    if name not in KNOWN:
        raise ValueError(f"has the type {name!r}, which Elasticsearch does not have.{nearest(name, KNOWN)}")
    return name


def _one_name(name: str) -> str:
    if not name.strip() or "." in name:
        raise ValueError(f"is renamed to {name!r}: rename takes one name without dots, the field stays in its object.")
    return name


_Type = Annotated[str, AfterValidator(_known_type)]
_Count = Annotated[int, Limit(ge=0)]


class SubField(BaseModel):
    """A field's type and parameters, named and meant as in Elasticsearch's mappings; None where not given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: _Type | None = None
    analyzer: str | None = None
    search_analyzer: str | None = None
    search_quote_analyzer: str | None = None
    normalizer: str | None = None
    fields: "dict[str, SubField] | None" = None
    ignore_above: _Count | None = None
    ignore_malformed: bool | None = None
    coerce: bool | None = None
    null_value: JsonValue = None
    format: str | None = None
    locale: str | None = None
    index: bool | None = None
    doc_values: bool | None = None
    store: bool | None = None
    norms: bool | None = None
    index_options: JsonValue = None
    index_prefixes: dict[str, int] | None = None
    index_phrases: bool | None = None
    term_vector: str | None = None
    similarity: str | None = None
    position_increment_gap: _Count | None = None
    fielddata: bool | None = None
    eager_global_ordinals: bool | None = None
    split_queries_on_whitespace: bool | None = None
    enabled: bool | None = None
    dynamic: bool | Literal["strict", "runtime", "true", "false"] | None = None
    include_in_parent: bool | None = None
    include_in_root: bool | None = None
    depth_limit: _Count | None = None
    ignore_z_value: bool | None = None
    orientation: str | None = None
    dims: _Count | None = None
    element_type: str | None = None
    scaling_factor: float | None = None
    value: JsonValue = None

    def definition(self) -> JsonObject:
        """What was given, as a mapping has it."""
        given: JsonObject = self.model_dump(exclude_none=True, exclude={"rename"})
        return given


class FieldOverlay(SubField):
    """What an overlay says about one column or sub-column.

    Attributes:
        rename: the name in the index, in place of the column's own; the field stays where it is.
    """

    rename: Annotated[str, AfterValidator(_one_name)] | None = None


LEFT_OUT: Literal[False] = False


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: dict[str, object] | None = {}
    settings: dict[str, JsonValue] = {}
    id: str | list[str] = []
    search: SearchHints = SearchHints()


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a mapping file says, well-formed; `check_overlay` holds it against a table.

    Attributes:
        fields: by the column's dotted name in the source: what it becomes, or False where it is left out.
        settings: index settings, nested and without the prefix `index.`.
        id_columns: the dotted names of the columns that make `_id`; empty for the primary key.
        where: the file's name, for messages.
        analyzers: the ways to serve an analyzer by purpose, such as `korean`.
        search: what a search is told of the index.
    """

    fields: Mapping[str, FieldOverlay | Literal[False]] = field(default_factory=dict)
    settings: JsonObject = field(default_factory=dict)
    id_columns: tuple[str, ...] = ()
    where: str = "the mapping"
    analyzers: tuple[AnalyzerChoice, ...] = ()
    search: SearchHints = field(default_factory=SearchHints)

    @property
    def own_analyzers(self) -> frozenset[str]:
        """The analyzers that the settings themselves define."""
        analysis = self.settings.get("analysis")
        defined = analysis.get("analyzer") if isinstance(analysis, dict) else None
        return frozenset(defined) if isinstance(defined, dict) else frozenset()


def parse_overlay(content: object, where: str, analyzers: Iterable[AnalyzerChoice] = ()) -> Overlay:
    """Read an overlay from the values of a mapping file.

    Args:
        content: the file's content, as YAML or JSON decoded it; None for an empty file.
        where: the file's name, for messages.
        analyzers: the ways to serve an analyzer by purpose.

    Raises:
        UsageError: for an unknown key or type, or a value that cannot be; the sentence names the file and the field.
    """
    try:
        file = _File.model_validate({} if content is None else content)
    except ValidationError as error:
        raise UsageError(f"{where} {_reason(error, _File)}") from error
    fields = {name: _field(name, value, where) for name, value in (file.fields or {}).items()}
    ids = (file.id,) if isinstance(file.id, str) else tuple(file.id)
    return Overlay(fields, _nested(file.settings, where), ids, where, tuple(analyzers), file.search)


def _field(name: str, value: object, where: str) -> FieldOverlay | Literal[False]:
    if value is False:
        return LEFT_OUT
    if not isinstance(value, str | dict):
        raise UsageError(
            f"{where}: {name} is {value!r}: write a type, false to leave it out, or {{type: …}} with parameters."
        )
    try:
        return FieldOverlay.model_validate({"type": value} if isinstance(value, str) else _with_types(value))
    except ValidationError as error:
        raise UsageError(f"{where}: {name} {_reason(error, FieldOverlay)}") from error


def _with_types(value: dict[object, object]) -> dict[object, object]:
    """Let a bare word be the type of a sub-field too."""
    subs = value.get("fields")
    if not isinstance(subs, dict):
        return value
    return {**value, "fields": {name: {"type": sub} if isinstance(sub, str) else sub for name, sub in subs.items()}}


def _reason(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong first, as the rest of a sentence about the file or the field."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        below = SearchHints if path[0] == "search" else SubField
        known = model.model_fields if len(path) == 1 else below.model_fields
        return f"has the unknown key {'.'.join(path)}: correct it or take it out.{nearest(path[-1], known)}"
    if first["type"] == "model_type":
        return "does not hold names with values: begin with `fields:`."
    return _said(first, path)


def _said(first: ErrorDetails, path: list[str]) -> str:
    if first["type"] == "value_error":
        return f"{first['ctx']['error']}" if len(path) == 1 else f"({'.'.join(path)}) {first['ctx']['error']}"
    message = first["msg"]
    return f"has {first['input']!r} as {'.'.join(path)}: {message[0].lower()}{message[1:]}."


def _nested(settings: Mapping[str, JsonValue], where: str) -> JsonObject:
    """Settings as Elasticsearch itself would read them: `index.a.b: 1`, `a.b: 1` and `a: {b: 1}` are one."""
    nested: JsonObject = {}
    _merge(nested, settings, where)
    index = nested.pop("index", None)
    if isinstance(index, dict):
        _merge(nested, index, where)
    return nested


def _merge(into: JsonObject, settings: Mapping[str, JsonValue], where: str) -> None:
    for name, value in settings.items():
        head, _, rest = name.partition(".")
        inner: JsonValue = {rest: value} if rest else value
        if not isinstance(inner, dict):
            into[head] = inner
            continue
        below = into.setdefault(head, {})
        if not isinstance(below, dict):
            raise UsageError(f"{where}: the setting {name} is given twice, with and without sub-settings: keep one.")
        _merge(below, inner, where)
