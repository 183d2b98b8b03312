"""A table that is written to while it is read: no row that stays is lost, and a catch-up takes the new ones in."""

import json
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.local.crate_table import Cursor, crate_cursor
from tests.commands import Ended, run, start
from tests.fault.proxy import FaultProxy, held, passes
from tests.scan import documents

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

BEGIN = 1_700_000_000_000
ROWS = 20_000
"""Of the tests that write at one known moment; the others read 100,000."""


@dataclass(frozen=True)
class Moving:
    """A table whose rows have an even id when the test begins, an event time, and a number that each change raises."""

    name: str
    cursor: Cursor
    rows: int

    def now(self) -> dict[str, tuple[int, int]]:
        """By its `_id` the time and the state of every row."""
        self.cursor.execute(f"REFRESH TABLE {self.name}")
        self.cursor.execute(f"SELECT id, ts, state FROM {self.name} LIMIT 10000000")
        return {str(row[0]): (int(str(row[1])), int(str(row[2]))) for row in self.cursor.fetchall()}

    def insert(self, ids: list[int], state: int) -> None:
        """Rows whose times and ids lie among those that are there, and whose state is beyond them."""
        values = [[id_, BEGIN + id_ * 10, state, f"added {id_}"] for id_ in ids]
        self.cursor.executemany(f"INSERT INTO {self.name} (id, ts, state, m) VALUES (?, ?, ?, ?)", values)


@pytest.fixture
def table(crate_cursor: Cursor, schema: str, request: pytest.FixtureRequest) -> Moving:
    name, rows = f'"{schema}".moving', getattr(request, "param", ROWS)
    crate_cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, ts TIMESTAMP, state BIGINT, m TEXT)"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0)"
    )
    crate_cursor.execute(
        f"INSERT INTO {name} SELECT 2 * i, {BEGIN} + 20 * i, i, 'message ' || i"
        f" FROM generate_series(0, {rows - 1}) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {name}")
    return Moving(name, crate_cursor, rows)


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def options(cratedb_url: str, table: Moving, alias: str) -> tuple[str, ...]:
    return (
        "--source", cratedb_url, "--table", table.name, "--index", alias, "--jobs-index", f"{alias}_jobs",
        "--page", "500", "--batch-bytes", "32KiB", "--json", "--quiet",
    )  # fmt: skip


@dataclass
class Writer:
    """Inserts, updates and deletes rows anywhere in the table, until it is told to stop."""

    url: str
    table: Moving
    stop: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0

    def run(self) -> None:
        dice = random.Random(self.table.name)
        alive = list(range(0, 2 * self.table.rows, 2))
        state = self.table.rows
        with crate_cursor(self.url) as cursor:
            mine = Moving(self.table.name, cursor, self.table.rows)
            while not self.stop.is_set():
                dice.shuffle(alive)
                gone, changed = alive[:40], alive[40:80]
                del alive[:40]
                new = [2 * dice.randrange(self.table.rows) + 1 for _ in range(30)]
                state += 1
                cursor.execute(f"DELETE FROM {mine.name} WHERE id = ANY(?)", (gone,))
                # Half of what is changed goes to another time, and so to another slice where the key is the time.
                cursor.execute(
                    f"UPDATE {mine.name} SET state = ?, m = 'changed', ts = ts + ? WHERE id = ANY(?)",
                    (state, dice.choice((0, -1, 1)) * dice.randrange(20 * mine.rows), changed),
                )
                mine.insert(new, state)
                self.rounds += 1


@contextmanager
def writing(url: str, table: Moving) -> Iterator[Writer]:
    writer = Writer(url, table)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield writer
    finally:
        writer.stop.set()
        thread.join()


def lock(client: Elasticsearch, alias: str) -> dict[str, object]:
    found = client.options(ignore_status=(404, 503)).get(index=f"{alias}_jobs", id=f"alias:{alias}")
    state: dict[str, object] = found.body.get("_source", {})
    return state


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(process: "subprocess.Popen[str]") -> Ended:
    out, err = process.communicate(timeout=200)
    return Ended(process.returncode, out, err)


@pytest.mark.parametrize("table", [100_000], indirect=True)
@pytest.mark.parametrize("key", ["id", "ts"])
def test_every_row_that_stays_is_in_however_much_is_written_meanwhile(
    cratedb_url: str,
    elasticsearch_url: str,
    client: Elasticsearch,
    table: Moving,
    options: tuple[str, ...],
    alias: str,
    key: str,
    tmp_path: Path,
) -> None:
    before = table.now()
    with writing(cratedb_url, table) as writer:
        job = run("reindex", *options, "--target", elasticsearch_url, "--key", key, cwd=tmp_path, timeout=200)
    assert job.code == 0, job.err
    stayed = before.keys() & table.now().keys()
    assert writer.rounds > 10
    assert len(stayed) < len(before)
    found = documents(client, alias)
    assert stayed <= found.keys()
    assert all(found[id_]["state"] >= before[id_][1] for id_ in stayed)


@pytest.mark.parametrize("table", [100_000], indirect=True)
def test_a_catch_up_takes_in_all_that_was_added_and_changed(
    cratedb_url: str,
    elasticsearch_url: str,
    client: Elasticsearch,
    table: Moving,
    options: tuple[str, ...],
    alias: str,
    tmp_path: Path,
) -> None:
    # Whatever key the load goes by: every row that is moved by it has a new state.
    with writing(cratedb_url, table) as writer:
        process = start(
            "reindex", *options, "--target", elasticsearch_url, "--key", "ts", "--catch-up", "state", cwd=tmp_path
        )
        wait_until(lambda: bool(lock(client, alias)), process)
        planned = writer.rounds
        wait_until(lambda: writer.rounds > planned + 5, process)
        writer.stop.set()
    assert not lock(client, alias)["rounds"], "the job caught up before the writer was done: make the table larger"
    job = ended(process)
    assert job.code == 0, job.err
    rows, found = table.now(), documents(client, alias)
    assert {id_: (found[id_]["ts"], found[id_]["state"]) for id_ in rows} == rows
    changed = sum(state > table.rows + planned + 1 for _, state in rows.values())
    assert json.loads(job.out)["rows_caught_up"] >= changed > 100


