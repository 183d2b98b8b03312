"""Faults planted in the indexes of many table shapes: composite keys, renamed or dropped columns, empty values."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.index_contents import documents
from tests.support.verify_commands import Commands, difference_counts, named_ids, report_of

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 300


@dataclass(frozen=True)
class Shape:
    """A table, its mapping file, and the field that the column `name` becomes."""

    columns: str
    overlay: str = ""
    text: str = "name"
    options: tuple[str, ...] = ()


SHAPES = {
    "two columns make the id": Shape("name TEXT, n BIGINT, PRIMARY KEY (n, name)"),
    "partitioned": Shape("n BIGINT, day INTEGER GENERATED ALWAYS AS n % 3, name TEXT, PRIMARY KEY (n, day)"),
    "text and a number that is renamed": Shape(
        "tenant TEXT DEFAULT 'a|b', n BIGINT, name TEXT, PRIMARY KEY (tenant, n)",
        "fields: {n: {rename: number}, name: {rename: title}}\n",
        text="title",
    ),
    "the key is left out": Shape("n BIGINT PRIMARY KEY, name TEXT", "fields: {n: false}\n"),
    "some columns only": Shape("n BIGINT PRIMARY KEY, name TEXT, other TEXT", options=("--columns", "name")),
    "no primary key": Shape("n BIGINT, name TEXT"),
    "an id of long texts": Shape("n BIGINT, name TEXT PRIMARY KEY, pad TEXT", "id: [name, pad]\n"),
    "no key at all": Shape("n BIGINT INDEX OFF, name TEXT"),
}


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def command(cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Commands:
    return Commands(cratedb_url, elasticsearch_url, alias, tmp_path)


@pytest.fixture
def options(
    request: pytest.FixtureRequest, command: Commands, crate_cursor: Cursor, schema: str, tmp_path: Path
) -> tuple[str, ...]:
    """Index a table of this shape; return the options used."""
    shape: Shape = request.param
    table = f'"{schema}"."Shaped"'
    partitioned = "PARTITIONED BY (day)" if "day" in shape.columns else ""
    crate_cursor.execute(
        f"CREATE TABLE {table} ({shape.columns}) CLUSTERED INTO 2 SHARDS {partitioned} WITH (number_of_replicas = 0)"
    )
    pad = (", pad", ", repeat('x', 600)") if "pad" in shape.columns else ("", "")
    crate_cursor.execute(
        f"INSERT INTO {table} (n, name{pad[0]}) SELECT i, 'n' || i{pad[1]} FROM generate_series(1, {ROWS}) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    (tmp_path / "shape.yaml").write_text(shape.overlay)
    options = ("--page", "20", *(("--mapping", "shape.yaml") if shape.overlay else ()), *shape.options)
    made = command("reindex", "--table", table, *options)
    assert made.code == 0, made.err
    return options


@pytest.mark.parametrize(("options", "text"), [(s, s.text) for s in SHAPES.values()], ids=SHAPES, indirect=["options"])
def test_exactly_the_planted_faults_are_found_in_every_table_shape(
    options: tuple[str, ...], text: str, command: Commands, client: Elasticsearch, alias: str
) -> None:
    before = documents(client, alias)
    assert len(before) == ROWS
    removed, changed, emptied = sorted(before)[50:53]
    client.delete(index=alias, id=removed)
    client.update(index=alias, id=changed, doc={text: "changed"})
    client.update(index=alias, id=emptied, doc={text: None})
    client.index(index=alias, id="nobody", document={text: "nobody"})
    client.index(index=alias, id="no one", document={text: "nobody"})
    full = report_of(command("verify", "--full", *options))
    assert difference_counts(full) == (1, 2, 2)
    assert named_ids(full) == {
        removed: "missing",
        changed: "different",
        emptied: "different",
        "nobody": "extra",
        "no one": "extra",
    }
    said = {one["_id"]: one["what"] for part in full["slices"] for one in part["first"]}
    assert said[changed] == [f'{text} is "changed" where the row has {json.dumps(before[changed][text])}']
    assert said[emptied] == [f"{text} is null where the row has {json.dumps(before[emptied][text])}"]

    sampled = command("verify", "--sample", "100%", *options)
    assert sampled.code == 4
    assert difference_counts(report_of(sampled)) == (1, 0, 2)
    counted = command("verify", "--counts", *options)
    assert counted.code == 4
    assert (report_of(counted)["rows"], report_of(counted)["documents"]) == (ROWS, ROWS + 1)

    mended = command("verify", "--full", "--repair", *options)
    assert mended.code == 0, mended.out + mended.err
    client.indices.refresh(index=alias)
    assert documents(client, alias) == before
    for check in ("--counts", "--sample=10%"):
        ended = command("verify", check, *options)
        assert ended.code == 0, (check, ended.out, ended.err)


def test_extra_documents_outside_the_tables_key_range_are_found(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, schema: str, alias: str
) -> None:
    table = f'"{schema}".ranged'
    crate_cursor.execute(f"CREATE TABLE {table} (n BIGINT PRIMARY KEY, name TEXT) WITH (number_of_replicas = 0)")
    crate_cursor.execute(f"INSERT INTO {table} SELECT i, 'n' || i FROM generate_series(-{ROWS}, {ROWS}) AS t (i)")
    crate_cursor.execute(f"REFRESH TABLE {table}")
    options = ("--table", table, "--page", "5")
    assert command("reindex", *options).code == 0
    assert command("verify", "--full", *options).code == 0
    keys = {"first": -(2**63), "last": 2**63 - 1, "within": 40, "none": None, "beyond": ROWS + 1}
    for id_, key in keys.items():
        client.index(index=alias, id=id_, document={"n": key, "name": "nobody"})
    client.delete(index=alias, id="41")
    full = report_of(command("verify", "--full", *options))
    assert named_ids(full) == dict.fromkeys(keys, "extra") | {"41": "missing"}


def test_counts_name_the_slices_that_differ(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, schema: str, alias: str
) -> None:
    """Including rows without a key; a missing document and an extra one elsewhere do not cancel out."""
    table = f'"{schema}".counted'
    crate_cursor.execute(
        f"CREATE TABLE {table} (id TEXT PRIMARY KEY, ts TIMESTAMP WITH TIME ZONE) WITH (number_of_replicas = 0)"
    )
    crate_cursor.execute(
        f"INSERT INTO {table} SELECT 'i' || i, CASE WHEN i > 90 THEN NULL ELSE 1700000000000 + i END"
        " FROM generate_series(1, 100) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("reindex", "--table", table, "--page", "5").code == 0
    client.delete(index=alias, id="i1")
    client.delete(index=alias, id="i99")
    client.index(index=alias, id="nobody", document={"ts": 1700000000000 + 89})
    client.index(index=alias, id="no one", document={"ts": 1700000000000 + 89})
    ended = command("verify", "--counts", "--page", "5")
    assert ended.code == 4
    answer = report_of(ended)
    assert (answer["rows"], answer["documents"], answer["shard_rows"]) == (100, 100, 100)
    first, *middle, last, nulls = ((part["slice"], part["documents"] - part["rows"]) for part in answer["slices"])
    assert (first, middle, last[1], nulls) == ((0, -1), [], 2, (last[0] + 1, -1))


def test_null_nan_and_absent_are_equal_but_zero_and_empty_text_are_not(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, schema: str, alias: str
) -> None:
    """NaN and infinities are indexed as null, which equals NULL and an absent field."""
    table = f'"{schema}".empty'
    crate_cursor.execute(
        f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, d DOUBLE PRECISION, r REAL, t TEXT, l ARRAY(TEXT),"
        " o OBJECT(DYNAMIC) AS (n BIGINT)) WITH (number_of_replicas = 0)"
    )
    values = ["'NaN', 1.5, 'x', [], {}", "'Infinity', 'NaN', NULL, NULL, NULL", "0.0, 0.0, '', [''], {n = NULL}"]
    for number, row in enumerate(values):
        crate_cursor.execute(f"INSERT INTO {table} VALUES ({number}, {row})")
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("reindex", "--table", table).code == 0
    assert command("verify", "--full").code == 0
    bare: dict[str, Any] = {
        id_: {name: value for name, value in source.items() if value is not None}
        for id_, source in documents(client, alias).items()
    }
    for id_, source in bare.items():
        client.index(index=alias, id=id_, document=source)
    ended = command("verify", "--full")
    assert ended.code == 0, ended.out
    client.update(index=alias, id="0", doc={"d": 0})
    client.update(index=alias, id="1", doc={"t": ""})
    client.update(index=alias, id="2", doc={"t": None, "l": []})
    answer = report_of(command("verify", "--full"))
    assert {one["_id"]: one["what"] for one in answer["slices"][0]["first"]} == {
        "0": ["d is 0 where the row has null"],
        "1": ['t is "" where the row has null'],
        "2": ['t is null where the row has ""', 'l is [] where the row has [""]'],
    }
