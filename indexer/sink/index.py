"""The life of an index: made, loaded, finished, switched to, and deleted when newer ones have taken its place."""

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
"""How `_meta` of a mapping names this product: only what bears it is ever deleted."""

_WHILE_LOADING: Final[JsonObject] = {
    "auto_expand_replicas": "false",
    "number_of_replicas": 0,
    "refresh_interval": "-1",
}

_AGAINST_TEMPLATES: Final[JsonObject] = {"default_pipeline": "_none", "final_pipeline": "_none", "mode": "standard"}
"""A user's template may match the index; unless the plan says otherwise, none of its pipelines changes documents."""

_PATIENCE: Final = 600.0
"""Seconds that one request of `finish` may take: the first refresh writes all that is still in memory."""

_ALL_STATES: Final = ("open", "closed", "hidden")


class _Found(TypedDict, total=False):
    """What `GET /<name>` answers of an index, as far as it is asked for."""

    aliases: dict[str, JsonObject]
    mappings: dict[str, Json]


class _Shards(TypedDict):
    total: int
    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class OwnIndex:
    """An index that this product made.

    Attributes:
        name: its name, by which indexes of an alias sort in time.
        meta: the mapping's `_meta`: product, version, table, job.
        aliases: the aliases that point to it, without the loading alias.
        complete: whether it was ever switched to.
    """

    name: str
    meta: JsonObject
    aliases: tuple[str, ...]
    complete: bool