@contextmanager
def half_way(elasticsearch_url: str, *command: str) -> Iterator[tuple["subprocess.Popen[str]", threading.Event]]:
    """A job that stands still after some of its pages, until the event is set."""
    go = threading.Event()
    with FaultProxy(elasticsearch_url, on="/_bulk") as proxy:
        proxy.script(*[passes] * 20)
        proxy.otherwise = held(go)
        process = start(*command, "--target", proxy.url)
        try:
            wait_until(lambda: len(proxy.seen) > 20, process)
            yield process, go
        finally:
            go.set()
            process.kill()
            process.communicate()


def test_rows_that_leave_their_slice_are_found(
    elasticsearch_url: str, client: Elasticsearch, table: Moving, options: tuple[str, ...], alias: str
) -> None:
    """Some move behind the reader, others are deleted and added: the counts alone do not tell what is missing."""
    command = ("reindex", *options, "--key", "ts", "--readers", "1")
    with half_way(elasticsearch_url, *command) as (process, go):
        last = 2 * (table.rows - 1)
        table.cursor.execute(f"UPDATE {table.name} SET ts = {BEGIN} + 1 WHERE id > {last - 200}")
        table.cursor.execute(f"DELETE FROM {table.name} WHERE id > {last - 400} AND id <= {last - 200}")
        table.insert(list(range(1, 101, 2)), 0)
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    rows = table.now()
    assert len(rows) == table.rows - 50
    assert rows.keys() <= documents(client, alias).keys()
    assert json.loads(job.out)["rows_caught_up"] >= len(rows)


def test_deletions_and_new_logs_cost_no_second_reading(
    elasticsearch_url: str, client: Elasticsearch, table: Moving, options: tuple[str, ...], alias: str
) -> None:
    with half_way(elasticsearch_url, "reindex", *options, "--key", "id") as (process, go):
        last = 2 * (table.rows - 1)
        table.cursor.execute(f"DELETE FROM {table.name} WHERE id > {last - 2000} AND id < {last}")
        table.insert(list(range(last + 1, last + 101)), 0)
        go.set()
        job = ended(process)
    assert job.code == 0, job.err
    report = json.loads(job.out)
    assert report["rows_caught_up"] <= 101
    assert table.now().keys() <= documents(client, alias).keys()


def test_killed_while_it_catches_up_it_goes_on_with_that(
    elasticsearch_url: str, client: Elasticsearch, table: Moving, options: tuple[str, ...], alias: str
) -> None:
    command = ("reindex", *options, "--catch-up", "state", "--page", "50", "--batch-bytes", "8KiB")
    with half_way(elasticsearch_url, *command) as (process, go):
        table.cursor.execute(f"UPDATE {table.name} SET state = {table.rows} + id WHERE id < {table.rows}")
        go.set()
        wait_until(lambda: caught_up(lock(client, alias)) > 0, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    loaded = lock(client, alias)["left"]
    before = caught_up(lock(client, alias))
    refused = run("reindex", *options, "--target", elasticsearch_url)
    assert refused.code == 2
    assert "--catch-up was 'state' and is ''" in refused.err
    job = run(*command, "--target", elasticsearch_url)
    assert job.code == 0, job.err
    report = json.loads(job.out)
    assert report["resumed"]
    assert lock(client, alias)["left"] == loaded, "the load was read again"
    assert report["rows_caught_up"] > before
    assert {id_: document["state"] for id_, document in documents(client, alias).items()} == {
        id_: state for id_, (_, state) in table.now().items()
    }


def caught_up(state: dict[str, object]) -> int:
    rounds: list[dict[str, list[dict[str, int]]]] = state.get("rounds") or []  # type: ignore[assignment]  # JSON
    return sum(part["read"] for one in rounds for part in one["left"])


def test_rows_that_no_search_shows_yet_are_in(
    elasticsearch_url: str, client: Elasticsearch, table: Moving, options: tuple[str, ...], alias: str, tmp_path: Path
) -> None:
    table.cursor.execute(f"ALTER TABLE {table.name} SET (refresh_interval = 0)")
    table.insert([1, 3], table.rows)
    command = ("reindex", *options, "--catch-up", "state", "--target", elasticsearch_url)
    assert run(*command, cwd=tmp_path).code == 0
    assert {"1", "3"} <= documents(client, alias).keys()
    with half_way(elasticsearch_url, *command[:-2]) as (process, go):
        table.insert([5, 7], table.rows + 1)
        go.set()
        assert ended(process).code == 0
    assert {"5", "7"} <= documents(client, alias).keys()


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("stat", "--catch-up: .* has no column stat. Did you mean state?"),
        ("m", "--catch-up: m is TEXT, by which new rows cannot be told"),
    ],
)
def test_a_column_that_tells_nothing_is_refused(
    elasticsearch_url: str, client: Elasticsearch, options: tuple[str, ...], alias: str, column: str, sentence: str
) -> None:
    job = run("reindex", *options, "--target", elasticsearch_url, "--catch-up", column)
    assert job.code == 2
    assert len(job.err.strip().splitlines()) == 1
    assert re.search(sentence, job.err)
    assert not client.indices.get(index=f"{alias}_2*", expand_wildcards="all")
