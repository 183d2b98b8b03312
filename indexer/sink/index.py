"""The life of an index: created, loaded, finished, switched to, and deleted once newer indexes replaced it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypedDict

from elasticsearch import ApiError

from indexer.errors import TargetError, TargetUnavailable, UsageError
from indexer.model.json import Json, JsonObject
from indexer.sink.client import Cluster
from indexer.sink.errors import NOT_FOUND, TIMEOUT, error_type, translated_errors
from indexer.sink.index_name import (
    creation_time,
    index_name,
    is_index_name,
    loading_alias,
    matching_templates,
    refuse_name,
)
from indexer.version import NAME

__all__ = ["PRODUCT", "Indexes", "OwnIndex"]

PRODUCT: Final = NAME
"""The `product` in a mapping's `_meta`: only indexes that carry it are ever deleted."""

_WHILE_LOADING: Final[JsonObject] = {
    "auto_expand_replicas": "false",
    "number_of_replicas": 0,
    "refresh_interval": "-1",
}

_AGAINST_TEMPLATES: Final[JsonObject] = {"default_pipeline": "_none", "final_pipeline": "_none", "mode": "standard"}
"""A user's template may match the index: unless the plan says otherwise, its pipelines must not change documents."""

_FINISH_TIMEOUT: Final = 600.0
"""Seconds for one request of `finish`: the first refresh writes everything that is still in memory."""

_ALL_STATES: Final = ("open", "closed", "hidden")


class _Index(TypedDict, total=False):
    """The requested parts of the response to `GET /<name>`, for one index."""

    aliases: dict[str, JsonObject]
    mappings: dict[str, Json]


class _Shards(TypedDict):
    total: int
    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class OwnIndex:
    """An index that this product created.

    Attributes:
        name: its name; the indexes of an alias sort by it in time.
        meta: the mapping's `_meta`: product, version, table, job.
        aliases: the aliases of the index, without the loading alias.
        complete: whether the alias was ever switched to it.
    """

    name: str
    meta: JsonObject
    aliases: tuple[str, ...]
    complete: bool


