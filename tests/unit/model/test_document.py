"""DocumentBuilder: every change that a row's values need, and none that they do not."""

import base64
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import cast
from uuid import UUID

import orjson
import pytest

from indexer.errors import SourceError
from indexer.model.document.document import DocumentBuilder, parse_line
from indexer.model.json import Json, JsonObject, Row
from indexer.model.mapping.analysis import Capabilities
from indexer.model.mapping.mapping import build_mapping
from indexer.model.mapping.overlay import parse_overlay
from indexer.model.table.key import Key, KeyOrder
from indexer.model.table.selection import select
from indexer.model.table.table import Column, ColumnKind, ColumnType, ObjectPolicy, Table, TableName
from tests.support.columns import column

FULL = Capabilities("9.2.0", frozenset(), frozenset({"geo_shape", "flattened", "dense_vector"}))
ID = Column(("id",), ColumnType(ColumnKind.BIGINT))


def documents(
    *columns: Column,
    overlay: object = None,
    primary_key: tuple[str, ...] = ("id",),
    chosen: tuple[str, ...] = (),
) -> DocumentBuilder:
    table = Table(TableName("t"), (ID, *columns), primary_key=primary_key, row_id="_id")
    parsed = parse_overlay(overlay, "m.yaml")
    # Composed by hand: not every type of a primary key can break ties, and each can make an _id.
    key = Key(ID, KeyOrder.NUMBER, (), unique=primary_key == ("id",), reason="the test's")
    selection = select(table, key, columns=chosen, id_columns=parsed.id_columns)
    return DocumentBuilder(selection, build_mapping(selection, parsed, FULL))


def source(made: DocumentBuilder, *values: object) -> JsonObject:
    return parse_line(made.lines([cast("Row", [1, *values])])[0])[1]


def test_a_row_is_an_action_and_a_document() -> None:
    made = documents(column("a", ColumnKind.TEXT), column("p", ColumnKind.GEO_POINT))
    line = made.lines([[7, "삼성\n\x00", [1.5, -89.9]]])[0]
    assert line == b'{"index":{"_id":"7"}}\n' + '{"id":7,"a":"삼성\\n\\u0000","p":[1.5,-89.9]}\n'.encode()
    assert parse_line(line) == ("7", {"id": 7, "a": "삼성\n\x00", "p": [1.5, -89.9]})


def test_lines_keep_the_order_of_the_rows() -> None:
    assert [parse_line(line)[0] for line in documents().lines([[3], [1], [2]])] == ["3", "1", "2"]
    assert documents().lines([]) == []


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", math.nan, math.inf, -math.inf, Decimal("NaN")])
@pytest.mark.parametrize("kind", [ColumnKind.REAL, ColumnKind.DOUBLE, ColumnKind.NUMERIC])
def test_what_is_no_finite_number_becomes_null_and_is_counted(kind: ColumnKind, value: object) -> None:
    made = documents(column("a", kind), column("b", kind, array=1), column("c", kind, array=2))
    assert source(made, value, [1.5, value, None], [[value], None]) == {
        "id": 1,
        "a": None,
        "b": [1.5, None, None],
        "c": [[None], None],
    }
    assert made.nulled == 3


def test_finite_numbers_pass_and_are_not_counted() -> None:
    made = documents(column("a", ColumnKind.DOUBLE), column("n", ColumnKind.NUMERIC))
    digits = "1234567890123456789012345678.0123456789"
    assert source(made, 1e308, digits) == {"id": 1, "a": 1e308, "n": digits}
    assert source(made, None, None) == {"id": 1, "a": None, "n": None}
    assert made.nulled == 0


def test_nan_is_found_in_objects_and_in_arrays_of_objects() -> None:
    deep = column("o.list", ColumnKind.OBJECT, column("o.list.z", ColumnKind.REAL), array=1)
    made = documents(column("o", ColumnKind.OBJECT, column("o.d", ColumnKind.DOUBLE), deep))
    value = {"d": "NaN", "list": [{"z": "Infinity", "other": "NaN"}, None, {"z": 2.5}], "text": "NaN"}
    assert source(made, value)["o"] == {
        "d": None,
        "list": [{"z": None, "other": "NaN"}, None, {"z": 2.5}],
        "text": "NaN",
    }
    assert made.nulled == 2


