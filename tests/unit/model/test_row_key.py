"""The key of a rejected row, out of what was sent."""

from indexer.model.document.bulk_response import dead_letter
from indexer.model.document.document import DocumentBuilder
from indexer.model.document.row_key import RowKeys
from indexer.model.json import JsonObject, Row
from indexer.model.mapping.analysis import Capabilities
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
    kept = tuple(one.name for one in columns if overlay.fields.get(one.name) is not False)
    selection = select(table, choose_key(table), columns=kept, id_columns=overlay.id_columns)
    mapping = build_mapping(selection, overlay, Capabilities("9.2.0", frozenset(), frozenset()))
    [line] = DocumentBuilder(selection, mapping).lines([row])
    return RowKeys(selection, mapping).keyed(dead_letter(line, 400, "why")).key


def test_values_have_their_types_again() -> None:
    columns = (
        column("n", ColumnKind.BIGINT),
        column("yes", ColumnKind.BOOLEAN),
        column("c", ColumnKind.CHAR, length=4),
        column("t", ColumnKind.TEXT),
    )
    row: Row = [-7, False, "a   ", "12"]
    assert key_of(row, *columns, primary=("n", "yes", "c", "t")) == {"n": -7, "yes": False, "c": "a   ", "t": "12"}


def test_the_key_comes_first_though_it_is_no_part_of_the_id() -> None:
    key = key_of([5, "x"], TS, column("uid", ColumnKind.TEXT), primary=("uid",))
    assert list(key.items()) == [("ts", 5), ("uid", "x")]


def test_a_hidden_row_id() -> None:
    assert key_of([5, "r4nD-_om"], TS) == {"ts": 5, "_id": "r4nD-_om"}


def test_renamed_and_left_out_columns_go_by_the_source_s_names() -> None:
    columns = (TS, column("uid", ColumnKind.TEXT), column("m", ColumnKind.TEXT))
    renamed = Overlay(fields={"ts": FieldOverlay(rename="at"), "uid": FieldOverlay(rename="name")})
    assert key_of([5, "x", "m"], *columns, primary=("uid",), overlay=renamed) == {"ts": 5, "uid": "x"}
    left_out = Overlay(fields={"ts": False, "uid": False})
    assert key_of(["m", 5, "x"], *columns, primary=("uid",), overlay=left_out) == {"uid": "x"}


def test_a_hash_is_looked_behind_in_the_document_also_below_an_object() -> None:
    long = "h" * 600
    overlay = Overlay(fields={"o.host": FieldOverlay(rename="name")})
    row: Row = [{"host": long, "seq": 3}, long, 3]
    assert key_of(row, OBJECT, primary=("o.host", "o.seq"), overlay=overlay) == {"o.seq": 3, "o.host": long}


def test_what_is_nowhere_is_absent() -> None:
    columns = (column("uid", ColumnKind.TEXT), column("m", ColumnKind.TEXT))
    overlay = Overlay(fields={"uid": False})
    assert key_of(["m", "h" * 600], *columns, primary=("uid",), overlay=overlay) == {}
