"""One CrateDB node of an unpacked server: its configuration, and how it is started."""

import os
import shutil
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import yaml

from indexer.errors import Refused
from indexer.local.http import ask
from indexer.local.server import Launch, Origin
from indexer.model.json import JsonObject, Row

__all__ = ["REMEDY", "configure", "crate_home", "node_launch", "query"]

HOME: Final = Path("/opt/crate")
REMEDY: Final = "mend what its log tells, or set CRATEDB_URL to a server of yours"


def crate_home() -> Path | None:
    """Where a server is unpacked: CRATEDB_HOME, else /opt/crate; None where there is none.

    Raises:
        Refused: where CRATEDB_HOME has no server.
    """
    given = os.environ.get("CRATEDB_HOME")
    home = Path(given or HOME)
    if (home / "bin" / "crate").is_file():
        return home
    if given:
        raise Refused(f"CRATEDB_HOME is {given}, which has no bin/crate: unpack a CrateDB server there.")
    return None


def configure(home: Path, folder: Path, settings: JsonObject) -> None:
    """Write a configuration of our own, for loopback only: the distribution's may be a production node's.

    Args:
        home: where the server is unpacked.
        folder: where the node keeps its configuration, data and logs; data that is there stays.
        settings: what `crate.yml` says besides, by dotted names; `http.port` must be among them.
    """
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    every: JsonObject = {
        "cluster.name": "indexer-local",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "udc.enabled": False,
        # As the distribution has it: the superuser without a password from here, everybody else with one.
        "auth.host_based.enabled": True,
        "auth.host_based.config.0.user": "crate",
        "auth.host_based.config.0.address": "_local_",
        "auth.host_based.config.0.method": "trust",
        "auth.host_based.config.99.method": "password",
    }
    (folder / "config" / "crate.yml").write_text(yaml.safe_dump({**every, **settings}), "utf-8")
    shutil.copyfile(home / "config" / "log4j2.properties", folder / "config" / "log4j2.properties")


def node_launch(name: str, home: Path, folder: Path, *, heap: str, ready: Callable[[str], bool]) -> Launch:
    """How to start a node that is configured: the first time, and again after it was stopped or killed.

    Args:
        name: what it is called in messages.
        home: where the server is unpacked.
        folder: the folder that `configure` filled.
        heap: the size of its heap, as CRATE_HEAP_SIZE takes it.
        ready: whether the node at this URL can be used.
    """
    written = yaml.safe_load((folder / "config" / "crate.yml").read_text("utf-8"))
    url = f"crate://127.0.0.1:{written['http.port']}"
    return Launch(
        name=name,
        url=url,
        origin=Origin.HOME,
        command=[home / "bin" / "crate", f"-Cpath.conf={folder / 'config'}"],
        environment={
            "CRATE_HEAP_SIZE": heap,
            "CRATE_HEAP_DUMP_PATH": str(folder),
            "CRATE_DISABLE_GC_LOGGING": "1",
            "CRATE_JAVA_OPTS": f"-Djava.io.tmpdir={folder / 'tmp'} -XX:-UsePerfData",
        },
        folder=folder,
        ready=lambda: ready(url),
        remedy=REMEDY,
    )


def query(url: str, sql: str) -> list[Row] | None:
    """The rows that the node at `crate://host:port` answers; None where it does not answer, or with an error."""
    answer = ask(f"http://{urlsplit(url).netloc}/_sql", {"stmt": sql})
    if answer is None or answer.status != HTTPStatus.OK:
        return None
    return cast("list[Row]", answer.json()["rows"])
