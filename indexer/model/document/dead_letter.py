"""Dead letters: documents that Elasticsearch rejected for good, kept with the reason so that they can be replayed."""

from dataclasses import dataclass, field

import orjson

from indexer.model.document.bulk_request import line_id
from indexer.model.json import Json, JsonObject

__all__ = ["DeadLetter"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A document that Elasticsearch rejected for good.

    Attributes:
        id: its `_id`.
        status: the HTTP status of the rejection; 413 for a document that alone exceeds the largest request.
        reason: the error's type and reason, shortened.
        document: its `_source` as it was sent.
        key: the row's key values by column, as the source has them (see `indexer.model.document.row_key`).
    """

    id: str
    status: int
    reason: str
    document: Json
    key: JsonObject = field(default_factory=dict)

    @classmethod
    def from_line(cls, line: bytes, status: int, reason: str) -> "DeadLetter":
        """The dead letter of a document that was sent as this line of a `_bulk` request."""
        return cls(line_id(line), status, reason, _document(line.partition(b"\n")[2]))

    @classmethod
    def from_json(cls, content: JsonObject) -> "DeadLetter":
        """The inverse of `as_json`; unknown members are ignored."""
        key = content.get("key")
        return cls(
            id=str(content["id"]),
            status=int(str(content["status"])),
            reason=str(content["reason"]),
            document=content["document"],
            key=key if isinstance(key, dict) else {},
        )

    def as_json(self) -> JsonObject:
        """The dead letter as it is stored, with the members that identify the row first."""
        return {
            "id": self.id,
            "key": self.key,
            "status": self.status,
            "reason": self.reason,
            "document": self.document,
        }


def _document(source: bytes) -> Json:
    try:
        document: Json = orjson.loads(source)
    except orjson.JSONDecodeError:  # keep what cannot be parsed as it was sent
        return source.decode(errors="replace").rstrip("\n")
    return document
