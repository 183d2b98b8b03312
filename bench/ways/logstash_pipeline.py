"""Logstash itself, with `logstash/pipeline/logs.conf`: the statement's table is the benchmark's, the index is there.

It needs LOGSTASH_HOME, or Docker; where the figures of the README come from, there was neither. Its seconds are those
of the whole process, the JVM's start included, for it does not say when it asks for its first page. In Docker it is no
child of the client, so that its memory and CPU are not seen.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.run import Moved, Task, answer
from bench.ways.wire import first_value, wire
from indexer.sandbox.download import VERSION

__all__ = ["IMAGE", "move", "pipeline"]

IMAGE: Final = f"docker.elastic.co/logstash/logstash:{VERSION}"
FILES: Final = Path(__file__).parents[2] / "logstash"


def move(task: Task) -> Moved:
    """Run the pipeline once, to its end."""
    jar, home = sys.argv[2], os.environ.get("LOGSTASH_HOME")
    folder = Path(task.folder)
    variables = _variables(task, jar)
    command = _here(home, folder) if home else _docker(variables, jar, folder)
    _settings(task, folder)
    began = time.perf_counter()
    subprocess.run(command, env={**os.environ, **variables}, stdout=sys.stderr, check=True)
    return Moved(int(str(first_value(task.source, f"SELECT count(*) FROM {task.table}"))), time.perf_counter() - began)


def _settings(task: Task, folder: Path) -> None:
    (folder / "settings").mkdir(exist_ok=True)
    shutil.copyfile(FILES / "logstash.yml", folder / "settings" / "logstash.yml")
    (folder / "logs.conf").write_text(pipeline((FILES / "pipeline" / "logs.conf").read_text("utf-8"), task), "utf-8")


def pipeline(text: str, task: Task) -> str:
    """The pipeline with the task's table, and without a template, for the index is there.

    Raises:
        ValueError: where the text does not say once what is to be replaced.
    """
    for old, new in (
        ("FROM logs\n", f"FROM {task.table}\n"),
        ("manage_template => true\n", "manage_template => false\n"),
    ):
        if text.count(old) != 1:
            raise ValueError(f"logs.conf has {old.strip()!r} {text.count(old)} times: it is replaced where it is once.")
        text = text.replace(old, new)
    return text


def _variables(task: Task, jar: str) -> dict[str, str]:
    source = wire(task.source)
    return {
        "CRATEDB_JDBC": source.url,
        "CRATEDB_JDBC_JAR": jar,
        "CRATEDB_USER": source.user,
        "CRATEDB_PASSWORD": source.password,
        "ELASTICSEARCH_URL": task.target,
        "LOGSTASH_INDEX": task.index,
    }


def _arguments(folder: Path) -> list[str]:
    return ["--path.settings", f"{folder}/settings", "--path.data", f"{folder}/data", "-f", f"{folder}/logs.conf"]


def _here(home: str, folder: Path) -> list[str]:
    return [str(Path(home) / "bin" / "logstash"), *_arguments(folder)]


def _docker(variables: dict[str, str], jar: str, folder: Path) -> list[str]:
    mounts = [part for path in (f"{folder}:{folder}", f"{jar}:{jar}:ro") for part in ("--volume", path)]
    given = [part for name in variables for part in ("--env", name)]
    user = ["--user", f"{os.getuid()}:{os.getgid()}"]
    return [
        "docker",
        "run",
        "--rm",
        "--network",
        "host",
        *user,
        *mounts,
        *given,
        IMAGE,
        "logstash",
        *_arguments(folder),
    ]


if __name__ == "__main__":
    answer(move)
