"""The shipped Logstash pipelines produce the same documents and index as `reindex`."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch

from indexer.access import SourceAccess
from indexer.model.table.table import Column, TableName
from indexer.sandbox.cratedb import crate_home
from indexer.sandbox.cratedb_table import Cursor, quoted_table
from indexer.sandbox.docker import docker_answers
from indexer.sandbox.download import VERSION
from indexer.sandbox.sample_table import load_cratedb_sample
from indexer.source.cratedb import CrateSource
from tests.support.commands import run
from tests.support.index_contents import documents
from tests.support.logstash_pipeline import FOLDER, PIPELINES, read_pipeline
from tests.support.sample_logs import SAMPLE

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 2_500
BUILT_IN = "/usr/share/logstash"


@pytest.fixture
def table(crate_cursor: Cursor, schema: str) -> TableName:
    name = TableName("logs", schema)
    load_cratedb_sample(crate_cursor, ROWS, name)
    return name


@pytest.fixture
def reindexed(table: TableName, cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> dict[str, Any]:
    """The documents that `reindex` writes for the table."""
    ended = run(
        "reindex", "--table", quoted_table(table), "--source", cratedb_url, "--target", elasticsearch_url,
        "--index", alias, "--jobs-index", f"{alias}_jobs", "--quiet", cwd=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    with Elasticsearch(elasticsearch_url) as client:
        return documents(client, alias)


def template(table: TableName, cratedb_url: str, elasticsearch_url: str, pattern: str, folder: Path) -> str:
    servers = ("--source", cratedb_url, "--target", elasticsearch_url)
    printed = run("indexer", "mapping", "--table", quoted_table(table), "--template", pattern, *servers, cwd=folder)
    assert printed.code == 0, printed.err
    return printed.out


def shape(column: Column) -> tuple[object, ...]:
    """The properties of a column that determine its mapping."""
    children = sorted((shape(child) for child in column.children), key=str)
    return (column.name, column.type.kind, column.type.array, column.type.policy, *children)


def test_cratedb_describes_the_sample_table_as_the_unit_tests_assume(cratedb_url: str, table: TableName) -> None:
    source = CrateSource(SourceAccess(url=cratedb_url))
    try:
        found = source.describe(table)
    finally:
        source.close()
    assert [shape(column) for column in found.columns] == [shape(column) for column in SAMPLE.columns]
    assert found.primary_key == SAMPLE.primary_key


@pytest.mark.parametrize("name", PIPELINES)
def test_applying_the_filters_to_the_statements_rows_gives_the_documents(
    name: str, table: TableName, crate_cursor: Cursor, reindexed: dict[str, Any]
) -> None:
    """This applies Logstash's filters by hand: `json` parses a column, `mutate` removes fields."""
    pipeline = read_pipeline(name)
    statement = pipeline.select.replace("FROM logs", f"FROM {quoted_table(table)}")
    crate_cursor.execute(statement.replace(":size", "100000").replace(":offset", "0"))
    made = {}
    for row in crate_cursor.fetchall():
        event: dict[str, Any] = dict(zip(pipeline.columns, row, strict=True))
        event |= orjson.loads(event["nested"])
        made[str(event["id"])] = {field: value for field, value in event.items() if field not in pipeline.removed}
    assert made == reindexed


def test_the_printed_template_creates_the_same_index_as_reindex(
    table: TableName, cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path, reindexed: dict[str, Any]
) -> None:
    assert len(reindexed) == ROWS
    body = json.loads(template(table, cratedb_url, elasticsearch_url, f"{alias}_other*", tmp_path))
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.put_index_template(name=alias, body=body)
        try:
            client.indices.create(index=f"{alias}_other_1")
        finally:
            client.indices.delete_index_template(name=alias)
        (ours,) = client.indices.get(index=alias).body.values()
        (other,) = client.indices.get(index=f"{alias}_other_1").body.values()
    told = ours["mappings"].pop("_meta"), other["mappings"].pop("_meta")
    assert told[1].items() <= told[0].items()
    assert other["mappings"] == ours["mappings"]
    for setting in ("number_of_shards", "analysis"):
        assert other["settings"]["index"].get(setting) == ours["settings"]["index"].get(setting)
    checked = run(
        "indexer", "mapping", "--table", quoted_table(table), "--check", f"{alias}_other_1",
        "--source", cratedb_url, "--target", elasticsearch_url, cwd=tmp_path,
    )  # fmt: skip
    assert checked.code == 0, checked.out


@pytest.fixture
def driver() -> str:
    """The PostgreSQL JDBC driver that comes with CrateDB."""
    given = os.environ.get("CRATEDB_JDBC_JAR")
    home = crate_home()
    found = [given] if given else sorted(map(str, home.glob("lib/postgresql-*.jar"))) if home else []
    if not found:
        pytest.skip("There is no JDBC driver: set CRATEDB_JDBC_JAR to PostgreSQL's.")
    return found[0]


def logstash(name: str, variables: Mapping[str, str], folder: Path) -> list[str]:
    """The command that runs a pipeline once, with LOGSTASH_HOME or Docker."""
    home = os.environ.get("LOGSTASH_HOME")
    if home:
        return [
            str(Path(home) / "bin" / "logstash"), "--path.settings", str(folder / "settings"),
            "--path.data", str(folder / "data"), "-f", str(FOLDER / "pipeline" / f"{name}.conf"),
        ]  # fmt: skip
    if not docker_answers():
        pytest.skip("There is no Logstash: set LOGSTASH_HOME to an unpacked one, or start Docker.")
    paths = {str(FOLDER), str(Path(variables["CRATEDB_JDBC_JAR"]).parent), str(folder)}
    mounts = [part for path in sorted(paths) for part in ("--volume", f"{path}:{path}:ro")]
    given = [part for variable, value in variables.items() for part in ("--env", f"{variable}={value}")]
    return [
        "docker", "run", "--rm", "--network", "host", *mounts, *given,
        f"docker.elastic.co/logstash/logstash:{VERSION}", "logstash", "--path.settings", f"{folder}/settings",
        "-f", str(FOLDER / "pipeline" / f"{name}.conf"),
    ]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings folder with only logstash.yml; with a pipelines.yml, `-f` would cause a warning."""
    (tmp_path / "settings").mkdir()
    shutil.copyfile(FOLDER / "logstash.yml", tmp_path / "settings" / "logstash.yml")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
def test_logstash_writes_the_same_documents_as_reindex(
    name: str, table: TableName, cratedb_url: str, elasticsearch_url: str, crate_cursor: Cursor, alias: str,
    settings: Path, driver: str, reindexed: dict[str, Any],
) -> None:  # fmt: skip
    crate_cursor.execute("SELECT port['psql'] FROM sys.nodes LIMIT 1")
    variables = {
        "CRATEDB_JDBC": f"jdbc:postgresql://localhost:{crate_cursor.fetchall()[0][0]}/{table.schema}",
        "CRATEDB_JDBC_JAR": driver,
        "ELASTICSEARCH_URL": elasticsearch_url,
        "LOGSTASH_INDEX": f"{alias}_logstash",
        "LOGSTASH_TEMPLATE": str(settings / "template.json"),
    }
    body = template(table, cratedb_url, elasticsearch_url, f"{alias}_logstash*", settings)
    (settings / "template.json").write_text(body, "utf-8")
    command = logstash(name, variables, settings)
    ended = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=240
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    index = f"{alias}_logstash{name.removeprefix('logs')}"
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.refresh(index=index)
        made = documents(client, index)
        client.indices.delete_index_template(name=f"{alias}_logstash")
    assert made == reindexed
