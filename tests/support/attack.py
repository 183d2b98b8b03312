"""A job under attack: its table, its options, its output while it runs, and the documents that it must index."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.attack_table import AttackRecord
from tests.support.commands import Ended, run, start
from tests.support.index_contents import documents
from tests.support.output_stream import Stream

__all__ = ["BATCH", "ROWS", "Attack", "Running", "create_attacked_table"]

ROWS = 20_000
BATCH = 64 * 1024
"""Maximum bytes of a bulk request: about 75 requests in all."""

_MESSAGE = "message {} of a log that is moved while what moves it is attacked, in a line as long as such lines are"


@dataclass
class Running:
    """A running job, whose progress is read as it is printed."""

    process: "subprocess.Popen[str]"

    def __post_init__(self) -> None:
        assert self.process.stderr is not None
        self.err = Stream(self.process.stderr.fileno())

    def end(self, timeout: float = 120) -> Ended:
        """Wait until it ends."""
        with self.process as process:  # closes its pipes too
            self.err.rest(timeout)
            assert process.stdout is not None
            out = process.stdout.read()
            return Ended(process.wait(timeout), out, self.err.text)


@dataclass(frozen=True)
class Attack:
    """A job's options; `folder` is its working directory and its cache folder."""

    table: str
    alias: str
    folder: Path
    source: str
    target: str
    record: AttackRecord

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
        """Check exit code, alias and every document, and record the attack; returns the job's report."""
        assert ended.code == 0, ended.err
        report: dict[str, object] = json.loads(ended.out)
        with Elasticsearch(elasticsearch_url) as client:
            assert list(client.indices.get_alias(name=self.alias).body) == [report["index"]]
            found = documents(client, self.alias)
        expected = {str(i): {"id": i, "m": _MESSAGE.format(i)} for i in range(ROWS)}
        self.record.tried(rows=ROWS, lost=len(expected.keys() - found.keys()))
        assert found == expected
        assert report["rows_read"] == report["rows_indexed"] == ROWS
        return report


def create_attacked_table(cursor: Cursor, schema: str) -> str:
    """Create the table that the jobs read; returns its quoted name."""
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
