"""A snapshot of an index is read within bounds, however wide its documents are."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import orjson
import pytest
from elastic_transport.client_utils import url_to_node_config
from elasticsearch import Elasticsearch

from indexer.settings import TargetAccess
from indexer.sink.client import MOST_BYTES, BoundedNode, Cluster, connect
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
    """An index and the documents in it, by their `_id`, all as JSON."""

    index: str
    documents: dict[bytes, bytes]


@pytest.fixture(scope="module")
def sent(elasticsearch_url: str) -> Iterator[Sent]:
    """Narrow documents, then wide ones, then one that is larger than an answer may be."""
    texts = ["x"] * NARROW + ["y" * MEGABYTE] * WIDE + ["z" * (MOST_BYTES + 1)] + ["x"]
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


def test_all_documents_come_in_pages_of_bounded_size(cluster: Cluster, sent: Sent) -> None:
    with Snapshot(cluster, sent.index) as snapshot:
        walk, found, largest = IndexWalk(snapshot), list[tuple[bytes, bytes]](), 0
        while (page := walk.page()).pairs:
            found += page.pairs
            if len(page.pairs) > 1:
                largest = max(largest, page.size)
    assert len(found) == len(sent.documents)
    assert dict(found) == sent.documents
    assert largest <= MOST_BYTES


def test_documents_are_looked_up_however_wide_they_are(cluster: Cluster, sent: Sent) -> None:
    """All come as the bytes that were sent but the one that is too large for that, which is decoded."""
    asked = dict(list(sent.documents.items())[NARROW - 100 :])
    with Snapshot(cluster, sent.index) as snapshot:
        pages = snapshot.match({**asked, b'"nobody"': b"{}"})
    [decoded] = [one for page in pages for one in page.others]
    assert orjson.dumps(decoded.id) == LARGEST
    assert orjson.dumps(decoded.source) == asked[LARGEST]
    assert {id_ for page in pages for id_ in page.same} == asked.keys() - {LARGEST}
    assert len(pages) > 1


def test_of_an_answer_that_is_too_large_one_byte_too_many_is_read(elasticsearch_url: str, sent: Sent) -> None:
    node = BoundedNode(url_to_node_config(elasticsearch_url, use_default_ports_for_scheme=True))
    _, cut_off = node.perform_request("GET", f"/{sent.index}/_source/{orjson.loads(LARGEST)}")
    _, whole = node.perform_request("GET", f"/{sent.index}/_source/{NARROW}")
    node.close()
    assert cut_off == sent.documents[LARGEST][: MOST_BYTES + 1]
    assert whole == sent.documents[b'"%d"' % NARROW]
