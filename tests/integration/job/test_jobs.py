"""`indexer jobs` and `indexer rollback`: list, show, clean, roll back."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.sample_table import load_sqlite_sample
from tests.support.commands import Ended, run, start
from tests.support.newest_job import newest_job, wait_for_lock

pytestmark = pytest.mark.elasticsearch

Command = Callable[..., Ended]


@pytest.fixture
def jobs(alias: str) -> str:
    return f"{alias}_jobs"


@pytest.fixture
def source(tmp_path: Path) -> str:
    load_sqlite_sample(tmp_path / "logs.sqlite", 2_000)
    return f"sqlite:///{tmp_path / 'logs.sqlite'}"


@pytest.fixture
def reindex(source: str, elasticsearch_url: str, alias: str, jobs: str, tmp_path: Path) -> Command:
    options = ("--source", source, "--target", elasticsearch_url, "--index", alias, "--jobs-index", jobs, "--json")
    return lambda *more: run("reindex", *options, *more, cwd=tmp_path)


@pytest.fixture
def indexer(elasticsearch_url: str, jobs: str, tmp_path: Path) -> Command:
    def command(*words: str, **env: str) -> Ended:
        more = ("--jobs-index", jobs) if words[0] == "jobs" else ()
        return run("indexer", *words, "--target", elasticsearch_url, *more, cwd=tmp_path, timeout=120, **env)

    return command


def test_jobs_are_listed_and_shown(reindex: Command, indexer: Command, alias: str) -> None:
    assert "No job" in indexer("jobs").out
    names = [json.loads(reindex().out)["job"] for _ in range(2)]
    listed = indexer("jobs")
    assert listed.code == 0
    assert listed.out.index(names[1]) < listed.out.index(names[0])
    assert "2,000" in listed.out
    assert all(name in indexer("jobs", COLUMNS="80").out for name in names), (
        "who cannot read a name cannot show its job"
    )
    shown = indexer("jobs", "show", names[0])
    assert all(part in shown.out for part in (names[0], alias, "done", "2,000", "id"))
    states = [json.loads(line) for line in indexer("jobs", "--json").out.splitlines()]
    assert [state["job"] for state in states] == names[::-1]
    assert {state["status"] for state in states} == {"done"}
    assert json.loads(indexer("jobs", "show", names[0], INDEXER_JSON="1").out) == states[1]


def test_a_document_that_is_no_job_is_refused_by_name(
    reindex: Command, indexer: Command, elasticsearch_url: str, alias: str, jobs: str
) -> None:
    with Elasticsearch(elasticsearch_url) as client:
        client.index(index=jobs, id=f"alias:{alias}", document={"job": "logs_1", "heartbeat": 0}, refresh=True)
    for ended in (reindex(), indexer("jobs"), indexer("jobs", "show", "logs_1")):
        assert (ended.code, ended.out) == (2, "")
        assert f"The document alias:{alias} of {jobs} is not a job of this version" in ended.err
        assert "--jobs-index" in ended.err


def test_an_unknown_job_is_refused_and_the_nearest_name_suggested(reindex: Command, indexer: Command) -> None:
    name = json.loads(reindex().out)["job"]
    ended = indexer("jobs", "show", name[:-1] + "x")
    assert ended.code == 2
    assert f"Did you mean {name}?" in ended.err


def test_rollback_restores_the_previous_index_and_is_refused_without_one(
    reindex: Command, indexer: Command, elasticsearch_url: str, alias: str
) -> None:
    assert indexer("rollback", "--index", alias).code == 2
    first, second = (json.loads(reindex().out)["index"] for _ in range(2))
    with Elasticsearch(elasticsearch_url) as client:
        assert set(client.indices.get_alias(name=alias)) == {second}
        ended = indexer("rollback", "--index", alias)
        assert ended.code == 0, ended.err
        assert set(client.indices.get_alias(name=alias)) == {first}
        assert client.count(index=alias)["count"] == 2_000
    refused = indexer("rollback", "--index", alias)
    assert refused.code == 2
    assert "--keep" in refused.err


def test_clean_lists_and_then_removes_the_index_of_a_killed_job(
    reindex: Command, indexer: Command, source: str, elasticsearch_url: str, alias: str, jobs: str, tmp_path: Path
) -> None:
    served = json.loads(reindex().out)["index"]
    options = ("--source", source, "--target", elasticsearch_url, "--index", alias, "--jobs-index", jobs)
    process = start("reindex", *options, "--page", "1", "--quiet", cwd=tmp_path)
    with Elasticsearch(elasticsearch_url) as client:
        wait_for_lock(client, alias, process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        unfinished = newest_job(client, alias)["job"]
        assert set(client.indices.get(index=f"{alias}_2*", expand_wildcards="all")) == {served, unfinished}
        said = indexer("jobs", "clean")
        assert f"Would remove {unfinished}" in said.out
        assert client.indices.exists(index=unfinished)
        assert f"Removing {unfinished}" in indexer("jobs", "clean", "--yes").out
        assert not client.indices.exists(index=unfinished)
        assert set(client.indices.get_alias(name=alias)) == {served}
    assert indexer("jobs", "clean").out == "No unfinished jobs.\n"
    assert not json.loads(reindex().out)["resumed"]