class Indexes:
    """The indexes of a cluster, as far as they concern this product.

    Every method raises `TargetUnavailable` where Elasticsearch does not answer and `TargetError` where it refuses.

    Args:
        cluster: where they are.
        shard_timeout: seconds that `finish` waits for the primary shards.
    """

    def __init__(self, cluster: Cluster, shard_timeout: float = 60.0) -> None:
        self._cluster = cluster
        self._shard_timeout = shard_timeout
        self._indices = cluster.client.indices

    def refuse_concrete(self, alias: str) -> None:
        """Refuse an alias that no index can be switched to; nothing is created.

        Raises:
            UsageError: where the name is not allowed, or is taken by an index or a data stream.
        """
        refuse_name(alias)
        if self._look(alias) and not self.current(alias):
            raise UsageError(
                f"{alias} is an index, and an index cannot be switched: name another alias with --index,"
                f" for example {alias}_search, or delete the index {alias} and run again."
            )

    def new_name(self, alias: str, now: datetime) -> str:
        """A name for a new index behind the alias, by its time in UTC: `logs_20261122_101500`.

        Indexes sort by name, so it comes after those that there are: a clock may have been set back since.
        """
        newest = max((one.name for one in self.made_by_us(alias)), default="")
        name = index_name(alias, max(now, creation_time(newest) + timedelta(seconds=1)) if newest else now)
        with translated_errors(f"look for {name}"):
            taken = bool(self._indices.exists(index=name))
        return self.new_name(alias, creation_time(name) + timedelta(seconds=1)) if taken else name

    def matching_templates(self, name: str) -> tuple[str, ...]:
        """The index templates of the cluster that match the name, sorted; what the job plans wins over them."""
        return matching_templates(self._cluster, name)

    def create(self, name: str, mappings: JsonObject, settings: JsonObject, meta: JsonObject) -> None:
        """Make an index to be loaded: without refreshes and replicas, hidden from every alias but the loading one.

        It may be asked for again where no answer came: the index may be there already, and is taken as it is.

        Args:
            name: the index, from `new_name`.
            mappings: the mapping; it wins over index templates.
            settings: the index settings as planned; `finish` applies those that wait until it is loaded.
            meta: goes into the mapping's `_meta`: version, table, job; an index that has just this is the job's own.

        Raises:
            UsageError: where Elasticsearch does not accept the mapping or the settings, or the user may not: nothing
                was changed.
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
            if not _exists(error):
                raise UsageError(str(error)) from error
            if self._look(name)[name]["mappings"].get("_meta") != body["_meta"]:
                raise UsageError(f"Another job made {name} at this moment: see `indexer jobs`.") from error
        self._undo_templates(name, body)

    def _undo_templates(self, name: str, wanted: JsonObject) -> None:
        # Before the first document: an alias of a template would show half an index, and its rules come before ours.
        made = self._look(name).get(name)
        if made is None:  # by a job that was done meanwhile, and deletes the older ones
            raise UsageError(f"Another job deleted {name} at this moment: see `indexer jobs`.")
        foreign = sorted(made["aliases"].keys() - {loading_alias(name)})
        rules = wanted.get("dynamic_templates") or []
        with translated_errors(f"undo what index templates add to {name}"):
            if foreign:
                self._indices.delete_alias(index=name, name=foreign)
            if made["mappings"].get("dynamic_templates", []) != rules:
                self._indices.put_mapping(index=name, body={"dynamic_templates": rules})

    def finish(self, name: str, settings: JsonObject) -> None:
        """Make the loaded index searchable: wait for its primary shards, refresh it, set what waited as planned.

        A replica that no node can take (one node, one replica) is not waited for.

        Raises:
            TargetUnavailable: where a shard cannot be refreshed, or is not active within `shard_timeout`.
        """
        planned = _flat(settings)
        restored = {key: planned.get(key) for key in _WHILE_LOADING}  # None is the server's default
        indices = self._cluster.client.options(request_timeout=_PATIENCE).indices
        # First, for a refresh would wait a minute for a shard that no node serves.
        if not self._active(name):
            raise _not_served(name)
        with translated_errors(f"finish the index {name}"):
            refreshed: _Shards = indices.refresh(index=name).body["_shards"]
            indices.put_settings(index=name, settings=restored)
        if refreshed["failed"]:
            raise _not_served(name)

    def refresh(self, name: str) -> None:
        """Make what was written to the index searchable."""
        with translated_errors(f"refresh {name}"):
            self._indices.refresh(index=name)

    def _active(self, name: str) -> bool:
        with translated_errors(f"tell the health of {name}"):
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
        """The exact number of documents that a search of the index or alias can find, since the last refresh.

        Raises:
            TargetUnavailable: where a shard did not answer, so that the number would be too small.
        """
        with translated_errors(f"count {name}"):
            answer = self._cluster.client.count(index=name).body
        shards: _Shards = answer["_shards"]
        if shards["successful"] != shards["total"]:
            raise TargetUnavailable(f"Not every shard of {name} could be counted; try again when all are there.")
        number: int = answer["count"]
        return number

    def current(self, alias: str) -> tuple[str, ...]:
        """The indexes that the alias points to, sorted; none where there is no such alias."""
        found = self._look(alias)
        return tuple(sorted(name for name, index in found.items() if alias in index["aliases"]))

    def switch(self, alias: str, name: str) -> tuple[str, ...]:
        """Point the alias to this index alone, in one atomic step, and end its loading.

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

    def made_by_us(self, alias: str) -> tuple[OwnIndex, ...]:
        """The indexes that this product made for the alias, oldest first: by name and by `_meta`."""
        found = self._look(f"{alias}_*")
        made = [_index(name, index) for name, index in found.items() if is_index_name(alias, name)]
        return tuple(sorted((one for one in made if one.meta.get("product") == PRODUCT), key=lambda one: one.name))

    def delete_old(self, alias: str, keep: int, not_these: Collection[str] = ()) -> tuple[str, ...]:
        """Delete indexes of the alias that newer ones have replaced.

        Deleted are indexes that this product made for the alias, that no alias points to, and that are older than the
        served one: those that were never switched to, and of the others all but the `keep` newest.

        Returns:
            The names of those that were deleted.
        """
        served = max((name for name in self.current(alias) if is_index_name(alias, name)), default="")
        old = [
            one for one in self.made_by_us(alias) if one.name < served and not one.aliases and one.name not in not_these
        ]
        complete = [one.name for one in old if one.complete]
        gone = [one.name for one in old if not one.complete] + complete[: max(0, len(complete) - keep)]
        for name in gone:
            self.delete(name)
        return tuple(sorted(gone))

    def delete(self, name: str) -> None:
        """Delete one index; fine where it is gone already."""
        with translated_errors(f"delete the index {name}"):
            self._indices.delete(index=name, ignore_unavailable=True)

    def _look(self, name: str) -> dict[str, _Found]:
        with translated_errors(f"look for {name}"):
            try:
                found: dict[str, _Found] = self._indices.get(
                    index=name, features=["aliases", "mappings"], expand_wildcards=_ALL_STATES
                ).body
            except ApiError as error:
                if error.meta.status != NOT_FOUND:
                    raise
                return {}
        return found


def _exists(error: TargetError) -> bool:
    return isinstance(error.__cause__, ApiError) and error_type(error.__cause__) == "resource_already_exists_exception"


def _not_served(name: str) -> TargetUnavailable:
    return TargetUnavailable(
        f"{name} has shards that no node serves: see GET _cluster/allocation/explain, then run the job again."
    )


def _index(name: str, index: _Found) -> OwnIndex:
    meta = index["mappings"].get("_meta")
    aliases = index["aliases"].keys()
    return OwnIndex(
        name=name,
        meta=meta if isinstance(meta, dict) else {},
        aliases=tuple(sorted(aliases - {loading_alias(name)})),
        complete=loading_alias(name) not in aliases,
    )


def _flat(settings: JsonObject) -> JsonObject:
    """Settings with one spelling: `{"index": {"x": 1}}`, `{"index.x": 1}` and `{"x": 1}` become `{"x": 1}`."""
    flat: JsonObject = {}
    for key, value in settings.items():
        if key == "index" and isinstance(value, dict):
            flat.update(_flat(value))
        else:
            flat[key.removeprefix("index.")] = value
    return flat