def test_the_text_nan_stays_where_it_is_text() -> None:
    made = documents(
        column("t", ColumnKind.TEXT),
        column("k", ColumnKind.DOUBLE),
        column("f", ColumnKind.OBJECT, column("f.d", ColumnKind.DOUBLE), policy=ObjectPolicy.IGNORED),
        overlay={"fields": {"k": "keyword"}},
    )
    assert source(made, "NaN", "NaN", {"d": "NaN"}) == {"id": 1, "t": "NaN", "k": "NaN", "f": {"d": "NaN"}}
    assert made.nulled == 0


def test_char_loses_its_padding_everywhere() -> None:
    made = documents(
        column("c", ColumnKind.CHAR),
        column("a", ColumnKind.CHAR, array=1),
        column("o", ColumnKind.OBJECT, column("o.c", ColumnKind.CHAR), column("o.t", ColumnKind.TEXT), array=1),
        column("t", ColumnKind.TEXT),
    )
    assert source(made, " ab  ", ["a  ", None, ""], [{"c": "x ", "t": "x "}], "text ") == {
        "id": 1,
        "c": " ab",
        "a": ["a", None, ""],
        "o": [{"c": "x", "t": "x "}],
        "t": "text ",
    }


def test_columns_are_renamed_and_left_out() -> None:
    made = documents(
        column("a", ColumnKind.TEXT),
        column("b", ColumnKind.TEXT),
        column("c", ColumnKind.DOUBLE),
        overlay={"fields": {"a": False, "b": {"rename": "@b"}, "c": {"rename": "a"}}},
    )
    assert made.lines([[1, "secret", "b", "NaN"]]) == [b'{"index":{"_id":"1"}}\n{"id":1,"@b":"b","a":null}\n']
    assert made.nulled == 1


def test_sub_columns_are_renamed_and_left_out_through_arrays() -> None:
    inner = column("o.in", ColumnKind.OBJECT, column("o.in.x", ColumnKind.TEXT), column("o.in.y", ColumnKind.TEXT))
    made = documents(
        column("o", ColumnKind.OBJECT, inner, column("o.z", ColumnKind.TEXT), array=1),
        overlay={"fields": {"o.in.x": {"rename": "X"}, "o.in.y": False, "o.in": {"rename": "IN"}}},
    )
    value = [{"in": {"x": 1, "y": 2, "new": 3}, "z": "z"}, None, {"z": None}]
    assert source(made, value)["o"] == [{"IN": {"X": 1, "new": 3}, "z": "z"}, None, {"z": None}]


def test_secrets_are_left_out_of_objects_without_fields_of_their_own() -> None:
    inner = column("o.in", ColumnKind.OBJECT, column("o.in.key", ColumnKind.TEXT))
    made = documents(
        column("o", ColumnKind.OBJECT, inner, policy=ObjectPolicy.IGNORED), overlay={"fields": {"o.in.key": False}}
    )
    assert source(made, {"in": {"key": "secret", "id": 1}})["o"] == {"in": {"id": 1}}


def test_the_row_itself_is_never_altered() -> None:
    inner = column("o.c", ColumnKind.CHAR)
    made = documents(
        column("o", ColumnKind.OBJECT, inner, array=1),
        column("d", ColumnKind.DOUBLE, array=1),
        overlay={"fields": {"o.c": {"rename": "C"}}},
    )
    row: Row = [1, [{"c": "x "}], ["NaN"]]
    assert made.lines([row]) == made.lines([row])
    assert row == [1, [{"c": "x "}], ["NaN"]]


def test_keys_that_elasticsearch_refuses_are_left_for_the_dead_letters() -> None:
    value: Json = {"": 1, "a.b": 2, " ": 3}
    assert source(documents(column("o", ColumnKind.OBJECT)), value)["o"] == value


