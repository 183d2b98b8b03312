"""Rows lost without an error: missing from a response, or deleted from the new index before verification."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.attack import ROWS, Attack
from tests.support.attack_table import AttackRecord
from tests.support.commands import Ended, run
from tests.support.fault_proxy import Exchange, Fault, FaultProxy, alter, cut_after, pass_through, run_before
from tests.support.index_contents import documents

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

HISTOGRAM = b" AS share"
"""Occurs only in the histogram statement."""


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


def deleting(client: Elasticsearch, alias: str, id_: str) -> Callable[[], None]:
    """A function that deletes this document from the index being loaded."""

    def delete() -> None:
        [index] = client.indices.get(index=f"{alias}_2*", expand_wildcards="all")
        client.indices.refresh(index=index)
        assert client.delete(index=index, id=id_)["result"] == "deleted"

    return delete


def test_a_document_deleted_before_verification_fails_it(
    attack: Attack, client: Elasticsearch, record: AttackRecord
) -> None:
    with FaultProxy(attack.target, pattern=f"{attack.alias}_2.*/_refresh") as proxy:
        proxy.script(run_before(deleting(client, attack.alias, "7")))
        ended = replace(attack, target=proxy.url).run()
    record.tried()
    assert ended.code == 4, ended.err
    assert "lacks documents: slice 0 has " in ended.err
    assert not client.indices.exists_alias(name=attack.alias)
    assert attack.run().code == 4
    assert attack.run("--fresh").code == 0


def test_a_document_deleted_where_others_were_written_twice_is_reread(
    attack: Attack, client: Elasticsearch, record: AttackRecord
) -> None:
    """A lost response made the job write some documents twice, so the number of acknowledgements proves nothing."""
    bulks, refreshes = itertools.count(1), itertools.count(1)

    def fault(exchange: Exchange) -> None:
        if "/_bulk" in exchange.request.path:
            (cut_after if next(bulks) == 3 else pass_through)(exchange)
        else:
            delete = deleting(client, attack.alias, "7")
            (run_before(delete) if next(refreshes) == 1 else pass_through)(exchange)

    with FaultProxy(attack.target, pattern=f"/_bulk|{attack.alias}_2.*/_refresh") as proxy:
        proxy.default = fault
        ended = replace(attack, target=proxy.url).run()
    assert ended.code == 0, ended.err
    found = documents(client, attack.alias)
    record.tried(rows=ROWS, lost=ROWS - len(found))
    assert 0 < json.loads(ended.out)["rows_caught_up"] < ROWS


@dataclass(frozen=True)
class Gappy:
    """A table of even ids, keyed by a number or a text, and a job that reads it through a proxy."""

    name: str
    cursor: Cursor
    proxy: FaultProxy
    options: tuple[str, ...]
    rows: ClassVar[int] = 6_000

    def add(self, count: int) -> None:
        """Insert rows near the end, which the job reads last."""
        values = [[f"zy5999{i:03}", 2 * (self.rows - i) - 1] for i in range(1, count + 1)]
        self.cursor.executemany(f"INSERT INTO {self.name} (uid, id) VALUES (?, ?)", values)
        self.cursor.execute(f"REFRESH TABLE {self.name}")

    def run(self, folder: Path, *more: str) -> Ended:
        return run("reindex", *self.options, "--source", self.proxy.crate, *more, cwd=folder)

    def everything(self) -> set[int]:
        self.cursor.execute(f"SELECT id FROM {self.name} LIMIT 100000")
        return {int(str(row[0])) for row in self.cursor.fetchall()}


@pytest.fixture(params=["id", "uid"])
def gappy(
    crate_cursor: Cursor,
    schema: str,
    cratedb_url: str,
    elasticsearch_url: str,
    alias: str,
    request: pytest.FixtureRequest,
) -> Iterator[Gappy]:
    name = f'"{schema}".gappy'
    crate_cursor.execute(
        f"CREATE TABLE {name} (uid TEXT, id BIGINT, PRIMARY KEY ({request.param}))"
        " CLUSTERED INTO 2 SHARDS WITH (number_of_replicas = 0)"
    )
    crate_cursor.execute(
        f"INSERT INTO {name} (uid, id)"
        f" SELECT substr('abcz', i / {Gappy.rows // 4} + 1, 1) || 'y' || lpad(i::TEXT, 4, '0'), 2 * i"
        f" FROM generate_series(0, {Gappy.rows - 1}) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {name}")
    options = (
        "--target", elasticsearch_url, "--table", name, "--index", alias, "--jobs-index", f"{alias}_jobs",
        "--page", "100", "--readers", "1", "--key", request.param, "--json", "--quiet",
    )  # fmt: skip
    with FaultProxy(cratedb_url, pattern="/_sql") as proxy:
        yield Gappy(name, crate_cursor, proxy, options)


def without(count: int) -> Callable[[bytes], bytes]:
    """Drop rows from a response, as CrateDB does for a partitioned table with an unavailable shard."""

    def change(body: bytes) -> bytes:
        told = orjson.loads(body)
        assert len(told["rows"]) > count
        told["rows"] = told["rows"][:1] + told["rows"][1 + count :]
        return orjson.dumps({**told, "rowcount": len(told["rows"])})

    return change


def once(words: bytes, fault: Fault, nth: int = 1) -> Fault:
    """Apply the fault to the n-th statement that contains these words; let all others pass."""
    count = itertools.count(1)

    def turn(exchange: Exchange) -> None:
        (fault if words in exchange.request.body and next(count) == nth else pass_through)(exchange)

    return turn


def assert_all_there(gappy: Gappy, client: Elasticsearch, alias: str, ended: Ended, record: AttackRecord) -> None:
    assert ended.code == 0, ended.err
    rows = gappy.everything()
    found = {document["id"] for document in documents(client, alias).values()}
    record.tried(rows=len(rows), lost=len(rows - found))


def test_rows_missing_from_a_page_are_reread_even_if_as_many_were_added(
    gappy: Gappy, client: Elasticsearch, alias: str, tmp_path: Path, record: AttackRecord
) -> None:
    """A shard is unavailable during one page: CrateDB reports no error, and the total still matches the plan."""
    gappy.proxy.default = once(b" LIMIT ", run_before(lambda: gappy.add(20), alter(without(20))))
    ended = gappy.run(tmp_path)
    assert_all_there(gappy, client, alias, ended, record)
    assert 0 < json.loads(ended.out)["rows_caught_up"] < gappy.rows, "only what lacks rows is read again"


@pytest.mark.parametrize("gappy", ["id"], indirect=True)
def test_rows_missing_from_a_page_and_then_from_the_count_are_reread(
    gappy: Gappy, client: Elasticsearch, alias: str, tmp_path: Path, record: AttackRecord
) -> None:
    """The shard is unavailable again during the count for verification; the shards' own row counts reveal it."""
    page = once(b" LIMIT ", run_before(lambda: gappy.add(20), alter(without(20))))
    count = once(HISTOGRAM, alter(without(2_000)), nth=2)
    gappy.proxy.default = lambda exchange: (count if HISTOGRAM in exchange.request.body else page)(exchange)
    assert_all_there(gappy, client, alias, gappy.run(tmp_path), record)


