"""Bad input: one sentence with the remedy, exit code 2, nothing created."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.process import wait_until
from tests.support.commands import run
from tests.support.fault_proxy import FaultProxy, refuse
from tests.support.index_contents import documents

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.fixture(scope="module")
def table(shared_cursor: Cursor, shared_schema: str) -> str:
    name = f'"{shared_schema}".logs'
    shared_cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, ts TIMESTAMP, price DOUBLE PRECISION, o OBJECT)"
    )
    shared_cursor.execute(f"INSERT INTO {name} (id, price) VALUES (1, 1.5), (2, 2.5)")
    shared_cursor.execute(f'CREATE TABLE "{shared_schema}".keyless (price DOUBLE PRECISION, tags ARRAY(TEXT))')
    return name


def indexes(elasticsearch_url: str, alias: str) -> dict[str, Any]:
    """All indexes of the test, including jobs and dead letters, with their documents."""
    with Elasticsearch(elasticsearch_url) as client:
        there = client.indices.get(index=f"{alias}*", expand_wildcards="all")
        client.indices.refresh(index=f"{alias}*", expand_wildcards="all")
        return {name: documents(client, name) for name in there}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--table", '"{schema}".lgos'], "Did you mean"),
        (["--table", "my-table"], "is not a table name"),
        (["--key", "iid"], "no column iid. Did you mean id?"),
        (["--key", "price"], "cannot be a key"),
        (["--columns", "id,tz"], "no column tz. Did you mean ts?"),
        (["--table", '"{schema}".keyless'], "no column that can be a key"),
        (["--page", "0"], "--page"),
        (["--page", "-3"], "--page"),
        (["--memory", "100kB"], "--memory"),
        (["--memory", "lots"], "--memory"),
        (["--source", "crate://localhost:1"], "localhost:1"),
        (["--target", "http://localhost:1"], "localhost:1"),
        (["--where", "id >"], "--where"),
        (["--where", "nope = 1"], "--where"),
        (["--where", "1 = 1) OR (1 = 1"], "--where"),
        (["--mapping", "unknown-field.yaml"], "lvel"),
        (["--mapping", "not-there.yaml"], "not-there.yaml"),
        (["--mapping", "broken.yaml"], "broken.yaml"),
        (["--strategy", "fast"], "--strategy"),
        (["--index", "logs-app-prod"], "logs-"),
        (["--index", "Upper Case"], "Upper Case"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_in_one_sentence(
    cratedb_url: str,
    elasticsearch_url: str,
    table: str,
    shared_schema: str,
    alias: str,
    tmp_path: Path,
    options: list[str],
    sentence: str,
) -> None:
    (tmp_path / "unknown-field.yaml").write_text("fields: {lvel: keyword}\n")
    (tmp_path / "broken.yaml").write_text("fields: {id: [\n")
    given = [option.replace("{schema}", shared_schema) for option in options]
    usual = {
        "--source": cratedb_url,
        "--target": elasticsearch_url,
        "--index": alias,
        "--jobs-index": f"{alias}_jobs",
        "--dead-letter-index": f"{alias}_letters",
        "--table": table,
    }
    rest = [part for name, value in usual.items() if name not in given for part in (name, value)]
    ended = run("reindex", *given, *rest, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert sentence in ended.err
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    assert not ended.out
    assert not indexes(elasticsearch_url, alias)


ASKED = "does not accept the mapping or the settings"
UNASKED = "could not create the index"
REFUSED = {
    "settings: {no_such_setting: 1}": "no_such_setting",
    "settings: {number_of_shards: 5000}": "number_of_shards",
    "fields: {price: {type: double, norms: true}}": "unknown parameter [norms]",
}
"""Overlays that we accept and Elasticsearch rejects, and what its error names."""


@pytest.fixture
def target(elasticsearch_url: str, says: str) -> Iterator[str]:
    """Elasticsearch for a user with or without the privilege to simulate a template."""
    with FaultProxy(elasticsearch_url, pattern="/_index_template/_simulate") as proxy:
        if says == UNASKED:
            proxy.default = refuse(403)
        yield proxy.url


@pytest.mark.parametrize("says", [ASKED, UNASKED], ids=["asked", "unasked"])
@pytest.mark.parametrize("fresh", [(), ("--fresh",)], ids=["new", "fresh"])
def test_a_mapping_or_setting_that_elasticsearch_rejects_changes_nothing(
    cratedb_url: str,
    elasticsearch_url: str,
    target: str,
    table: str,
    alias: str,
    tmp_path: Path,
    fresh: tuple[str, ...],
    says: str,
) -> None:
    (tmp_path / "fails.yaml").write_text("fields: {price: ip}")
    options = (
        "--source", cratedb_url, "--target", target, "--table", table, "--index", alias,
        "--jobs-index", f"{alias}_jobs", "--dead-letter-index", f"{alias}_letters",
    )  # fmt: skip
    if fresh:
        unfinished = run("reindex", *options, "--mapping", "fails.yaml", "--max-failures", "1", cwd=tmp_path)
        assert unfinished.code == 1, unfinished.err
    before = indexes(elasticsearch_url, alias)
    assert len(before) == (3 if fresh else 0)
    for overlay, reason in REFUSED.items():
        (tmp_path / "refused.yaml").write_text(overlay)
        ended = run("reindex", *options, "--mapping", "refused.yaml", *fresh, cwd=tmp_path)
        assert ended.code == 2, ended.err
        assert says in ended.err
        assert reason in ended.err
        assert indexes(elasticsearch_url, alias) == before


def test_a_concrete_index_is_not_overwritten(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path
) -> None:
    client = Elasticsearch(elasticsearch_url)
    client.indices.create(index=alias)
    ended = run(
        "reindex",
        "--source",
        cratedb_url,
        "--target",
        elasticsearch_url,
        "--table",
        table,
        "--index",
        alias,
        cwd=tmp_path,
    )
    assert ended.code == 2
    assert alias in ended.err
    assert set(client.indices.get(index=f"{alias}*")) == {alias}


def test_an_unusable_cache_folder_is_refused_before_anything_is_created(
    cratedb_url: str, elasticsearch_url: str, table: str, alias: str, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    options = ("--table", table, "--source", cratedb_url, "--target", elasticsearch_url, "--index", alias)
    ended = run("reindex", *options, cwd=tmp_path, INDEXER_CACHE=str(tmp_path / "cache"))
    assert ended.code == 2
    assert ended.err.splitlines()[-1].endswith("is not writable (File exists); set INDEXER_CACHE to a folder that is.")
    assert not indexes(elasticsearch_url, alias)


def test_debug_shows_the_traceback(cratedb_url: str, elasticsearch_url: str, tmp_path: Path) -> None:
    ended = run(
        "reindex", "--debug", "--page", "0", "--source", cratedb_url, "--target", elasticsearch_url, cwd=tmp_path
    )
    assert "Traceback" in ended.err
    assert ended.code != 0


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    ended = run("reindex", "--tabel", "logs", cwd=tmp_path)
    assert ended.code == 2
    assert "--table" in ended.err


def test_a_closed_partition_is_refused_and_not_skipped(
    cratedb_url: str, elasticsearch_url: str, crate_cursor: Cursor, schema: str, alias: str, tmp_path: Path
) -> None:
    name = f'"{schema}".days'
    crate_cursor.execute(f"CREATE TABLE {name} (id BIGINT, day INTEGER, PRIMARY KEY (id, day)) PARTITIONED BY (day)")
    crate_cursor.execute(f"INSERT INTO {name} (id, day) VALUES (1, 1), (2, 2)")
    crate_cursor.execute(f"ALTER TABLE {name} PARTITION (day = 2) CLOSE")
    options = ["--table", name, "--source", cratedb_url, "--target", elasticsearch_url, "--index", alias]
    ended = run("reindex", *options, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert "the partition {'day': 2} is closed; bring its nodes back, or open what is closed" in ended.err
    crate_cursor.execute(f"ALTER TABLE {name} PARTITION (day = 2) OPEN")
    assert wait_until(lambda: all_started(crate_cursor, schema), 60)
    assert run("reindex", *options, cwd=tmp_path).code == 0
    assert Elasticsearch(elasticsearch_url).count(index=alias)["count"] == 2


def all_started(cursor: Cursor, schema: str) -> bool:
    cursor.execute("SELECT id FROM sys.shards WHERE schema_name = ? AND routing_state <> 'STARTED'", [schema])
    return not cursor.fetchall()
