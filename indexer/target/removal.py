"""Deleting documents by their ids."""

from collections.abc import Sequence
from typing import TypedDict

from indexer.errors import TargetError
from indexer.model.json import Json, JsonObject
from indexer.model.outcome import explain
from indexer.target.client import Cluster
from indexer.target.failure import NOT_FOUND, answered

__all__ = ["remove"]


class _Item(TypedDict, total=False):
    status: int
    error: Json


def remove(cluster: Cluster, index: str, ids: Sequence[str]) -> int:
    """Delete documents; those that are gone already count as deleted.

    Returns:
        How many are gone now.

    Raises:
        TargetError: where one of them could not be deleted.
    """
    actions: list[JsonObject] = [{"delete": {"_id": id_}} for id_ in ids]
    with answered(f"delete documents of {index}"):
        answer = cluster.client.bulk(index=index, operations=actions).body
    items: list[_Item] = [item["delete"] for item in answer["items"]]
    for item in items:
        if item["status"] >= 300 and item["status"] != NOT_FOUND:  # noqa: PLR2004  # what HTTP calls success ends there
            raise TargetError(
                f"Elasticsearch could not delete a document of {index} ({explain(item.get('error'))}): mend what it"
                " says, and run the same command again."
            )
    return len(items)
