"""The ceilings of `reindex`: its readers walk the table and drop the pages; its writers send documents made before."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Empty, SimpleQueue

from bench.competitors.reindex import bench_settings
from bench.competitors.task import Competitor, Run, Task, answer
from bench.meter.meter import Meter
from indexer.job.reindex import plan
from indexer.job.slices import slice_table
from indexer.model.document.bulk_request import Batch, split_batches
from indexer.model.document.document import DocumentBuilder
from indexer.model.job.plan import Plan
from indexer.model.json import Row
from indexer.model.paging.slice import Slice
from indexer.model.paging.walk import walk_through
from indexer.model.paging.window import PrefixCount
from indexer.model.table.selection import Selection
from indexer.pipeline.memory import peak_rss, rare_garbage_collection
from indexer.settings import Settings
from indexer.sink.bulk import BulkWriter
from indexer.sink.client import connect
from indexer.source.open import open_source
from indexer.source.protocol import Reader, Source

__all__ = ["read", "walk_pages", "write"]


def walk_pages(reader: Reader, selection: Selection, part: Slice, limit: int) -> Iterator[tuple[Sequence[Row], float]]:
    """Walk one slice in pages of at most `limit` rows, as `reindex` does.

    Yields:
        the rows of a page, and the milliseconds from its request until all of them were decoded.
    """
    lead = selection.position(selection.key.column)
    way = walk_through(
        part.window, key_column=lead, tiebreakers=selection.tiebreaker_positions, limit=limit, rows=part.rows
    )
    while (question := way.next_request()) is not None:
        if isinstance(question, PrefixCount):
            way.learn_counts(reader.count_prefixes(question))
            continue
        began = time.perf_counter()
        page = reader.page(question)
        milliseconds = (time.perf_counter() - began) * 1000
        yield way.take(page.rows), milliseconds


def read(task: Task) -> Run:
    """Walk every slice with as many readers as `reindex` has; planning is not measured."""
    settings = bench_settings(task)
    made = plan(settings)
    slices: SimpleQueue[Slice] = SimpleQueue()
    meter = Meter(task.source, task.target)
    with closing(open_source(settings.source_access)) as source:
        for part in _slices(made, source, settings):
            slices.put(part)
        with meter, rare_garbage_collection(), ThreadPoolExecutor(settings.readers) as pool:
            readers = [pool.submit(_read, source, made, slices) for _ in range(settings.readers)]
            rows = sum(reader.result() for reader in readers)
    return Run(task.competitor, rows, meter.usage, peak_rss())


def write(task: Task) -> Run:
    """Index every document under its own `_id`, with as many writers as `reindex` has.

    The memory is not the writers': all documents are held, about 450 bytes each.
    """
    settings = bench_settings(task)
    queue = _ready(settings)
    meter = Meter(task.source, task.target)
    with connect(settings.target_access) as cluster:
        writer = BulkWriter(cluster, task.index)
        with meter, rare_garbage_collection(), ThreadPoolExecutor(settings.writers) as pool:
            writers = [pool.submit(_write, writer, queue) for _ in range(settings.writers)]
            rows = sum(one.result() for one in writers)
    return Run(task.competitor, rows, meter.usage, peak_rss())


def _slices(made: Plan, source: Source, settings: Settings) -> tuple[Slice, ...]:
    return slice_table(source, made.selection, settings.strategy, made.page)


def _read(source: Source, made: Plan, slices: SimpleQueue[Slice]) -> int:
    rows = 0
    with closing(source.reader(made.selection)) as reader:
        while True:
            try:
                part = slices.get_nowait()
            except Empty:
                return rows
            rows += sum(len(page) for page, _ in walk_pages(reader, made.selection, part, made.page))


def _ready(settings: Settings) -> SimpleQueue[Batch]:
    """The batches of the whole table, divided as `reindex` divides them."""
    made = plan(settings)
    documents = DocumentBuilder(made.selection, made.mapping)
    queue: SimpleQueue[Batch] = SimpleQueue()
    with closing(open_source(settings.source_access)) as source, closing(source.reader(made.selection)) as reader:
        for part in _slices(made, source, settings):
            for page, _ in walk_pages(reader, made.selection, part, made.page):
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


def _run(task: Task) -> Run:
    return read(task) if task.competitor is Competitor.READ else write(task)


if __name__ == "__main__":
    answer(_run)
