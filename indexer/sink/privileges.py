"""What the user must be allowed in Elasticsearch, asked before anything is created; the README lists the same."""

from typing import Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import UsageError
from indexer.sink.client import Cluster
from indexer.sink.errors import translated_errors
from indexer.sink.index_name import loading_alias

__all__ = ["refuse_unprivileged"]

_CLUSTER: Final = ("monitor",)
_INDEX: Final = ("manage", "read", "write")
"""On the alias and its indexes, and on an index of dead letters; `manage` covers making, refreshing, switching and
deleting."""

_JOBS: Final = ("create_index", "read", "view_index_metadata", "write")
"""On the index of jobs."""

_NO_SECURITY: Final = frozenset({400, 404, 405, 500})
"""Where security is off there is no such question: 400 on the plain 9.2.0 distribution."""


class _Answer(TypedDict):
    has_all_requested: bool
    cluster: dict[str, bool]
    index: dict[str, dict[str, bool]]


def refuse_unprivileged(cluster: Cluster, alias: str, jobs: str, letters: str | None = None) -> None:
    """Refuse where the user may not do all that a job does.

    Args:
        cluster: where the user is known.
        alias: the job's alias; its indexes are named `<alias>_*`.
        jobs: the index of jobs.
        letters: the index of dead letters, where one is used.

    Raises:
        UsageError: with the privileges that are missing.
    """
    names = [alias, f"{alias}_*", *((letters, loading_alias(letters)) if letters else ())]
    wanted = [{"names": names, "privileges": _INDEX}, {"names": [jobs], "privileges": _JOBS}]
    with translated_errors("tell the user's privileges"):
        try:
            answer: _Answer = cluster.client.security.has_privileges(cluster=_CLUSTER, index=wanted).body
        except ApiError as error:
            if error.meta.status in _NO_SECURITY:
                return
            raise
    missing = _missing(answer)
    if missing:
        raise UsageError(
            f"The Elasticsearch user lacks {missing}: give it a role with the cluster privilege"
            f" {_CLUSTER[0]}, with {', '.join(_INDEX)} on {', '.join(names)}, and with {', '.join(_JOBS)} on {jobs}."
        )


def _missing(answer: _Answer) -> str:
    lacks = [f"the cluster privilege {name}" for name, has in answer["cluster"].items() if not has]
    for index, privileges in answer["index"].items():
        lacks += [f"{name} on {index}" for name, has in privileges.items() if not has]
    return ", ".join(lacks)