class Indexes:
    """The indexes that this product manages in a cluster.

    Every method raises `TargetUnavailable` where Elasticsearch does not answer, and `TargetError` where it rejects the
    request.

    Args:
        cluster: where they are.
        shard_timeout: seconds for which `finish` waits for the primary shards.
    """

    def __init__(self, cluster: Cluster, shard_timeout: float = 60.0) -> None:
        self._cluster = cluster
        self._shard_timeout = shard_timeout
        self._indices = cluster.client.indices

    def refuse_concrete(self, alias: str) -> None:
        """Refuse a name that cannot be used as the alias; nothing is created.

        Raises:
            UsageError: where the name is not allowed, or belongs to an index or a data stream.
        """
        refuse_name(alias)
        if self._get(alias) and not self.current(alias):
            raise UsageError(
                f"{alias} is an index, not an alias; choose another alias with --index, for example {alias}_search,"
                f" or delete the index {alias} and run again."
            )

    def new_name(self, alias: str, now: datetime) -> str:
        """A name for a new index of the alias, with its time in UTC: `logs_20261122_101500`.

        Indexes sort by name, so the new name comes after all existing ones, even where the clock was set back.
        """
        newest = max((index.name for index in self.own(alias)), default="")
        name = index_name(alias, max(now, creation_time(newest) + timedelta(seconds=1)) if newest else now)
        with translated_errors(f"look up {name}"):
            taken = bool(self._indices.exists(index=name))
        return self.new_name(alias, creation_time(name) + timedelta(seconds=1)) if taken else name

    def matching_templates(self, name: str) -> tuple[str, ...]:
        """The names of the index templates that match the name, sorted; the plan overrides them."""
        return matching_templates(self._cluster, name)

    def create(self, name: str, mappings: JsonObject, settings: JsonObject, meta: JsonObject) -> None:
        """Create an index for loading: without refreshes, replicas and aliases, except the hidden loading alias.

        It may be called again after a lost response: an index that exists with the same `meta` is used as it is.

        Args:
            name: the index, from `new_name`.
            mappings: the mapping; it overrides index templates.
            settings: the planned index settings; `finish` applies those that slow a load down.
            meta: goes into the mapping's `_meta`: version, table, job.

        Raises:
            UsageError: where Elasticsearch does not accept the mapping or the settings, the user lacks a privilege, or
                another job created or deleted the index; nothing was changed.
        """
        body: JsonObject = {"_source": {"enabled": True}, **mappings, "_meta": {"product": PRODUCT, **meta}}
        try:
            with translated_errors(f"create the index {name}"):
                self._cluster.single.indices.create(
                    index=name,
                    mappings=body,
                    settings={**_AGAINST_TEMPLATES, **_flat(settings), **_WHILE_LOADING},
                    aliases={loading_alias(name): {"is_hidden": True}},
                )
        except TargetUnavailable:
            raise
        except TargetError as error:
            if not _already_exists(error):
                raise UsageError(str(error)) from error
            if self._get(name)[name]["mappings"].get("_meta") != body["_meta"]:
                raise UsageError(f"Another job has just created {name}; see `indexer jobs`.") from error
        self._undo_templates(name, body)

    def _undo_templates(self, name: str, planned: JsonObject) -> None:
        # Before the first document: an alias of a template would show a partial index, and its rules would come first.
        created = self._get(name).get(name)
        if created is None:  # by a job that has just ended and deletes older indexes
            raise UsageError(f"Another job has just deleted {name}; see `indexer jobs`.")
        foreign = sorted(created["aliases"].keys() - {loading_alias(name)})
        rules = planned.get("dynamic_templates") or []
        with translated_errors(f"remove what index templates added to {name}"):
            if foreign:
                self._indices.delete_alias(index=name, name=foreign)
            if created["mappings"].get("dynamic_templates", []) != rules:
                self._indices.put_mapping(index=name, body={"dynamic_templates": rules})

    def finish(self, name: str, settings: JsonObject) -> None:
        """Make the loaded index searchable: wait for its primary shards, refresh it, apply the remaining settings.

        It does not wait for replicas, which a single node never allocates.

        Raises:
            TargetUnavailable: where a shard cannot be refreshed, or is not active within `shard_timeout`.
        """
        planned = _flat(settings)
        restored = {key: planned.get(key) for key in _WHILE_LOADING}  # None restores the default
        indices = self._cluster.client.options(request_timeout=_FINISH_TIMEOUT).indices
        # First, because a refresh would wait a minute for an unassigned shard.
        if not self._active(name):
            raise _unassigned(name)
        with translated_errors(f"finish the index {name}"):
            refreshed: _Shards = indices.refresh(index=name).body["_shards"]
            indices.put_settings(index=name, settings=restored)
        if refreshed["failed"]:
            raise _unassigned(name)

    def refresh(self, name: str) -> None:
        """Make everything written to the index so far searchable."""
        with translated_errors(f"refresh {name}"):
            self._indices.refresh(index=name)

    def _active(self, name: str) -> bool:
        with translated_errors(f"read the health of {name}"):
            try:
                self._cluster.client.cluster.health(
                    index=name, wait_for_status="yellow", timeout=f"{self._shard_timeout:.0f}s"
                )
            except ApiError as error:
                if error.meta.status == TIMEOUT:
                    return False
                raise
        return True

    def count(self, name: str) -> int:
        """The exact number of documents in the index or alias as of the last refresh.

        Raises:
            TargetUnavailable: where a shard did not answer, so that the number would be too small.
        """
        with translated_errors(f"count the documents of {name}"):
            answer = self._cluster.client.count(index=name).body
        shards: _Shards = answer["_shards"]
        if shards["successful"] != shards["total"]:
            raise TargetUnavailable(f"Some shards of {name} did not answer; try again when all of them are available.")
        number: int = answer["count"]
        return number

    def current(self, alias: str) -> tuple[str, ...]:
        """The indexes that the alias points to, sorted; empty where there is no such alias."""
        found = self._get(alias)
        return tuple(sorted(name for name, index in found.items() if alias in index["aliases"]))

    def switch(self, alias: str, name: str) -> tuple[str, ...]:
        """Point the alias to this index alone, in one atomic step, and remove its loading alias.

        Returns:
            The indexes that the alias pointed to before.
        """
        before = self.current(alias)
        removals: list[JsonObject] = [{"remove": {"index": old, "alias": alias}} for old in before if old != name]
        actions: list[JsonObject] = [
            *removals,
            {"add": {"index": name, "alias": alias}},
            {"remove": {"index": name, "alias": loading_alias(name), "must_exist": False}},
        ]
        with translated_errors(f"switch the alias {alias} to {name}"):
            self._indices.update_aliases(actions=actions)
        return before

    def own(self, alias: str) -> tuple[OwnIndex, ...]:
        """The indexes that this product created for the alias, by their name and `_meta`; oldest first."""
        found = self._get(f"{alias}_*")
        named = [_own_index(name, index) for name, index in sorted(found.items()) if is_index_name(alias, name)]
        return tuple(index for index in named if index.meta.get("product") == PRODUCT)

    def delete_old(self, alias: str, keep: int, exclude: Collection[str] = ()) -> tuple[str, ...]:
        """Delete indexes of the alias that newer ones have replaced.

        Only indexes that this product created for the alias, that no alias points to, and that are older than the
        served one are deleted: all that were never switched to, and all but the `keep` newest of the others.

        Args:
            alias: the alias.
            keep: how many replaced indexes to keep.
            exclude: indexes to keep in any case.

        Returns:
            The names of the deleted indexes.
        """
        served = max((name for name in self.current(alias) if is_index_name(alias, name)), default="")
        old = [
            index
            for index in self.own(alias)
            if index.name < served and not index.aliases and index.name not in exclude
        ]
        complete = [index.name for index in old if index.complete]
        replaced = [index.name for index in old if not index.complete] + complete[: max(0, len(complete) - keep)]
        for name in replaced:
            self.delete(name)
        return tuple(sorted(replaced))

    def delete(self, name: str) -> None:
        """Delete one index, if it exists."""
        with translated_errors(f"delete the index {name}"):
            self._indices.delete(index=name, ignore_unavailable=True)

    def _get(self, name: str) -> dict[str, _Index]:
        with translated_errors(f"look up {name}"):
            try:
                found: dict[str, _Index] = self._indices.get(
                    index=name, features=["aliases", "mappings"], expand_wildcards=_ALL_STATES
                ).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                return {}
        return found


def _already_exists(error: TargetError) -> bool:
    return isinstance(error.__cause__, ApiError) and error_type(error.__cause__) == "resource_already_exists_exception"


def _unassigned(name: str) -> TargetUnavailable:
    return TargetUnavailable(
        f"{name} has unassigned shards; see GET _cluster/allocation/explain, then run the job again."
    )


def _own_index(name: str, index: _Index) -> OwnIndex:
    meta = index["mappings"].get("_meta")
    aliases = index["aliases"].keys()
    return OwnIndex(
        name=name,
        meta=meta if isinstance(meta, dict) else {},
        aliases=tuple(sorted(aliases - {loading_alias(name)})),
        complete=loading_alias(name) not in aliases,
    )


def _flat(settings: JsonObject) -> JsonObject:
    """Settings in one spelling: `{"index": {"x": 1}}`, `{"index.x": 1}` and `{"x": 1}` become `{"x": 1}`."""
    flat: JsonObject = {}
    for key, value in settings.items():
        if key == "index" and isinstance(value, dict):
            flat.update(_flat(value))
        else:
            flat[key.removeprefix("index.")] = value
    return flat
