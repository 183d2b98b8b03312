"""The main job on real servers: `reindex` from CrateDB into Elasticsearch."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.commands import Ended, run, start

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

Reindex = Callable[..., Ended]


@pytest.fixture
def client(elasticsearch_url: str) -> Elasticsearch:
    return Elasticsearch(elasticsearch_url)


@pytest.fixture
def reindex(cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Reindex:
    def command(*options: str) -> Ended:
        servers = ("--source", cratedb_url, "--target", elasticsearch_url, "--index", alias)
        return run("reindex", *servers, *options, cwd=tmp_path)

    return command


@pytest.fixture(scope="module")
def logs(shared_cursor: Cursor, shared_schema: str) -> str:
    """A table of 5,000 rows whose timestamp ties, with NULLs in it."""
    name = f'"{shared_schema}"."Logs"'
    shared_cursor.execute(
        f"CREATE TABLE {name} (uid TEXT PRIMARY KEY, ts TIMESTAMP WITH TIME ZONE,"
        " level TEXT, note TEXT, amount NUMERIC(20, 5))"
        " CLUSTERED INTO 4 SHARDS WITH (number_of_replicas = 0)"
    )
    shared_cursor.execute(
        f"INSERT INTO {name} (uid, ts, level, note, amount)"
        " SELECT 'u' || i, CASE WHEN i % 50 = 0 THEN NULL ELSE 1700000000000 + (i / 700) * 1000 END,"
        " CASE WHEN i % 10 = 0 THEN 'ERROR' ELSE 'INFO' END, 'note ' || i, 12345678901234.56789"
        " FROM generate_series(0, 4999) AS t (i)"
    )
    shared_cursor.execute(f"REFRESH TABLE {name}")
    return name


def report_of(ended: Ended) -> dict[str, object]:
    report: dict[str, object] = json.loads(ended.out)
    return report


def indexes_of(client: Elasticsearch, alias: str) -> set[str]:
    return set(client.indices.get_alias(name=alias))


@pytest.mark.parametrize("strategy", ["window", "keyset", "offset"])
def test_every_row_arrives_whatever_the_strategy(
    reindex: Reindex, logs: str, client: Elasticsearch, alias: str, strategy: str
) -> None:
    ended = reindex("--table", logs, "--page", "300", "--strategy", strategy, "--json")
    assert ended.code == 0, ended.err
    report = report_of(ended)
    assert (report["rows_read"], report["rows_indexed"], report["dead_letters"]) == (5000, 5000, 0)
    assert client.count(index=alias)["count"] == 5000
    ids = {hit["_id"] for hit in client.search(index=alias, size=5000, source=False)["hits"]["hits"]}
    assert ids == {f"u{i}" for i in range(5000)}


def test_the_report_has_what_the_readme_says(reindex: Reindex, logs: str, alias: str) -> None:
    report = report_of(reindex("--table", logs, "--json"))
    promised = (
        "job table index alias rows_read rows_indexed dead_letters seconds rows_per_second pages"
        " page_ms_p50 page_ms_p95 checkpoint_cpu_seconds peak_rss_bytes strategy key"
    )
    assert set(promised.split()) <= set(report)
    assert report["alias"] == alias
    assert str(report["index"]).startswith(f"{alias}_2")
    assert report["key"] == "ts,uid"


def test_exact_digits_of_a_numeric_are_kept(reindex: Reindex, logs: str, client: Elasticsearch, alias: str) -> None:
    assert reindex("--table", logs).code == 0
    assert client.get(index=alias, id="u7")["_source"]["amount"] == "12345678901234.56789"


def test_the_alias_moves_and_one_previous_index_is_kept(
    reindex: Reindex, logs: str, client: Elasticsearch, alias: str
) -> None:
    served = []
    for _ in range(3):
        assert reindex("--table", logs).code == 0
        served.append(indexes_of(client, alias))
    assert all(len(indexes) == 1 for indexes in served)
    assert len(set.union(*served)) == 3
    assert set(client.indices.get(index=f"{alias}_*")) == served[1] | served[2]


def test_no_switch_leaves_the_alias(reindex: Reindex, logs: str, client: Elasticsearch, alias: str) -> None:
    assert reindex("--table", logs).code == 0
    before = indexes_of(client, alias)
    ended = reindex("--table", logs, "--no-switch", "--json")
    assert ended.code == 0
    report = report_of(ended)
    assert report["switched"] is False
    assert indexes_of(client, alias) == before
    assert client.count(index=str(report["index"]))["count"] == 5000


def test_rejected_documents_are_dead_letters_with_code_3(
    reindex: Reindex, logs: str, client: Elasticsearch, alias: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("fields: {level: {type: ip}}\n")
    ended = reindex("--table", logs, "--where", "ts IS NULL", "--mapping", "mine.yaml", "--json")
    assert ended.code == 3, ended.err
    report = report_of(ended)
    assert (report["rows_read"], report["rows_indexed"], report["dead_letters"]) == (100, 0, 100)
    letters = [json.loads(line) for line in Path(str(report["dead_letter_file"])).read_text().splitlines()]
    assert len(letters) == 100
    assert letters[0]["status"] == 400
    assert "IP" in letters[0]["reason"]
    assert letters[0]["document"]["level"] in {"ERROR", "INFO"}
    assert indexes_of(client, alias)


def test_too_many_dead_letters_fail_the_job(
    reindex: Reindex, logs: str, client: Elasticsearch, alias: str, tmp_path: Path
) -> None:
    assert reindex("--table", logs).code == 0
    before = indexes_of(client, alias)
    (tmp_path / "mine.yaml").write_text("fields: {level: {type: ip}}\n")
    ended = reindex("--table", logs, "--mapping", "mine.yaml", "--max-failures", "10")
    assert ended.code == 1
    assert "--max-failures 10" in ended.err
    assert "Traceback" not in ended.err
    assert indexes_of(client, alias) == before


def test_an_id_that_is_not_unique_fails_verification(
    reindex: Reindex, logs: str, client: Elasticsearch, alias: str, tmp_path: Path
) -> None:
    assert reindex("--table", logs).code == 0
    before = indexes_of(client, alias)
    (tmp_path / "mine.yaml").write_text("id: level\n")
    ended = reindex("--table", logs, "--mapping", "mine.yaml")
    assert ended.code == 4
    assert "the alias" in ended.err
    assert "was not moved" in ended.err
    assert indexes_of(client, alias) == before


def test_where_and_columns_narrow_the_job(reindex: Reindex, logs: str, client: Elasticsearch, alias: str) -> None:
    ended = reindex("--table", logs, "--where", "level = 'ERROR' OR uid = 'u1'", "--columns", "level,note", "--json")
    assert ended.code == 0, ended.err
    assert report_of(ended)["rows_indexed"] == 501
    assert client.get(index=alias, id="u1")["_source"] == {"level": "INFO", "note": "note 1"}


def test_ctrl_c_ends_in_seconds_and_the_old_index_is_served(
    cratedb_url: str,
    elasticsearch_url: str,
    crate_cursor: Cursor,
    schema: str,
    client: Elasticsearch,
    alias: str,
    tmp_path: Path,
) -> None:
    crate_cursor.execute(f'CREATE TABLE "{schema}".big (id BIGINT PRIMARY KEY, m TEXT) WITH (number_of_replicas = 0)')
    crate_cursor.execute(
        f"INSERT INTO \"{schema}\".big SELECT i, 'message number ' || i FROM generate_series(1, 200000) AS t (i)"
    )
    options = ("--source", cratedb_url, "--target", elasticsearch_url, "--index", alias, "--table", f'"{schema}".big')
    assert run("reindex", *options, "--where", "id <= 10", cwd=tmp_path).code == 0
    before = indexes_of(client, alias)
    process = start("reindex", *options, "--page", "200", "--batch-bytes", "4KiB", cwd=tmp_path)
    new = wait_for_index(client, alias, before)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 130, err
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert indexes_of(client, alias) == before
    assert client.count(index=new)["count"] < 200_000


def wait_for_index(client: Elasticsearch, alias: str, before: set[str]) -> str:
    """Wait until the new index holds its first documents; its name."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for name in set(client.indices.get(index=f"{alias}_*")) - before:
            client.indices.refresh(index=name)
            if client.count(index=name)["count"]:
                return name
        time.sleep(0.05)
    raise AssertionError("no document arrived")


