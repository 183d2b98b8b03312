"""Reading a snapshot of an index keeps responses within a size limit, however wide the documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import orjson
import pytest
from elastic_transport.client_utils import url_to_node_config
from elasticsearch import Elasticsearch

from indexer.access import TargetAccess
from indexer.sink.client import MAX_RESPONSE_BYTES, BoundedNode, Cluster, connect
from indexer.sink.snapshot import IndexWalk, Snapshot

pytestmark = pytest.mark.elasticsearch

NARROW, WIDE = 3_000, 40
LARGEST = b'"%d"' % (NARROW + WIDE)
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        yield cluster


@dataclass(frozen=True)
class Sent:
    """An index and its documents: `_id` to source, both as JSON."""

    index: str
    documents: dict[bytes, bytes]


@pytest.fixture(scope="module")
def sent(elasticsearch_url: str) -> Iterator[Sent]:
    """Narrow documents, then wide ones, then one larger than the response limit."""
    texts = ["x"] * NARROW + ["y" * MEGABYTE] * WIDE + ["z" * (MAX_RESPONSE_BYTES + 1)] + ["x"]
    made = {orjson.dumps(str(n)): orjson.dumps({"n": n, "text": text}) for n, text in enumerate(texts)}
    index = f"test_snapshot_{uuid4().hex[:12]}"
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(
            index=index,
            mappings={
                "properties": {
                    "n": {"type": "integer"},
                    "text": {"type": "keyword", "index": False, "doc_values": False},
                }
            },
            settings={"number_of_shards": 1, "number_of_replicas": 0},
        )
        for begin in range(0, NARROW, 1_000):
            _index(client, index, dict(list(made.items())[begin : begin + 1_000]))
        for id_, source in list(made.items())[NARROW:]:
            _index(client, index, {id_: source})
        client.indices.refresh(index=index)
        yield Sent(index, made)
        client.indices.delete(index=index)


def _index(client: Elasticsearch, index: str, documents: dict[bytes, bytes]) -> None:
    actions = [({"index": {"_id": orjson.loads(id_)}}, orjson.loads(source)) for id_, source in documents.items()]
    assert not client.bulk(index=index, operations=[line for pair in actions for line in pair])["errors"]


def test_a_walk_returns_all_documents_in_pages_of_bounded_size(cluster: Cluster, sent: Sent) -> None:
    with Snapshot(cluster, sent.index) as snapshot:
        walk, found, largest = IndexWalk(snapshot), list[tuple[bytes, bytes]](), 0
        while (page := walk.page()).pairs:
            found += page.pairs
            if len(page.pairs) > 1:
                largest = max(largest, page.size)
    assert len(found) == len(sent.documents)
    assert dict(found) == sent.documents
    assert largest <= MAX_RESPONSE_BYTES


def test_lookups_find_documents_of_any_width(cluster: Cluster, sent: Sent) -> None:
    """Also a document that is too large for a bounded response."""
    asked = dict(list(sent.documents.items())[NARROW - 100 :])
    with Snapshot(cluster, sent.index) as snapshot:
        pages = snapshot.match({**asked, b'"nobody"': b"{}"})
    assert {id_ for page in pages for id_ in page.same} == asked.keys()
    assert not any(page.others for page in pages)
    assert len(pages) > 1


def test_a_response_is_read_up_to_one_byte_over_the_limit(elasticsearch_url: str, sent: Sent) -> None:
    node = BoundedNode(url_to_node_config(elasticsearch_url, use_default_ports_for_scheme=True))
    _, cut_off = node.perform_request("GET", f"/{sent.index}/_source/{orjson.loads(LARGEST)}")
    _, whole = node.perform_request("GET", f"/{sent.index}/_source/{NARROW}")
    node.close()
    assert cut_off == sent.documents[LARGEST][: MAX_RESPONSE_BYTES + 1]
    assert whole == sent.documents[b'"%d"' % NARROW]
