"""The index mapping: the field that each column becomes, with the index settings and template that go with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.analysis import ANALYZER_KEYS, choose_analyzer
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.field import Field, Origin, is_field_name, refuse_collisions
from indexer.model.mapping.field_type import OBJECTS, missing_types, substitute
from indexer.model.mapping.overlay import Overlay
from indexer.model.mapping.rules import dynamic_templates, field_definition
from indexer.model.mapping.search_hints import SearchHints
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind

__all__ = ["IndexMapping", "build_mapping", "index_settings", "index_template"]

_DEFAULT_FIELD_LIMIT: Final = 1000

_EXCLUDES_VECTORS: Final = (9, 2)
"""The version from which Elasticsearch omits vectors from the `_source` that it returns."""

_PRIORITY: Final = 500
"""Higher than the priorities of the templates that a full Elasticsearch ships with."""


@dataclass(frozen=True, slots=True)
class IndexMapping:
    """What the new index is created with.

    Attributes:
        fields: how each column and sub-column is indexed, in the source's order, an object before its sub-columns.
        mappings: the body's `mappings`.
        settings: the body's `settings`: nested, without the prefix `index.`, as they are once the index is served.
        analyzers: what serves each analyzer that the overlay names by purpose: `korean` by nori.
        search: the hints for searches.
        fallbacks: one sentence for each point where the types or the overlay could not be followed.
    """

    fields: tuple[Field, ...]
    mappings: JsonObject
    settings: JsonObject
    analyzers: dict[str, str]
    search: SearchHints
    fallbacks: tuple[str, ...]

    @property
    def meta(self) -> JsonObject:
        """The members of the index's `_meta` that a search uses."""
        members: JsonObject = {"analyzers": {**self.analyzers}, "search": self.search.as_meta()}
        return {name: value for name, value in members.items() if value}


def build_mapping(selection: Selection, overlay: Overlay, capabilities: Capabilities) -> IndexMapping:
    """Build the mapping of the selected columns.

    Args:
        selection: the columns to index.
        overlay: the content of the mapping file, checked against the table by `check_overlay`.
        capabilities: what the cluster has of the `required_features`.

    Raises:
        UsageError: if two columns would share a field name, or the overlay maps a sub-column of an object that has no
            fields of its own.
    """
    builder = _MappingBuilder(overlay, capabilities)
    properties = builder.properties(selection.columns, ())
    refuse_collisions(builder.fields, overlay.where)
    mappings: JsonObject = {
        # Rows hold no column that the plan does not know. Not "strict", so that a field which an ingest pipeline adds
        # does not reject the document.
        "dynamic": False,
        # CrateDB knows each value's type: text that looks like a date stays text.
        "date_detection": False,
        "dynamic_templates": dynamic_templates(builder.fields),
        "properties": properties,
    }
    settings = index_settings(overlay.settings, builder.analysis, builder.fields, capabilities.version)
    return IndexMapping(
        tuple(builder.fields), mappings, settings, builder.analyzers, overlay.search, tuple(builder.fallbacks)
    )


def index_template(mapping: IndexMapping, pattern: str) -> JsonObject:
    """The body of `PUT _index_template/NAME`: what a reindex would create its index with.

    Args:
        mapping: the fields and settings, decided for the cluster that the template is for.
        pattern: the indexes that the template applies to, by name or with `*`.
    """
    mappings: JsonObject = {**mapping.mappings, "_meta": mapping.meta}
    return {
        "index_patterns": [pattern],
        "priority": _PRIORITY,
        "template": {"settings": {"index": mapping.settings}, "mappings": mappings},
    }