def test_the_plan_touches_nothing(
    cratedb_url: str, elasticsearch_url: str, logs: str, client: Elasticsearch, alias: str, tmp_path: Path
) -> None:
    ended = run(
        "indexer",
        "plan",
        "--source",
        cratedb_url,
        "--target",
        elasticsearch_url,
        "--table",
        logs,
        "--index",
        alias,
        cwd=tmp_path,
    )
    assert ended.code == 0, ended.err
    for part in ("5,000 in", "ts, uid", "timestamp column", "text + .keyword", "double", "Nothing was created"):
        assert part in ended.out
    assert not client.indices.get(index=f"{alias}*")


def test_the_library_is_the_same_job(cratedb_url: str, elasticsearch_url: str, logs: str, alias: str) -> None:
    from indexer import Settings, reindex

    report = reindex(Settings(table=logs, source=cratedb_url, target=elasticsearch_url, index=alias, page=777))
    assert (report.rows_read, report.rows_indexed, report.exit_code) == (5000, 5000, 0)


@pytest.mark.parametrize("name", ["MyTable", "select"])
def test_odd_names_of_tables_and_columns_arrive_as_they_are(
    reindex: Reindex, crate_cursor: Cursor, schema: str, client: Elasticsearch, alias: str, name: str
) -> None:
    table = f'"{schema}"."{name}"'
    crate_cursor.execute(
        f'CREATE TABLE {table} ("Select" BIGINT PRIMARY KEY, "a column" TEXT, "UPPER" TEXT, "order" INTEGER,'
        ' "o" OBJECT AS ("In Side" TEXT))'
    )
    crate_cursor.execute(
        f'INSERT INTO {table} ("Select", "a column", "UPPER", "order", "o")'
        " SELECT i, 'a' || i, 'U' || i, i % 7, {\"In Side\" = 'i' || i} FROM generate_series(1, 900) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    ended = reindex("--table", table, "--page", "100", "--where", '"order" < 7 AND "a column" <> \'\'', "--json")
    assert ended.code == 0, ended.err
    assert report_of(ended)["rows_indexed"] == 900
    assert client.get(index=alias, id="8")["_source"] == {
        "Select": 8, "a column": "a8", "UPPER": "U8", "order": 1, "o": {"In Side": "i8"},
    }  # fmt: skip
    by_key = reindex("--table", table, "--key", "order", "--columns", "order,a column", "--catch-up", "order", "--json")
    assert by_key.code == 0, by_key.err
    assert client.get(index=alias, id="8")["_source"] == {"a column": "a8", "order": 1}
