"""A real Elasticsearch to work with: the one that is there, else one started here."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from indexer.errors import UsageError
from indexer.sandbox.docker import Image, docker_answers
from indexer.sandbox.download import VERSION, distribution, java_home
from indexer.sandbox.process import free_port, wait_until
from indexer.sandbox.server import START_TIMEOUT, Launch, Origin, Server, http_get

__all__ = ["NAME", "elasticsearch_answers", "find_elasticsearch", "find_or_start_elasticsearch", "start_elasticsearch"]

NAME: Final = "Elasticsearch"
PORT: Final = 9200
HEAP: Final = ("-Xms512m", "-Xmx1g")
"""Of a server to try things with, beside all else that a developer's machine does."""

NO_PERF_DATA: Final = "-XX:-UsePerfData"
"""Without it Java writes a file to /tmp, whatever its temporary folder is."""

VECTOR_MODULE: Final = "jdk.incubator.vector"
HEALTH: Final = "/_cluster/health?wait_for_status=yellow&timeout=1s"
PRODUCT_HEADER: Final = "x-elastic-product"
REMEDY: Final = "mend what its log tells, or set ELASTICSEARCH_URL to a server of yours"
IMAGE: Final = Image(
    name=f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}",
    port=PORT,
    environment={
        "discovery.type": "single-node",
        "xpack.security.enabled": "false",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    },
)


def find_or_start_elasticsearch(folder: Path, url: str | None = None, *, keep: bool = False) -> Server:
    """The first there is of: the URL given, ELASTICSEARCH_URL, localhost:9200, ES_HOME, Docker, the embedded one.

    Args:
        folder: where a server started here keeps its configuration, data and logs.
        url: a server to use whatever else is there.
        keep: whether a server started here must outlive this program.

    Raises:
        UsageError: where one had to be started and could not be.
    """
    return find_elasticsearch(url) or start_elasticsearch(folder, keep=keep)


def find_elasticsearch(url: str | None = None, *, port: int = PORT) -> Server | None:
    """The server given by URL or ELASTICSEARCH_URL, or one that answers on the local port without a password."""
    given = url or os.environ.get("ELASTICSEARCH_URL")
    if given:
        return Server(NAME, given, Origin.GIVEN)
    local = f"http://localhost:{port}"
    return Server(NAME, local, Origin.FOUND) if elasticsearch_answers(local) else None


def elasticsearch_answers(url: str) -> bool:
    """Whether what answers there says that it is Elasticsearch, and asks for no password; its health is its own."""
    return _health(url) in {HTTPStatus.OK, HTTPStatus.REQUEST_TIMEOUT}


def start_elasticsearch(
    folder: Path,
    *,
    version: str | None = None,
    port: int | None = None,
    keep: bool = False,
    settings: Mapping[str, str] | None = None,
    heap: int | None = None,
) -> Server:
    """Start a server from ES_HOME, in Docker or from the embedded distribution: loopback only, without security.

    Args:
        folder: where it keeps its configuration, data and logs; what is there is used again.
        version: an exact version, which only the embedded distribution can promise; None for any.
        port: where it answers; None for 9200, or a free port where that is taken.
        keep: whether it must outlive this program.
        settings: more of its configuration, where it is not started in Docker.
        heap: bytes of its Java heap; None for up to 1 GiB, as it needs them.

    Raises:
        UsageError: where it did not start; with the end of its log.
    """
    home = os.environ.get("ES_HOME")
    options = HEAP if heap is None else (f"-Xms{heap}", f"-Xmx{heap}")
    if version is None and home:
        return _launch(Path(home), Origin.HOME, folder, port, settings or {}, options)
    if version is None and docker_answers():
        return _docker(options, keep=keep)
    return _launch(distribution(version or VERSION), Origin.EMBEDDED, folder, port, settings or {}, options)


def _launch(
    home: Path, origin: Origin, folder: Path, port: int | None, settings: Mapping[str, str], heap: Sequence[str]
) -> Server:
    program = home / "bin" / "elasticsearch"
    if not program.is_file():
        raise UsageError(f"ES_HOME is {home}, which has no bin/elasticsearch: unpack a distribution there.")
    java = home / "jdk" if (home / "jdk" / "bin" / "java").is_file() else java_home()
    url = f"http://127.0.0.1:{port or free_port(PORT)}"
    _configure(folder, home, java, url, settings, heap)
    paths = {"ES_JAVA_HOME": java, "ES_PATH_CONF": folder / "config", "ES_TMPDIR": folder / "tmp"}
    return Launch(
        name=NAME,
        url=url,
        origin=origin,
        command=[program],
        environment={
            **{name: str(path) for name, path in paths.items()},
            "CLI_JAVA_OPTS": f"-Djava.io.tmpdir={folder / 'tmp'} {NO_PERF_DATA}",
        },
        folder=folder,
        ready=lambda: _health(url) == HTTPStatus.OK,
        remedy=REMEDY,
    ).start()


def _configure(node: Path, home: Path, java: Path, url: str, more: Mapping[str, str], heap: Sequence[str]) -> None:
    for name in ("config/jvm.options.d", "data", "logs", "tmp"):
        (node / name).mkdir(parents=True, exist_ok=True)
    settings = {
        "cluster.name": "indexer-local",
        "path.data": str(node / "data"),
        "path.logs": str(node / "logs"),
        "network.host": "127.0.0.1",
        "http.port": urlsplit(url).port,
        "discovery.type": "single-node",
        "xpack.security.enabled": False,
        # A developer's disk is often fuller than the 90 % at which a node takes no more shards.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        **more,
    }
    config = node / "config"
    (config / "elasticsearch.yml").write_text(yaml.safe_dump(settings), "utf-8")
    (config / "log4j2.properties").write_bytes((home / "config" / "log4j2.properties").read_bytes())
    (config / "jvm.options").write_text(_jvm_options(home, java), "utf-8")
    (config / "jvm.options.d" / "heap.options").write_text("\n".join((*heap, NO_PERF_DATA)), "utf-8")


def _jvm_options(home: Path, java: Path) -> str:
    """The distribution's own options, without a heap dump and without a module that this Java may lack."""
    unwanted = ["HeapDumpOnOutOfMemoryError"]
    if VECTOR_MODULE not in _modules(java):
        unwanted.append(VECTOR_MODULE)
    lines = (home / "config" / "jvm.options").read_text("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not any(word in line for word in unwanted))


def _modules(java: Path) -> str:
    listing = [str(java / "bin" / "java"), "--list-modules"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout  # noqa: S603 - a path of ours


def _docker(heap: Sequence[str], *, keep: bool) -> Server:
    image = replace(IMAGE, environment={**IMAGE.environment, "ES_JAVA_OPTS": " ".join(heap)})
    container, address = image.run(keep=keep)
    url = f"http://{address}"
    server = Server(NAME, url, Origin.DOCKER, container=container)
    if not wait_until(lambda: _health(url) == HTTPStatus.OK, START_TIMEOUT):
        server.stop()
        raise UsageError(f"{NAME} in Docker was not ready within {START_TIMEOUT:.0f} s: {REMEDY}.")
    return server


def _health(url: str) -> int | None:
    """The status of the cluster's health: 200, or 408 below yellow; None where this is not Elasticsearch."""
    answer = http_get(url + HEALTH)
    return answer.status if answer is not None and PRODUCT_HEADER in answer.headers else None
