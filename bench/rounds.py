"""Rounds: every way once, in turn, each in a process and an index of its own."""

import json
import sys
from dataclasses import asdict, replace
from typing import Final

from pydantic import TypeAdapter

from bench.child import ChildFailed, finish
from bench.meter import settle
from bench.run import Run, Task, Way
from bench.ways.ours import JOBS, settings_of
from bench.ways.reindexing import reindex, reindex_command
from indexer.job.reindex import plan
from indexer.target.client import Cluster, connect
from indexer.target.index import Indexes

__all__ = ["command", "run_way", "sweep"]

_RUN: Final = TypeAdapter(Run)

_MODULES: Final = {
    Way.READ: "bench.ways.reading",
    Way.WRITE: "bench.ways.writing",
    Way.BULK: "bench.ways.naive_bulk",
    Way.TUNED: "bench.ways.naive_bulk",
    Way.PARALLEL: "bench.ways.naive_parallel",
    Way.OFFSET_BULK: "bench.ways.naive_bulk",
    Way.OFFSET_PARALLEL: "bench.ways.naive_parallel",
    Way.LOGSTASH: "bench.ways.logstash_sql",
}


def sweep(task: Task) -> None:
    """Delete the indexes and jobs of earlier runs, interrupted ones too: alias and jobs are the benchmark's own."""
    with connect(settings_of(task).target_access) as cluster:
        indexes = Indexes(cluster)
        for name in (JOBS, *(left.name for left in indexes.made_by_us(task.alias))):
            indexes.delete(name)


def command(task: Task) -> list[str]:
    """The program of one way, and its arguments."""
    if task.way is Way.REINDEX:
        return reindex_command(task)
    return [sys.executable, "-m", _MODULES[task.way], json.dumps(asdict(task))]


def run_way(task: Task) -> Run:
    """Run one way once the machine is idle; what it wrote is counted and deleted.

    Raises:
        ChildFailed: where its process does not end well, or moved nothing.
    """
    settle()
    with connect(settings_of(task).target_access) as cluster:
        run = _alone(cluster, task) if task.way is Way.REINDEX else _beside_an_index(cluster, task)
    if not run.rows:
        raise ChildFailed(f"{task.way} moved no rows: there is nothing to compare.")
    return run


def _alone(cluster: Cluster, task: Task) -> Run:
    run, index = reindex(task)
    try:
        return replace(run, documents=Indexes(cluster).count(index))
    finally:
        Indexes(cluster).delete(index)


def _beside_an_index(cluster: Cluster, task: Task) -> Run:
    if task.way is Way.READ:
        return _child(task)
    made, indexes = plan(settings_of(task)), Indexes(cluster)
    try:
        indexes.create(made.job, made.mapping.mappings, made.mapping.settings, {"job": made.job})
        if task.way is Way.BULK:  # An index as its mapping alone makes it: Elasticsearch's own refreshes and replicas.
            indexes.finish(made.job, made.mapping.settings)
        run = _child(replace(task, index=made.job))
        indexes.finish(made.job, made.mapping.settings)
        return replace(run, documents=indexes.count(made.job))
    finally:
        indexes.delete(made.job)


def _child(task: Task) -> Run:
    done = finish(command(task))
    return replace(_RUN.validate_json(done.output), wall=done.seconds)
