"""The mapping: which field of the new index each column becomes, by the type rules and the overlay."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.analysis import ANALYZER_KEYS, Capabilities, choose_analyzer
from indexer.model.mapping.field import Field, Origin, refuse_collisions, takes_name
from indexer.model.mapping.field_type import OBJECTS, missing_types, stand_in
from indexer.model.mapping.overlay import Overlay
from indexer.model.mapping.rules import dynamic_templates, planned_field
from indexer.model.mapping.search_hints import SearchHints
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind

__all__ = ["IndexMapping", "build_mapping", "index_settings", "index_template"]

_DEFAULT_FIELD_LIMIT = 1000
_HIDES_VECTORS = (9, 2)
"""From this version on, Elasticsearch leaves vectors out of the `_source` that it returns."""


def index_settings(
    given: JsonObject, analysis: Iterable[JsonObject], fields: Iterable[Field], version: str
) -> JsonObject:
    """Compose the settings; what the overlay gives wins.

    Args:
        given: the overlay's settings, nested and without the prefix `index.`.
        analysis: parts of `analysis` that define the analyzers in use.
        fields: the fields of the mapping.
        version: the cluster's version, `9.2.0`.
    """
    settings: JsonObject = {}
    for part in analysis:
        settings = _over(settings, {"analysis": part} if part else {})
    limits = _limits(tuple(fields), version)
    return _over(_over(settings, {"mapping": limits} if limits else {}), given)


def _limits(fields: tuple[Field, ...], version: str) -> JsonObject:
    limits: JsonObject = {}
    total: JsonObject = {}
    count = sum(_size(field.definition) for field in fields)
    if 2 * count > _DEFAULT_FIELD_LIMIT:
        total["limit"] = _DEFAULT_FIELD_LIMIT + count
    if any(field.definition.get("dynamic") in (True, "true") for field in fields):
        # Beyond the limit, a new key is kept in `_source` and not searched; without this, its document is rejected.
        total["ignore_dynamic_beyond_limit"] = True
    if total:
        limits["total_fields"] = total
    if any(field.type == "dense_vector" for field in fields) and _numbers(version) >= _HIDES_VECTORS:
        limits["exclude_source_vectors"] = False
    return limits


def _size(definition: JsonObject) -> int:
    subs = definition.get("fields")
    return 1 + (len(subs) if isinstance(subs, dict) else 0)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _over(under: JsonObject, over: JsonObject) -> JsonObject:
    """Both, merged at every level; `over` wins."""
    merged: dict[str, Json] = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


@dataclass(frozen=True, slots=True)
class IndexMapping:
    """What the new index is created with.

    Attributes:
        fields: what becomes of each column and sub-column, in the source's order, an object before its sub-columns.
        mappings: the body's `mappings`.
        settings: the body's `settings`: nested, without the prefix `index.`, as the overlay wants them when served.
        analyzers: what serves each analyzer that an overlay asks for by purpose: `korean` by nori.
        search: what a search is told of the index.
        fallbacks: one sentence for each thing that is not as the types or the overlay ask.
    """

    fields: tuple[Field, ...]
    mappings: JsonObject
    settings: JsonObject
    analyzers: dict[str, str]
    search: SearchHints
    fallbacks: tuple[str, ...]

    @property
    def meta(self) -> JsonObject:
        """What the index's `_meta` says of it, for a search to use."""
        told: JsonObject = {"analyzers": {**self.analyzers}, "search": self.search.as_meta()}
        return {name: value for name, value in told.items() if value}


def build_mapping(selection: Selection, overlay: Overlay, capabilities: Capabilities) -> IndexMapping:
    """Decide the fields of the selected columns.

    Args:
        selection: what is read.
        overlay: what the mapping file says; `check_overlay` has held it against the table.
        capabilities: what the cluster answered to `required_features`.

    Raises:
        UsageError: where two columns would get one name, or the overlay maps a sub-column of an object that has no
            fields of its own.
    """
    building = _Building(overlay, capabilities)
    properties = building.properties(selection.columns, ())
    refuse_collisions(building.fields, overlay.where)
    mappings: JsonObject = {
        # A row never holds a column that the plan does not know. Not strict: what an ingest pipeline adds to a
        # document must not reject it.
        "dynamic": False,
        # CrateDB has decided what a value is; text that looks like a date stays text.
        "date_detection": False,
        "dynamic_templates": dynamic_templates(building.fields),
        "properties": properties,
    }
    settings = index_settings(overlay.settings, building.analysis, building.fields, capabilities.version)
    return IndexMapping(
        tuple(building.fields), mappings, settings, building.served, overlay.search, tuple(building.notes)
    )