class _MappingBuilder:
    """Collects the parts of a mapping.

    Attributes:
        fields: the fields, in the order of the columns.
        fallbacks: sentences for `IndexMapping.fallbacks`; a dict, as an ordered set.
        analysis: the `analysis` settings of the chosen analyzers.
        analyzers: as in `IndexMapping`.
    """

    def __init__(self, overlay: Overlay, capabilities: Capabilities) -> None:
        self.fields: list[Field] = []
        self.fallbacks: dict[str, None] = {}
        self.analysis: list[JsonObject] = []
        self.analyzers: dict[str, str] = {}
        self._overlay = overlay
        self._capabilities = capabilities

    def properties(self, columns: Iterable[Column], parent: tuple[str, ...]) -> JsonObject:
        """The definitions of these columns by their names in the index. Adds a Field for each column."""
        properties: JsonObject = {}
        for column in columns:
            name = self._field_name(column)
            if name is None:
                continue
            definition = self._define(column, (*parent, name))
            if definition.get("type") in OBJECTS and definition.get("enabled") is not False:
                definition = {**definition, "properties": self.properties(column.children, (*parent, name))}
            else:
                self._skip_children(column, column)
            properties[name] = definition
        return properties

    def _field_name(self, column: Column) -> str | None:
        """The column's own name in the index; None for a column that is left out, which is recorded."""
        option = self._overlay.fields.get(column.name)
        if option is False:
            self._leave_out(column, Origin.OVERLAY)
            return None
        name = (option.rename if option else None) or column.path[-1]
        if is_field_name(name, top=len(column.path) == 1):
            return name
        if option and option.rename:
            raise UsageError(
                f"{self._overlay.where}: {column.name} is renamed to {name!r}, which Elasticsearch does not accept as a"
                " field name: choose another."
            )
        self._add_fallback(
            f"{column.name!r} is left out, because Elasticsearch does not accept it as a field name: rename it in a"
            " mapping file."
        )
        self._leave_out(column, Origin.FALLBACK)
        return None

    def _leave_out(self, column: Column, origin: Origin) -> None:
        self.fields.append(Field(column.name, column, None, origin, {}))

    def _define(self, column: Column, path: tuple[str, ...]) -> JsonObject:
        definition, origin = field_definition(column, self._overlay)
        available = self._with_available_types(column, definition)
        if available != definition or (origin is Origin.RULE and column.type.kind is ColumnKind.UNKNOWN):
            origin = Origin.FALLBACK
        resolved = self._with_available_analyzers(column.name, available)
        self._add_type_fallbacks(column, origin)
        self.fields.append(Field(".".join(path), column, str(resolved["type"]), origin, resolved))
        return resolved

    def _with_available_types(self, column: Column, definition: JsonObject) -> JsonObject:
        missing = missing_types(definition, self._capabilities.field_types)
        if not missing:
            return definition
        resolved = substitute(definition, self._capabilities.field_types)
        if definition["type"] not in missing:
            effect = "its sub-field gets the nearest type or is left out"
        elif resolved.get("enabled") is False:
            effect = "the value is kept in _source and cannot be searched"
        else:
            effect = f"{resolved['type']} is used"
        self._add_fallback(f"{column.name}: the cluster has no field type {' or '.join(sorted(missing))}, so {effect}.")
        return resolved

    def _with_available_analyzers(self, name: str, definition: JsonObject) -> JsonObject:
        """The definition with analyzers that the cluster has, in its sub-fields too."""
        resolved = dict(definition)
        for key in ANALYZER_KEYS:
            analyzer = definition.get(key)
            if isinstance(analyzer, str) and analyzer not in self._overlay.own_analyzers:
                self._set_analyzer(name, resolved, key, analyzer)
        subs = definition.get("fields")
        if isinstance(subs, dict):
            fields: dict[str, Json] = {
                sub: self._with_available_analyzers(f"{name}.{sub}", body)
                for sub, body in subs.items()
                if isinstance(body, dict)
            }
            resolved["fields"] = fields
        return resolved

    def _set_analyzer(self, name: str, definition: JsonObject, key: str, analyzer: str) -> None:
        chosen = choose_analyzer(analyzer, self._overlay.analyzers, self._capabilities.analyzers)
        definition[key] = chosen.name
        if key == "analyzer" and definition["type"] == "text":
            definition.update({extra: value for extra, value in chosen.field.items() if extra not in definition})
        if chosen.label:
            self.analyzers[analyzer] = chosen.label
        if chosen.analysis not in self.analysis:
            self.analysis.append(chosen.analysis)
        if chosen.fallback:
            self._add_fallback(f"{name}: {chosen.fallback} serves as the analyzer {analyzer}.")

    def _add_type_fallbacks(self, column: Column, origin: Origin) -> None:
        sql = column.type.sql or column.type.kind
        if column.type.kind is ColumnKind.UNKNOWN and origin is Origin.FALLBACK:
            self._add_fallback(
                f"{column.name} is {sql}, which has no field type: the value is kept in _source and cannot be searched"
                " unless a mapping file gives it a type."
            )
        if column.type.kind is ColumnKind.NUMERIC and len(column.path) > 1:
            self._add_fallback(
                f"{column.name} is {sql} inside an OBJECT, which CrateDB returns as a JSON number: digits after the"
                " 15th may be lost; only a top-level NUMERIC column keeps them all."
            )

    def _skip_children(self, top: Column, column: Column) -> None:
        """For a field without sub-fields: record the sub-columns that the overlay leaves out, refuse to map others."""
        for child in column.children:
            option = self._overlay.fields.get(child.name)
            if option is False:
                self._leave_out(child, Origin.OVERLAY)
                continue
            if option is not None:
                raise UsageError(
                    f"{self._overlay.where}: {child.name} cannot be mapped, because {top.name} has no fields of its"
                    f" own: give {top.name} the type object or nested, or remove {child.name}."
                )
            self._skip_children(top, child)

    def _add_fallback(self, sentence: str) -> None:
        self.fallbacks[sentence] = None


def index_settings(
    given: JsonObject, analysis: Iterable[JsonObject], fields: Iterable[Field], version: str
) -> JsonObject:
    """Compose the index settings. The overlay's own settings win.

    Args:
        given: the overlay's settings, nested and without the prefix `index.`.
        analysis: the `analysis` settings of each analyzer in use.
        fields: the fields of the mapping.
        version: the cluster's version, `9.2.0`.
    """
    settings: JsonObject = {}
    for part in analysis:
        settings = _merged(settings, {"analysis": part} if part else {})
    limits = _mapping_limits(tuple(fields), version)
    return _merged(_merged(settings, {"mapping": limits} if limits else {}), given)


def _mapping_limits(fields: tuple[Field, ...], version: str) -> JsonObject:
    limits: JsonObject = {}
    total: JsonObject = {}
    count = sum(_field_count(field.definition) for field in fields)
    if 2 * count > _DEFAULT_FIELD_LIMIT:
        total["limit"] = _DEFAULT_FIELD_LIMIT + count
    if any(field.definition.get("dynamic") in (True, "true") for field in fields):
        # A new key beyond the limit is kept in `_source` and not indexed; without this it rejects the document.
        total["ignore_dynamic_beyond_limit"] = True
    if total:
        limits["total_fields"] = total
    if any(field.type == "dense_vector" for field in fields) and _major_minor(version) >= _EXCLUDES_VECTORS:
        limits["exclude_source_vectors"] = False
    return limits


def _field_count(definition: JsonObject) -> int:
    subs = definition.get("fields")
    return 1 + (len(subs) if isinstance(subs, dict) else 0)


def _major_minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _merged(under: JsonObject, over: JsonObject) -> JsonObject:
    """Both objects, merged at every level; `over` wins."""
    merged: dict[str, Json] = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
