"""A local Elasticsearch: one that is there, else one that is started here."""

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
from indexer.sandbox.process import free_port
from indexer.sandbox.server import Launch, Server, ServerOrigin, http_get, wait_until_ready

__all__ = ["NAME", "PORT", "elasticsearch_answers", "find_elasticsearch", "start_elasticsearch"]

NAME: Final = "Elasticsearch"
PORT: Final = 9200
HEAP: Final = ("-Xms512m", "-Xmx1g")
"""For trying things out, beside whatever else runs on a developer's machine."""

NO_PERF_DATA: Final = "-XX:-UsePerfData"
"""Without it, Java writes a file to /tmp, whatever its temporary folder is."""

VECTOR_MODULE: Final = "jdk.incubator.vector"
HEALTH: Final = "/_cluster/health?wait_for_status=yellow&timeout=1s"
PRODUCT_HEADER: Final = "x-elastic-product"
REMEDY: Final = "fix what its log reports, or set ELASTICSEARCH_URL to another server"
IMAGE: Final = Image(
    name=f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}",
    port=PORT,
    environment={
        "discovery.type": "single-node",
        "xpack.security.enabled": "false",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    },
)


def find_elasticsearch(url: str | None = None, *, port: int = PORT) -> Server | None:
    """The server given by URL or ELASTICSEARCH_URL, or one that answers on the local port without a password."""
    given = url or os.environ.get("ELASTICSEARCH_URL")
    if given:
        return Server(NAME, given, ServerOrigin.GIVEN)
    local = f"http://localhost:{port}"
    return Server(NAME, local, ServerOrigin.FOUND) if elasticsearch_answers(local) else None


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
        folder: for its configuration, data and logs; existing data is used again.
        version: an exact version, which only the embedded distribution can guarantee; None for any.
        port: its port; None for 9200, or a free one if that is taken.
        keep: whether it must outlive this program.
        settings: more settings for `elasticsearch.yml`; ignored in Docker.
        heap: bytes of its Java heap; None for 512 MiB that may grow to 1 GiB.

    Raises:
        UsageError: if it does not start; with the end of its log.
    """
    home = os.environ.get("ES_HOME")
    options = HEAP if heap is None else (f"-Xms{heap}", f"-Xmx{heap}")
    if version is None and home:
        return _start(Path(home), ServerOrigin.HOME, folder, port, settings or {}, options)
    if version is None and docker_answers():
        return _start_container(options, keep=keep)
    return _start(distribution(version or VERSION), ServerOrigin.EMBEDDED, folder, port, settings or {}, options)


def _start(
    home: Path, origin: ServerOrigin, folder: Path, port: int | None, settings: Mapping[str, str], heap: Sequence[str]
) -> Server:
    program = home / "bin" / "elasticsearch"
    if not program.is_file():
        raise UsageError(f"ES_HOME={home} has no bin/elasticsearch; unpack a distribution there, or unset it.")
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


def _configure(folder: Path, home: Path, java: Path, url: str, more: Mapping[str, str], heap: Sequence[str]) -> None:
    for name in ("config/jvm.options.d", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    settings = {
        "cluster.name": "indexer-local",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": urlsplit(url).port,
        "discovery.type": "single-node",
        "xpack.security.enabled": False,
        # A developer's disk is often fuller than 90 %, above which a node takes no more shards.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        **more,
    }
    config = folder / "config"
    (config / "elasticsearch.yml").write_text(yaml.safe_dump(settings), "utf-8")
    (config / "log4j2.properties").write_bytes((home / "config" / "log4j2.properties").read_bytes())
    (config / "jvm.options").write_text(_jvm_options(home, java), "utf-8")
    (config / "jvm.options.d" / "heap.options").write_text("\n".join((*heap, NO_PERF_DATA)), "utf-8")


def _jvm_options(home: Path, java: Path) -> str:
    """The distribution's options, without the heap dump and without a module that this Java may lack."""
    excluded = ["HeapDumpOnOutOfMemoryError"]
    if VECTOR_MODULE not in _java_modules(java):
        excluded.append(VECTOR_MODULE)
    lines = (home / "config" / "jvm.options").read_text("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not any(word in line for word in excluded))


def _java_modules(java: Path) -> str:
    command = [str(java / "bin" / "java"), "--list-modules"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - a known path


def _start_container(heap: Sequence[str], *, keep: bool) -> Server:
    image = replace(IMAGE, environment={**IMAGE.environment, "ES_JAVA_OPTS": " ".join(heap)})
    container, address = image.run(keep=keep)
    server = Server(NAME, f"http://{address}", ServerOrigin.DOCKER, container=container)
    return wait_until_ready(server, lambda: _health(server.url) == HTTPStatus.OK, REMEDY)


def elasticsearch_answers(url: str) -> bool:
    """Whether an Elasticsearch that requires no password answers at this URL, whatever its health."""
    return _health(url) in {HTTPStatus.OK, HTTPStatus.REQUEST_TIMEOUT}


def _health(url: str) -> int | None:
    """The HTTP status of its health: 200, or 408 below yellow; None if this is not Elasticsearch."""
    response = http_get(url + HEALTH)
    return response.status if response is not None and PRODUCT_HEADER in response.headers else None
