"""Dead letters in Elasticsearch: an index of their own whose mapping takes whatever another index rejected."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, TypedDict

import orjson

from indexer.errors import TargetError, TargetUnavailable, UsageError
from indexer.model.document.bulk_response import DeadLetter, error_reason, split_batches
from indexer.model.document.document_id import fit_id
from indexer.model.json import Json, JsonObject
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, NOT_FOUND, translated_errors
from indexer.sink.index import PRODUCT
from indexer.sink.index_name import loading_alias

__all__ = ["DeadLetterIndex", "delete_documents"]


class _Item(TypedDict, total=False):
    status: int
    error: Json


def delete_documents(cluster: Cluster, index: str, ids: Sequence[str]) -> int:
    """Delete documents; those that are gone already count as deleted.

    Returns:
        How many are gone now.

    Raises:
        TargetError: where one of them could not be deleted.
    """
    actions: list[JsonObject] = [{"delete": {"_id": id_}} for id_ in ids]
    with translated_errors(f"delete documents of {index}"):
        answer = cluster.client.bulk(index=index, operations=actions).body
    items: list[_Item] = [item["delete"] for item in answer["items"]]
    for item in items:
        if item["status"] >= 300 and item["status"] != NOT_FOUND:  # noqa: PLR2004  # what HTTP calls success ends there
            raise TargetError(
                f"Elasticsearch could not delete a document of {index} ({error_reason(item.get('error'))}): mend what it"
                " says, and run the same command again."
            )
    return len(items)


_HOLDS: Final = "dead letters"

_SETTINGS: Final[JsonObject] = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "default_pipeline": "_none",
    "final_pipeline": "_none",
}

_MAPPINGS: Final[JsonObject] = {
    "_meta": {"product": PRODUCT, "holds": _HOLDS},
    "dynamic": False,
    "properties": {
        "job": {"type": "keyword"},
        "table": {"type": "keyword"},
        "recorded": {"type": "date"},
        "id": {"type": "keyword"},
        "key": {"type": "flattened", "ignore_above": 1024},
        "status": {"type": "integer"},
        "reason": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 1024}}},
        # Not looked into, so that nothing in it can be wrong.
        "document": {"type": "object", "enabled": False},
    },
}

_BATCH: Final = 2 * 1024 * 1024
"""Bytes of a request."""

_PAGE: Final = 1_000
"""Dead letters read at once, without their documents."""


class DeadLetterIndex:
    """The dead letters of one job in an index that jobs share. Threads may share it.

    Each is the document `<job>|<id>`, so that one which is rejected again overwrites itself. Writes go through the
    hidden alias `<name>_loading`, as those of every job: an index that someone deletes stays deleted.

    Args:
        cluster: where it is.
        name: the index.
        job: the job.
        table: the job's table.
        patience: seconds that Elasticsearch may refuse it.
    """

    def __init__(self, cluster: Cluster, name: str, job: str, table: str, patience: float = 300.0) -> None:
        self.name = name
        self._cluster = cluster
        self._client = cluster.client
        self._about: JsonObject = {"job": job, "table": table}
        self._job = job
        self._writer = BulkWriter(cluster, name, patience=patience)

    def prepare(self) -> None:
        """Make the index where it is not there.

        Raises:
            UsageError: where an index of this name is not for dead letters, or cannot be made.
        """
        if self._meta() is None:
            self._create()
        meta = self._meta() or {}
        if (meta.get("product"), meta.get("holds")) != (PRODUCT, _HOLDS):
            raise UsageError(
                f"--dead-letter-index {self.name} is an index that was not made for dead letters: name another."
            )

    def exists(self) -> bool:
        """Whether the index is there."""
        return self._meta() is not None

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters; one that is too large even for this index is kept without its document.

        Raises:
            TargetError: where Elasticsearch does not take them.
        """
        left = self._write(letters, whole=True)
        left = self._write([letter for letter in letters if letter.id in left], whole=False)
        for reason in left.values():
            raise TargetError(
                f"Elasticsearch did not take a dead letter for {self.name} ({reason}): mend that index, or delete it,"
                " and run the same command again."
            )

    def _write(self, letters: Sequence[DeadLetter], *, whole: bool) -> dict[str, str]:
        """Write; the reasons by id of those that were rejected."""
        ids = {self._id(letter.id): letter.id for letter in letters}
        lines = [self._line(letter, whole=whole) for letter in letters]
        dead = [letter for batch in split_batches(lines, _BATCH) for letter in self._writer.write(batch.lines).dead]
        return {ids[letter.id]: letter.reason for letter in dead}

    def _line(self, letter: DeadLetter, *, whole: bool) -> bytes:
        body: JsonObject = {**self._about, "recorded": datetime.now(UTC).isoformat(), **letter.as_json()}
        if not whole:
            body["document"] = None
        return b"%b\n%b\n" % (orjson.dumps({"index": {"_id": self._id(letter.id)}}), orjson.dumps(body))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove dead letters that are none any more, by the ids of their documents."""
        if ids:
            delete_documents(self._cluster, self.name, [self._id(id_) for id_ in ids])

    def clear(self) -> None:
        """Remove every dead letter of the job."""
        # One by one, for the plain distribution has no _delete_by_query.
        ids = (letter.id for letter in self.letters())
        while some := list(islice(ids, _PAGE)):
            self.remove(some)

    def letters(self) -> Iterator[DeadLetter]:
        """The job's dead letters by id, without their documents; what is written or removed meanwhile does no harm."""
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
        with translated_errors(f"look for {self.name}"):
            found = self._client.indices.get(index=self.name, ignore_unavailable=True, allow_no_indices=True).body
        metas: list[JsonObject] = [body.get("mappings", {}).get("_meta", {}) for body in found.values()]
        return metas[0] if metas else None

    def _create(self) -> None:
        try:
            with translated_errors(f"create the index {self.name} for dead letters"):
                # 400 too where another job was quicker; `prepare` looks at what it made.
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
