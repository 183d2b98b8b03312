"""Rows that grow a thousandfold in mid-table: the attack on the memory budget."""

import json
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.local.crate_table import Cursor
from tests.commands import run

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch, pytest.mark.slow]

MIB = 2**20
NARROW, WIDE = 20_000, 200


@pytest.fixture
def table(crate_cursor: Cursor, schema: str) -> str:
    """Rows of 200 bytes, then rows of 1 MB, then rows of 200 bytes again."""
    name = f'"{schema}".wide'
    crate_cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, m TEXT INDEX OFF STORAGE WITH (columnstore = false))"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0)"
    )
    for begin in (0, NARROW + WIDE):
        crate_cursor.execute(
            f"INSERT INTO {name} SELECT i, repeat('narrow row ', 18)"
            f" FROM generate_series({begin}, {begin + NARROW - 1}) AS t (i)"
        )
    for begin in range(NARROW, NARROW + WIDE, 20):
        crate_cursor.execute(
            f"INSERT INTO {name} SELECT i, repeat('a wide row ', 95000)"
            f" FROM generate_series({begin}, {begin + 19}) AS t (i)"
        )
    crate_cursor.execute(f"REFRESH TABLE {name}")
    return name


def test_rows_of_a_megabyte_stay_within_the_budget(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path
) -> None:
    (tmp_path / "wide.yaml").write_text("fields: {m: {type: text, index: false}}\n")
    ended = run(
        "reindex", "--source", cratedb_url, "--target", elasticsearch_url, "--table", table, "--index", alias,
        "--jobs-index", f"{alias}_jobs", "--mapping", "wide.yaml", "--memory", "64MiB", "--page", "10000", "--json",
        cwd=tmp_path, timeout=240,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["rows_indexed"] == 2 * NARROW + WIDE
    with Elasticsearch(elasticsearch_url) as client:
        assert client.count(index=alias)["count"] == 2 * NARROW + WIDE
        wide = client.get(index=alias, id=str(NARROW))["_source"]["m"]
        assert len(wide) == 95_000 * len("a wide row ")
    print(f"peak RSS {report['peak_rss_bytes'] / MIB:.0f} MiB of {64 + 120}, {report['pages']} pages")  # noqa: T201  # for the README's table
    assert report["peak_rss_bytes"] < (64 + 120) * MIB
