"""Writes to a table while a job reads it."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexer.sandbox.cratedb_table import Cursor, crate_cursor

__all__ = ["BEGIN", "ChangingTable", "Writer", "concurrent_writes"]

BEGIN = 1_700_000_000_000
PAUSE = 0.02
"""Seconds between two rounds, so that the writer does not take the processor from the job."""


@dataclass(frozen=True)
class ChangingTable:
    """A table whose initial rows have even ids; each change of a row raises its `state`."""

    name: str
    cursor: Cursor
    rows: int

    def now(self) -> dict[str, tuple[int, int]]:
        """The timestamp and the state of every row, by its `_id`."""
        self.cursor.execute(f"REFRESH TABLE {self.name}")
        self.cursor.execute(f"SELECT id, ts, state FROM {self.name} LIMIT 10000000")
        return {str(row[0]): (int(str(row[1])), int(str(row[2]))) for row in self.cursor.fetchall()}

    def insert(self, ids: list[int], state: int) -> None:
        """Insert rows with ids and timestamps between the existing ones, and with a new state."""
        values = [[id_, BEGIN + id_ * 10, state, f"added {id_}"] for id_ in ids]
        self.cursor.executemany(f"INSERT INTO {self.name} (id, ts, state, m) VALUES (?, ?, ?, ?)", values)


@dataclass
class Writer:
    """Inserts, updates and deletes rows anywhere in the table until it is stopped."""

    url: str
    table: ChangingTable
    rounds: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Stop it; nothing is written after this has returned."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        rng = random.Random(self.table.name)
        alive = list(range(0, 2 * self.table.rows, 2))
        state = self.table.rows
        with crate_cursor(self.url) as cursor:
            table = ChangingTable(self.table.name, cursor, self.table.rows)
            while not self._stop.is_set():
                rng.shuffle(alive)
                deleted, changed = alive[:10], alive[10:50]
                del alive[:10]
                new = [2 * rng.randrange(self.table.rows) + 1 for _ in range(30)]
                state += 1
                cursor.execute(f"DELETE FROM {table.name} WHERE id = ANY(?)", (deleted,))
                # Two of three rounds change the timestamp, and so the slice if the key is the timestamp.
                cursor.execute(
                    f"UPDATE {table.name} SET state = ?, m = 'changed', ts = ts + ? WHERE id = ANY(?)",
                    (state, rng.choice((0, -1, 1)) * rng.randrange(20 * table.rows), changed),
                )
                table.insert(new, state)
                self.rounds += 1
                self._stop.wait(PAUSE)


@contextmanager
def concurrent_writes(url: str, table: ChangingTable) -> Iterator[Writer]:
    writer = Writer(url, table)
    try:
        yield writer
    finally:
        writer.end()
