"""Reading an index as it stood at one moment: by `_id`, by query, and from the first document to the last."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import orjson
from elastic_transport import ApiResponse
from elasticsearch import ApiError, Elasticsearch

from indexer.errors import TargetError, TargetUnavailable, UsageError
from indexer.model.json import Json, JsonObject
from indexer.sink.client import MAX_RESPONSE_BYTES, Cluster
from indexer.sink.errors import NOT_FOUND, translated_errors
from indexer.sink.hits import (
    DocumentPage,
    HitPage,
    ShardDocResponse,
    StoredDocument,
    decode_response,
    match_hits,
    page_of_documents,
    stored_document,
)
from indexer.sink.index_name import loading_alias

__all__ = ["MAX_LOOKUP", "IndexInfo", "IndexWalk", "Snapshot", "read_index_info"]

MAX_LOOKUP: Final = 5_000
"""Documents that one request looks up at most. Elasticsearch allows 10,000; more would only take memory."""

_MAX_HITS: Final = 10_000
"""Hits of one response at most: the default of `index.max_result_window`."""

_SLACK: Final = 300.0
"""Seconds that a point in time is kept beyond the time for which the source may be unavailable between two requests."""

_PARAMS: Final = {"allow_partial_search_results": "false"}
_HEADERS: Final = {"accept": "application/json", "content-type": "application/json"}

_ALL_DOCUMENTS: Final[JsonObject] = {"match_all": {}}


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """The index behind a name.

    Attributes:
        index: its own name.
        alias: an alias to write through: the given name, or the alias that the index was loaded through.
        meta: the mapping's `_meta`: product, table, job.
        fields: the mapping's `properties`.
        synthetic: whether `_source` is rebuilt from the fields (synthetic source) and so differs from what was sent.
    """

    index: str
    alias: str
    meta: JsonObject
    fields: JsonObject
    synthetic: bool


def read_index_info(cluster: Cluster, name: str) -> IndexInfo:
    """Look up the one index behind an alias or an index name.

    Raises:
        UsageError: where there is none, or more than one.
    """
    with translated_errors(f"look up {name}"):
        try:
            found = cluster.client.indices.get(index=name, flat_settings=True).body
        except ApiError as error:
            if error.meta.status != NOT_FOUND:
                raise
            raise UsageError(
                f"There is no index or alias {name}; create it with reindex, or name another with --index."
            ) from error
    if len(found) != 1:
        raise UsageError(f"{name} matches several indexes ({', '.join(sorted(found))}); name one of them with --index.")
    [(index, body)] = found.items()
    aliases = body.get("aliases", {})
    loading = loading_alias(index)
    alias = name if name in aliases else loading if loading in aliases else next(iter(sorted(aliases)), loading)
    mappings = body.get("mappings", {})
    return IndexInfo(
        index=index,
        alias=alias,
        meta=mappings.get("_meta", {}),
        fields=mappings.get("properties", {}),
        synthetic=_is_synthetic(mappings, body.get("settings", {})),
    )


def _is_synthetic(mappings: dict[str, Json], settings: dict[str, Json]) -> bool:
    source = mappings.get("_source")
    mode = source.get("mode") if isinstance(source, dict) else None
    return (mode or settings.get("index.mapping.source.mode")) == "synthetic"


class Snapshot:
    """An index at the moment when the snapshot was opened, unaffected by later writes. Threads may share it.

    Every method raises `TargetUnavailable` where a shard does not answer, and never returns partial results.

    Attributes:
        index: the index.
        size: how many documents it holds.
    """

    def __init__(self, cluster: Cluster, index: str, patience: float = 0.0) -> None:
        """Refresh the index and open a point in time.

        Args:
            cluster: where the index is.
            index: its name.
            patience: seconds that may pass between two requests.
        """
        self.index = index
        self._client = cluster.client
        self._undecoded = cluster.undecoded
        self._keep_alive = f"{math.ceil(patience + _SLACK)}s"
        with translated_errors(f"refresh {index}"):
            shards = self._client.indices.refresh(index=index).body["_shards"]
        if shards["failed"]:
            raise _partial(index)
        with translated_errors(f"open a point in time of {index}"):
            self._pit: str = self._client.open_point_in_time(index=index, keep_alive=self._keep_alive).body["id"]
        self.size = self.count(_ALL_DOCUMENTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Best effort: the point in time expires by itself, and must not hide the error that ended the block.
        with suppress(TargetError), translated_errors(f"close the point in time of {self.index}"):
            self._client.options(max_retries=0).close_point_in_time(id=self._pit)

    def find(self, ids: Sequence[str], field: str) -> list[StoredDocument]:
        """Look up at most `MAX_LOOKUP` documents by id, and read one field of each that exists."""
        return [stored_document(hit) for hit in self._search({**_lookup([*ids]), "_source": [field]}).hits.hits]

    def match(self, sent: Mapping[bytes, bytes]) -> list[HitPage]:
        """Look up at most `MAX_LOOKUP` documents by id, and compare each with what was sent.

        Documents that are too large for one response are looked up by halves.

        Args:
            sent: the document that was sent for each id: both as JSON.
        """
        ids = list(sent)
        body = _lookup(orjson.loads(b"[%b]" % b",".join(ids)))
        response = self._search_bounded(body)
        if response is None and len(ids) == 1:
            response = self._search(body)
        if response is not None:
            return [match_hits(response.hits.hits, sent)]
        middle = len(ids) // 2
        return [page for half in (ids[:middle], ids[middle:]) for page in self.match({id_: sent[id_] for id_ in half})]

    def documents(self, after: int | None, size: int, query: JsonObject) -> DocumentPage | None:
        """The next documents of a query by `_shard_doc`; an empty page at the end.

        Args:
            after: the `_shard_doc` after which to go on; None to begin.
            size: the maximum number of documents.
            query: which documents.

        Returns:
            None where they are too large for one response; a single document is always returned.
        """
        body: JsonObject = {"size": size, "query": query, "sort": ["_shard_doc"], "track_total_hits": False}
        body |= {} if after is None else {"search_after": [after]}
        response = self._search_bounded(body)
        if response is None and size == 1:
            response = self._search(body)
        return None if response is None else page_of_documents(response.hits.hits)

    def count(self, query: JsonObject) -> int:
        """The exact number of documents that match a query."""
        total = self._search({"size": 0, "track_total_hits": True, "query": query}).hits.total
        if total is None:
            raise _unreadable(self.index)
        return total.value

    def count_each(self, queries: Mapping[int, JsonObject]) -> dict[int, int]:
        """The exact number of documents that match each of several numbered queries."""
        filters: JsonObject = {str(number): query for number, query in queries.items()}
        body: JsonObject = {"size": 0, "track_total_hits": False, "aggs": {"each": {"filters": {"filters": filters}}}}
        buckets = self._search(body).aggregations["each"].buckets
        return {int(number): bucket.doc_count for number, bucket in buckets.items()}

    def shard_docs(self, after: int | None = None) -> list[tuple[str, int]]:
        """`_id` and `_shard_doc` of the next documents by `_shard_doc`; an empty list at the end."""
        body: JsonObject = {"size": _MAX_HITS, "sort": ["_shard_doc"], "_source": False, "track_total_hits": False}
        hits = self._search(body if after is None else {**body, "search_after": [after]}).hits.hits
        return [(orjson.loads(bytes(hit.raw_id)), hit.sort[0]) for hit in hits]

    def _search_bounded(self, body: JsonObject) -> ShardDocResponse | None:
        """Search; None where the response is larger than `MAX_RESPONSE_BYTES`."""
        response = self._perform(self._undecoded, body)
        data: bytes = response.body
        return None if len(data) > MAX_RESPONSE_BYTES else self._complete(data)

    def _search(self, body: JsonObject) -> ShardDocResponse:
        """Search, however large the response is."""
        return self._complete(orjson.dumps(self._perform(self._client, body).body))

    def _perform(self, client: Elasticsearch, body: JsonObject) -> ApiResponse[Any]:
        pit: JsonObject = {"id": self._pit, "keep_alive": self._keep_alive}
        with translated_errors(f"read {self.index}"):
            return client.perform_request(
                "POST", "/_search", params=_PARAMS, headers=_HEADERS, body={**body, "pit": pit}
            )

    def _complete(self, data: bytes) -> ShardDocResponse:
        try:
            response = decode_response(data)
        except msgspec.DecodeError as error:
            raise _unreadable(self.index) from error
        if response.partial:
            raise _partial(self.index)
        self._pit = response.pit_id
        return response


def _lookup(ids: list[Json]) -> JsonObject:
    return {"size": len(ids), "query": {"ids": {"values": ids}}, "sort": ["_shard_doc"], "track_total_hits": False}


def _partial(index: str) -> TargetUnavailable:
    return TargetUnavailable(f"Some shards of {index} did not answer; try again when all of them are available.")


def _unreadable(index: str) -> TargetUnavailable:
    return TargetUnavailable(f"Elasticsearch sent an incomplete response for {index}; try again.")


_FIRST_PAGE: Final = 500
_GROWTH: Final = 2

_TARGET_BYTES: Final = 3 * 1024 * 1024
"""Bytes of documents that a page aims at, well below the size at which a response is cut off."""


class IndexWalk:
    """Pages through the documents of a snapshot; not shared between threads.

    Args:
        snapshot: the index.
        queries: queries that match every document between them; read one after the other, each by `_shard_doc`.
    """

    def __init__(self, snapshot: Snapshot, queries: Iterable[JsonObject] = (_ALL_DOCUMENTS,)) -> None:
        self._snapshot = snapshot
        self._query, *self._next_queries = queries
        self._after: int | None = None
        self._size = _FIRST_PAGE

    def page(self) -> DocumentPage:
        """The next documents; an empty page at the end. After an error, the same documents are requested again."""
        while not (page := self._fitting()).pairs and self._next_queries:
            self._query, self._after = self._next_queries.pop(0), None
        if page.pairs:
            self._after = page.last
            fitting = _TARGET_BYTES * len(page.pairs) // max(1, page.size)
            self._size = max(1, min(_MAX_HITS, self._size * _GROWTH, fitting))
        return page

    def _fitting(self) -> DocumentPage:
        while (page := self._snapshot.documents(self._after, self._size, self._query)) is None:
            self._size = max(1, self._size // 4)
        return page
