"""What the product leaves on a machine: its cache folder, what it was asked to write, and nothing else."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox import cache
from indexer.sandbox.sample_table import load_sqlite_sample
from tests.support.commands import run

ROOT = Path(__file__).parents[3]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user with an empty home, an empty temporary folder, and no cache folder yet."""
    for name in ("home", "tmp", "work"):
        (tmp_path / name).mkdir()
    folders = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "tmp", "INDEXER_CACHE": tmp_path / "cache"}
    yield {name: str(folder) for name, folder in folders.items()}
    assert not files(tmp_path / "tmp")
    assert not files(tmp_path / "home")


@pytest.mark.elasticsearch
def test_a_job_a_search_and_a_verification_write_into_the_cache_folder_alone(
    elasticsearch_url: str, alias: str, home: dict[str, str], tmp_path: Path
) -> None:
    load_sqlite_sample(tmp_path / "logs.db", 300)
    (tmp_path / "work" / "wrong.yaml").write_text("fields: {message: long}\n")
    source = ("--source", f"sqlite:///{tmp_path}/logs.db", "--mapping", "wrong.yaml")
    target = ("--target", elasticsearch_url, "--index", alias)
    codes = [
        run("indexer", *words, *target, cwd=tmp_path / "work", timeout=120, **home).code
        for words in (("plan", *source), ("reindex", *source), ("verify", *source), ("search", "*"))
    ]
    assert codes == [0, 3, 3, 1], "the documents are dead letters"
    assert files(tmp_path / "work") == {"wrong.yaml"}
    (job,) = (tmp_path / "cache" / "jobs").iterdir()
    assert files(tmp_path / "cache") == {f"jobs/{job.name}/report.json", f"jobs/{job.name}/dead_letters.ndjson"}
    with Elasticsearch(elasticsearch_url) as client:
        assert set(client.indices.get(index=f"{alias}*", expand_wildcards="all")) == {job.name, f"{alias}_jobs"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A cache folder that the servers' account can enter; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_make_clean_removes_what_was_made_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    """In a copy of the checkout, whose programs are those of this one."""
    checkout = tmp_path / "checkout"
    kept = {"Makefile", "indexer/__init__.py", "mine.txt"}
    for name in kept:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes((ROOT / name).read_bytes() if (ROOT / name).is_file() else b"mine")
    for name in (".venv/bin/x", "build/x", ".mypy_cache/x", "indexer/__pycache__/x.pyc"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).touch()
    (checkout / ".venv/bin/indexer").symlink_to(Path(sys.executable).parent / "indexer")
    (folder / cache.SAMPLES).touch()
    (folder / "theirs").touch()
    environment = {**os.environ, "INDEXER_CACHE": str(folder)}
    ended = subprocess.run(
        ["make", "clean"], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert files(checkout) == kept
    assert files(folder) == {"theirs"}
