"""A table and an index compared in full, by `indexer verify --full`."""

import subprocess
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bench.child import ChildFailed, console_script
from bench.run import Compared, Task
from bench.ways.ours import JOBS

__all__ = ["compare", "verify_command"]

_COMPARED: Final = TypeAdapter(Compared)


def verify_command(task: Task, index: str) -> list[str]:
    """`indexer verify --full` of the task's table and this index, with its report as JSON."""
    return [
        *(str(console_script("indexer")), "verify", "--full", "--json", "--quiet"),
        *("--source", task.source, "--target", task.target, "--table", task.table),
        *(("--mapping", task.mapping) if task.mapping else ()),
        *("--index", index, "--jobs-index", JOBS),
    ]


def compare(task: Task, index: str) -> Compared:
    """Every row and every document.

    Raises:
        ChildFailed: where it does not end with a report.
    """
    done = subprocess.run(verify_command(task, index), capture_output=True, check=False)
    try:
        return _COMPARED.validate_json(done.stdout)
    except ValidationError as error:
        raise ChildFailed(f"{task.way}: verify ended in {done.returncode}: {done.stderr.decode()[-1000:]}") from error
