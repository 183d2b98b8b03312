"""The SQL of a selection: its names, its parameters, and what a shape has of them."""

import pytest

from indexer.model.paging.window import (
    Keyset,
    Offset,
    PageRequest,
    Prefix,
    PrefixCount,
    Prefixes,
    Range,
    TieGroup,
    Window,
)
from indexer.model.table.key import choose_key
from indexer.model.table.selection import Selection, select
from indexer.model.table.table import Column, ColumnKind, ColumnType, Table, TableName
from indexer.source.cratedb_schema import unsearchable
from indexer.source.cratedb_sql import CrateGrammar, Statement, compile_select, quoted
from indexer.source.statements import Query, Shape, Statements


def column(name: str, kind: ColumnKind, array: int = 0, *, nullable: bool = True) -> Column:
    return Column((name,), ColumnType(kind, array=array), nullable=nullable)


TABLE = Table(
    TableName("select", "My Schema"),
    (
        column("id", ColumnKind.UUID, nullable=False),
        column("seq", ColumnKind.INTEGER, nullable=False),
        column("ts", ColumnKind.TIMESTAMP),
        column('Odd "%(lo)s" name', ColumnKind.TEXT),
        column("price", ColumnKind.NUMERIC),
        column("prices", ColumnKind.NUMERIC, 2),
        Column(
            ("o",),
            ColumnType(ColumnKind.OBJECT),
            children=(Column(("o", "A b", "q'q:x"), ColumnType(ColumnKind.BIGINT)),),
        ),
    ),
    primary_key=("id", "seq"),
)


def selection(key: str, where: str | None = None) -> Selection:
    return select(TABLE, choose_key(TABLE, (key,)), where=where)


def statement(key: str, shape: Shape, where: str | None = None) -> Statement:
    return compile_select(Statements(selection(key, where), CrateGrammar()).select(shape))


def part(sql: str, after: str, before: str) -> str:
    """The SQL between two keywords, on one line."""
    return " ".join(sql.split(after, 1)[1].split(before, 1)[0].split())


def test_columns_are_listed_and_numeric_is_read_as_text() -> None:
    sql = statement("o.A b.q'q:x", Shape.RANGE).sql
    assert part(sql, "SELECT", "FROM") == (
        '"id" AS "id", "seq" AS "seq", "ts" AS "ts", "Odd ""%(lo)s"" name" AS "Odd ""%(lo)s"" name",'
        ' CAST("price" AS TEXT) AS "price", CAST("prices" AS ARRAY(ARRAY(TEXT))) AS "prices", "o" AS "o",'
        """ "o"['A b']['q''q:x'] AS anon_1"""
    )
    assert part(sql, "FROM", "WHERE") == '"My Schema"."select"'


@pytest.mark.parametrize(
    ("key", "shape", "condition", "names"),
    [
        ("ts", Shape.RANGE, '"ts" > $1 AND "ts" <= $2 LIMIT $3', ("lo", "hi", "limit")),
        ("ts", Shape.RANGE_FROM_LOWEST, '"ts" <= $1 LIMIT $2', ("hi", "limit")),
        ("ts", Shape.RANGE_ORDERED, '"ts" > $1 AND "ts" <= $2 ORDER BY "ts" LIMIT $3', ("lo", "hi", "limit")),
        ("ts", Shape.RANGE_FROM_LOWEST_ORDERED, '"ts" <= $1 ORDER BY "ts" LIMIT $2', ("hi", "limit")),
        (
            "ts",
            Shape.VALUE,
            """"ts" = $1 ORDER BY md5(format('%s', "id")), "seq" LIMIT $2""",
            ("value", "limit"),
        ),
        (
            "ts",
            Shape.NULLS_AFTER,
            (
                """"ts" IS NULL AND md5(format('%s', "id")) >= md5(format('%s', $1)) AND"""
                """ (md5(format('%s', "id")) > md5(format('%s', $1)) OR "seq" >= $2)"""
                """ ORDER BY md5(format('%s', "id")), "seq" LIMIT $3"""
            ),
            ("last_0", "next_1", "limit"),
        ),
        (
            'Odd "%(lo)s" name',
            Shape.PREFIXES,
            '"Odd ""%(lo)s"" name" LIKE ANY ($1) OR "Odd ""%(lo)s"" name" = ANY ($2) LIMIT $3',
            ("likes", "exacts", "limit"),
        ),
        (
            "seq",
            Shape.KEYSET_AFTER,
            (
                """"seq" IS NOT NULL AND "seq" >= $1 AND"""
                """ ("seq" >= $2 OR md5(format('%s', "id")) > md5(format('%s', $3)))"""
                """ ORDER BY "seq", md5(format('%s', "id")) LIMIT $4"""
            ),
            ("last_0", "next_0", "last_1", "limit"),
        ),
    ],
)
def test_the_condition_and_order_of_a_shape(key: str, shape: Shape, condition: str, names: tuple[str, ...]) -> None:
    made = statement(key, shape)
    assert part(made.sql, "WHERE", "~") == condition
    assert made.names == names


