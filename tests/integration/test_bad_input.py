"""Bad input: one sentence with the remedy, exit code 2, nothing created."""

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.local.crate_table import Cursor
from tests.commands import run

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]


@pytest.fixture
def table(crate_cursor: Cursor, schema: str) -> str:
    name = f'"{schema}".logs'
    crate_cursor.execute(f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, ts TIMESTAMP, price DOUBLE PRECISION, o OBJECT)")
    crate_cursor.execute(f'CREATE TABLE "{schema}".keyless (price DOUBLE PRECISION, tags ARRAY(TEXT))')
    return name


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--table", '"{schema}".lgos'], "Did you mean"),
        (["--table", "my-table"], "is not a table name"),
        (["--key", "iid"], "no column iid. Did you mean id?"),
        (["--key", "price"], "cannot be a key"),
        (["--columns", "id,tz"], "no column tz. Did you mean ts?"),
        (["--table", '"{schema}".keyless'], "no column to page by"),
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
    schema: str,
    alias: str,
    tmp_path: Path,
    options: list[str],
    sentence: str,
) -> None:
    (tmp_path / "unknown-field.yaml").write_text("fields: {lvel: keyword}\n")
    (tmp_path / "broken.yaml").write_text("fields: {id: [\n")
    given = [option.replace("{schema}", schema) for option in options]
    usual = {"--source": cratedb_url, "--target": elasticsearch_url, "--index": alias, "--table": table}
    rest = [part for name, value in usual.items() if name not in given for part in (name, value)]
    ended = run("reindex", *given, *rest, cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert sentence in ended.err
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    assert not ended.out
    assert not Elasticsearch(elasticsearch_url).indices.get(index=f"{alias}*")


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


def test_a_closed_partition_is_not_left_out_in_silence(
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
    assert run("reindex", *options, cwd=tmp_path).code == 0
    assert Elasticsearch(elasticsearch_url).count(index=alias)["count"] == 2
