"""A Singer pair: meltano-tap-cratedb piped into target-elasticsearch, each in an environment of its own.

One SELECT of the whole table, in no order, one JSON line a row. What a user has to know: the tap takes BIGINT for a
decimal (a stream map makes integers of `id`) and calls OBJECT, arrays and GEO_POINT text (the catalog is corrected);
a GEO_POINT comes rounded in the eighth digit, for CrateDB answers a statement without LIMIT from its column store;
timestamps are written as ISO 8601 text; the target takes `_`, dots and capitals out of an index's name (an alias is
written to); it reindexes from the first row whenever it is run. Only the standard library is imported.
"""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.run import Moved, Task, answer

__all__ = ["move"]

BATCH: Final = 5_000
"""Rows that the target keeps until it sends them, 500 documents a request."""

TYPES: Final = {
    "attrs": {"type": ["object", "null"]},
    "tags": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
    "location": {"type": ["array", "null"], "items": {"type": "number"}},
}

Json = dict[str, Any]


def move(task: Task) -> Moved:
    """Discover the table, then run both to their ends; the clock counts the second step, with starting both."""
    tap, target = sys.argv[2:]
    folder, stream = Path(task.folder), task.table.replace(".", "-").replace('"', "")
    source = _put(folder / "tap.json", _tap(task, stream))
    catalog = _put(folder / "catalog.json", _catalog(_discover(tap, source), stream, task))
    sink = _put(folder / "target.json", _target(task, stream))
    began = time.perf_counter()
    counted = _pipe([tap, "--config", source, "--catalog", catalog], [target, "--config", sink], folder)
    return Moved(counted, time.perf_counter() - began)


def _put(file: Path, what: Json) -> str:
    file.write_text(json.dumps(what), "utf-8")
    return str(file)


def _tap(task: Task, stream: str) -> Json:
    schema = task.table.split(".")[0].strip('"')
    numbers = {stream: {"id": "int(id)", "__key_properties__": ["id"]}}
    return {"sqlalchemy_url": task.source, "filter_schemas": [schema], "stream_maps": numbers, "stream_map_config": {}}


def _target(task: Task, stream: str) -> Json:
    url = urlsplit(task.target)
    return {
        "scheme": url.scheme, "host": url.hostname, "port": url.port, "request_timeout": 120,
        "index_format": _alias(task), "metadata_fields": {stream: {"_id": "id"}}, "batch_size_rows": BATCH,
    }  # fmt: skip


def _alias(task: Task) -> str:
    """A name that the target leaves as it is, of the index that was made."""
    name = task.index.replace("_", "-")
    request = urllib.request.Request(f"{task.target}/{task.index}/_alias/{name}", method="PUT")  # noqa: S310  # http
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310  # as above
    return name


def _discover(tap: str, config: str) -> Json:
    done = subprocess.run([tap, "--config", config, "--discover"], capture_output=True, check=True)
    found: Json = json.loads(done.stdout)
    return found


def _catalog(found: Json, stream: str, task: Task) -> Json:
    (one,) = (each for each in found["streams"] if each["tap_stream_id"] == stream)
    one["replication_method"] = "FULL_TABLE"
    one["schema"]["properties"] |= {name: TYPES[name] for name in task.columns if name in TYPES}
    for each in one["metadata"]:
        each["metadata"]["selected"] = True
    return {"streams": [one]}


def _pipe(first: list[str], second: list[str], folder: Path) -> int:
    with (folder / "tap.log").open("wb") as log:
        tap = subprocess.Popen(first, stdout=subprocess.PIPE, stderr=log)
        target = subprocess.run(
            second, stdin=tap.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if tap.stdout:
            tap.stdout.close()
        if tap.wait() or target.returncode:
            sys.exit(f"tap: {tap.returncode}, target: {target.returncode}: {target.stderr.decode()[-1500:]}")
    return _counted((folder / "tap.log").read_text("utf-8"))


def _counted(log: str) -> int:
    """How many records the tap says that it wrote."""
    metrics = [json.loads(line.partition("METRIC: ")[2]) for line in log.splitlines() if "METRIC: " in line]
    return int(sum(one["value"] for one in metrics if one["metric"] == "record_count"))


if __name__ == "__main__":
    answer(move)
