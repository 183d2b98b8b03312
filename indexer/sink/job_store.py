"""The jobs, kept in Elasticsearch: their plan, checkpoints and counters, and the lock of each alias."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from elasticsearch import ApiError

from indexer.errors import TargetError
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
    """Another process wrote the job meanwhile: it has taken the lock over."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it was read or written, with the version that the next write must find.

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
    was read at (`if_seq_no`, `if_primary_term`), so that of two writers one fails. `job:<job>` holds each job that
    ended.

    Args:
        cluster: where the index is; it is made with the first write.
        name: the index.
    """

    def __init__(self, cluster: Cluster, name: str = "reindex-jobs") -> None:
        self._client = cluster.client
        self._name = name
        self._made = False

    def newest(self, alias: str) -> StoredJob | None:
        """The alias' newest job, or None where there was none."""
        with translated_errors(f"read the newest job of {alias}"):
            if not self._client.indices.exists(index=self._name):
                return None
            # Another job may have made it a moment ago, and its shard has not started.
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
        return StoredJob(read_job(found["_source"]), found["_seq_no"], found["_primary_term"])

    def write(self, state: JobState, before: StoredJob | None) -> StoredJob:
        """Write the alias' newest job, where nobody else did since `before`.

        `all` finds another job, or another status, from then on; a checkpoint a second later.

        Raises:
            LostLock: where somebody did.
        """
        self._create()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        beaten = replace(state, beat=state.beat + 1, heartbeat=now)
        checkpoint = before is not None and (before.state.job, before.state.status) == (state.job, state.status)
        try:
            return self._put(_lock(state.alias), beaten, before, refresh=not checkpoint)
        except LostLock:
            # Or it was this very process, which never heard of it: the connection was cut before the answer.
            found = self.newest(state.alias)
            if found is None or found.state.holder != state.holder:
                raise
            return found if found.state == beaten else self.write(replace(state, beat=found.state.beat), found)

    def _put(self, id_: str, state: JobState, before: StoredJob | None, *, refresh: bool = True) -> StoredJob:
        with self._taken_over(state):
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
        """Keep a job that ended."""
        self._create()
        with translated_errors(f"record the job {state.job}"):
            self._client.index(index=self._name, id=f"job:{state.job}", document=write_job(state), refresh=True)

    def amend(self, state: JobState) -> None:
        """Change what is kept of a job that ended: its record, and the lock while that holds the same job.

        Raises:
            LostLock: where somebody else changed it at the same moment.
        """
        for id_ in (f"job:{state.job}", _lock(state.alias)):
            kept = self._get(id_)
            if kept is not None and kept.state.job == state.job:
                self._put(id_, state, kept)

    def all(self) -> tuple[JobState, ...]:
        """Every job that is known, the last written first, up to 1,000 of them."""
        with translated_errors("list the jobs"):
            answer = self._client.search(
                index=self._name, size=1_000, sort=["heartbeat:desc"], ignore_unavailable=True
            ).body
        newest: dict[str, JobState] = {}
        for hit in answer["hits"]["hits"]:
            state = read_job(hit["_source"])
            known = newest.setdefault(state.job, state)
            if state.beat > known.beat:  # a lock and its record are one job, and clocks may have been set back
                newest[state.job] = state
        return tuple(newest.values())

    def forget(self, state: JobState) -> None:
        """Remove what is kept of a job that nobody runs."""
        with translated_errors(f"forget the job {state.job}"):
            self._client.options(ignore_status=NOT_FOUND).delete(index=self._name, id=f"job:{state.job}", refresh=True)
        newest = self.newest(state.alias)
        if newest is None or newest.state.job != state.job:
            return
        with self._taken_over(state):
            self._client.delete(
                index=self._name,
                id=_lock(state.alias),
                if_seq_no=newest.seq_no,
                if_primary_term=newest.primary_term,
                refresh=True,
            )

    @contextmanager
    def _taken_over(self, state: JobState) -> Iterator[None]:
        with translated_errors(f"write the job {state.job}"):
            try:
                yield
            except ApiError as error:
                if error.meta.status != _CONFLICT:
                    raise
                raise LostLock(
                    f"Another process took the job of {state.alias} over: see `indexer jobs`.", _CONFLICT
                ) from error

    def _create(self) -> None:
        if self._made:
            return
        with translated_errors(f"create the index {self._name}"):
            if not self._client.indices.exists(index=self._name):
                # 400: another job was quicker.
                self._client.options(ignore_status=BAD_REQUEST).indices.create(
                    index=self._name, settings=_SETTINGS, mappings=_MAPPINGS
                )
        self._made = True


def _lock(alias: str) -> str:
    return f"alias:{alias}"