def test_the_user_s_condition_stands_in_parentheses_as_it_was_written() -> None:
    where = "a % 2 = 0 AND b LIKE '%(lo)s%%' AND c = ':x' -- end"
    sql = statement("ts", Shape.RANGE, where).sql
    assert f'WHERE ({where}\n) AND "ts" > $1' in sql
    for shape in (Shape.VALUE_AFTER, Shape.KEYSET, Shape.OFFSET, Shape.BOUNDS, Shape.BINS):
        assert f"WHERE ({where}\n)" in statement("ts", shape, where).sql
    alone = statement("ts", Shape.CONDITION, where)
    assert f"WHERE {where}\n" in alone.sql
    assert alone.names == ()


@pytest.mark.parametrize(
    ("key", "window", "query"),
    [
        ("seq", Range(-(2**31) - 1, 5), Query(Shape.RANGE_FROM_LOWEST, {"hi": 5, "limit": 9})),
        ("seq", Range(-(2**31), 5), Query(Shape.RANGE, {"lo": -(2**31), "hi": 5, "limit": 9})),
        ("ts", Range(-(2**63) - 1, 5), Query(Shape.RANGE_FROM_LOWEST, {"hi": 5, "limit": 9})),
        ("ts", TieGroup(5), Query(Shape.VALUE, {"value": 5, "limit": 9})),
        (
            "ts",
            TieGroup(0, ("x", 7)),
            Query(Shape.VALUE_AFTER, {"value": 0, "last_0": "x", "last_1": 7, "next_1": 8, "limit": 9}),
        ),
        ("ts", TieGroup(None), Query(Shape.NULLS, {"limit": 9})),
        ("ts", TieGroup(None, ("x",)), Query(Shape.NULLS_AFTER, {"last_0": "x", "limit": 9})),
        ("ts", Keyset(), Query(Shape.KEYSET, {"limit": 9})),
        ("ts", Keyset((2**31 - 1,)), Query(Shape.KEYSET_AFTER, {"last_0": 2**31 - 1, "next_0": 2**31, "limit": 9})),
        ("ts", Offset(3), Query(Shape.OFFSET, {"offset": 3, "limit": 9})),
        (
            'Odd "%(lo)s" name',
            Prefixes((Prefix("a%_\\b"), Prefix(""), Prefix("x%", exact=True))),
            Query(Shape.PREFIXES, {"likes": ["a\\%\\_\\\\b%", "%"], "exacts": ["x%"], "limit": 9}),
        ),
    ],
)
def test_the_parameters_of_a_window(key: str, window: Window, query: Query) -> None:
    assert Statements(selection(key), CrateGrammar()).page(PageRequest(window, 9)) == query


def test_an_ordered_range_is_a_shape_of_its_own() -> None:
    statements = Statements(selection("seq"), CrateGrammar())
    assert statements.page(PageRequest(Range(0, 5), 9, ordered=True)).shape is Shape.RANGE_ORDERED
    assert (
        statements.page(PageRequest(Range(-(2**31) - 1, 5), 9, ordered=True)).shape is Shape.RANGE_FROM_LOWEST_ORDERED
    )


def test_the_parameters_of_a_census() -> None:
    query = Statements(selection('Odd "%(lo)s" name'), CrateGrammar()).count_prefixes(PrefixCount("50%", 4))
    assert query == Query(Shape.PREFIX_COUNT, {"prefix": "50\\%%", "units": 4, "more": 5})


def test_arguments_stand_in_the_order_of_the_parameters() -> None:
    assert Statement("$1 $2", ("hi", "limit")).arguments({"limit": 9, "hi": 5, "lo": 1}) == [5, 9]


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        (TableName("logs"), '"logs"'),
        (TableName("MyTable", "doc"), '"doc"."MyTable"'),
        (TableName("a%b", "c:d"), '"c:d"."a%b"'),
    ],
)
def test_table_names_are_quoted(name: TableName, sql: str) -> None:
    assert quoted(name) == sql


def test_columns_without_a_searchable_index_are_read_out_of_the_table_s_definition() -> None:
    create = '''CREATE TABLE IF NOT EXISTS "doc"."t" (
   "a" TEXT INDEX OFF,
   "b" TEXT DEFAULT ' INDEX OFF
   "z" TEXT INDEX OFF',
   "o" OBJECT(DYNAMIC) AS (
      "it's" TEXT,
      "p" OBJECT(STRICT) AS (
         "c" TEXT INDEX OFF
      ),
      "d ""q""" TEXT INDEX USING FULLTEXT WITH (
         analyzer = 'standard'
      )
   ),
   "g" GEO_SHAPE INDEX USING GEOHASH,
   "e" TEXT,
   INDEX "e_words" USING FULLTEXT ("e") WITH (
      analyzer = 'standard'
   )
)
CLUSTERED INTO 4 SHARDS'''
    assert unsearchable(create) == {("a",), ("o", "p", "c"), ("o", 'd "q"')}
