"""The jobs as stored in Elasticsearch: plan, checkpoints and counters of each, and the lock of each alias."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from elasticsearch import ApiError

from indexer.errors import TargetError, UsageError
from indexer.model.job.state import JobState, read_job, write_job
from indexer.model.json import JsonObject
from indexer.sink.client import Cluster
from indexer.sink.errors import BAD_REQUEST, NOT_FOUND, translated_errors

__all__ = ["JobStore", "LostLock", "StoredJob"]

_CONFLICT: Final = 409

_SETTINGS: Final[JsonObject] = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}

_MAPPINGS: Final[JsonObject] = {
    "dynamic": False,
    "properties": {
        "job": {"type": "keyword"},
        "alias": {"type": "keyword"},
        "status": {"type": "keyword"},
        "heartbeat": {"type": "date"},
    },
}


class LostLock(TargetError):
    """Another process wrote the job and so took the lock over."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it was last read or written, and the version that the next write expects.

    Attributes:
        state: the job.
        seq_no: the document's sequence number.
        primary_term: its primary term.
    """

    state: JobState
    seq_no: int
    primary_term: int


class JobStore:
    """The index of jobs.

    The document `alias:<alias>` is the lock: it holds the alias' newest job, and every write names the version that it
    replaces (`if_seq_no`, `if_primary_term`), so that one of two concurrent writers fails. `job:<job>` holds each job
    that ended.

    Args:
        cluster: where the index is; the first write creates it.
        name: the index.
    """

    def __init__(self, cluster: Cluster, name: str = "reindex-jobs") -> None:
        self._client = cluster.client
        self._name = name
        self._exists = False

    def newest(self, alias: str) -> StoredJob | None:
        """The alias' newest job; None where there is none."""
        with translated_errors(f"read the newest job of {alias}"):
            if not self._client.indices.exists(index=self._name):
                return None
            # Another job may have just created it, with a shard that has not started.
            self._client.cluster.health(index=self._name, wait_for_status="yellow", timeout="30s")
        return self._get(_lock(alias))

    def _get(self, id_: str) -> StoredJob | None:
        with translated_errors(f"read {id_} in {self._name}"):
            try:
                found = self._client.get(index=self._name, id=id_).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                return None
        return StoredJob(self._state(found), found["_seq_no"], found["_primary_term"])

    def _state(self, document: Mapping[str, Any]) -> JobState:
        try:
            return read_job(document["_source"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"The document {document['_id']} of {self._name} is not a job of this version: name another index with"
                " --jobs-index, or delete that document."
            ) from error

    def write(self, state: JobState, before: StoredJob | None) -> StoredJob:
        """Write the alias' newest job, provided that nobody else has written it since `before`.

        `all` sees a new job or status at once, and a checkpoint a second later.

        Raises:
            LostLock: where another process has written it.
        """
        self._create()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        beaten = replace(state, beat=state.beat + 1, heartbeat=now)
        checkpoint = before is not None and (before.state.job, before.state.status) == (state.job, state.status)
        try:
            return self._put(_lock(state.alias), beaten, before, refresh=not checkpoint)
        except LostLock:
            # It may have been this process: the connection was cut before the response to its write.
            found = self.newest(state.alias)
            if found is None or found.state.holder != state.holder:
                raise
            return found if found.state == beaten else self.write(replace(state, beat=found.state.beat), found)

    def _put(self, id_: str, state: JobState, before: StoredJob | None, *, refresh: bool = True) -> StoredJob:
        with self._conflict_as_lost_lock(state):
            written = self._client.index(
                index=self._name,
                id=id_,
                document=write_job(state),
                op_type=None if before else "create",
                if_seq_no=before.seq_no if before else None,
                if_primary_term=before.primary_term if before else None,
                refresh=refresh,
            ).body
        return StoredJob(state, written["_seq_no"], written["_primary_term"])

    def record(self, state: JobState) -> None:
        """Store a job that ended."""
        self._create()
        with translated_errors(f"record the job {state.job}"):
            self._client.index(index=self._name, id=f"job:{state.job}", document=write_job(state), refresh=True)

    def amend(self, state: JobState) -> None:
        """Update a job that ended: its record, and the lock while it holds the same job.

        Raises:
            LostLock: where another process changed it at the same time.
        """
        for id_ in (f"job:{state.job}", _lock(state.alias)):
            stored = self._get(id_)
            if stored is not None and stored.state.job == state.job:
                self._put(id_, state, stored)

    def all(self) -> tuple[JobState, ...]:
        """The last 1,000 jobs, by their heartbeat, newest first."""
        with translated_errors("list the jobs"):
            answer = self._client.search(
                index=self._name, size=1_000, sort=["heartbeat:desc"], ignore_unavailable=True
            ).body
        newest: dict[str, JobState] = {}
        for hit in answer["hits"]["hits"]:
            state = self._state(hit)
            known = newest.setdefault(state.job, state)
            if state.beat > known.beat:  # the lock and the record of one job; clocks may have been set back
                newest[state.job] = state
        return tuple(newest.values())

    def forget(self, state: JobState) -> None:
        """Delete a job that is not running: its record, and the lock while it holds that job."""
        with translated_errors(f"delete the job {state.job}"):
            self._client.options(ignore_status=NOT_FOUND).delete(index=self._name, id=f"job:{state.job}", refresh=True)
        newest = self.newest(state.alias)
        if newest is None or newest.state.job != state.job:
            return
        with self._conflict_as_lost_lock(state):
            self._client.delete(
                index=self._name,
                id=_lock(state.alias),
                if_seq_no=newest.seq_no,
                if_primary_term=newest.primary_term,
                refresh=True,
            )

    @contextmanager
    def _conflict_as_lost_lock(self, state: JobState) -> Iterator[None]:
        with translated_errors(f"write the job {state.job}"):
            try:
                yield
            except ApiError as error:
                if error.meta.status != _CONFLICT:
                    raise
                raise LostLock(
                    f"Another process took over the job of {state.alias}; see `indexer jobs`.", _CONFLICT
                ) from error

    def _create(self) -> None:
        if self._exists:
            return
        with translated_errors(f"create the index {self._name}"):
            if not self._client.indices.exists(index=self._name):
                # 400: another job was faster.
                self._client.options(ignore_status=BAD_REQUEST).indices.create(
                    index=self._name, settings=_SETTINGS, mappings=_MAPPINGS
                )
        self._exists = True


def _lock(alias: str) -> str:
    return f"alias:{alias}"
