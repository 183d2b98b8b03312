"""Elasticsearch 8.19: a client too new for it is told what to install, and the client of its own age does the job."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.sandbox.download import distribution
from indexer.sandbox.elasticsearch import start_elasticsearch
from indexer.sandbox.process import free_port
from indexer.sandbox.sample_table import load_sqlite_sample
from indexer.sandbox.server import ServerOrigin, http_get, json_object
from tests.support.commands import Ended, environment, run
from tests.support.sqlite_logs import found_ids, ids_where

# What is fetched for the first test counts as its own.
pytestmark = [pytest.mark.elasticsearch, pytest.mark.slow, pytest.mark.timeout(900)]

CHECKOUT = Path(__file__).parents[3]
SERVER = "8.19.4"
CLIENT = "elasticsearch>=8.19,<9"
ROWS = 3_000
JOB = re.compile(r"logs_\d{8}_\d{6}")
SEARCHES = {
    "*": "TRUE",
    "timeout AND service:payments": "message LIKE '%timeout%' AND service = 'payments'",
    "반도체": "message LIKE '%반도체%'",
    "status:>=500": "status >= 500",
}
"""Queries, and the SQL conditions of the rows that they have to find."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with this product and a client of Elasticsearch 8.

    Attributes:
        folder: where it is.
    """

    folder: Path

    def run(self, *arguments: str, cwd: Path) -> Ended:
        program = self.folder / "bin" / arguments[0]
        done = subprocess.run(
            [program, *arguments[1:]],
            cwd=cwd,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    try:
        distribution(SERVER)
    except UsageError as why:
        pytest.skip(str(why))
    with tempfile.TemporaryDirectory(prefix="elasticsearch-8-") as folder:
        server = start_elasticsearch(Path(folder), version=SERVER, port=free_port())
        try:
            assert server.origin is ServerOrigin.EMBEDDED
            assert server.process is not None
            assert psutil.Process(server.process.pid).uids().effective != 0
            yield server.url
        finally:
            server.stop()


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("client-8")
    made = Environment(folder / "venv")
    subprocess.run([sys.executable, "-m", "venv", made.folder], check=True)
    install = ("pip", "install", "--quiet", "--retries", "10")
    client = made.run(*install, CLIENT, cwd=folder)
    if client.code:
        pytest.skip(f"{CLIENT} cannot be installed here: {client.err.strip().splitlines()[-1]}")
    # The registry is there, so that what fails from here on is this product's own doing.
    pinned = (CHECKOUT / "constraints.txt").read_text().splitlines(keepends=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(line for line in pinned if not line.startswith("elastic")))
    ours = made.run(*install, "--constraint", str(constraints), str(CHECKOUT), CLIENT, cwd=folder)
    assert ours.code == 0, ours.err
    return made


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    file = tmp_path / "logs.db"
    load_sqlite_sample(file, ROWS)
    return file


def test_a_newer_client_is_refused_and_told_what_to_install(server_url: str, logs: Path, tmp_path: Path) -> None:
    installed = version("elasticsearch")
    if installed.startswith("8."):
        pytest.skip(f"the client that is installed here, {installed}, is not too new")
    before = indexes(server_url)
    for command in (["reindex", "--source", f"sqlite:///{logs}"], ["indexer", "search", "*"]):
        ended = run(*command, "--target", server_url, cwd=tmp_path)
        assert ended.code == 2
        assert ended.err == (
            f"error: The installed Python client elasticsearch {installed} is too new for the server at {server_url}:"
            f" pip install '{CLIENT}'.\n"
        )
        assert not ended.out
    assert indexes(server_url) == before


def test_the_client_of_its_age_does_the_whole_job(
    server_url: str, older: Environment, logs: Path, tmp_path: Path
) -> None:
    tell = "from importlib.metadata import version; print(version('elasticsearch'))"
    assert older.run("python", "-c", tell, cwd=tmp_path).out.startswith("8.")
    servers = ("--source", f"sqlite:///{logs}", "--target", server_url)
    assert f"Elasticsearch {SERVER}" in older.run("indexer", "plan", *servers, cwd=tmp_path).out
    served = []
    for _ in range(2):
        ended = older.run("reindex", *servers, "--table", "logs", "--page", "1000", "--json", cwd=tmp_path)
        assert ended.code == 0, ended.err
        report = json.loads(ended.out)
        assert (report["rows_read"], report["rows_indexed"], report["dead_letters"]) == (ROWS, ROWS, 0)
        served.append(report["index"])
    assert told(server_url, "/logs/_count")["count"] == ROWS
    assert list(told(server_url, "/_alias/logs")) == served[1:]
    assert {name for name in indexes(server_url) if JOB.fullmatch(name)} == set(served)
    for query, condition in SEARCHES.items():
        found = older.run("indexer", "search", query, "--size", "10000", "--json", "--target", server_url, cwd=tmp_path)
        assert sorted(found_ids(found.out)) == sorted(ids_where(logs, condition)), query


def told(url: str, path: str) -> JsonObject:
    """What the server answers, asked without any client."""
    response = http_get(url + path, timeout=60)
    assert response is not None
    return json_object(response)


def indexes(url: str) -> set[str]:
    """Every index there is, hidden ones too."""
    return set(told(url, "/*?expand_wildcards=all&filter_path=*.aliases"))
