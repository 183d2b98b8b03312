"""Reading alone: our readers walk the table, pages are decoded and dropped."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Empty, SimpleQueue

from bench.meter import Meter
from bench.run import Run, Task, answer
from bench.walking import pages
from bench.ways.ours import settings_of, slices_of
from indexer.job.reindex import plan
from indexer.model.job.plan import Plan
from indexer.model.paging.slice import Slice
from indexer.pipeline.memory import peak_rss, rare_garbage_collection
from indexer.source.open import open_source
from indexer.source.protocol import Source

__all__ = ["read"]


def read(task: Task) -> Run:
    """Walk every slice with as many readers as `reindex` has; planning is not measured."""
    settings = settings_of(task)
    made = plan(settings)
    slices: SimpleQueue[Slice] = SimpleQueue()
    meter = Meter(task.source, task.target)
    with closing(open_source(settings.source_access)) as source:
        for part in slices_of(made, source, settings):
            slices.put(part)
        with meter, rare_garbage_collection(), ThreadPoolExecutor(settings.readers) as pool:
            readers = [pool.submit(_read, source, made, slices) for _ in range(settings.readers)]
            rows = sum(reader.result() for reader in readers)
    return Run(task.way, rows, meter.spent, peak_rss())


def _read(source: Source, made: Plan, slices: SimpleQueue[Slice]) -> int:
    rows = 0
    with closing(source.reader(made.selection)) as reader:
        while True:
            try:
                part = slices.get_nowait()
            except Empty:
                return rows
            rows += sum(len(page) for page in pages(reader, made.selection, part, made.page))


if __name__ == "__main__":
    answer(read)