@pytest.mark.parametrize(
    ("value", "indexed"),
    [
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), -1),
        (datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))), 1_767_225_600_000),
        (datetime(2026, 1, 1), 1_767_225_600_000),  # noqa: DTZ001  # what a column without zone sends
        (datetime(1, 1, 1, tzinfo=UTC), -62_135_596_800_000),
        (date(2026, 1, 1), 1_767_225_600_000),
        (time(1, 2, 3), "01:02:03"),
        (Decimal("1.10"), "1.10"),
        (b"\x00\xff", base64.b64encode(b"\x00\xff").decode()),
        (memoryview(b"\x00\xff"), "AP8="),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (timedelta(seconds=1), "0:00:01"),
        (2**64 - 1, 2**64 - 1),
    ],
)
def test_values_of_other_databases_become_json(value: object, indexed: Json) -> None:
    made = documents(column("c", ColumnKind.TEXT))
    assert source(made, value)["c"] == indexed
    assert source(made, [value])["c"] == [indexed]


@pytest.mark.parametrize("value", [2**64, "\ud800"])
def test_a_value_that_json_cannot_hold_is_told_with_its_row(value: object) -> None:
    made = documents(column("c", ColumnKind.TEXT))
    with pytest.raises(SourceError, match="_id '2'"):
        made.lines([[1, "fine"], cast("Row", [2, value])])


def test_hidden_columns_make_the_id_and_stay_out_of_the_document() -> None:
    made = documents(column("a", ColumnKind.TEXT), chosen=("a",))
    assert made.lines([["x", 9]]) == [b'{"index":{"_id":"9"}}\n{"a":"x"}\n']


def test_the_hidden_row_id_identifies_rows_without_a_primary_key() -> None:
    made = documents(column("a", ColumnKind.TEXT), primary_key=())
    assert made.lines([[1, "x", "AbC-_1"]]) == [b'{"index":{"_id":"AbC-_1"}}\n{"id":1,"a":"x"}\n']


def test_a_sub_column_can_be_the_id() -> None:
    made = documents(column("o", ColumnKind.OBJECT, column("o.k", ColumnKind.TEXT)), overlay={"id": "o.k"})
    assert made.lines([[1, {"k": "v"}, "v"]]) == [b'{"index":{"_id":"v"}}\n{"id":1,"o":{"k":"v"}}\n']


def test_null_in_the_id_is_an_error_that_names_the_column() -> None:
    made = documents(column("a", ColumnKind.TEXT), overlay={"id": ["id", "a"]})
    with pytest.raises(SourceError, match="no value in a, which makes its _id"):
        made.lines([[1, None]])


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        (ColumnKind.BIGINT, -(2**63), "-9223372036854775808"),
        (ColumnKind.BOOLEAN, True, "true"),
        (ColumnKind.BOOLEAN, False, "false"),
        (ColumnKind.TEXT, " a|b\\", " a|b\\"),
        (ColumnKind.TEXT, "가" * 170, "가" * 170),
        (ColumnKind.CHAR, "ab   ", "ab"),
        (ColumnKind.DOUBLE, -0.0, "-0.0"),
        (ColumnKind.DOUBLE, "NaN", "NaN"),
        (ColumnKind.TIMESTAMP, 1_767_225_600_000, "1767225600000"),
        (ColumnKind.TIMESTAMP, datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "2026-01-01T00:00:00.000001+00:00"),
        (ColumnKind.UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (ColumnKind.BYTES, b"\x00", "AA=="),
        (ColumnKind.NUMERIC, Decimal("1.10"), "1.10"),
    ],
)
def test_the_id_is_the_value_as_text(kind: ColumnKind, value: object, made: str) -> None:
    row = cast("Row", [1, value])
    assert documents(column("k", kind), primary_key=("k",)).id(row) == made


@pytest.mark.parametrize("value", ["", "x" * 513, "가" * 171, "sha256:", "sha256:x"])
def test_what_elasticsearch_would_not_take_as_id_is_hashed(value: str) -> None:
    made = documents(column("k", ColumnKind.TEXT), primary_key=("k",)).id([1, value])
    assert made.startswith("sha256:")
    assert len(made) == len("sha256:") + 64


def test_a_composite_id_can_be_read() -> None:
    made = documents(column("k", ColumnKind.TEXT), primary_key=("k", "id"))
    assert made.id([5, "web|1"]) == r"web\|1|5"
    assert orjson.loads(made.lines([[5, 'web"']])[0].split(b"\n")[0]) == {"index": {"_id": 'web"|5'}}
