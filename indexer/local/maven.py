"""Files from Maven Central, fetched in pure Python."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from indexer.errors import Refused

__all__ = ["fetch"]

READ_TIMEOUT: Final = 60
"""Seconds without a byte after which a fetch counts as failed."""


def fetch(group: str, name: str, version: str, packaging: str, folder: Path) -> Path:
    """Fetch one file; what was cut off is left in the folder, so that a caller moves what is whole to its place.

    Args:
        group: its group, such as `org.postgresql`.
        name: its artifact.
        version: which.
        packaging: its suffix, such as `jar`.
        folder: an empty one, for jgo takes any file that is there for whole.

    Returns:
        where the file is, inside the folder.

    Raises:
        Refused: where the package jgo is not installed.
        OSError: where the repository does not answer.
        RuntimeError: where it has no such file.
    """
    if find_spec("jgo") is None:
        raise Refused(f"{name}-{version}.{packaging} is fetched by the package jgo: install log-search-indexer[local].")
    from jgo.maven import MavenContext  # noqa: PLC0415 - an extra brings it, and it takes a second

    maven = MavenContext(repo_cache=folder / "maven", timeout=READ_TIMEOUT)
    return Path(maven.project(group, name).at_version(version).artifact(packaging=packaging).resolve())
