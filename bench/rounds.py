"""Rounds: every way once, in turn, each in a process and an index of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter

from bench.child import ChildFailed, Finished, finish
from bench.family import finish_family
from bench.faults import compare
from bench.meter import Meter, settle
from bench.programs import command, program
from bench.run import Moved, Run, Task, Way
from bench.ways.ours import JOBS, settings_of
from bench.ways.reindexing import reindex
from indexer.job.reindex import plan
from indexer.model.json import JsonObject
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes

__all__ = ["own_folder", "own_index", "run_way", "sweep"]

_RUN: Final = TypeAdapter(Run)
_MOVED: Final = TypeAdapter(Moved)


def sweep(task: Task) -> None:
    """Delete the indexes and jobs of earlier runs, interrupted ones too: alias and jobs are the benchmark's own."""
    with connect(settings_of(task).target_access) as cluster:
        indexes = Indexes(cluster)
        for name in (JOBS, *(left.name for left in indexes.own(task.alias))):
            indexes.delete(name)


@contextmanager
def own_folder(task: Task) -> Iterator[Task]:
    """The task with a folder of its own, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield replace(task, folder=folder)


@contextmanager
def own_index(cluster: Cluster, task: Task) -> Iterator[tuple[Task, JsonObject]]:
    """The task with an index as `reindex` makes one, deleted afterwards, and the settings that finish the index."""
    made, indexes = plan(settings_of(task)), Indexes(cluster)
    name, settings = made.job, made.mapping.settings
    try:
        indexes.create(name, made.mapping.mappings, settings, {"job": name})
        if task.way is Way.BULK:  # An index as its mapping alone makes it: Elasticsearch's own refreshes and replicas.
            indexes.finish(name, settings)
        yield replace(task, index=name), settings
    finally:
        indexes.delete(name)


def run_way(task: Task, *, compared: bool = False) -> Run:
    """Run one way once the machine is idle; what it wrote is counted and deleted.

    Args:
        task: what it is told.
        compared: whether the table and what it wrote are compared in full, after it was timed.

    Raises:
        ChildFailed: where its process does not end well, or moved nothing.
        UsageError: where something that it needs cannot be had.
    """
    settle()
    with connect(settings_of(task).target_access) as cluster, own_folder(task) as told:
        run = (_alone if task.way is Way.REINDEX else _beside_an_index)(cluster, told, compared=compared)
    if not run.rows:
        raise ChildFailed(f"{task.way} moved no rows: there is nothing to compare.")
    return run


def _alone(cluster: Cluster, task: Task, *, compared: bool) -> Run:
    run, index = reindex(task)
    try:
        return _looked_at(cluster, replace(task, index=index), run, compared=compared)
    finally:
        Indexes(cluster).delete(index)


def _beside_an_index(cluster: Cluster, task: Task, *, compared: bool) -> Run:
    if task.way is Way.READ:
        return _child(task)
    with own_index(cluster, task) as (told, settings):
        run = _family(told) if program(task.way).outside else _child(told)
        Indexes(cluster).finish(told.index, settings)
        return _looked_at(cluster, told, run, compared=compared)


def _looked_at(cluster: Cluster, task: Task, run: Run, *, compared: bool) -> Run:
    found = compare(task, task.index) if compared else None
    return replace(run, documents=Indexes(cluster).count(task.index), compared=found)


def _child(task: Task) -> Run:
    done = finish(command(task))
    return replace(_RUN.validate_json(done.output), wall=done.seconds)


def _family(task: Task) -> Run:
    """CPU is that of all its processes from their start, as that of `reindex` is."""
    words = command(task)
    with Meter(task.source, task.target) as meter:
        done = finish_family(words)
    moved = _MOVED.validate_json(_last_line(done))
    spent = replace(meter.spent, seconds=moved.seconds, client=done.cpu)
    return Run(task.way, moved.rows, spent, done.peak_rss, wall=done.seconds)


def _last_line(done: Finished) -> bytes:
    """What a way prints at its end: others may have printed before it."""
    return done.output.rstrip().rpartition(b"\n")[2]
