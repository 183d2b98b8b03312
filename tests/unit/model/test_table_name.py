import pytest

from indexer.errors import UsageError
from indexer.model.table.table import TableName, nearest, parse_table_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("logs", TableName("logs")),
        ("Logs", TableName("logs")),
        ("doc.logs", TableName("logs", "doc")),
        ('"MyTable"', TableName("MyTable")),
        ('"select"', TableName("select")),
        ('Doc."My ""Table"""', TableName('My "Table"', "doc")),
        ('"a.b"."c d"', TableName("c d", "a.b")),
        (" logs ", TableName("logs")),
        ("로그", TableName("로그")),
    ],
)
def test_names_are_read_as_cratedb_reads_them(text: str, name: TableName) -> None:
    assert parse_table_name(text) == name


@pytest.mark.parametrize("text", ["", "my-table", "1logs", "a.b.c", '"open', "logs; DROP TABLE x", '""'])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a table name"):
        parse_table_name(text)


def test_the_nearest_names_are_offered() -> None:
    assert nearest("lgos", ["logs", "metrics"]) == " Did you mean logs?"
    assert nearest("zzz", ["logs"]) == ""
