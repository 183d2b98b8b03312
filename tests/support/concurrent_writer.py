"""A table that is written to while a job reads it."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexer.sandbox.cratedb_table import Cursor, crate_cursor

__all__ = ["BEGIN", "Moving", "Writer", "writing"]

BEGIN = 1_700_000_000_000
PAUSE = 0.02
"""Seconds between two passes: what is tested is the job, not how the servers share a processor."""


@dataclass(frozen=True)
class Moving:
    """A table whose rows have an even id when the test begins, an event time, and a number that each change raises."""

    name: str
    cursor: Cursor
    rows: int

    def now(self) -> dict[str, tuple[int, int]]:
        """By its `_id` the time and the state of every row."""
        self.cursor.execute(f"REFRESH TABLE {self.name}")
        self.cursor.execute(f"SELECT id, ts, state FROM {self.name} LIMIT 10000000")
        return {str(row[0]): (int(str(row[1])), int(str(row[2]))) for row in self.cursor.fetchall()}

    def insert(self, ids: list[int], state: int) -> None:
        """Rows whose times and ids lie among those that are there, and whose state is beyond them."""
        values = [[id_, BEGIN + id_ * 10, state, f"added {id_}"] for id_ in ids]
        self.cursor.executemany(f"INSERT INTO {self.name} (id, ts, state, m) VALUES (?, ?, ?, ?)", values)


@dataclass
class Writer:
    """Inserts, updates and deletes rows anywhere in the table, until it is told to stop."""

    url: str
    table: Moving
    rounds: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Finish what it is at: nothing is written once this has returned."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        dice = random.Random(self.table.name)
        alive = list(range(0, 2 * self.table.rows, 2))
        state = self.table.rows
        with crate_cursor(self.url) as cursor:
            mine = Moving(self.table.name, cursor, self.table.rows)
            while not self._stop.is_set():
                dice.shuffle(alive)
                gone, changed = alive[:10], alive[10:50]
                del alive[:10]
                new = [2 * dice.randrange(self.table.rows) + 1 for _ in range(30)]
                state += 1
                cursor.execute(f"DELETE FROM {mine.name} WHERE id = ANY(?)", (gone,))
                # Half of what is changed goes to another time, and so to another slice where the key is the time.
                cursor.execute(
                    f"UPDATE {mine.name} SET state = ?, m = 'changed', ts = ts + ? WHERE id = ANY(?)",
                    (state, dice.choice((0, -1, 1)) * dice.randrange(20 * mine.rows), changed),
                )
                mine.insert(new, state)
                self.rounds += 1
                self._stop.wait(PAUSE)


@contextmanager
def writing(url: str, table: Moving) -> Iterator[Writer]:
    writer = Writer(url, table)
    try:
        yield writer
    finally:
        writer.end()
