"""Reading an index as it stood at one moment: by `_id`, by query, and from one end to the other."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import orjson
from elasticsearch import ApiError

from indexer.errors import TargetError, TargetUnavailable, UsageError
from indexer.model.json import Json, JsonObject
from indexer.sink.client import MOST_BYTES, Cluster
from indexer.sink.errors import NOT_FOUND, translated_errors
from indexer.sink.hits import (
    DocumentPage,
    HitPage,
    ShardDocAnswer,
    StoredDocument,
    decoded,
    documents_of,
    read_documents,
    read_page,
)
from indexer.sink.index_name import loading_alias

__all__ = ["MOST", "IndexInfo", "IndexWalk", "Snapshot", "read_index_info"]

MOST: Final = 5_000
"""Documents an answer at most: Elasticsearch allows 10,000 (`index.max_result_window`); more would only hold memory."""

_IDS: Final = 10_000
"""Documents an answer at most where only their `_id` is asked for."""

_SLACK: Final = 300.0
"""Seconds that a point in time is kept beyond how long the source may stay away between two requests."""

_PARAMS: Final = {"allow_partial_search_results": "false"}
_HEADERS: Final = {"accept": "application/json", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index that a name stands for.

    Attributes:
        index: its own name.
        alias: an alias to write through: the name that was given, or the one that it was loaded through.
        meta: the mapping's `_meta`: product, table, job.
        fields: the mapping's `properties`.
        synthetic: whether `_source` is not kept but made up from the fields, so that it is not what was sent.
    """

    index: str
    alias: str
    meta: JsonObject
    fields: JsonObject
    synthetic: bool


