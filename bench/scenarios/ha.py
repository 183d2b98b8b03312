"""High availability: a CrateDB node is killed in the middle of a reindex, and the job ends complete all the same."""

import os
import subprocess
import time
from typing import Final

from bench.meter.child import console_script
from indexer.errors import TargetUnavailable, UsageError
from indexer.sandbox.cratedb import query_node
from indexer.sandbox.cratedb_cluster import wait_until_green
from indexer.sandbox.cratedb_table import crate_cursor
from indexer.sandbox.process import wait_until
from indexer.sandbox.registry import RunningServers, start_servers
from indexer.sandbox.sample_table import load_cratedb_sample
from indexer.sandbox.server import Server
from indexer.settings import load_settings
from indexer.sink.client import connect
from indexer.sink.job_store import JobStore

__all__ = ["run_ha"]

_NODES: Final = 3
_PATIENCE: Final = 900.0
"""Seconds for the job to come to its middle, and for it to end."""

_COPIES: Final = (
    "SELECT count(*) FILTER (WHERE primary), count(*) FILTER (WHERE NOT primary) FROM sys.shards"
    " WHERE table_name = 'logs' AND routing_state = 'STARTED'"
)
_began: Final = time.monotonic()


def run_ha(rows: int, index: str) -> bool:
    """Load the sample logs, reindex them, kill a node meanwhile, start it again; what happens is printed line by line.

    Args:
        rows: how many sample logs there are to be at least.
        index: the alias that the job moves.

    Returns:
        Whether the job ended with exit code 0, and a comparison of every row found nothing amiss.

    Raises:
        UsageError: where a server does not start, the job ends before a node could be killed, or the cluster does not
            become green again.
    """
    running = start_servers(crate_nodes=_NODES)
    urls = [node.url for node in running.nodes]
    _say(f"{_NODES} nodes of CrateDB run: {', '.join(urls)}")
    with crate_cursor(urls[0]) as cursor:
        load_cratedb_sample(cursor, rows)
    wait_until_green(urls)
    _say(f"the table logs has {rows:,} sample rows or more in {_copies(urls[0])}; all is green")
    complete = _reindex(running, index)
    start_servers(crate_nodes=_NODES)
    _say("the node is started again")
    wait_until_green(urls)
    _say(f"all is green again: {_NODES} nodes, {_copies(urls[0])}")
    complete = complete and _command(running, "indexer", "verify", "--index", index, "--full").wait(_PATIENCE) == 0
    _say("complete" if complete else "NOT complete")
    _say("the servers keep running: `indexer down` stops them")
    return complete


def _reindex(running: RunningServers, index: str) -> bool:
    """Run the job, and kill the second node in the middle of it; whether the job ended with exit code 0."""
    other = [] if index == "logs" else ["--index", index]
    job = _command(running, "reindex", "--table", "logs", "--page", "10000", *other)
    try:
        _wait_for_the_middle(job, running.elasticsearch.url, index)
        _kill(running.nodes[1])
        _watch(job, running.nodes[0].url)
    finally:
        job.kill()
        job.wait()
    _say(f"reindex ended with exit code {job.returncode}")
    return job.returncode == 0


def _command(running: RunningServers, *command: str) -> "subprocess.Popen[bytes]":
    _say(f"$ {' '.join(command)}")
    source = running.cratedb.url if running.cratedb else ""
    servers = {"CRATEDB_URL": source, "ELASTICSEARCH_URL": running.elasticsearch.url}
    return subprocess.Popen([console_script(command[0]), *command[1:]], env={**os.environ, **servers})


def _wait_for_the_middle(job: "subprocess.Popen[bytes]", target: str, index: str) -> None:
    """Wait until a checkpoint says that a quarter of the rows is done."""
    settings = load_settings(target=target)
    with connect(settings.target_access) as cluster:
        jobs = JobStore(cluster, settings.jobs_index)
        wait_until(lambda: _in_the_middle(jobs, index, job.pid) or job.poll() is not None, _PATIENCE)
    if job.poll() is not None:
        raise UsageError("The job ended before a node could be killed: give it more rows with --rows.")


def _in_the_middle(jobs: JobStore, index: str, pid: int) -> bool:
    try:
        newest = jobs.newest(index)
    except TargetUnavailable:  # the job has made the index a moment ago, and its shard has not started
        return False
    if newest is None or newest.state.holder.pid != pid:
        return False
    read = sum(part.read for part in newest.state.slices)
    if 4 * read < newest.state.rows:
        return False
    _say(f"{read:,} of {newest.state.rows:,} rows are done")
    return True


def _kill(node: Server) -> None:
    if node.process is None:
        raise UsageError(f"{node.name} was not started here: stop it, then run this again.")
    node.process.kill()
    _say(f"{node.name}, process {node.process.pid}, is killed")


def _watch(job: "subprocess.Popen[bytes]", url: str) -> None:
    """Say what the cluster tells of itself until the job has ended."""
    last = ""

    def ended() -> bool:
        nonlocal last
        told = _state(url)
        if told not in {last, ""}:
            _say(f"CrateDB says: {told}")
            last = told
        return job.poll() is not None

    if not wait_until(ended, _PATIENCE):
        raise UsageError(f"The job did not end within {_PATIENCE:.0f} s: see what it printed.")


def _state(url: str) -> str:
    """How many nodes there are, and how the table is; empty where no answer comes, as while a master is elected."""
    nodes = query_node(url, "SELECT count(*) FROM sys.nodes")
    health = query_node(url, "SELECT health FROM sys.health WHERE table_name = 'logs'")
    return f"{nodes[0][0]} nodes, the table is {health[0][0]}" if nodes and health else ""


def _copies(url: str) -> str:
    found = query_node(url, _COPIES) or [[0, 0]]
    return f"{found[0][0]} shards with {found[0][1]} replicas"


def _say(line: str) -> None:
    print(f"{time.monotonic() - _began:6.1f} s  {line}", flush=True)
