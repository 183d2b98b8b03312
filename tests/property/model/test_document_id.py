"""No two keys give one `_id`, whatever the keys are, and Elasticsearch takes every `_id`."""

from itertools import product
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from indexer.model.document.document import DocumentBuilder, parse_line
from indexer.model.document.document_id import HASHED, id_parts
from indexer.model.json import Json, Row
from indexer.model.mapping.analysis import Capabilities
from indexer.model.mapping.mapping import build_mapping
from indexer.model.mapping.overlay import Overlay
from indexer.model.table.key import Key, KeyOrder, choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import Column, ColumnKind, ColumnType, Table, TableName

# The characters that joining and hashing treat apart, often enough to meet, and any other.
texts = (
    st.text(st.sampled_from("|\\a:가"), max_size=4) | st.text() | st.sampled_from(["", "sha256:", "x" * 513, "x" * 512])
)
VALUES: dict[ColumnKind, st.SearchStrategy[Json]] = {
    ColumnKind.TEXT: texts,
    ColumnKind.BIGINT: st.integers(-(2**63), 2**63 - 1),
    ColumnKind.BOOLEAN: st.booleans(),
    ColumnKind.DOUBLE: st.floats(allow_nan=False) | st.sampled_from(["NaN", "Infinity"]),
}


def documents(kinds: tuple[ColumnKind, ...]) -> DocumentBuilder:
    lead = Column(("ts",), ColumnType(ColumnKind.TIMESTAMP))
    keys = tuple(Column((f"k{place}",), ColumnType(kind)) for place, kind in enumerate(kinds))
    table = Table(TableName("t"), (lead, *keys), primary_key=tuple(key.name for key in keys))
    # Composed by hand: a DOUBLE cannot break ties, and may be part of a primary key all the same.
    selection = select(table, Key(lead, KeyOrder.NUMBER, (), unique=False, reason="the test's"))
    return DocumentBuilder(
        selection, build_mapping(selection, Overlay(), Capabilities("9.2.0", frozenset(), frozenset()))
    )


@st.composite
def two_keys(draw: st.DrawFn) -> tuple[tuple[ColumnKind, ...], list[Json], list[Json]]:
    kinds = tuple(draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4)))
    one, other = ([draw(VALUES[kind]) for kind in kinds] for _ in range(2))
    return kinds, one, other


@given(two_keys())
def test_different_keys_have_different_ids(case: tuple[tuple[ColumnKind, ...], list[Json], list[Json]]) -> None:
    kinds, one, other = case
    made = documents(kinds)
    same_key = list(map(repr, one)) == list(map(repr, other))
    assert (made.id([0, *one]) == made.id([0, *other])) == same_key


@given(st.lists(texts, min_size=2, max_size=4), st.data())
def test_moving_text_across_the_joints_changes_the_id(parts: list[str], data: st.DataObject) -> None:
    whole = "|".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), min_size=len(parts) - 1, max_size=len(parts) - 1).map(sorted))
    other = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    made = documents((ColumnKind.TEXT,) * len(parts))
    assert (made.id([0, *parts]) == made.id([0, *other])) == (parts == other)


def test_no_short_texts_of_joints_and_escapes_meet() -> None:
    short = ["".join(signs) for length in range(4) for signs in product("|\\", repeat=length)]
    made = documents((ColumnKind.TEXT, ColumnKind.TEXT))
    assert len({made.id([0, one, other]) for one in short for other in short}) == len(short) ** 2


@given(st.lists(texts, min_size=1, max_size=3))
def test_every_id_fits_elasticsearch(parts: list[str]) -> None:
    made = documents((ColumnKind.TEXT,) * len(parts)).id(cast("Row", [0, *parts]))
    assert 0 < len(made.encode()) <= 512


json_values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(), st.dictionaries(st.text(max_size=3), json_values, max_size=4))
def test_what_needs_no_change_arrives_as_it_was(key: str, value: dict[str, Json]) -> None:
    table = Table(
        TableName("t"),
        (Column(("k",), ColumnType(ColumnKind.TEXT)), Column(("o",), ColumnType(ColumnKind.OBJECT))),
        primary_key=("k",),
    )
    selection = select(table, choose_key(table))
    mapping = build_mapping(selection, Overlay(), Capabilities("9.2.0", frozenset(), frozenset()))
    line = DocumentBuilder(selection, mapping).lines([[key, value]])[0]
    assert line.count(b"\n") == 2
    assert parse_line(line)[1] == {"k": key, "o": value}


@given(two_keys())
def test_an_id_that_is_no_hash_has_its_parts(case: tuple[tuple[ColumnKind, ...], list[Json], list[Json]]) -> None:
    kinds, key, _ = case
    id_ = documents(kinds).id([0, *key])
    expected = (
        []
        if id_.startswith(HASHED)
        else [documents((kind,)).id([0, one]) for kind, one in zip(kinds, key, strict=True)]
    )
    parts = id_parts(id_, len(kinds))
    assert [part for part, one in zip(parts, expected, strict=True) if not one.startswith(HASHED)] == [
        one for one in expected if not one.startswith(HASHED)
    ]
    assert len(parts) == len(expected)
