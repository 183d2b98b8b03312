"""Rows that grow from 200 bytes to a megabyte mid-table, and shrink again: memory stays within the budget."""

import json
from pathlib import Path

import orjson
import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.attack_table import AttackRecord
from tests.support.commands import Ended, run

pytestmark = [
    pytest.mark.cratedb,
    pytest.mark.elasticsearch,
    pytest.mark.slow,
    pytest.mark.large,
    pytest.mark.timeout(600),
]

MIB = 2**20
MEMORY, CONSTANT = 64 * MIB, 120 * MIB
TOO_LARGE = 101 * MIB
"""More than Elasticsearch accepts in one request by default (`http.max_content_length`, 100 MB)."""

COPIES = 4
"""Memory of a row larger than the budget, in row sizes: response, row, document and bulk line."""

NARROW, WIDE = "narrow row ", "a wide row "
TIMES = {NARROW: 18, WIDE: 95_000}
"""How often the text is repeated in a row: 200 bytes, or a megabyte."""

GROWING = ((NARROW, 20_000), (WIDE, 200))
SHRINKING = ((NARROW, 90_000), (WIDE, 100), (NARROW, 90_000), (WIDE, 100), (NARROW, 20_000))
"""Long enough for wide rows in two slices, so that both readers get some."""


def make_table(cursor: Cursor, name: str, parts: tuple[tuple[str, int], ...]) -> int:
    """Create a table of these parts in key order; return the number of rows."""
    cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, m TEXT INDEX OFF STORAGE WITH (columnstore = false))"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0)"
    )
    begin = 0
    for text, rows in parts:
        step = 20 if text is WIDE else rows
        for first in range(begin, begin + rows, step):
            cursor.execute(
                f"INSERT INTO {name} SELECT i, repeat(?, ?) FROM generate_series(?::BIGINT, ?::BIGINT) AS t (i)",
                (text, TIMES[text], first, first + step - 1),
            )
        begin += rows
    cursor.execute(f"REFRESH TABLE {name}")
    return begin


@pytest.mark.parametrize(
    "parts", [pytest.param(GROWING, id="from the middle on"), pytest.param(SHRINKING, id="and narrow again")]
)
def test_megabyte_rows_stay_within_the_memory_budget(
    cratedb_url: str,
    elasticsearch_url: str,
    crate_cursor: Cursor,
    schema: str,
    alias: str,
    tmp_path: Path,
    record: AttackRecord,
    parts: tuple[tuple[str, int], ...],
) -> None:
    rows = make_table(crate_cursor, f'"{schema}".wide', parts)
    ended = reindex(cratedb_url, elasticsearch_url, schema, alias, tmp_path)
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    with Elasticsearch(elasticsearch_url) as client:
        found = client.count(index=alias)["count"]
        wide = client.get(index=alias, id=str(parts[0][1]))["_source"]["m"]
    record.tried(rows=rows, lost=rows - found, memory="64MiB", peak=max(ended.peak, report["peak_rss_bytes"]))
    assert wide == WIDE * TIMES[WIDE]
    assert report["peak_rss_bytes"] < MEMORY + CONSTANT
    assert ended.peak < MEMORY + CONSTANT
    wide_pages = sum(count for text, count in parts if text is WIDE)
    # Two or three wide rows fit a reader's share. Pages that stayed so small would be 10,000 for the narrow rows.
    assert wide_pages / 4 < report["pages"] < 2 * wide_pages + 100
    if parts is SHRINKING:  # one case is enough: it rereads both sides
        verified = command(cratedb_url, elasticsearch_url, alias, tmp_path, "indexer", "verify", "--full")
        assert verified.code == 0, verified.err
        record.tried(memory="64MiB", peak=verified.peak)
        assert json.loads(verified.out)["compared"] == rows
        assert verified.peak < MEMORY + CONSTANT


def reindex(source: str, target: str, schema: str, alias: str, folder: Path) -> Ended:
    (folder / "wide.yaml").write_text("fields: {m: {type: text, index: false}}\n")
    return command(source, target, alias, folder, "reindex", "--table", f'"{schema}".wide')


def command(source: str, target: str, alias: str, folder: Path, *words: str) -> Ended:
    return run(
        *words, "--source", source, "--target", target, "--index", alias, "--jobs-index", f"{alias}_jobs",
        "--mapping", "wide.yaml", "--memory", "64MiB", "--page", "10000", "--json", cwd=folder, timeout=240,
    )  # fmt: skip


def test_a_row_of_101_mib_becomes_a_dead_letter(
    cratedb_url: str,
    elasticsearch_url: str,
    crate_cursor: Cursor,
    schema: str,
    alias: str,
    tmp_path: Path,
    record: AttackRecord,
) -> None:
    rows = make_table(crate_cursor, f'"{schema}".wide', ((NARROW, 1_000),))
    crate_cursor.execute(f'INSERT INTO "{schema}".wide VALUES (-1, repeat(?, ?))', (WIDE, TOO_LARGE // len(WIDE)))
    crate_cursor.execute(f'REFRESH TABLE "{schema}".wide')
    ended = reindex(cratedb_url, elasticsearch_url, schema, alias, tmp_path)
    assert ended.code == 3, ended.err
    report = json.loads(ended.out)
    with Elasticsearch(elasticsearch_url) as client:
        found = client.count(index=alias)["count"]
    lost = rows + 1 - found - report["dead_letters"]
    record.tried(rows=rows + 1, lost=lost, memory="64MiB", peak=ended.peak)
    assert ended.peak < MEMORY + CONSTANT + COPIES * TOO_LARGE
    (line,) = Path(report["dead_letter_file"]).read_bytes().splitlines()
    letter = orjson.loads(line)
    assert (letter["id"], letter["status"]) == ("-1", 413)
    assert "Too Large" in letter["reason"]
