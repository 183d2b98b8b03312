"""`search --all`, `search --follow` and the Python API, on a real server."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from threading import Event, Thread

import orjson
import pytest
from elasticsearch import Elasticsearch

from indexer import Settings
from indexer import search as find
from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.model.json import Row
from indexer.query.export import PAGE_BYTES, follow, iter_hits
from indexer.query.query import SearchQuery
from indexer.query.search import Search
from indexer.sink.client import Cluster, connect
from tests.support.commands import run, start
from tests.support.fault_proxy import FaultProxy
from tests.support.search_index import NOON, load_logs

pytestmark = pytest.mark.elasticsearch

COUNT = 2_345


@pytest.fixture
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as connected:
        yield connected


@pytest.fixture
def logs(elasticsearch_url: str, alias: str, tmp_path: Path) -> str:
    services = ("auth", "payments")
    rows: list[Row] = [
        [n, NOON + n, "INFO", services[n % 2], 200, float(n), f"line {n} " + "x" * (n % 50)] for n in range(COUNT)
    ]
    return load_logs(elasticsearch_url, alias, rows, tmp_path)


def points_in_time(cluster: Cluster) -> int:
    nodes = cluster.client.nodes.stats(metric="indices", index_metric="search").body["nodes"]
    return sum(node["indices"]["search"]["open_contexts"] for node in nodes.values())


@pytest.mark.parametrize("sort", [(), ("ts",), ("-latency_ms",)])
def test_every_hit_is_returned_once_and_in_order(cluster: Cluster, logs: str, sort: tuple[str, ...]) -> None:
    totals: list[int] = []
    hits = list(iter_hits(Search(cluster, logs), SearchQuery(sort=sort), page=97, on_total=totals.append))
    assert totals == [COUNT]
    assert sorted(int(hit.id) for hit in hits) == list(range(COUNT))
    if sort:
        name = sort[0].lstrip("-")
        values = [float(str(hit.value(name))) for hit in hits]
        assert values == sorted(values, reverse=sort[0].startswith("-"))


def test_pages_are_bounded_in_bytes(elasticsearch_url: str, alias: str, tmp_path: Path) -> None:
    """Hits of 32 kB: after the first page shows their width, each page requests about 8 MiB."""
    text = "wide " * 6_400
    rows: list[Row] = [[n, NOON + n, "INFO", "auth", 200, 1.0, text] for n in range(900)]
    load_logs(elasticsearch_url, alias, rows, tmp_path)
    with FaultProxy(elasticsearch_url, pattern="/_search") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        assert len(list(iter_hits(Search(cluster, alias), SearchQuery()))) == len(rows)
    _, *sizes = [json.loads(request.body)["size"] for request in proxy.requests]
    assert sizes
    assert all(0.9 * PAGE_BYTES < size * len(text) < PAGE_BYTES for size in sizes), sizes


def test_closing_an_export_early_closes_its_point_in_time(cluster: Cluster, logs: str) -> None:
    before = points_in_time(cluster)
    walk = iter_hits(Search(cluster, logs), SearchQuery(), page=10)
    assert len(list(islice(walk, 15))) == 15
    assert points_in_time(cluster) > before
    walk.close()  # type: ignore[attr-defined]  # it is a generator
    assert points_in_time(cluster) <= before


def test_all_exports_every_match_as_ndjson(elasticsearch_url: str, logs: str) -> None:
    asked = ("indexer", "search", "service:auth", "--all", "-o", "ndjson", "--index", logs)
    ended = run(*asked, "--target", elasticsearch_url)
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert sorted(line["id"] for line in lines) == list(range(0, COUNT, 2))
    assert (ended.code, ended.err) == (0, "")
    assert run(*asked, "--since", "now", "--target", elasticsearch_url).code == 1


def test_a_closed_pipe_ends_the_export_quietly(elasticsearch_url: str, logs: str) -> None:
    process = start("indexer", "search", "--all", "--index", logs, "--target", elasticsearch_url)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_the_python_api_returns_hits_lazily(elasticsearch_url: str, logs: str) -> None:
    settings = Settings(target=elasticsearch_url)
    hits = find("line", index=logs, sort=["-id"], shorthands={"service": "auth"}, settings=settings)
    assert [hit.source["id"] for hit in islice(hits, 3)] == [2344, 2342, 2340]
    two = list(find("line", index=logs, where=["id<2"], fields=["id"], limit=5, settings=settings))
    assert sorted((hit.id, hit.source["id"]) for hit in two) == [("0", 0), ("1", 1)]
    with pytest.raises(UsageError, match="is not a time"):
        next(find(since="tomorow", settings=settings))


def test_follow_returns_the_last_hits_and_then_new_ones(cluster: Cluster, elasticsearch_url: str, logs: str) -> None:
    stop = Event()
    seen: list[str] = []
    search = Search(cluster, logs)

    def read() -> None:
        seen.extend(hit.id for hit in follow(search, SearchQuery("service:auth"), 2, stop, pause=0.05))

    thread = Thread(target=read)
    thread.start()
    _until(lambda: len(seen) == 2)
    assert seen == ["2342", "2344"]
    for id_, at in (("new", NOON + 60_000), ("late", NOON + 55_000), ("other", NOON + 61_000)):
        _add(elasticsearch_url, logs, id_, at)
    _until(lambda: {"new", "late"} <= set(seen))
    stop.set()
    thread.join()
    assert sorted(seen) == ["2342", "2344", "late", "new"]


def test_follow_prints_new_hits_until_interrupted(elasticsearch_url: str, logs: str) -> None:
    asked = ("indexer", "search", "service:auth", "--follow", "-n", "1", "-o", "raw", "--index", logs)
    process = start(*asked, "--target", elasticsearch_url)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("line 2344")
    _add(elasticsearch_url, logs, "new", NOON + 60_000)
    assert process.stdout.readline() == "hello\n"
    process.send_signal(2)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


def _add(url: str, alias: str, id_: str, at: int) -> None:
    service = "payments" if id_ == "other" else "auth"
    source = orjson.loads(orjson.dumps({"ts": at, "service": service, "message": "hello"}))
    with Elasticsearch(url) as client:
        client.index(index=alias, id=id_, document=source, refresh=True)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
