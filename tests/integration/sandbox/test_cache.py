"""The cache folder: one for jobs and servers, which the servers' account can enter and no other user's job can read."""

import os
import tempfile
from pathlib import Path

import pytest

from indexer.cache_folder import cache_folder, job_folder
from indexer.errors import UsageError
from indexer.sandbox.cache import server_cache
from indexer.sandbox.process import server_account

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root's servers run as somebody else: run the tests as root"
)


@as_root
def test_root_gets_a_folder_that_nobody_can_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INDEXER_CACHE", raising=False)
    account = server_account()
    assert account is not None
    assert account.can_enter(server_cache())


@as_root
def test_a_given_folder_that_nobody_can_enter_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("INDEXER_CACHE", str(closed / "cache"))
    with pytest.raises(UsageError, match=r"is closed to nobody, .*; set INDEXER_CACHE"):
        server_cache()


@as_root
def test_a_strict_umask_does_not_close_the_folder_to_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        monkeypatch.setenv("INDEXER_CACHE", f"{outer}/cache")
        before = os.umask(0o077)
        try:
            folder = server_cache()
        finally:
            os.umask(before)
        assert folder.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("INDEXER_CACHE", str(file / "cache"))
    with pytest.raises(UsageError, match=r"file/cache is not writable .*; set INDEXER_CACHE"):
        server_cache()


def test_jobs_and_servers_use_the_same_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INDEXER_CACHE", raising=False)
    assert job_folder("a_job").parents[1] == server_cache() == cache_folder()
    job_folder("a_job").rmdir()


def test_the_dead_letters_of_jobs_are_closed_to_other_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INDEXER_CACHE", str(tmp_path))
    assert job_folder("a_job").parent.stat().st_mode & 0o007 == 0


def test_a_home_folder_in_the_variable_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INDEXER_CACHE", "~/cache")
    assert job_folder("a_job") == tmp_path.resolve() / "cache" / "jobs" / "a_job"
