"""Logstash itself, with `logstash/pipeline/logs.conf`: its table is the benchmark's, and the index is there already.

It runs from LOGSTASH_HOME. Its seconds are those of the whole process, with the start of the JVM, for it does not tell
when it asks for its first page.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.competitors.crate_pages import open_cursor
from bench.competitors.task import Moved, Task, answer

__all__ = ["move", "pipeline"]

_FILES: Final = Path(__file__).parents[2] / "logstash"


def move(task: Task) -> Moved:
    """Run the pipeline once, to its end."""
    program, jar = sys.argv[2:]
    folder = Path(task.folder)
    variables = {
        "CRATEDB_JDBC": task.jdbc.url,
        "CRATEDB_JDBC_JAR": jar,
        "CRATEDB_USER": task.jdbc.user,
        "CRATEDB_PASSWORD": task.jdbc.password,
        "ELASTICSEARCH_URL": task.target,
        "LOGSTASH_INDEX": task.index,
    }
    (folder / "settings").mkdir(exist_ok=True)
    shutil.copyfile(_FILES / "logstash.yml", folder / "settings" / "logstash.yml")
    (folder / "logs.conf").write_text(pipeline((_FILES / "pipeline" / "logs.conf").read_text("utf-8"), task), "utf-8")
    arguments = ["--path.settings", f"{folder}/settings", "--path.data", f"{folder}/data", "-f", f"{folder}/logs.conf"]
    began = time.perf_counter()
    subprocess.run([program, *arguments], env={**os.environ, **variables}, stdout=sys.stderr, check=True)
    seconds = time.perf_counter() - began
    cursor = open_cursor(task)
    cursor.execute(f"SELECT count(*) FROM {task.table}")
    return Moved(int(str(cursor.fetchall()[0][0])), seconds)


def pipeline(text: str, task: Task) -> str:
    """The pipeline with the task's table, and without a template, for the index is there.

    Raises:
        ValueError: where the text does not have exactly once what is to be replaced.
    """
    for old, new in (
        ("FROM logs\n", f"FROM {task.table}\n"),
        ("manage_template => true\n", "manage_template => false\n"),
    ):
        if text.count(old) != 1:
            raise ValueError(f"logs.conf has {old.strip()!r} {text.count(old)} times: it is replaced where it is once.")
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    answer(move)
