"""Views: shard availability is unknown, so there is a caveat and a repair deletes nothing."""

import json
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.commands import run
from tests.support.verify_commands import Commands, report_of

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

CAVEAT = "is a view, so missing shards of the tables below it cannot be detected: see sys.shards"


@pytest.fixture
def view(crate_cursor: Cursor, schema: str, tmp_path: Path) -> str:
    """A view of a table of 20 rows; the schema fixture drops only the table."""
    crate_cursor.execute(f'CREATE TABLE "{schema}".t (id BIGINT PRIMARY KEY, m TEXT) WITH (number_of_replicas = 0)')
    crate_cursor.execute(f"INSERT INTO \"{schema}\".t SELECT i, 'm' || i FROM generate_series(1, 20) AS t (i)")
    crate_cursor.execute(f'REFRESH TABLE "{schema}".t')
    crate_cursor.execute(f'CREATE VIEW "{schema}".v AS SELECT id, m FROM "{schema}".t')
    (tmp_path / "view.yaml").write_text("id: id\n")
    return f'"{schema}".v'


@pytest.fixture
def command(cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Commands:
    return Commands(cratedb_url, elasticsearch_url, alias, tmp_path)


def test_a_view_is_loaded_with_a_caveat_and_a_repair_deletes_nothing(
    command: Commands, crate_cursor: Cursor, elasticsearch_url: str, alias: str, tmp_path: Path, view: str, schema: str
) -> None:
    try:
        options = ("--table", view, "--mapping", "view.yaml")
        servers = ("--source", command.source, "--target", command.target, "--index", alias)
        planned = run("indexer", "plan", *options, *servers, "--jobs-index", command.jobs, cwd=tmp_path)
        assert f"note: {schema}.v {CAVEAT}." in planned.out
        loaded = run("reindex", *options, *servers, "--jobs-index", command.jobs, cwd=tmp_path)
        assert loaded.code == 0, loaded.err
        assert f"note: {schema}.v {CAVEAT}." in loaded.out
        assert f"note: {schema}.v {CAVEAT}" in loaded.err
        report = json.loads(command("reindex", *options).out)
        assert (report["rows_indexed"], report["caveat"]) == (20, f"{schema}.v {CAVEAT}")
        with Elasticsearch(elasticsearch_url) as client:
            client.index(index=alias, id="nobody", document={"m": "nobody"}, refresh=True)
        repair = report_of(command("verify", "--full", "--repair", "--max-deletes", "100%", *options))["repair"]
        assert repair["deleted"] == 0
        assert CAVEAT in repair["refused"]
    finally:
        crate_cursor.execute(f"DROP VIEW {view}")
