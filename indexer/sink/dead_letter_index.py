"""Dead letters in Elasticsearch: an index whose mapping accepts every document that another index rejected."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Final, TypedDict

import orjson

from indexer.errors import TargetError, TargetUnavailable, UsageError
from indexer.model.document.bulk_request import split_batches
from indexer.model.document.bulk_response import error_reason
from indexer.model.document.dead_letter import DeadLetter
from indexer.model.document.document_id import fit_id
from indexer.model.json import Json, JsonObject
from indexer.retry import RetryPolicy
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, NOT_FOUND, translated_errors
from indexer.sink.index import PRODUCT
from indexer.sink.index_name import loading_alias

__all__ = ["DeadLetterIndex", "delete_documents"]


_CONTENT: Final = "dead letters"

_SETTINGS: Final[JsonObject] = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "default_pipeline": "_none",
    "final_pipeline": "_none",
}

_MAPPINGS: Final[JsonObject] = {
    "_meta": {"product": PRODUCT, "holds": _CONTENT},
    "dynamic": False,
    "properties": {
        "job": {"type": "keyword"},
        "table": {"type": "keyword"},
        "recorded": {"type": "date"},
        "id": {"type": "keyword"},
        "key": {"type": "flattened", "ignore_above": 1024},
        "status": {"type": "integer"},
        "reason": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 1024}}},
        # Not parsed, so that no value in it can be rejected.
        "document": {"type": "object", "enabled": False},
    },
}

_BATCH_BYTES: Final = 2 * 1024 * 1024

_PAGE: Final = 1_000
"""Dead letters that one request reads, without their documents."""


class DeadLetterIndex:
    """The dead letters of one job, in an index that jobs share. Threads may share it.

    Each is the document `<job>|<id>`, so that a document which is rejected again overwrites its dead letter. Writes go
    through the hidden alias `<name>_loading`, like those of a load, so that a deleted index stays deleted.

    Args:
        cluster: where the index is.
        name: the index.
        job: the job.
        table: the job's table.
        retry: how long writes are retried while Elasticsearch is unavailable or busy.
    """

    def __init__(self, cluster: Cluster, name: str, job: str, table: str, retry: RetryPolicy | None = None) -> None:
        self.name = name
        self._cluster = cluster
        self._client = cluster.client
        self._common: JsonObject = {"job": job, "table": table}
        self._job = job
        self._writer = BulkWriter(cluster, name, retry=retry)

    def prepare(self) -> None:
        """Create the index if it does not exist.

        Raises:
            UsageError: where it cannot be created, or the name belongs to an index that is not for dead letters.
        """
        if self._meta() is None:
            self._create()
        meta = self._meta() or {}
        if (meta.get("product"), meta.get("holds")) != (PRODUCT, _CONTENT):
            raise UsageError(
                f"--dead-letter-index {self.name} is the name of an index that is not for dead letters; choose another."
            )

    def exists(self) -> bool:
        """Whether the index exists."""
        return self._meta() is not None

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters. One that is too large even for this index is kept without its document.

        Raises:
            TargetError: where Elasticsearch does not accept them.
        """
        rejected = self._write(letters, whole=True)
        rejected = self._write([letter for letter in letters if letter.id in rejected], whole=False)
        for reason in rejected.values():
            raise TargetError(
                f"Elasticsearch rejected a dead letter for {self.name} ({reason}); repair or delete that index, then"
                " run the same command again."
            )

    def _write(self, letters: Sequence[DeadLetter], *, whole: bool) -> dict[str, str]:
        """Write; returns the reason of each rejection by the dead letter's id."""
        ids = {self._id(letter.id): letter.id for letter in letters}
        lines = [self._line(letter, whole=whole) for letter in letters]
        batches = split_batches(lines, _BATCH_BYTES)
        rejected = [letter for batch in batches for letter in self._writer.write(batch.lines).dead_letters]
        return {ids[letter.id]: letter.reason for letter in rejected}

    def _line(self, letter: DeadLetter, *, whole: bool) -> bytes:
        body: JsonObject = {**self._common, "recorded": datetime.now(UTC).isoformat(), **letter.as_json()}
        if not whole:
            body["document"] = None
        return b"%b\n%b\n" % (orjson.dumps({"index": {"_id": self._id(letter.id)}}), orjson.dumps(body))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove dead letters by the ids of their documents."""
        if ids:
            delete_documents(self._cluster, self.name, [self._id(id_) for id_ in ids])

    def clear(self) -> None:
        """Remove every dead letter of the job."""
        # By id, because the plain distribution has no _delete_by_query.
        ids = (letter.id for letter in self.letters())
        while page := list(islice(ids, _PAGE)):
            self.remove(page)

    def letters(self) -> Iterator[DeadLetter]:
        """The job's dead letters by id, without their documents; the index may change during the iteration."""
        with translated_errors(f"refresh {self.name}"):
            self._client.indices.refresh(index=self.name)
        after: list[str] | None = None
        while True:
            with translated_errors(f"read {self.name}"):
                answer = self._client.search(
                    index=self.name,
                    size=_PAGE,
                    query={"term": {"job": self._job}},
                    sort=["id"],
                    search_after=after,
                    source_excludes=["document"],
                    allow_partial_search_results=False,
                ).body
            hits = answer["hits"]["hits"]
            if not hits:
                return
            after = hits[-1]["sort"]
            yield from (DeadLetter.from_json({**hit["_source"], "document": None}) for hit in hits)

    def _id(self, id_: str) -> str:
        return fit_id(f"{self._job}|{id_}")

    def _meta(self) -> JsonObject | None:
        with translated_errors(f"look up {self.name}"):
            found = self._client.indices.get(index=self.name, ignore_unavailable=True, allow_no_indices=True).body
        metas: list[JsonObject] = [body.get("mappings", {}).get("_meta", {}) for body in found.values()]
        return metas[0] if metas else None

    def _create(self) -> None:
        try:
            with translated_errors(f"create the index {self.name} for dead letters"):
                # 400 also where another job was faster; `prepare` checks the index that it created.
                self._client.indices.create(
                    index=self.name,
                    mappings=_MAPPINGS,
                    settings=_SETTINGS,
                    aliases={loading_alias(self.name): {"is_hidden": True}},
                )
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.status != BAD_REQUEST or self._meta() is None:
                raise UsageError(str(error)) from error


class _Item(TypedDict, total=False):
    status: int
    error: Json


def delete_documents(cluster: Cluster, index: str, ids: Sequence[str]) -> int:
    """Delete documents. One that no longer exists counts as deleted.

    Returns:
        The number of documents deleted.

    Raises:
        TargetError: where Elasticsearch could not delete one of them.
    """
    actions: list[JsonObject] = [{"delete": {"_id": id_}} for id_ in ids]
    with translated_errors(f"delete documents from {index}"):
        response = cluster.client.bulk(index=index, operations=actions).body
    items: list[_Item] = [item["delete"] for item in response["items"]]
    for item in items:
        if item["status"] >= HTTPStatus.MULTIPLE_CHOICES and item["status"] != NOT_FOUND:
            raise TargetError(
                f"Elasticsearch could not delete a document of {index} ({error_reason(item.get('error'))});"
                " remove the cause, then run the same command again."
            )
    return len(items)
