"""What a table and its overlay want of an index, before the cluster has said what it can do."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.analysis import ANALYZER_KEYS, analyzers_of
from indexer.model.mapping.field import MAX_KEYED_VALUE, MAX_TERM, TEXT_WITH_KEYWORD, Field, Origin, type_rule
from indexer.model.mapping.field_type import ALWAYS, OBJECTS, SCALARS, sub_fields, types_of
from indexer.model.mapping.overlay import FieldOverlay, Overlay
from indexer.model.table.selection import Selection
from indexer.model.table.table import Column, ColumnKind, Table, nearest

__all__ = [
    "RequiredFeatures",
    "check_overlay",
    "dynamic_templates",
    "fit_overlay",
    "kept_columns",
    "planned_field",
    "required_features",
]

_FAMILIES: Final = (OBJECTS, frozenset({"date", "date_nanos"}))
"""Types that mean their common parameters alike, so that a type rule's parameters carry over."""

_UNBOUNDED: Final = frozenset({ColumnKind.TEXT, ColumnKind.BYTES, ColumnKind.UNKNOWN, ColumnKind.CHAR})

_NO_IDENTITY: Final = frozenset(
    {
        ColumnKind.OBJECT,
        ColumnKind.JSON,
        ColumnKind.GEO_POINT,
        ColumnKind.GEO_SHAPE,
        ColumnKind.FLOAT_VECTOR,
        ColumnKind.UNKNOWN,
    }
)


class RequiredFeatures(NamedTuple):
    """What to ask the cluster for.

    Attributes:
        analyzers: names of analyzers.
        field_types: names of field types.
    """

    analyzers: frozenset[str]
    field_types: frozenset[str]


def check_overlay(overlay: Overlay, table: Table) -> None:
    """Hold an overlay against the table that it is for.

    Raises:
        UsageError: for a column that the table does not have, a type that its values cannot have, or columns of `id`
            that cannot identify a row; the sentence names the file, the field and the remedy.
    """
    problems = (
        *(_problem(table, name, option) for name, option in overlay.fields.items()),
        *(_identity_problem(table, name) for name in overlay.id_columns),
        *(_hint_problem(table, overlay, name) for name in overlay.search.names),
    )
    for problem in problems:
        if problem:
            raise UsageError(f"{overlay.where}: {problem}")


def fit_overlay(overlay: Overlay, table: Table) -> Overlay:
    """The part of an overlay that `check_overlay` has nothing against: for one that was not written for this very table."""
    fields = {name: option for name, option in overlay.fields.items() if not _problem(table, name, option)}
    ids = () if any(_identity_problem(table, name) for name in overlay.id_columns) else overlay.id_columns
    return replace(overlay, fields=fields, id_columns=ids)