def ends_early(body: bytes) -> bytes:
    """Drop the last buckets of a histogram."""
    told = orjson.loads(body)
    kept = sorted(told["rows"], key=lambda bar: bar[0])[: len(told["rows"]) // 2]
    return orjson.dumps({**told, "rows": kept, "rowcount": len(kept)})


@pytest.mark.parametrize("gappy", ["id"], indirect=True)
def test_an_incomplete_histogram_is_detected_and_the_job_is_replanned(
    gappy: Gappy, client: Elasticsearch, alias: str, tmp_path: Path, record: AttackRecord
) -> None:
    """A shard is unavailable during the histogram, so its slices would end before the table does."""
    gappy.proxy.default = once(HISTOGRAM, alter(ends_early))
    ended = gappy.run(tmp_path)
    assert_all_there(gappy, client, alias, ended, record)
    assert json.loads(ended.out)["rows_caught_up"] == 0


def test_deletes_alone_do_not_cause_a_reread(
    gappy: Gappy, client: Elasticsearch, alias: str, tmp_path: Path, record: AttackRecord
) -> None:
    def delete() -> None:
        gappy.cursor.execute(f"DELETE FROM {gappy.name} WHERE id >= {gappy.rows} AND id < {gappy.rows + 500}")
        gappy.cursor.execute(f"REFRESH TABLE {gappy.name}")

    gappy.proxy.default = once(b" LIMIT ", run_before(delete))
    ended = gappy.run(tmp_path)
    assert_all_there(gappy, client, alias, ended, record)
    assert json.loads(ended.out)["rows_caught_up"] == 0