def read_index_info(cluster: Cluster, name: str) -> IndexInfo:
    """The one index that an alias, or its own name, stands for.

    Raises:
        UsageError: where there is none, or more than one.
    """
    with translated_errors(f"look for {name}"):
        try:
            found = cluster.client.indices.get(index=name, flat_settings=True).body
        except ApiError as error:
            if error.meta.status != NOT_FOUND:
                raise
            raise UsageError(f"There is no index or alias {name}: make it with reindex, or name another.") from error
    if len(found) != 1:
        raise UsageError(f"{name} stands for {', '.join(sorted(found))}: name one of them with --index.")
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
    """An index at the moment when this was opened, whatever is written later. Threads may share it.

    Every method raises `TargetUnavailable` where a shard does not answer: never a part of the truth.

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
        self._cluster = cluster
        self._keep = f"{math.ceil(patience + _SLACK)}s"
        with translated_errors(f"refresh {index}"):
            shards = cluster.client.indices.refresh(index=index).body["_shards"]
        if shards["failed"]:
            raise _partial(index)
        with translated_errors(f"open {index} at a point in time"):
            self._pit: str = cluster.client.open_point_in_time(index=index, keep_alive=self._keep).body["id"]
        self.size = self.count({"match_all": {}})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Best effort: it ends by itself, and must not hide what went wrong.
        with suppress(TargetError), translated_errors(f"close the point in time of {self.index}"):
            self._cluster.client.options(max_retries=0).close_point_in_time(id=self._pit)

    def find(self, ids: Sequence[str], field: str) -> list[StoredDocument]:
        """The documents that there are of these, at most `MOST`, with one field of each."""
        return decoded(self._ask({**_looked_up([*ids]), "_source": [field]})).others

    def match(self, sent: Mapping[bytes, bytes]) -> list[HitPage]:
        """Look documents up, at most `MOST`; by halves where they are too large to come in one answer.

        Args:
            sent: what was sent as these documents, by their ids: both as JSON.
        """
        ids = list(sent)
        asked = _looked_up(orjson.loads(b"[%b]" % b",".join(ids)))
        data = self._bounded(asked)
        if data is not None:
            with self._whole():
                page = read_page(data, self.index, sent)
            self._refuse_partial(page.answer)
            return [page]
        if len(ids) == 1:
            return [decoded(self._ask(asked))]
        middle = len(ids) // 2
        halves = ids[:middle], ids[middle:]
        return [page for half in halves for page in self.match({id_: sent[id_] for id_ in half})]

    def documents(self, after: int | None, size: int, query: JsonObject) -> DocumentPage | None:
        """The next documents of a query by place; none at the end.

        Args:
            after: the place behind which they lie; None to begin.
            size: how many at most.
            query: which.

        Returns:
            None where they are too large to come in one answer; a single one always comes.
        """
        asked: JsonObject = {"size": size, "query": query, "sort": ["_shard_doc"], "track_total_hits": False}
        asked |= {} if after is None else {"search_after": [after]}
        data = self._bounded(asked)
        if data is None:
            return None if size > 1 else documents_of(self._ask(asked))
        with self._whole():
            answer, documents = read_documents(data, self.index)
        self._refuse_partial(answer)
        return documents

    def _bounded(self, asked: JsonObject) -> bytes | None:
        """The answer as it came; None where it is larger than `MOST_BYTES`."""
        body = orjson.dumps({**asked, "pit": self._at})
        with translated_errors(f"read {self.index}"):
            data: bytes = self._cluster.undecoded.perform_request(
                "POST", "/_search", params=_PARAMS, headers=_HEADERS, body=body
            ).body
        return None if len(data) > MOST_BYTES else data

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except orjson.JSONDecodeError as error:
            raise TargetUnavailable(f"Elasticsearch sent half an answer for {self.index}; try again.") from error

    def count(self, query: JsonObject) -> int:
        """How many documents a query finds."""
        return self._ask({"size": 0, "track_total_hits": True, "query": query})["hits"]["total"]["value"]

    def count_each(self, queries: Mapping[int, JsonObject]) -> dict[int, int]:
        """How many documents each of several queries finds, by its number."""
        filters: JsonObject = {str(number): query for number, query in queries.items()}
        asked: JsonObject = {"size": 0, "track_total_hits": False, "aggs": {"each": {"filters": {"filters": filters}}}}
        buckets = self._ask(asked)["aggregations"]["each"]["buckets"]
        return {int(number): bucket["doc_count"] for number, bucket in buckets.items()}

    def places(self, after: int | None = None) -> list[tuple[str, int]]:
        """The `_id` and the place of the next documents, by place; none behind the last one."""
        body: JsonObject = {"size": _IDS, "sort": ["_shard_doc"], "_source": False, "track_total_hits": False}
        hits = self._ask(body if after is None else {**body, "search_after": [after]})["hits"]["hits"]
        return [(hit["_id"], hit["sort"][0]) for hit in hits]

    @property
    def _at(self) -> JsonObject:
        return {"id": self._pit, "keep_alive": self._keep}

    def _ask(self, body: JsonObject) -> ShardDocAnswer:
        asked: JsonObject = {**body, "pit": self._at}
        with translated_errors(f"read {self.index}"):
            answer: ShardDocAnswer = self._cluster.client.perform_request(
                "POST", "/_search", params=_PARAMS, headers=_HEADERS, body=asked
            ).body
        self._refuse_partial(answer)
        return answer

    def _refuse_partial(self, answer: ShardDocAnswer) -> None:
        if answer["timed_out"] or answer["_shards"]["failed"]:
            raise _partial(self.index)
        self._pit = answer.get("pit_id", self._pit)


def _looked_up(ids: list[Json]) -> JsonObject:
    return {"size": len(ids), "query": {"ids": {"values": ids}}, "sort": ["_shard_doc"], "track_total_hits": False}


def _partial(index: str) -> TargetUnavailable:
    return TargetUnavailable(f"Not every shard of {index} answered; try again when all are there.")


_MOST: Final = 10_000
"""Documents an answer at most, as Elasticsearch allows (`index.max_result_window`)."""

_FIRST: Final = 500
_GROWTH: Final = 2

_AIM: Final = 3 * 1024 * 1024
"""Bytes of documents that a page aims at, well below those at which an answer is cut off."""


_ALL: Final[JsonObject] = {"match_all": {}}


class IndexWalk:
    """Pages through the documents, by a point in time and `search_after`; not shared between threads.

    Args:
        snapshot: the index.
        parts: queries that find every document between them; one is walked after the other, each by place.
    """

    def __init__(self, snapshot: Snapshot, parts: Iterable[JsonObject] = (_ALL,)) -> None:
        self._snapshot = snapshot
        self._part, *self._later = parts
        self._after: int | None = None
        self._size = _FIRST

    def page(self) -> DocumentPage:
        """The next documents; none at the end. After an error, the same are asked for again."""
        while not (page := self._fitting()).pairs and self._later:
            self._part, self._after = self._later.pop(0), None
        if page.pairs:
            self._after = page.last
            fitting = _AIM * len(page.pairs) // max(1, page.size)
            self._size = max(1, min(_MOST, self._size * _GROWTH, fitting))
        return page

    def _fitting(self) -> DocumentPage:
        while (page := self._snapshot.documents(self._after, self._size, self._part)) is None:
            self._size = max(1, self._size // 4)
        return page
