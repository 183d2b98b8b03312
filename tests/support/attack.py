"""A job under attack: its table, its options, what it says while it runs, and what must be in the index at its end."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.attack_account import Account
from tests.support.commands import Ended, run, start
from tests.support.index_contents import documents
from tests.support.output_stream import Stream

__all__ = ["BATCH", "ROWS", "Attack", "Running", "fill"]

ROWS = 20_000
BATCH = 64 * 1024
"""Bytes of a bulk request at most: about 75 requests in all."""

_MESSAGE = "message {} of a log that is moved while what moves it is attacked, in a line as long as such lines are"


@dataclass
class Running:
    """A job that runs. Its progress is read as it comes."""

    process: "subprocess.Popen[str]"

    def __post_init__(self) -> None:
        assert self.process.stderr is not None
        self.err = Stream(self.process.stderr.fileno())

    def end(self, timeout: float = 120) -> Ended:
        """Wait for its end."""
        with self.process as process:  # closes its pipes too
            self.err.rest(timeout)
            assert process.stdout is not None
            out = process.stdout.read()
            return Ended(process.wait(timeout), out, self.err.text)


@dataclass(frozen=True)
class Attack:
    """One job, and all that it is told; its folder is its working directory and keeps what it writes."""

    table: str
    alias: str
    folder: Path
    source: str
    target: str
    account: Account

    @property
    def options(self) -> tuple[str, ...]:
        return (
            "--source", self.source, "--target", self.target, "--table", self.table, "--index", self.alias,
            "--jobs-index", f"{self.alias}_jobs", "--page", "2000", "--batch-bytes", str(BATCH), "--json",
        )  # fmt: skip

    def run(self, *more: str) -> Ended:
        return run("reindex", *self.options, *more, cwd=self.folder, INDEXER_CACHE=str(self.folder))

    def start(self, *more: str) -> Running:
        return Running(start("reindex", *self.options, *more, cwd=self.folder, INDEXER_CACHE=str(self.folder)))

    def assert_complete(self, ended: Ended, elasticsearch_url: str) -> dict[str, object]:
        """Exit code 0, every row in the index as it is, once, and the alias moved; noted, and the report returned."""
        assert ended.code == 0, ended.err
        report: dict[str, object] = json.loads(ended.out)
        with Elasticsearch(elasticsearch_url) as client:
            assert list(client.indices.get_alias(name=self.alias).body) == [report["index"]]
            found = documents(client, self.alias)
        expected = {str(i): {"id": i, "m": _MESSAGE.format(i)} for i in range(ROWS)}
        self.account.tried(rows=ROWS, lost=len(expected.keys() - found.keys()))
        assert found == expected
        assert report["rows_read"] == report["rows_indexed"] == ROWS
        return report


def fill(cursor: Cursor, schema: str) -> str:
    """Make the table."""
    name = f'"{schema}".attacked'
    cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, m TEXT INDEX OFF STORAGE WITH (columnstore = false))"
        " CLUSTERED INTO 2 SHARDS WITH (number_of_replicas = 0)"
    )
    before, after = _MESSAGE.split("{}")
    cursor.execute(
        f"INSERT INTO {name} SELECT i, '{before}' || i || '{after}' FROM generate_series(0, {ROWS - 1}) AS t (i)"
    )
    cursor.execute(f"REFRESH TABLE {name}")
    return name
