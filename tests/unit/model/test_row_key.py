"""The key of a rejected row, recovered from its bulk line."""

from indexer.model.document.dead_letter import DeadLetter
from indexer.model.document.document import DocumentBuilder
from indexer.model.document.row_key import RowKeys
from indexer.model.json import JsonObject, Row
from indexer.model.mapping.capabilities import Capabilities
from indexer.model.mapping.mapping import build_mapping
from indexer.model.mapping.overlay import FieldOverlay, Overlay
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import Column, ColumnKind, Table, TableName
from tests.support.columns import column

TS = column("ts", ColumnKind.TIMESTAMP)
OBJECT = column("o", ColumnKind.OBJECT, column("o.host", ColumnKind.TEXT), column("o.seq", ColumnKind.BIGINT))


def key_of(row: Row, *columns: Column, primary: tuple[str, ...] = (), overlay: Overlay | None = None) -> JsonObject:
    overlay = overlay or Overlay()
    table = Table(TableName("logs"), columns, primary_key=primary, row_id=None if primary else "_id")
    kept = tuple(column.name for column in columns if overlay.fields.get(column.name) is not False)
    selection = select(table, choose_key(table), columns=kept, id_columns=overlay.id_columns)
    mapping = build_mapping(selection, overlay, Capabilities("9.2.0", frozenset(), frozenset()))
    [line] = DocumentBuilder(selection, mapping).lines([row])
    return RowKeys(selection, mapping).with_key(DeadLetter.from_line(line, 400, "why")).key


def test_key_values_regain_their_types() -> None:
    columns = (
        column("n", ColumnKind.BIGINT),
        column("yes", ColumnKind.BOOLEAN),
        column("c", ColumnKind.CHAR, length=4),
        column("t", ColumnKind.TEXT),
    )
    row: Row = [-7, False, "a   ", "12"]
    assert key_of(row, *columns, primary=("n", "yes", "c", "t")) == {"n": -7, "yes": False, "c": "a   ", "t": "12"}


def test_the_key_column_comes_first_even_if_it_is_not_in_the_id() -> None:
    key = key_of([5, "x"], TS, column("uid", ColumnKind.TEXT), primary=("uid",))
    assert list(key.items()) == [("ts", 5), ("uid", "x")]


def test_a_row_id_that_is_not_indexed_is_part_of_the_key() -> None:
    assert key_of([5, "r4nD-_om"], TS) == {"ts": 5, "_id": "r4nD-_om"}


def test_renamed_and_dropped_columns_keep_their_source_names() -> None:
    columns = (TS, column("uid", ColumnKind.TEXT), column("m", ColumnKind.TEXT))
    renamed = Overlay(fields={"ts": FieldOverlay(rename="at"), "uid": FieldOverlay(rename="name")})
    assert key_of([5, "x", "m"], *columns, primary=("uid",), overlay=renamed) == {"ts": 5, "uid": "x"}
    left_out = Overlay(fields={"ts": False, "uid": False})
    assert key_of(["m", 5, "x"], *columns, primary=("uid",), overlay=left_out) == {"uid": "x"}


def test_the_values_behind_a_hashed_id_are_read_from_the_document() -> None:
    long = "h" * 600
    overlay = Overlay(fields={"o.host": FieldOverlay(rename="name")})
    row: Row = [{"host": long, "seq": 3}, long, 3]
    assert key_of(row, OBJECT, primary=("o.host", "o.seq"), overlay=overlay) == {"o.seq": 3, "o.host": long}


def test_unrecoverable_key_values_are_absent() -> None:
    columns = (column("uid", ColumnKind.TEXT), column("m", ColumnKind.TEXT))
    overlay = Overlay(fields={"uid": False})
    assert key_of(["m", "h" * 600], *columns, primary=("uid",), overlay=overlay) == {}