def kept_columns(table: Table, overlay: Overlay, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The top-level columns to read: those of `--columns`, or all, without those that the overlay leaves out.

    Raises:
        UsageError: where none is left.
    """
    names = named or tuple(column.name for column in table.columns)
    kept = tuple(name for name in names if overlay.fields.get(name) is not False)
    if not kept:
        raise UsageError(f"{overlay.where} leaves out every column of {', '.join(names)}: keep one of them.")
    return kept


def required_features(source: Selection | Table, overlay: Overlay) -> RequiredFeatures:
    """What the cluster must be asked for before `build_mapping` can decide on these columns."""
    types: set[str] = set()
    analyzers: set[str] = set()
    for column in _all(source.columns):
        definition, _ = planned_field(column, overlay)
        types |= types_of(definition)
        analyzers |= _analyzers(definition)
    asked = (analyzers_of(name, overlay.analyzers) for name in analyzers - overlay.own_analyzers)
    return RequiredFeatures(frozenset().union(*asked), frozenset(types - ALWAYS))


def planned_field(column: Column, overlay: Overlay) -> tuple[JsonObject, Origin]:
    """The definition of a column's field by its type and the overlay, and which of them decided."""
    base = type_rule(column)
    option = overlay.fields.get(column.name)
    given = option.definition() if option else {}
    if not given:
        return base, Origin.RULE
    kind = given.get("type", base["type"])
    if "type" in given:
        base = _carried(base, str(kind))
    if kind == "keyword" and column.type.kind in _UNBOUNDED:
        # A longer value would not be searchable anyway: without this, its whole document is rejected.
        base.setdefault("ignore_above", MAX_TERM)
    if kind == "flattened":
        base.setdefault("ignore_above", MAX_KEYED_VALUE)
    return {**base, **given}, Origin.OVERLAY


def dynamic_templates(fields: Iterable[Field]) -> list[Json]:
    """Dynamic templates that give new keys of dynamic objects the type rules of TEXT and DOUBLE."""
    dynamic = [field.name for field in fields if field.definition.get("dynamic") in (True, "true")]
    # A template of `a.*` reaches every level below.
    outer = [name for name in dynamic if not any(name.startswith(f"{above}.") for above in dynamic)]
    rules: dict[str, JsonObject] = {"string": TEXT_WITH_KEYWORD, "double": {"type": "double"}}
    return [_template(name, kind, body) for name in outer for kind, body in rules.items()]


def _template(name: str, kind: str, body: JsonObject) -> Json:
    return {f"{name} {kind}": {"path_match": f"{name}.*", "match_mapping_type": kind, "mapping": body}}


def _carried(base: JsonObject, kind: str) -> JsonObject:
    """The parameters of the type rule that still hold for a type that the overlay names; sub-fields never do."""
    was = str(base["type"])
    same = was == kind or any({was, kind} <= family for family in _FAMILIES)
    return {key: value for key, value in base.items() if same and key not in {"fields", "enabled"}}


def _analyzers(definition: JsonObject) -> frozenset[str]:
    own = frozenset(str(definition[key]) for key in ANALYZER_KEYS if key in definition)
    return own.union(*(_analyzers(sub) for sub in sub_fields(definition).values()))


def _all(columns: Iterable[Column]) -> Iterator[Column]:
    for column in columns:
        yield column
        yield from _all(column.children)


def _problem(table: Table, name: str, option: FieldOverlay | Literal[False]) -> str | None:
    column = table.column(name)
    if column is None:
        return _unknown(table, name)
    if option is False or option.enabled is False or option.type not in _wrong_for(column.type.kind):
        return None
    others = "object, nested or flattened" if column.type.kind is ColumnKind.OBJECT else "a type of single values"
    return (
        f"{name} is {column.type.sql or column.type.kind} and cannot be {option.type}: give it {others}, or false to"
        " leave it out."
    )


def _identity_problem(table: Table, name: str) -> str | None:
    column = table.column(name)
    if column is None:
        return _unknown(table, name)
    if not column.type.array and column.type.kind not in _NO_IDENTITY:
        return None
    return (
        f"{name} is {column.type.sql or column.type.kind} and cannot be part of `id`: name columns of numbers, text or"
        " times."
    )


def _hint_problem(table: Table, overlay: Overlay, name: str) -> str | None:
    """A search names fields of the index: columns by their new names, or their sub-fields."""
    renamed = (option.rename for option in overlay.fields.values() if option)
    if name in renamed or table.column(name) or table.column(name.rpartition(".")[0]):
        return None
    return f"search: {_unknown(table, name)}"


def _unknown(table: Table, name: str) -> str:
    return f"{table.name} has no column {name}: correct the name or take it out.{nearest(name, table.column_names)}"


def _wrong_for(kind: ColumnKind) -> frozenset[str]:
    if kind is ColumnKind.OBJECT:
        return SCALARS
    anything = {ColumnKind.UNKNOWN, ColumnKind.JSON, ColumnKind.GEO_SHAPE}
    return frozenset() if kind in anything else OBJECTS | {"flattened"}
