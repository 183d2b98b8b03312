"""Dead letters of a database other than CrateDB, whose driver sends and takes times, numbers and bytes as such."""

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from elasticsearch import Elasticsearch

from indexer.job.dead_letters import DeadLetterFile, read_letters
from indexer.job.reindex import plan, reindex
from indexer.job.replay import replay
from indexer.model.document.bulk_response import DeadLetter
from indexer.model.document.row_key import RowKeys
from indexer.settings import Settings

pytestmark = pytest.mark.elasticsearch

KEYS = [
    ("2026-11-22 10:15:00.123456", "2026-11-22", 0.5, "12.50", b"\x00\xff", "a|b"),
    ("2026-11-22 10:15:00.123457", "2026-11-22", 0.25, "7", b"", "\\"),
    ("2026-11-22 10:15:01.000000", "2026-11-23", 2.0, "1", b"x", "c"),
]


@pytest.fixture
def settings(tmp_path: Path, elasticsearch_url: str, alias: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INDEXER_CACHE", str(tmp_path))
    (tmp_path / "m.yaml").write_text("fields: {code: long}\nid: [at, day, f, amount, raw, name]\n")
    with closing(sqlite3.connect("logs.db")) as connection:
        connection.execute(
            "CREATE TABLE logs (n INTEGER PRIMARY KEY, at TIMESTAMP, day DATE, f DOUBLE, amount NUMERIC, raw BLOB,"
            " name TEXT, code TEXT)"
        )
        connection.executemany(
            "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(n, *key, f"bad {n}") for n, key in enumerate(KEYS)]
        )
        connection.commit()
    return Settings(
        source="sqlite:///logs.db",
        target=elasticsearch_url,
        index=alias,
        mapping=Path("m.yaml"),
        jobs_index=f"{alias}_jobs",
    )


def sql(statement: str) -> None:
    with closing(sqlite3.connect("logs.db")) as connection:
        connection.execute(statement)
        connection.commit()


def test_rows_are_found_again_by_values_of_every_type(settings: Settings) -> None:
    report = reindex(settings)
    assert report.dead_letters == 3
    sql("UPDATE logs SET code = n || '0' WHERE n < 2")
    done = replay(settings, report.job)
    assert (done.found, done.indexed, done.gone, done.remaining) == (3, 2, 0, 1)
    sql("DELETE FROM logs WHERE n = 2")
    done = replay(settings, report.job)
    assert (done.found, done.indexed, done.gone, done.remaining, done.exit_code) == (1, 0, 1, 0, 0)
    with Elasticsearch(settings.target) as client:
        hits = client.search(index=report.alias)["hits"]["hits"]
    assert {hit["_source"]["code"] for hit in hits} == {"00", "10"}


def test_half_a_line_that_a_kill_left_is_cut_off(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "letters.ndjson"
    whole = DeadLetter("1", 400, "why", {"a": 1}, {"id": 1})
    path.write_bytes(orjson.dumps(whole.as_json()) + b'\n{"id":"2","key":{')
    made = plan(settings)
    letters = DeadLetterFile(path, 10, RowKeys(made.selection, made.mapping))
    assert len(letters) == 1
    letters.add([DeadLetter("2", 400, "why", {"n": 2})])
    assert [letter.id for letter in read_letters(path)] == ["1", "2"]
    assert next(read_letters(path)) == whole
