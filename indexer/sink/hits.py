"""The hits of a search that is sorted by `_shard_doc`, decoded no further than their use needs.

Decoding a document costs more than everything else in comparing it, and is seldom necessary: Elasticsearch returns
`_source` byte for byte as it was sent, so most documents equal the JSON that the row was turned into. `msgspec.Raw`
therefore leaves `_id` and `_source` as bytes, and only documents that differ are decoded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from msgspec import Raw, Struct
from msgspec import field as named
from msgspec.json import Decoder

from indexer.model.json import JsonObject

__all__ = [
    "DocumentPage",
    "HitPage",
    "ShardDocHit",
    "ShardDocResponse",
    "StoredDocument",
    "decode_response",
    "match_hits",
    "page_of_documents",
    "stored_document",
]


class ShardDocHit(Struct, frozen=True, gc=False):
    """One hit.

    Attributes:
        raw_id: the `_id`, as JSON.
        sort: the sort values: the hit's `_shard_doc` alone.
        raw_source: the `_source`, as JSON; `null` where it was not requested.
    """

    raw_id: Raw = named(name="_id")
    sort: tuple[int]
    raw_source: Raw = named(name="_source", default=Raw(b"null"))

    @property
    def id(self) -> bytes:
        """The `_id` as `orjson` writes it: JSON can escape one character in several ways."""
        written = bytes(self.raw_id)
        return orjson.dumps(orjson.loads(written)) if b"\\" in written else written


class _Total(Struct):
    value: int


class _Hits(Struct):
    hits: list[ShardDocHit]
    total: _Total | None = None


class _Bucket(Struct):
    doc_count: int


class _Filters(Struct):
    buckets: dict[str, _Bucket]


class _Shards(Struct):
    failed: int


class ShardDocResponse(Struct, rename={"shards": "_shards"}):
    """The response to a search at a point in time.

    Attributes:
        pit_id: the point in time to use from now on.
        timed_out: whether Elasticsearch gave up before it had looked at every document.
        shards: how many shards failed.
        hits: the hits and, where requested, their total.
        aggregations: the named `filters` aggregations.
    """

    pit_id: str
    timed_out: bool
    shards: _Shards
    hits: _Hits
    aggregations: dict[str, _Filters] = {}

    @property
    def partial(self) -> bool:
        """Whether hits may be missing."""
        return self.timed_out or self.shards.failed > 0


_DECODER = Decoder(ShardDocResponse)


def decode_response(data: bytes) -> ShardDocResponse:
    """Decode a response, without its documents.

    Raises:
        msgspec.DecodeError: where the data is not such a response, for example because it was cut off.
    """
    return _DECODER.decode(data)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What an index holds under one `_id`.

    Attributes:
        id: the `_id`.
        shard_doc: the document's number in the snapshot.
        source: the `_source`.
    """

    id: str
    shard_doc: int
    source: JsonObject


@dataclass(slots=True)
class HitPage:
    """The documents that were found for some ids.

    Attributes:
        same: the ids, as JSON, of the documents that equal what was sent byte for byte.
        shard_docs: the `_shard_doc` of each of these.
        others: all other documents, decoded.
    """

    same: set[bytes] = field(default_factory=set)
    shard_docs: list[int] = field(default_factory=list)
    others: list[StoredDocument] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents in the order of their `_shard_doc`.

    Attributes:
        pairs: `_id` and `_source` of each, both as JSON.
        last: the `_shard_doc` of the last document; None where the page is empty.
    """

    pairs: list[tuple[bytes, bytes]]
    last: int | None

    @property
    def size(self) -> int:
        """Bytes of all ids and documents."""
        return sum(len(id_) + len(source) for id_, source in self.pairs)


def match_hits(hits: Sequence[ShardDocHit], sent: Mapping[bytes, bytes]) -> HitPage:
    """Compare hits with what was sent.

    Args:
        hits: the documents that were found.
        sent: the documents that were sent, by id: both as JSON.
    """
    page = HitPage()
    for hit in hits:
        id_ = hit.id
        if sent.get(id_) == bytes(hit.raw_source):
            page.same.add(id_)
            page.shard_docs.append(hit.sort[0])
        else:
            page.others.append(stored_document(hit))
    return page


def page_of_documents(hits: Sequence[ShardDocHit]) -> DocumentPage:
    """The documents of the hits, as JSON."""
    return DocumentPage([(hit.id, bytes(hit.raw_source)) for hit in hits], hits[-1].sort[0] if hits else None)


def stored_document(hit: ShardDocHit) -> StoredDocument:
    """Decode one hit."""
    return StoredDocument(orjson.loads(bytes(hit.raw_id)), hit.sort[0], orjson.loads(bytes(hit.raw_source)))
