"""Runs a competitor once: in a process and an index of its own, measured, counted, compared, and cleaned up after."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter

from bench.competitors.catalog import command, program
from bench.competitors.reindex import JOBS, bench_settings, find_differences, run_reindex
from bench.competitors.task import Competitor, Moved, Run, Task
from bench.meter.child import ChildFailed, run_child, run_family
from bench.meter.meter import Meter, wait_until_idle
from indexer.job.reindex import plan
from indexer.model.json import JsonObject
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes

__all__ = ["delete_leftovers", "own_folder", "own_index", "run_competitor"]

_RUN: Final = TypeAdapter(Run)
_MOVED: Final = TypeAdapter(Moved)


def delete_leftovers(task: Task) -> None:
    """Delete the indexes and jobs of earlier runs, interrupted ones too: alias and jobs are the benchmark's own."""
    with connect(bench_settings(task).target_access) as cluster:
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
    made, indexes = plan(bench_settings(task)), Indexes(cluster)
    name, settings = made.job, made.mapping.settings
    try:
        indexes.create(name, made.mapping.mappings, settings, {"job": name})
        if task.competitor is Competitor.BULK:  # Its mapping apart, an index as Elasticsearch makes one by default.
            indexes.finish(name, settings)
        yield replace(task, index=name), settings
    finally:
        indexes.delete(name)


def run_competitor(task: Task, *, compared: bool = False) -> Run:
    """Run a competitor once the machine is idle; what it wrote is counted and deleted.

    Args:
        task: what it is given.
        compared: whether the table and what it wrote are compared in full, after it was timed.

    Raises:
        ChildFailed: where its process fails, or moved nothing.
        UsageError: where something that it needs cannot be had.
    """
    wait_until_idle()
    with connect(bench_settings(task).target_access) as cluster, own_folder(task) as told:
        run = (_ours if task.competitor is Competitor.REINDEX else _another)(cluster, told, compared=compared)
    if not run.rows:
        raise ChildFailed(f"{task.competitor} moved no rows: there is nothing to compare.")
    return run


def _ours(cluster: Cluster, task: Task, *, compared: bool) -> Run:
    run, index = run_reindex(task)
    try:
        return _checked(cluster, replace(task, index=index), run, compared=compared)
    finally:
        Indexes(cluster).delete(index)


def _another(cluster: Cluster, task: Task, *, compared: bool) -> Run:
    if task.competitor is Competitor.READ:
        return _from_inside(task)
    with own_index(cluster, task) as (told, settings):
        run = (_from_outside if program(task.competitor).product else _from_inside)(told)
        Indexes(cluster).finish(told.index, settings)
        return _checked(cluster, told, run, compared=compared)


def _checked(cluster: Cluster, task: Task, run: Run, *, compared: bool) -> Run:
    found = find_differences(task, task.index) if compared else None
    return replace(run, documents=Indexes(cluster).count(task.index), differences=found)


def _from_inside(task: Task) -> Run:
    done = run_child(command(task))
    return replace(_RUN.validate_json(done.output), wall=done.seconds)


def _from_outside(task: Task) -> Run:
    """CPU is that of all its processes from their start, as that of `reindex` is."""
    words = command(task)
    with Meter(task.source, task.target) as meter:
        done = run_family(words)
    moved = _MOVED.validate_json(done.output.rstrip().rpartition(b"\n")[2])  # others may have printed before it
    usage = replace(meter.usage, seconds=moved.seconds, client=done.cpu)
    return Run(task.competitor, moved.rows, usage, done.peak_rss, wall=done.seconds)
