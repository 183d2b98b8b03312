import pytest

from indexer.errors import UsageError
from indexer.model.table.key import KeyOrder, choose_key
from indexer.model.table.table import Column, ColumnKind, ColumnType, Table, TableName


def column(name: str, kind: ColumnKind, *, indexed: bool = True, nullable: bool = True, array: int = 0) -> Column:
    return Column(tuple(name.split(".")), ColumnType(kind, array=array), indexed=indexed, nullable=nullable)


ID = column("id", ColumnKind.BIGINT, nullable=False)
TS = column("ts", ColumnKind.TIMESTAMP)
UID = column("uid", ColumnKind.TEXT, nullable=False)
HOST = column("host", ColumnKind.TEXT)
COUNT = column("count", ColumnKind.INTEGER)
PRICE = column("price", ColumnKind.DOUBLE)


def table(*columns: Column, primary_key: tuple[str, ...] = ()) -> Table:
    return Table(TableName("logs", "doc"), columns, primary_key=primary_key, row_id=None if primary_key else "_id")


@pytest.mark.parametrize(
    ("given", "lead", "ties"),
    [
        (table(HOST, TS, ID, primary_key=("id",)), "id", ()),
        (table(HOST, ID, TS, UID, primary_key=("uid",)), "ts", ("uid",)),
        (table(HOST, ID, TS), "ts", ()),
        (table(ID, TS, UID, primary_key=("id", "uid")), "ts", ("id", "uid")),
        (table(HOST, ID, UID, primary_key=("uid", "id")), "id", ("uid",)),
        (table(HOST, COUNT, UID, primary_key=("uid",)), "count", ("uid",)),
        (table(PRICE, HOST, UID, primary_key=("uid",)), "uid", ()),
        (table(PRICE, HOST), "host", ()),
    ],
)
def test_the_best_key_is_chosen(given: Table, lead: str, ties: tuple[str, ...]) -> None:
    key = choose_key(given)
    assert key.column.name == lead
    assert tuple(tie.name for tie in key.tiebreakers) == ties
    assert key.unique == (given.primary_key == (lead,))
    assert key.reason


def test_a_column_without_an_index_is_never_chosen() -> None:
    unindexed = column("ts", ColumnKind.TIMESTAMP, indexed=False)
    assert choose_key(table(unindexed, COUNT)).column == COUNT
    with pytest.raises(UsageError, match="not indexed as a whole value"):
        choose_key(table(unindexed, COUNT), ("ts",))


def test_text_is_walked_by_prefixes_and_the_rest_as_numbers() -> None:
    assert choose_key(table(HOST)).order is KeyOrder.TEXT
    assert choose_key(table(TS)).order is KeyOrder.NUMBER


def test_a_named_key_wins_and_its_ties_end_in_the_primary_key() -> None:
    key = choose_key(table(ID, TS, UID, primary_key=("id", "uid")), ("ts", "uid"))
    assert key.names == ("ts", "uid", "id")


def test_a_sub_column_can_be_a_key() -> None:
    inner = column("attrs.seq", ColumnKind.BIGINT)
    attrs = Column(("attrs",), ColumnType(ColumnKind.OBJECT), children=(inner,))
    assert choose_key(table(attrs, UID, primary_key=("uid",)), ("attrs.seq",)).column is inner


def test_a_column_that_may_be_null_breaks_no_ties() -> None:
    with pytest.raises(UsageError, match="host may be NULL"):
        choose_key(table(TS, HOST, UID, primary_key=("uid",)), ("ts", "host"))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (("tss",), r"no column tss\. Did you mean ts\?"),
        (("price",), "price is .* and cannot be a key"),
        (("ts", "nope"), "no column nope"),
    ],
)
def test_a_wrong_key_is_refused_by_name(wanted: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        choose_key(table(TS, PRICE, UID, primary_key=("uid",)), wanted)


def test_a_table_without_a_usable_key_is_refused() -> None:
    with pytest.raises(UsageError, match="no column to page by"):
        choose_key(table(PRICE, column("tags", ColumnKind.TEXT, array=1)))