class _Building:
    def __init__(self, overlay: Overlay, capabilities: Capabilities) -> None:
        self.overlay = overlay
        self.capabilities = capabilities
        self.fields: list[Field] = []
        self.notes: dict[str, None] = {}
        self.analysis: list[JsonObject] = []
        self.served: dict[str, str] = {}

    def properties(self, columns: Iterable[Column], parent: tuple[str, ...]) -> JsonObject:
        """The definitions of these columns by their names in the index, recording a Field for each."""
        found: JsonObject = {}
        for column in columns:
            name = self._name(column)
            if name is None:
                continue
            definition = self._define(column, (*parent, name))
            if definition.get("type") in OBJECTS and definition.get("enabled") is not False:
                definition = {**definition, "properties": self.properties(column.children, (*parent, name))}
            else:
                self._below(column, column)
            found[name] = definition
        return found

    def _name(self, column: Column) -> str | None:
        """The column's own name in the index; None, recorded, where it is left out."""
        option = self.overlay.fields.get(column.name)
        if option is False:
            self._leave_out(column, Origin.OVERLAY)
            return None
        name = (option.rename if option else None) or column.path[-1]
        if takes_name(name, top=len(column.path) == 1):
            return name
        if option and option.rename:
            raise UsageError(
                f"{self.overlay.where}: {column.name} is renamed to {name!r}, and Elasticsearch takes no field of that"
                " name: choose another."
            )
        self._note(
            f"{column.name!r} is left out, for Elasticsearch takes no field of that name: rename it in a mapping file."
        )
        self._leave_out(column, Origin.FALLBACK)
        return None

    def _leave_out(self, column: Column, origin: Origin) -> None:
        self.fields.append(Field(column.name, column, None, origin, {}))

    def _define(self, column: Column, path: tuple[str, ...]) -> JsonObject:
        definition, origin = planned_field(column, self.overlay)
        resolved = self._available(column, definition)
        if resolved != definition or (origin is Origin.RULE and column.type.kind is ColumnKind.UNKNOWN):
            origin = Origin.FALLBACK
        resolved = self._analyzed(column.name, resolved)
        self._remark(column, origin)
        self.fields.append(Field(".".join(path), column, str(resolved["type"]), origin, resolved))
        return resolved

    def _available(self, column: Column, definition: JsonObject) -> JsonObject:
        missing = missing_types(definition, self.capabilities.field_types)
        if not missing:
            return definition
        resolved = stand_in(definition, self.capabilities.field_types)
        if definition["type"] not in missing:
            effect = "its sub-field gets the nearest type or is left out"
        elif resolved.get("enabled") is False:
            effect = "the value is kept in _source and cannot be searched"
        else:
            effect = f"{resolved['type']} is used"
        self._note(f"{column.name}: the cluster has no field type {' or '.join(sorted(missing))}, so {effect}.")
        return resolved

    def _analyzed(self, name: str, definition: JsonObject) -> JsonObject:
        """The definition with its analyzers, and those of its sub-fields, as the cluster can serve them."""
        result = dict(definition)
        for key in ANALYZER_KEYS:
            analyzer = definition.get(key)
            if isinstance(analyzer, str) and analyzer not in self.overlay.own_analyzers:
                self._analyze(name, result, key, analyzer)
        subs = definition.get("fields")
        if isinstance(subs, dict):
            fields: dict[str, Json] = {
                sub: self._analyzed(f"{name}.{sub}", body) for sub, body in subs.items() if isinstance(body, dict)
            }
            result["fields"] = fields
        return result

    def _analyze(self, name: str, definition: JsonObject, key: str, analyzer: str) -> None:
        chosen = choose_analyzer(analyzer, self.overlay.analyzers, self.capabilities.analyzers)
        definition[key] = chosen.name
        if key == "analyzer" and definition["type"] == "text":
            definition.update({extra: value for extra, value in chosen.field.items() if extra not in definition})
        if chosen.label:
            self.served[analyzer] = chosen.label
        if chosen.analysis not in self.analysis:
            self.analysis.append(chosen.analysis)
        if chosen.fallback:
            self._note(f"{name}: {chosen.fallback} serves as the analyzer {analyzer}.")

    def _remark(self, column: Column, origin: Origin) -> None:
        sql = column.type.sql or column.type.kind
        if column.type.kind is ColumnKind.UNKNOWN and origin is Origin.FALLBACK:
            self._note(
                f"{column.name} is {sql}, which has no field type: the value is kept in _source and cannot be searched"
                " unless a mapping file gives it a type."
            )
        if column.type.kind is ColumnKind.NUMERIC and len(column.path) > 1:
            self._note(
                f"{column.name} is {sql} inside an OBJECT, which comes as a JSON number: digits beyond the 15th may"
                " be lost; only a top-level NUMERIC column keeps them all."
            )

    def _below(self, top: Column, column: Column) -> None:
        """Record what is left out of an object that has no fields of its own, and refuse anything else."""
        for child in column.children:
            option = self.overlay.fields.get(child.name)
            if option is False:
                self._leave_out(child, Origin.OVERLAY)
                continue
            if option is not None:
                raise UsageError(
                    f"{self.overlay.where}: {child.name} cannot be mapped, for {top.name} has no fields of its own:"
                    f" give {top.name} the type object or nested, or take {child.name} out."
                )
            self._below(top, child)

    def _note(self, sentence: str) -> None:
        self.notes[sentence] = None


_PRIORITY: Final = 500
"""Above that of the templates that a full Elasticsearch ships with, so that this one wins."""


def index_template(mapping: IndexMapping, pattern: str) -> JsonObject:
    """The body of `PUT _index_template/NAME`: what a reindex would create its index with.

    Args:
        mapping: the fields and settings, decided for the cluster that takes the template.
        pattern: the indexes it is for, by name or with `*`.
    """
    mappings: JsonObject = {**mapping.mappings, "_meta": mapping.meta}
    return {
        "index_patterns": [pattern],
        "priority": _PRIORITY,
        "template": {"settings": {"index": mapping.settings}, "mappings": mappings},
    }
