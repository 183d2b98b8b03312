"""The demo without CrateDB: it reads an SQLite file instead, and says so."""

import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from indexer.errors import UsageError
from tests.support.commands import Ended
from tests.support.isolated_machine import IsolatedMachine, IsolationUnavailable, isolated_machine
from tests.support.secured_elasticsearch import server_home
from tests.support.sqlite_logs import found_ids, ids_where

pytestmark = [pytest.mark.elasticsearch, pytest.mark.slow]

CHECKOUT = Path(__file__).parents[3]
ROWS = 5_000

Run = Callable[..., Ended]


@pytest.fixture
def alone() -> Iterator[IsolatedMachine]:
    try:
        with isolated_machine() as place:
            yield place
    except IsolationUnavailable as why:
        pytest.skip(f"A CrateDB cannot be hidden from the demo here: {why}.")


@pytest.fixture
def cache() -> Iterator[Path]:
    """A cache folder open to the servers' account; pytest's folders are not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def run(alone: IsolatedMachine, cache: Path) -> Iterator[Run]:
    """Run a command in an isolated network, with the demo's own Elasticsearch on the default port."""
    try:
        env = {"INDEXER_CACHE": str(cache), "ES_HOME": str(server_home())}
    except UsageError as why:
        pytest.skip(str(why))

    def command(*arguments: str, cwd: Path = CHECKOUT) -> Ended:
        return alone.run(*arguments, cwd=cwd, timeout=200, **env)

    yield command
    assert "Stopped Elasticsearch at http://127.0.0.1:9200." in command("indexer", "down", "--clean").out


@contextmanager
def on_interrupt(heard: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    """Set the SIGINT handler that commands inherit; a shell ignores SIGINT for background jobs."""
    before = signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_without_cratedb_the_demo_reads_an_sqlite_file_and_says_so(run: Run, cache: Path, tmp_path: Path) -> None:
    file = cache / "samples.sqlite"
    # As `make demo` runs it, in the checkout; then as an installed product in any folder, in the background (`&`).
    for cwd, loaded, heard in (CHECKOUT, ROWS, signal.default_int_handler), (tmp_path, 0, signal.SIG_IGN):
        with on_interrupt(heard):
            demo = run("indexer", "demo", "--rows", str(ROWS), cwd=cwd)
        assert demo.code == 0, demo.out + demo.err
        assert [line for line in demo.out.splitlines() if line.startswith("CrateDB")] == [
            f"CrateDB: none found; the sample logs are in the SQLite file {file} instead."
        ]
        assert f"{ROWS:,} rows in the table logs, {loaded:,} of them loaded now; " in demo.out
        assert f"export CRATEDB_URL=sqlite:///{file}" in demo.out
        assert len(re.findall(r"^[1-9]\d* of [\d,]+ hits$", demo.err, re.MULTILINE)) == 2, demo.err
        assert_searches_find_the_rows(run, file)


def assert_searches_find_the_rows(run: Run, file: Path) -> None:
    everything = found_ids(run("indexer", "search", "*", "--size", "10000", "--json").out)
    assert sorted(everything) == list(range(1, ROWS + 1))
    some = found_ids(run("indexer", "search", "timeout AND service:payments", "--size", "10000", "--json").out)
    assert some
    assert set(some) == ids_where(file, "message LIKE '%timeout%' AND service = 'payments'")
