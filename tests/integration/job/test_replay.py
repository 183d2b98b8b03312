"""Dead letters on real servers: what is kept of a rejected row, and how `replay` indexes it once corrected."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from elasticsearch import Elasticsearch

from indexer.access import TargetAccess
from indexer.job.lock import this_process
from indexer.model.job.state import JobStatus
from indexer.sandbox.cratedb_table import Cursor
from indexer.sink.client import connect
from indexer.sink.job_store import JobStore
from tests.support.commands import Ended, run

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@dataclass(frozen=True)
class Bench:
    """A table whose column `code` is mapped as a number, and commands that use it.

    Attributes:
        cursor: CrateDB.
        client: Elasticsearch.
        schema: the table's schema.
        alias: the target.
        folder: the working directory of commands.
        servers: the options for both servers.
    """

    cursor: Cursor
    client: Elasticsearch
    schema: str
    alias: str
    folder: Path
    servers: tuple[str, ...]

    @property
    def table(self) -> str:
        return f'"{self.schema}"."Codes"'

    @property
    def jobs(self) -> str:
        return f"{self.alias}_jobs"

    def create(self, columns: str, rows: list[tuple[Any, ...]], more: str = "") -> None:
        marks = ", ".join("?" * len(rows[0]))
        self.sql(f"CREATE TABLE {self.table} ({columns}) {more} WITH (number_of_replicas = 0)")
        self.cursor.executemany(f"INSERT INTO {self.table} VALUES ({marks})", rows)
        self.refresh()

    def sql(self, statement: str, *arguments: object) -> None:
        self.cursor.execute(statement, arguments)

    def refresh(self) -> None:
        self.sql(f"REFRESH TABLE {self.table}")

    def overlay(self, text: str) -> None:
        (self.folder / "mine.yaml").write_text(text)

    def command(self, *words: str, machine: str = "one") -> Ended:
        cache = str(self.folder / machine)
        return run(*words, *self.servers, "--jobs-index", self.jobs, cwd=self.folder, INDEXER_CACHE=cache)

    def reindex(self, *options: str, code: int = 3) -> dict[str, Any]:
        words = ("reindex", "--table", self.table, "--index", self.alias, "--mapping", "mine.yaml", "--json", *options)
        ended = self.command(*words)
        assert ended.code == code, ended.err
        return dict(json.loads(ended.out)) if ended.out else {}

    def replay(self, job: str, *options: str, code: int, machine: str = "one") -> dict[str, Any]:
        ended = self.command("indexer", "replay", job, "--json", *options, machine=machine)
        assert ended.code == code, (ended.out, ended.err)
        return dict(json.loads(ended.out))

    def refused(self, job: str, machine: str = "one") -> str:
        ended = self.command("indexer", "replay", job, machine=machine)
        assert ended.code == 2, (ended.out, ended.err)
        *waits, sentence = ended.err.splitlines()
        assert sentence.startswith("error: ")
        assert all(line.startswith("waiting: ") for line in waits)
        return sentence

    def letters(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in Path(report["dead_letter_file"]).read_text().splitlines()]

    def found(self, index: str | None = None) -> dict[str, Any]:
        """The documents that a search finds, without an explicit refresh."""
        hits = self.client.search(index=index or self.alias, size=1_000)["hits"]["hits"]
        return {hit["_id"]: hit["_source"] for hit in hits}


@pytest.fixture
def bench(
    cratedb_url: str, elasticsearch_url: str, crate_cursor: Cursor, schema: str, alias: str, tmp_path: Path
) -> Iterator[Bench]:
    servers = ("--source", cratedb_url, "--target", elasticsearch_url)
    with Elasticsearch(elasticsearch_url) as client:
        bench = Bench(crate_cursor, client, schema, alias, tmp_path, servers)
        bench.overlay("fields: {code: long}\n")
        yield bench


def test_a_corrected_row_is_replayed_into_the_served_index(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(1, "10"), (2, "bad"), (3, "worse")])
    words = ("reindex", "--table", bench.table, "--index", bench.alias, "--mapping", "mine.yaml")
    ended = bench.command(*words)
    assert ended.code == 3, ended.err
    [job] = bench.client.indices.get_alias(name=bench.alias)
    assert f"indexer replay {job}" in ended.out
    assert f"2; `indexer replay {job}`" in show(bench, job)
    unmended = bench.replay(job, code=3)
    assert (unmended["found"], unmended["indexed"], unmended["remaining"]) == (2, 0, 2)
    assert "document_parsing_exception" in unmended["reasons"][0]
    bench.sql(f"UPDATE {bench.table} SET code = '20' WHERE id = 2")
    bench.sql(f"UPDATE {bench.table} SET code = '30' WHERE id = 3")
    bench.refresh()
    mended = bench.replay(job, code=0)
    assert (mended["found"], mended["indexed"], mended["remaining"], mended["gone"]) == (2, 2, 0, 0)
    assert bench.found() == {str(n): {"id": n, "code": f"{n}0"} for n in (1, 2, 3)}
    assert "0, 2 settled" in show(bench, job)
    again = bench.command("indexer", "replay", job)
    assert (again.code, again.out) == (0, f"{job} has no dead letters.\n")
    assert bench.command("indexer", "verify", "--index", bench.alias, "--mapping", "mine.yaml", "--full").code == 0


def show(bench: Bench, job: str) -> str:
    target = bench.servers[2:]
    return run("indexer", "jobs", "show", job, *target, "--jobs-index", bench.jobs, cwd=bench.folder).out


def test_replay_keeps_only_letters_that_still_fail_and_reports_deleted_rows(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(n, f"bad {n}" if n % 2 else str(n)) for n in range(10)])
    report = bench.reindex()
    assert [(letter["id"], letter["key"]) for letter in sorted_letters(bench, report)] == [
        (str(n), {"id": n}) for n in (1, 3, 5, 7, 9)
    ]
    bench.sql(f"UPDATE {bench.table} SET code = '1' WHERE id = 1")
    bench.sql(f"UPDATE {bench.table} SET code = 'worse' WHERE id = 3")
    bench.sql(f"DELETE FROM {bench.table} WHERE id = 5")
    bench.refresh()
    done = bench.replay(report["job"], code=3)
    assert (done["found"], done["indexed"], done["remaining"]) == (5, 1, 3)
    assert (done["gone"], done["gone_ids"]) == (1, ["5"])
    kept = {letter["id"]: letter for letter in bench.letters(report)}
    assert kept.keys() == {"3", "7", "9"}
    assert kept["3"]["document"] == {"id": 3, "code": "worse"}
    assert "worse" in kept["3"]["reason"]
    assert bench.found().keys() == {"0", "2", "4", "6", "8", "1"}
    assert "3, 2 settled" in show(bench, report["job"])


def sorted_letters(bench: Bench, report: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(bench.letters(report), key=lambda letter: str(letter["id"]))


def test_replay_finds_rows_by_a_composite_key_with_renamed_and_dropped_columns(bench: Bench) -> None:
    bench.overlay('fields: {code: long, host: false, seq: {rename: number}, "on": false}\n')
    hosts = ["a|b", "\\|", "", "ü" * 400]
    rows = [(host, n, n % 2 == 0, 1_700_000_000_000 + n, "bad") for n, host in enumerate(hosts)]
    columns = 'host TEXT, seq INTEGER, "on" BOOLEAN, day TIMESTAMP, code TEXT, PRIMARY KEY (host, seq, "on", day)'
    bench.create(columns, rows, "PARTITIONED BY (day)")
    report = bench.reindex()
    keys = {letter["document"]["number"]: letter["key"] for letter in bench.letters(report)}
    # A host of 800 bytes makes the _id a hash, and the document lacks the host, so the key is unknown.
    assert keys.pop(3) == {"day": 1_700_000_000_003, "seq": 3}
    assert keys == {
        n: {"day": day, "host": host, "seq": n, "on": on} for host, n, on, day, _ in rows if len(host) < 400
    }
    bench.sql(f"UPDATE {bench.table} SET code = '7'")
    bench.refresh()
    done = bench.replay(report["job"], code=3)
    assert (done["indexed"], done["remaining"], done["gone"]) == (3, 1, 0)
    assert "its key is unknown" in done["reasons"][0]
    [kept] = bench.letters(report)
    assert kept["document"] == {"number": 3, "day": 1_700_000_000_003, "code": "bad"}
    assert {document["number"] for document in bench.found().values()} == {0, 1, 2}


def test_replay_reads_the_key_from_the_document_when_the_id_is_a_hash(bench: Bench) -> None:
    long = "k" * 600
    bench.create("name CHAR(8) PRIMARY KEY, uid TEXT PRIMARY KEY, code TEXT", [("ab", long, "bad"), ("cd", "", "bad")])
    report = bench.reindex("--key", "uid")
    assert [letter["key"] for letter in sorted(bench.letters(report), key=lambda one: len(one["id"]))] == [
        {"uid": "", "name": "cd      "},
        {"uid": long, "name": "ab      "},
    ]
    bench.sql(f"UPDATE {bench.table} SET code = '7'")
    bench.refresh()
    assert bench.replay(report["job"], code=0)["indexed"] == 2
    assert len(bench.found()) == 2


def test_replay_finds_rows_of_a_table_without_a_primary_key(bench: Bench) -> None:
    bench.create("ts TIMESTAMP, code TEXT", [(n, "bad" if n < 2 else str(n)) for n in range(5)])
    report = bench.reindex()
    keys = [letter["key"] for letter in bench.letters(report)]
    assert all(key.keys() == {"ts", "_id"} for key in keys)
    bench.sql(f"UPDATE {bench.table} SET code = '77' WHERE code = 'bad' AND ts = 0")
    bench.sql(f"DELETE FROM {bench.table} WHERE code = 'bad' AND ts = 1")
    bench.refresh()
    done = bench.replay(report["job"], code=0)
    assert (done["indexed"], done["gone"]) == (1, 1)
    assert sorted(document["code"] for document in bench.found().values()) == ["2", "3", "4", "77"]


def test_replay_uses_the_columns_and_the_where_of_the_job(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT, note TEXT", [(n, "bad", "x") for n in range(4)])
    report = bench.reindex("--columns", "code", "--where", "id < 3", "--no-switch")
    bench.sql(f"ALTER TABLE {bench.table} ADD COLUMN more TEXT")
    bench.sql(f"UPDATE {bench.table} SET code = '7'")
    bench.refresh()
    done = bench.replay(report["job"], code=0)
    assert done["indexed"] == 3
    assert bench.found(report["index"]) == {str(n): {"code": "7"} for n in range(3)}
    assert not bench.client.indices.exists_alias(name=bench.alias)


def test_a_job_with_catch_up_is_replayed_with_the_mapping_file_that_it_was_given(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(n, "bad" if n else "0") for n in range(3)])
    report = bench.reindex("--catch-up", "id")
    bench.sql(f"UPDATE {bench.table} SET code = '7' WHERE id > 0")
    bench.refresh()
    assert bench.replay(report["job"], code=0)["indexed"] == 2
    assert {document["code"] for document in bench.found().values()} == {"0", "7"}
    verified = bench.command("indexer", "verify", "--index", bench.alias, "--full")
    assert verified.code == 0, verified.err


def test_replay_refuses_a_changed_mapping_or_table_and_names_the_difference(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(1, "bad")])
    report = bench.reindex()
    bench.overlay("fields: {code: keyword}\n")
    assert "code: long -> keyword" in bench.refused(report["job"])
    bench.overlay("fields: {code: long}\n")
    bench.sql(f"DROP TABLE {bench.table}")
    bench.create("id TEXT PRIMARY KEY, code TEXT", [("1", "7")])
    assert "id: long -> " in bench.refused(report["job"])
    assert len(bench.letters(report)) == 1
    assert not bench.found()


def test_another_machine_replays_from_the_dead_letter_index(bench: Bench) -> None:
    index = f"{bench.alias}_dead"
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(n, "bad") for n in range(3)])
    report = bench.reindex("--dead-letter-index", index)
    job = report["job"]
    bench.client.indices.refresh(index=index)
    held = bench.found(index)
    assert held.keys() == {f"{job}|{n}" for n in range(3)}
    letter = held[f"{job}|1"]
    assert (letter["id"], letter["key"], letter["status"], letter["document"]) == (
        "1", {"id": 1}, 400, {"id": 1, "code": "bad"},
    )  # fmt: skip
    query = {"bool": {"must": [{"term": {"key.id": "1"}}, {"match": {"reason": "document_parsing_exception"}}]}}
    assert bench.client.count(index=index, query=query)["count"] == 1
    mapping = bench.client.indices.get_mapping(index=index)[index]["mappings"]
    assert mapping["_meta"] == {"product": "log-search-indexer", "holds": "dead letters"}
    assert mapping["properties"]["document"] == {"type": "object", "enabled": False}
    bench.sql(f"UPDATE {bench.table} SET code = '7' WHERE id = 0")
    bench.sql(f"UPDATE {bench.table} SET code = 'worse' WHERE id = 1")
    bench.refresh()
    done = bench.replay(job, code=3, machine="two")
    assert (done["indexed"], done["remaining"], done["dead_letter_file"], done["dead_letter_index"]) == (
        1, 2, None, index,
    )  # fmt: skip
    bench.client.indices.refresh(index=index)
    held = bench.found(index)
    assert {one["id"]: one["document"]["code"] for one in held.values()} == {"1": "worse", "2": "bad"}
    bench.sql(f"UPDATE {bench.table} SET code = '7'")
    bench.refresh()
    assert bench.replay(job, code=0)["found"] == 3  # the file on the first machine still has all three
    bench.client.indices.refresh(index=index)
    assert not bench.found(index)
    assert not bench.letters(report)
    assert "0, 3 settled" in show(bench, job)


@pytest.mark.parametrize("way", ["jobs clean", "--fresh"])
def test_removing_a_job_removes_its_letters_from_the_dead_letter_index(bench: Bench, way: str) -> None:
    index, rows = f"{bench.alias}_dead", 1_500  # more than one page
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(n, "bad") for n in range(rows)])
    options = ("--dead-letter-index", index, "--max-failures")
    kept = bench.reindex(*options, str(rows))["job"]
    bench.reindex(*options, "1", code=1)
    assert letters_by_job(bench, index).popitem()[1] == rows
    assert len(letters_by_job(bench, index)) == 2
    if way == "--fresh":
        bench.reindex("--fresh", "--max-failures", str(rows))
    else:
        words = ("indexer", "jobs", "clean", "--yes", *bench.servers[2:], "--jobs-index", bench.jobs)
        assert run(*words, cwd=bench.folder).code == 0
    assert letters_by_job(bench, index) == {kept: rows}


def letters_by_job(bench: Bench, index: str) -> dict[str, int]:
    bench.client.indices.refresh(index=index)
    answer = bench.client.search(index=index, size=0, aggs={"jobs": {"terms": {"field": "job"}}})
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["jobs"]["buckets"]}


def test_without_a_dead_letter_index_another_machine_is_told_which_host_has_them(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(1, "bad")])
    job = bench.reindex()["job"]
    said = bench.refused(job, machine="two")
    assert os.uname().nodename in said
    assert "--dead-letter-index" in said
    bench.sql(f"UPDATE {bench.table} SET code = '7'")
    bench.refresh()
    assert bench.replay(job, code=0)["indexed"] == 1
    assert bench.replay(job, code=0, machine="two")["found"] == 0


def test_a_foreign_index_is_refused_as_dead_letter_index(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(1, "bad")])
    bench.client.indices.create(index=f"{bench.alias}_mine")
    words = ("reindex", "--table", bench.table, "--index", bench.alias)
    ended = bench.command(*words, "--dead-letter-index", f"{bench.alias}_mine")
    assert ended.code == 2
    assert "is the name of an index that is not for dead letters" in ended.err
    assert set(bench.client.indices.get(index=f"{bench.alias}*")) == {f"{bench.alias}_mine"}


def test_wide_rows_are_replayed_with_one_mebibyte_of_memory(bench: Bench) -> None:
    wide = "w" * 20_000
    bench.create("id BIGINT PRIMARY KEY, code TEXT, note TEXT", [(n, "bad", wide) for n in range(250)])
    report = bench.reindex()
    bench.sql(f"UPDATE {bench.table} SET code = '7' WHERE id <> 249")
    bench.refresh()
    done = bench.replay(report["job"], "--memory", "1MiB", "--batch-bytes", "64KiB", code=3)
    assert (done["found"], done["indexed"], done["remaining"]) == (250, 249, 1)


def test_replay_of_a_running_or_failed_job_is_refused(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(n, "bad") for n in range(5)])
    job = bench.reindex()["job"]
    with beating(bench, job):
        said = bench.refused(job)
    assert f"process {os.getpid()} on {os.uname().nodename}" in said
    bench.reindex("--max-failures", "2", code=1)
    failed = next(name for name in bench.client.indices.get(index=f"{bench.alias}_2*") if name != job)
    assert "--max-failures" in bench.refused(failed)


@contextmanager
def beating(bench: Bench, job: str) -> Iterator[None]:
    """Hold the lock of the alias with heartbeats, as a running job does."""
    stop = threading.Event()
    with connect(TargetAccess(url=bench.servers[3])) as cluster:
        jobs = JobStore(cluster, bench.jobs)
        before = jobs.newest(bench.alias)
        assert before is not None
        running = replace(before.state, job=f"{job}x", status=JobStatus.RUNNING, holder=this_process())
        held = [jobs.write(running, before)]

        def beat() -> None:
            while not stop.wait(0.2):
                held.append(jobs.write(held[-1].state, held[-1]))

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            jobs.write(before.state, held[-1])


def test_replay_into_an_index_no_longer_served_is_refused(bench: Bench) -> None:
    bench.create("id BIGINT PRIMARY KEY, code TEXT", [(1, "bad")])
    first = bench.reindex()["job"]
    second = bench.reindex()["job"]
    assert "indexer rollback" in bench.refused(first)
    bench.sql(f"UPDATE {bench.table} SET code = '7'")
    bench.refresh()
    assert bench.replay(second, code=0)["indexed"] == 1


def test_no_row_counts_as_deleted_while_a_shard_is_unavailable(bench: Bench) -> None:
    rows = [(1, 0, "bad"), (2, 0, "bad")]
    bench.create("id BIGINT, day INTEGER, code TEXT, PRIMARY KEY (id, day)", rows, "PARTITIONED BY (day)")
    report = bench.reindex()
    bench.sql(f"UPDATE {bench.table} SET code = '7' WHERE id = 1")
    bench.sql(f"DELETE FROM {bench.table} WHERE id = 2")
    bench.refresh()
    with shard_away(bench):
        ended = bench.command("indexer", "replay", report["job"], "--patience", "1")
        assert ended.code == 1, (ended.out, ended.err)
        assert "cannot be read whole" in ended.err
        assert len(bench.letters(report)) == 2
    done = bench.replay(report["job"], code=0)
    assert (done["indexed"], done["gone"]) == (1, 1)


@contextmanager
def shard_away(bench: Bench) -> Iterator[None]:
    """Add a partition that no node may hold."""
    setting = '"routing.allocation.require._name"'
    bench.sql(f"ALTER TABLE ONLY {bench.table} SET ({setting} = 'nowhere')")
    statement = json.dumps({"stmt": f"INSERT INTO {bench.table} (id, day, code) VALUES (9, 9, '9')"}).encode()
    url = f"http://{bench.servers[1].partition('://')[2]}/_sql"
    with suppress(TimeoutError):  # the INSERT waits for the shard
        urlopen(Request(url, statement, {"content-type": "application/json"}), timeout=2).close()
    wait_for(bench, "state = 'UNASSIGNED'", present=True)
    try:
        yield
    finally:
        bench.sql(f"ALTER TABLE {bench.table} RESET ({setting})")
        wait_for(bench, "state <> 'STARTED'", present=False)


def wait_for(bench: Bench, condition: str, *, present: bool) -> None:
    """Wait until some shard of the table meets the condition, or none does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        bench.sql(f"SELECT count(*) FROM sys.shards WHERE schema_name = ? AND {condition}", bench.schema)
        [[count]] = bench.cursor.fetchall()
        if bool(count) == present:
            return
        time.sleep(0.1)
    raise AssertionError(f"shards never were so: {condition}, {present}")
