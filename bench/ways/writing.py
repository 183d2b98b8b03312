"""Writing alone: the table's own documents, all made before the clock starts, through our writers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Empty, SimpleQueue

from bench.meter import Meter
from bench.run import Run, Task, answer
from bench.walking import pages
from bench.ways.ours import settings_of, slices_of
from indexer.job.collector import seldom_collecting
from indexer.job.memory import peak_rss
from indexer.job.reindex import plan
from indexer.model.batch import Batch, batches
from indexer.model.document import Documents
from indexer.settings import Settings
from indexer.source.open import open_source
from indexer.target.bulk import BulkWriter
from indexer.target.client import connect

__all__ = ["write"]


def write(task: Task) -> Run:
    """Index every document, each under its own `_id`, with as many writers as `reindex` has.

    The memory is not the writers': all documents are held, about 450 bytes each.
    """
    settings = settings_of(task)
    queue = _ready(settings)
    meter = Meter(task.source, task.target)
    with connect(settings.target_access) as cluster:
        writer = BulkWriter(cluster, task.index)
        with meter, seldom_collecting(), ThreadPoolExecutor(settings.writers) as pool:
            writers = [pool.submit(_write, writer, queue) for _ in range(settings.writers)]
            rows = sum(one.result() for one in writers)
    return Run(task.way, rows, meter.spent, peak_rss())


def _ready(settings: Settings) -> SimpleQueue[Batch]:
    """The batches of the whole table, divided as `reindex` divides them."""
    made = plan(settings)
    documents = Documents(made.selection, made.mapping)
    queue: SimpleQueue[Batch] = SimpleQueue()
    with closing(open_source(settings.source_access)) as source, closing(source.reader(made.selection)) as reader:
        for part in slices_of(made, source, settings):
            for page in pages(reader, made.selection, part, made.page):
                for batch in batches(documents.lines(page), settings.batch_bytes):
                    queue.put(batch)
    return queue


def _write(writer: BulkWriter, queue: SimpleQueue[Batch]) -> int:
    done = 0
    while True:
        try:
            batch = queue.get_nowait()
        except Empty:
            return done
        done += writer.write(batch.lines).done


if __name__ == "__main__":
    answer(write)
