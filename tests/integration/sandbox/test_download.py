"""The embedded distribution: complete or not there at all, and readable by the account that runs it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.sandbox.cache import DISTRIBUTIONS, FETCH_LOCK, file_lock, open_folder, open_tree
from indexer.sandbox.download import distribution
from indexer.sandbox.process import server_account


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield open_folder(Path(name))


def test_a_download_that_fails_says_so_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("INDEXER_CACHE", str(folder))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"Elasticsearch 9\.2\.0 could not be downloaded .*ES_HOME.*ELASTICSEARCH_URL"):
        distribution("9.2.0")
    assert list((folder / DISTRIBUTIONS).iterdir()) == []


def test_a_distribution_that_is_there_is_not_downloaded_again(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("INDEXER_CACHE", str(folder))
    home = folder / DISTRIBUTIONS / "0.0.1"
    home.mkdir(parents=True)
    with file_lock(folder, FETCH_LOCK):  # as during the download of another version
        assert distribution("0.0.1") == home


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else: run the tests as root")
def test_files_that_a_strict_umask_closed_are_opened_to_the_account(folder: Path) -> None:
    account = server_account()
    assert account is not None
    program = folder / "runtime" / "bin" / "java"
    before = os.umask(0o077)
    try:
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o700)
        (folder / "runtime" / "release").write_text("25")
    finally:
        os.umask(before)
    assert not account.can(program)
    open_tree(folder / "runtime")
    assert account.can(program)
    assert account.can("test", "-r", folder / "runtime" / "release")
    assert not account.can("test", "-x", folder / "runtime" / "release")
