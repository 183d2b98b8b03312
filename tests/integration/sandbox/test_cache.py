"""The cache folder is one that the servers' account can enter, whoever runs the program."""

import os
import tempfile
from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.sandbox.cache import cache_folder
from indexer.sandbox.process import server_account

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root's servers run as somebody else: run the tests as root"
)


@as_root
def test_root_gets_a_folder_that_nobody_can_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INDEXER_CACHE", raising=False)
    account = server_account()
    assert account is not None
    assert account.can_enter(cache_folder())


@as_root
def test_a_given_folder_that_nobody_can_enter_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("INDEXER_CACHE", str(closed / "cache"))
    with pytest.raises(UsageError, match=r"cannot be entered by nobody, .*: set INDEXER_CACHE"):
        cache_folder()


def test_a_strict_umask_does_not_close_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        monkeypatch.setenv("INDEXER_CACHE", f"{outer}/cache")
        before = os.umask(0o077)
        try:
            folder = cache_folder()
        finally:
            os.umask(before)
        assert folder.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("INDEXER_CACHE", str(file / "cache"))
    with pytest.raises(UsageError, match=r"file/cache cannot be written .*: set INDEXER_CACHE"):
        cache_folder()
