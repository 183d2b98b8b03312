"""Documents that Elasticsearch rejects become dead letters with the reason; all others are indexed."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.fault.conftest import OwnElasticsearch
from tests.support.attack import BATCH, ROWS, Attack, create_attacked_table
from tests.support.attack_table import AttackRecord
from tests.support.commands import environment, run
from tests.support.fault_proxy import FaultProxy, larger_than
from tests.support.index_contents import documents

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

OVERLAY = """
fields:
  word: {type: keyword, ignore_above: 100000}
  n: integer
  address: ip
  closed: {type: object, dynamic: strict}
  open: {type: object, dynamic: true}
settings: {number_of_shards: 1}
"""

BAD = {
    "100": ("word", "w" * 40_000, 400, "immense term"),
    "200": ("n", "many", 400, "failed to parse field [n] of type [integer]"),
    "300": ("address", "10.0.0.999", 400, "is not an IP string literal"),
    "400": ("closed", {"other": 1}, 400, "strict_dynamic_mapping_exception"),
    "500": ("open", {"a": {"b": 1}}, 400, "[open.a]"),
}
"""id -> column, value, and the status and reason of the rejection."""


def letters(folder: Path) -> list[dict[str, object]]:
    (file,) = folder.glob("jobs/*/dead_letters.ndjson")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.fixture
def odd_table(crate_cursor: Cursor, schema: str) -> str:
    """1,000 rows, one of each kind that the index rejects."""
    name = f'"{schema}".odd'
    crate_cursor.execute(
        f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, word TEXT INDEX OFF STORAGE WITH (columnstore = false), n TEXT,"
        " address TEXT, closed OBJECT (IGNORED), open OBJECT (IGNORED))"
    )
    crate_cursor.execute(
        f"INSERT INTO {name} (id, word, n, address, open)"
        " SELECT i, 'w' || i, i, '10.0.0.' || (i % 256), {a = 1} FROM generate_series(0, 999) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {name}")
    for id_, (column, value, _, _) in BAD.items():
        crate_cursor.execute(f"UPDATE {name} SET {column} = ? WHERE id = ?", (value, int(id_)))
    crate_cursor.execute(f"REFRESH TABLE {name}")
    return name


@pytest.fixture
def odd_job(odd_table: str, cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> tuple[str, ...]:
    """The command that loads `odd_table`."""
    (tmp_path / "odd.yaml").write_text(OVERLAY)
    return (
        "reindex", "--source", cratedb_url, "--target", elasticsearch_url, "--table", odd_table, "--index", alias,
        "--jobs-index", f"{alias}_jobs", "--mapping", "odd.yaml", "--json", "--quiet", "--batch-bytes", "4KiB",
        "--readers", "1", "--writers", "1",
    )  # fmt: skip


def test_an_unwritable_dead_letter_file_fails_the_job_and_a_resume_completes_it(
    odd_job: tuple[str, ...], elasticsearch_url: str, alias: str, tmp_path: Path, record: AttackRecord
) -> None:
    """`ulimit` caps files at a kilobyte or two, as a full disk would; one dead letter has 40,000 characters."""
    limited = ["sh", "-c", 'ulimit -f 2 && exec "$@"', "sh", str(Path(sys.executable).parent / odd_job[0])]
    failed = subprocess.run(
        [*limited, *odd_job[1:]],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=environment(INDEXER_CACHE=str(tmp_path)),
    )  # fmt: skip
    assert failed.returncode == 1, failed.stderr
    (line,) = failed.stderr.splitlines()
    assert "dead_letters.ndjson cannot be read or written (File too large)" in line
    with Elasticsearch(elasticsearch_url) as client:
        assert not client.indices.exists_alias(name=alias)
    ended = run(*odd_job, cwd=tmp_path, INDEXER_CACHE=str(tmp_path))
    assert ended.code == 3, ended.err
    report = json.loads(ended.out)
    assert (report["resumed"], report["rows_indexed"], report["dead_letters"]) == (True, 995, 5)
    dead = [str(letter["id"]) for letter in letters(tmp_path)]
    assert sorted(dead) == sorted(BAD)
    with Elasticsearch(elasticsearch_url) as client:
        found = documents(client, alias).keys()
    record.tried(rows=1000, lost=len({str(i) for i in range(1000)} - set(dead) - found))


def test_every_kind_of_rejection_becomes_a_dead_letter_with_its_reason(
    odd_job: tuple[str, ...], elasticsearch_url: str, alias: str, tmp_path: Path, record: AttackRecord
) -> None:
    ended = run(*odd_job, cwd=tmp_path, INDEXER_CACHE=str(tmp_path))
    assert ended.code == 3, ended.err
    report = json.loads(ended.out)
    assert (report["rows_read"], report["rows_indexed"], report["dead_letters"]) == (1000, 995, 5)
    dead = {str(letter["id"]): letter for letter in letters(tmp_path)}
    assert dead.keys() == BAD.keys()
    for id_, (column, value, status, reason) in BAD.items():
        assert dead[id_]["status"] == status
        assert reason in str(dead[id_]["reason"])
        assert dead[id_]["document"][column] == value  # type: ignore[index]
    with Elasticsearch(elasticsearch_url) as client:
        found = documents(client, alias).keys()
    record.tried(rows=1000, lost=len({str(i) for i in range(1000)} - BAD.keys() - found))
    assert not found & BAD.keys()


def test_bulk_requests_refused_with_413_are_split(attack: Attack) -> None:
    with FaultProxy(attack.target, pattern="/_bulk") as proxy:
        proxy.default = larger_than(BATCH // 3)
        attack.assert_complete(replace(attack, target=proxy.url).run("--quiet"), attack.target)


@pytest.mark.slow
def test_a_row_over_http_max_content_length_becomes_a_dead_letter(
    attack: Attack, crate_cursor: Cursor, schema: str, own_elasticsearch: OwnElasticsearch
) -> None:
    """The 413 comes from the server itself."""
    most, attack = own_elasticsearch.MAX_CONTENT, replace(attack, table=create_attacked_table(crate_cursor, schema))
    for id_, size in ((5000, most + 1), (5001, most // 2), (12_000, 4 * most), (ROWS - 1, most)):
        crate_cursor.execute(f"UPDATE {attack.table} SET m = ? WHERE id = ?", ("x" * size, id_))
    crate_cursor.execute(f"REFRESH TABLE {attack.table}")
    ended = replace(attack, target=own_elasticsearch.url).run("--quiet", "--batch-bytes", str(4 * most))
    assert ended.code == 3, ended.err
    assert json.loads(ended.out)["rows_indexed"] == ROWS - 3
    dead = {str(letter["id"]): letter for letter in letters(attack.folder)}
    assert dead.keys() == {"5000", "12000", str(ROWS - 1)}
    for letter in dead.values():
        assert letter["status"] == 413
        assert "bytes exceed http.max_content_length" in str(letter["reason"])
        assert len(letter["document"]["m"]) >= most  # type: ignore[index]
    with Elasticsearch(own_elasticsearch.url) as client:
        found = documents(client, attack.alias).keys()
        attack.record.tried(rows=ROWS, lost=len({str(i) for i in range(ROWS)} - dead.keys() - found))
        assert len(client.get(index=attack.alias, id="5001")["_source"]["m"]) == most // 2
