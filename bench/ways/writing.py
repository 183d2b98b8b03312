"""Writing alone: the table's own documents, all made before the clock starts, through our writers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Empty, SimpleQueue

from bench.meter import Meter
from bench.run import Run, Task, answer
from bench.walking import pages
from bench.ways.ours import settings_of, slices_of
from indexer.job.reindex import plan
from indexer.model.document.bulk_request import Batch, split_batches
from indexer.model.document.document import DocumentBuilder
from indexer.pipeline.memory import peak_rss, rare_garbage_collection
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import connect
from indexer.source.open import open_source

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
        with meter, rare_garbage_collection(), ThreadPoolExecutor(settings.writers) as pool:
            writers = [pool.submit(_write, writer, queue) for _ in range(settings.writers)]
            rows = sum(one.result() for one in writers)
    return Run(task.way, rows, meter.spent, peak_rss())


def _ready(settings: Settings) -> SimpleQueue[Batch]:
    """The batches of the whole table, divided as `reindex` divides them."""
    made = plan(settings)
    documents = DocumentBuilder(made.selection, made.mapping)
    queue: SimpleQueue[Batch] = SimpleQueue()
    with closing(open_source(settings.source_access)) as source, closing(source.reader(made.selection)) as reader:
        for part in slices_of(made, source, settings):
            for page in pages(reader, made.selection, part, made.page):
                for batch in split_batches(documents.lines(page), settings.batch_bytes):
                    queue.put(batch)
    return queue


def _write(writer: BulkWriter, queue: SimpleQueue[Batch]) -> int:
    done = 0
    while True:
        try:
            batch = queue.get_nowait()
        except Empty:
            return done
        done += writer.write(batch.lines).acknowledged


if __name__ == "__main__":
    answer(write)
