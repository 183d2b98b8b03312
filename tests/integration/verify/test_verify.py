"""Faults planted in an index: `indexer verify` must find exactly these."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.cratedb_table import Cursor
from tests.support.index_contents import documents
from tests.support.verify_commands import Commands, difference_counts, named_ids, report_of

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

ROWS = 4_000


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def command(cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path) -> Commands:
    return Commands(cratedb_url, elasticsearch_url, alias, tmp_path)


@pytest.fixture(params=["number", "ties", "text", "hidden"])
def made(request: pytest.FixtureRequest, command: Commands, crate_cursor: Cursor, schema: str) -> str:
    """Index a table of 4,000 rows, for each kind of key; return the kind."""
    kind = str(request.param)
    columns = {
        "number": "id BIGINT PRIMARY KEY, name TEXT",
        "ties": "name TEXT PRIMARY KEY, id TIMESTAMP WITH TIME ZONE",
        "text": "name TEXT PRIMARY KEY, id BIGINT INDEX OFF",
        "hidden": "id BIGINT, name TEXT",
    }[kind]
    table = f'"{schema}"."Verified"'
    crate_cursor.execute(
        f"CREATE TABLE {table} ({columns}, tags ARRAY(TEXT),"
        " o OBJECT(DYNAMIC) AS (a OBJECT AS (b TEXT), n DOUBLE PRECISION))"
        " CLUSTERED INTO 3 SHARDS WITH (number_of_replicas = 0)"
    )
    id_ = {"ties": "CASE WHEN i % 40 = 0 THEN NULL ELSE 1700000000000 + (i / 500) * 1000 END"}.get(kind, "i")
    crate_cursor.execute(
        f"INSERT INTO {table} (id, name, o, tags)"
        f" SELECT {id_}, 'n' || i, {{a = {{b = 'deep ' || i}}, n = i}}, ['한글', 't' || i]"
        f" FROM generate_series(0, {ROWS - 1}) AS t (i)"
    )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    ended = command("reindex", "--table", table, "--page", "50")
    assert ended.code == 0, ended.err
    return kind


def test_an_intact_index_has_no_findings(made: str, command: Commands) -> None:
    del made
    for mode in ("--counts", "--sample=5%", "--full"):
        ended = command("verify", mode, "--page", "50")
        assert ended.code == 0, ended.out + ended.err
        answer = report_of(ended)
        assert (answer["rows"], answer["documents"], answer["shard_rows"], answer["same"]) == (ROWS, ROWS, ROWS, True)
        assert answer["compared"] == {"--counts": 0, "--full": ROWS}.get(mode, answer["compared"])
    assert difference_counts(answer) == (0, 0, 0)


def test_exactly_the_planted_faults_are_found_and_repaired(
    made: str, command: Commands, client: Elasticsearch, alias: str
) -> None:
    before = documents(client, alias)
    removed, nested, retyped, listed = sorted(before)[7:11]
    client.delete(index=alias, id=removed)
    client.update(index=alias, id=nested, doc={"o": {"a": {"b": "changed"}}})
    client.update(index=alias, id=retyped, doc={"o": {"n": str(before[retyped]["o"]["n"])}})
    client.update(index=alias, id=listed, doc={"tags": before[listed]["tags"][:1]})
    client.index(index=alias, id="nobody", document={"name": "nobody", "id": before[removed]["id"]})
    ended = command("verify", "--full", "--page", "50")
    assert ended.code == 4, ended.err
    answer = report_of(ended)
    assert difference_counts(answer) == (1, 1, 3)
    assert named_ids(answer) == {
        removed: "missing",
        nested: "different",
        retyped: "different",
        listed: "different",
        "nobody": "extra",
    }
    said = {one["_id"]: one["what"] for part in answer["slices"] for one in part["first"]}
    assert said[nested] == [f'o.a.b is "changed" where the row has {json.dumps(before[nested]["o"]["a"]["b"])}']
    if made in {"number", "hidden"}:  # a key in the document determines its slice
        [slice_] = {part["slice"] for part in answer["slices"] for one in part["first"] if one["_id"] == "nobody"}
        assert slice_ is not None

    mended = command("verify", "--full", "--repair", "--page", "50")
    assert mended.code == 0, mended.out + mended.err
    repair = report_of(mended)["repair"]
    assert (repair["written"], repair["deleted"], repair["refused"]) == (4, 1, "")
    client.indices.refresh(index=alias)
    assert documents(client, alias) == before
    assert command("verify", "--full").code == 0


@pytest.mark.parametrize("made", ["number"], indirect=True)
def test_a_missing_slice_is_found_and_repaired(made: str, command: Commands, client: Elasticsearch, alias: str) -> None:
    del made
    before = documents(client, alias)
    slices = report_of(command("verify", "--counts", "--page", "50"))
    assert slices["slices"] == []
    for n in range(400, 800):
        client.options(ignore_status=404).delete(index=alias, id=str(n))
    counted = report_of(command("verify", "--counts", "--page", "50"))
    assert {part["slice"]: part["rows"] - part["documents"] for part in counted["slices"]} == {1: 400}
    answer = report_of(command("verify", "--full", "--page", "50"))
    assert difference_counts(answer) == (400, 0, 0)
    assert [(part["slice"], part["missing"]) for part in answer["slices"]] == [(1, 400)]
    assert command("verify", "--full", "--repair").code == 0
    client.indices.refresh(index=alias)
    assert documents(client, alias) == before


@pytest.mark.parametrize("made", ["number"], indirect=True)
def test_more_deletes_than_max_deletes_are_refused(
    made: str, command: Commands, client: Elasticsearch, alias: str
) -> None:
    del made
    for n in range(3):
        client.index(index=alias, id=f"nobody {n}", document={"name": "nobody"})
    client.delete(index=alias, id="5")
    ended = command("verify", "--full", "--repair", "--max-deletes", "0.05%")
    assert ended.code == 4, ended.err
    answer = report_of(ended)
    assert difference_counts(answer) == (1, 3, 0)
    assert (answer["repair"]["written"], answer["repair"]["deleted"]) == (1, 0)
    assert "3 documents are extra, but --max-deletes allows only 2" in answer["repair"]["refused"]
    client.indices.refresh(index=alias)
    assert client.count(index=alias)["count"] == ROWS + 3
    assert command("verify", "--full", "--repair", "--max-deletes", "0.1%").code == 0
    client.indices.refresh(index=alias)
    assert client.count(index=alias)["count"] == ROWS


def test_nothing_is_deleted_if_rows_share_an_id(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, schema: str, alias: str, tmp_path: Path
) -> None:
    """Fewer distinct ids than rows read: a row may have been read twice and another not at all."""
    crate_cursor.execute(f'CREATE TABLE "{schema}".t (id BIGINT PRIMARY KEY, name TEXT) WITH (number_of_replicas = 0)')
    crate_cursor.execute(f"INSERT INTO \"{schema}\".t SELECT i, 'n' || i FROM generate_series(1, 50) AS g (i)")
    crate_cursor.execute(f'REFRESH TABLE "{schema}".t')
    (tmp_path / "mine.yaml").write_text("id: name\n")
    assert command("reindex", "--table", f'"{schema}".t', "--mapping", "mine.yaml").code == 0
    client.index(index=alias, id="nobody", document={"name": "nobody"})
    crate_cursor.execute(f"UPDATE \"{schema}\".t SET name = 'n2' WHERE id = 1")
    crate_cursor.execute(f'REFRESH TABLE "{schema}".t')
    answer = report_of(command("verify", "--full", "--repair", "--max-deletes", "10%", "--mapping", "mine.yaml"))
    assert difference_counts(answer)[1] == 2
    assert "1 rows were read twice, or share an _id" in answer["repair"]["refused"]
    assert client.exists(index=alias, id="nobody")


@pytest.mark.parametrize("made", ["number"], indirect=True)
def test_bad_input_is_refused_in_one_sentence(
    made: str, command: Commands, client: Elasticsearch, alias: str, tmp_path: Path
) -> None:
    del made
    (tmp_path / "other.yaml").write_text("fields: {name: keyword}\n")
    (tmp_path / "id.yaml").write_text("id: name\n")
    client.indices.create(index=f"{alias}_foreign")
    for words, sentence in (
        (("--full", "--counts"), "--counts, --sample and --full are mutually exclusive"),
        (("--repair",), "--repair requires --full, which compares every row."),
        (("--full", "--max-deletes", "1%"), "--max-deletes requires --repair"),
        (("--sample", "much"), "--sample much is not a percentage"),
        (("--sample", "101%"), "is not a percentage"),
        (("--mapping", "other.yaml"), "name: text -> keyword"),
        (("--mapping", "id.yaml"), "_id changed (id -> name)"),
        (("--where", "id < 5"), "--where changed (none -> id < 5)"),
        (("--index", f"{alias}_nothing"), f"There is no index or alias {alias}_nothing"),
        (("--index", f"{alias}_foreign"), "was not made by reindex"),
    ):
        ended = command("verify", *words)
        assert ended.code == 2, (words, ended.out, ended.err)
        assert sentence in ended.err
        assert ended.err.count("\n") == 1


def test_values_that_the_servers_format_differently_are_equal(
    command: Commands, client: Elasticsearch, crate_cursor: Cursor, schema: str, alias: str
) -> None:
    """Vectors (not in `_source` by default), NaN, padding, decimals, coordinates, unusual ids."""
    table = f'"{schema}"."Types"'
    crate_cursor.execute(
        f"CREATE TABLE {table} (id TEXT PRIMARY KEY, n BIGINT, v FLOAT_VECTOR(3), r REAL, d DOUBLE PRECISION,"
        " m NUMERIC(20, 5), c CHAR(9), p GEO_POINT, b BOOLEAN, i IP, ts TIMESTAMP, t TEXT, o OBJECT(IGNORED))"
        " CLUSTERED INTO 2 SHARDS WITH (number_of_replicas = 0)"
    )
    for n, id_ in enumerate(["plain", 'quo"te', "back\\slash", "tab\tline\n", "한글", "\x01", "x" * 600, "a,b]}}", ""]):
        crate_cursor.execute(
            f"INSERT INTO {table} VALUES (?, ?, [0.1, 2.0, -3.3], 0.1, 'NaN', '123456789012345.67891', 'ab',"
            " [9.5, 52.25], true, '::1', 1700000000123, ?, {x = 1.0, y = ['one', 'two', NULL]})",
            (id_, n, "long " * 200),
        )
    crate_cursor.execute(f"REFRESH TABLE {table}")
    assert command("reindex", "--table", table).code == 0
    ended = command("verify", "--full")
    assert ended.code == 0, ended.out + ended.err
    assert report_of(ended)["compared"] == 9
    client.update(index=alias, id="plain", doc={"v": [0.1, 2.0, -3.4]})
    answer = report_of(command("verify", "--full"))
    assert difference_counts(answer) == (0, 0, 1)
    assert answer["slices"][0]["first"][0]["what"] == ["v[2] is -3.4 where the row has -3.3"]
