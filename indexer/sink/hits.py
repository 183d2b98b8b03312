"""One answer to a search by `_shard_doc`, told apart without being decoded.

Decoding a document costs more than all the rest of comparing it, and is not needed: Elasticsearch keeps `_source` as it
came, byte for byte, so that most documents are the JSON that was sent. A document that is not is decoded, and an answer
that does not have the expected shape is decoded as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypedDict

import orjson

from indexer.model.json import JsonObject

__all__ = [
    "DocumentPage",
    "HitPage",
    "ShardDocAnswer",
    "ShardDocHit",
    "StoredDocument",
    "decoded",
    "documents_of",
    "read_documents",
    "read_page",
]

_SCORE: Final = b',"_score":null,'
_IGNORED: Final = b'"_ignored":['
"""Names the fields whose values were too long for a keyword, which is common; it stands before the document."""

_SOURCE: Final = b'"_source":'
_SORT: Final = b',"sort":['
_END_OF_ALL: Final = b"]}}"


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What an index holds under one `_id`.

    Attributes:
        id: the `_id`.
        place: its place in the snapshot.
        source: the document.
    """

    id: str
    place: int
    source: JsonObject


class ShardDocHit(TypedDict):
    """A hit of a search that is sorted by `_shard_doc`."""

    _id: str
    _source: JsonObject
    sort: list[int]


class _Total(TypedDict):
    value: int


class _Hits(TypedDict):
    total: _Total
    hits: list[ShardDocHit]


class _Bucket(TypedDict):
    doc_count: int


class _Buckets(TypedDict):
    buckets: dict[str, _Bucket]


class _Shards(TypedDict):
    failed: int


class ShardDocAnswer(TypedDict, total=False):
    """The answer to a search at a point in time."""

    pit_id: str
    timed_out: bool
    hits: _Hits
    aggregations: dict[str, _Buckets]
    _shards: _Shards


@dataclass(slots=True)
class HitPage:
    """What was found.

    Attributes:
        answer: all but the hits.
        same: the ids, as JSON, of the documents that are byte for byte what was sent.
        places: where these are.
        others: the other documents.
    """

    answer: ShardDocAnswer
    same: set[bytes] = field(default_factory=set)
    places: list[int] = field(default_factory=list)
    others: list[StoredDocument] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """DocumentPage in the order of their places.

    Attributes:
        pairs: `_id` and `_source` of each, both as JSON.
        last: the place of the last one; None where there is none.
    """

    pairs: list[tuple[bytes, bytes]]
    last: int | None

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(len(id_) + len(source) for id_, source in self.pairs)


def read_page(data: bytes, index: str, sent: Mapping[bytes, bytes]) -> HitPage:
    """Take an answer apart.

    Args:
        data: the answer.
        index: the index that was searched.
        sent: the documents that were searched for, by their ids: both as JSON.

    Raises:
        orjson.JSONDecodeError: where the answer is not JSON.
    """
    begin, head, hits = _told_apart(data, index)
    if not hits:
        return decoded(orjson.loads(data))
    hits[-1] = hits[-1][: -len(_END_OF_ALL)] + b","
    try:
        page = HitPage(orjson.loads(head + _END_OF_ALL))
        for hit in hits:
            _take(page, begin, hit, sent)
    except (orjson.JSONDecodeError, ValueError):  # a document holds what looks like the beginning of a hit
        return decoded(orjson.loads(data))
    return page


def read_documents(data: bytes, index: str) -> tuple[ShardDocAnswer, DocumentPage]:
    """Take an answer apart into its documents and the rest, in which the last hit is left without its document.

    Raises:
        orjson.JSONDecodeError: where the answer is not JSON.
    """
    begin, head, hits = _told_apart(data, index)
    if not hits:
        return _whole(orjson.loads(data))
    try:
        pairs = [_document(hit) for hit in hits]
        last = b"%b%b%b" % (begin, pairs[-1][0], hits[-1][hits[-1].rindex(_SORT) :])
        answer: ShardDocAnswer = orjson.loads(head + last)
    except ValueError:  # a document holds what looks like the beginning of a hit
        return _whole(orjson.loads(data))
    return answer, DocumentPage(pairs, answer["hits"]["hits"][-1]["sort"][0])


def _told_apart(data: bytes, index: str) -> tuple[bytes, bytes, list[bytes]]:
    """How each hit begins, what stands before the first, and what follows each beginning: nothing in another shape."""
    begin = b'{"_index":%b,"_id":' % orjson.dumps(index)
    head, *hits = data.split(begin)
    return begin, head, hits if data.endswith(_END_OF_ALL) else []


def _whole(answer: ShardDocAnswer) -> tuple[ShardDocAnswer, DocumentPage]:
    return answer, documents_of(answer)


def documents_of(answer: ShardDocAnswer) -> DocumentPage:
    """The documents of an answer that was decoded as a whole."""
    hits = answer["hits"]["hits"]
    pairs = [(orjson.dumps(hit["_id"]), orjson.dumps(hit["_source"])) for hit in hits]
    return DocumentPage(pairs, hits[-1]["sort"][0] if hits else None)


def _document(hit: bytes) -> tuple[bytes, bytes]:
    id_, score, rest = hit.partition(_SCORE)
    if rest.startswith(_IGNORED):
        rest = rest.partition(b"],")[2]
    if not score or not rest.startswith(_SOURCE):
        raise ValueError(hit)
    if b"\\" in id_:  # as we write it: JSON has several ways to escape a character
        id_ = orjson.dumps(orjson.loads(id_))
    return id_, rest[len(_SOURCE) : rest.rindex(_SORT)]


def _take(page: HitPage, begin: bytes, hit: bytes, sent: Mapping[bytes, bytes]) -> None:
    id_, _, rest = hit.partition(_SCORE)
    source = sent.get(id_)
    if source is not None:
        if rest.startswith(_IGNORED):
            rest = rest.partition(b"],")[2]
        expected = b"%b%b%b" % (_SOURCE, source, _SORT)
        if rest.startswith(expected):
            page.places.append(int(rest[len(expected) : rest.index(b"]", len(expected))]))
            page.same.add(id_)
            return
    page.others.append(_held(orjson.loads(begin + hit[:-1])))


def decoded(answer: ShardDocAnswer) -> HitPage:
    """An answer that was decoded as a whole: every document is one of the others."""
    return HitPage(answer, others=[_held(hit) for hit in answer["hits"]["hits"]])


def _held(hit: ShardDocHit) -> StoredDocument:
    return StoredDocument(hit["_id"], hit["sort"][0], hit["_source"])
