"""What a job did, as `--json` prints it and as it is kept beside the dead letters."""

from dataclasses import asdict, dataclass

from indexer.model.json import JsonObject

__all__ = ["ReplayReport", "Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a job.

    Attributes:
        job: its name.
        table: the table that was read.
        index: the index that was written.
        alias: the target.
        switched: whether the alias points to the index now.
        resumed: whether an unfinished job was resumed.
        rows_read: rows read from the source, by all runs of the job.
        rows_indexed: documents in the new index.
        rows_caught_up: rows read after the load, because the table changed during the load, or may have.
        dead_letters: documents that Elasticsearch rejected for good.
        nulled: NaN and infinite values that became null.
        seconds: from the first page to the last acknowledgement.
        rows_per_second: documents a second, of this run.
        pages: pages read.
        page_ms_p50: the median time of a page, in milliseconds.
        page_ms_p95: its 95th percentile.
        checkpoint_cpu_seconds: CPU that this process spent on checkpoints; the load continues while the servers answer.
        peak_rss_bytes: the most memory that the process held.
        strategy: how pages advanced.
        key: by which columns.
        dead_letter_file: where the dead letters are; None where there are none.
        deleted: older indexes that were deleted after the switch.
        caveat: why rows may have been missed unnoticed; empty where they cannot.
    """

    job: str
    table: str
    index: str
    alias: str
    switched: bool
    resumed: bool
    rows_read: int
    rows_indexed: int
    rows_caught_up: int
    dead_letters: int
    nulled: int
    seconds: float
    rows_per_second: float
    pages: int
    page_ms_p50: float
    page_ms_p95: float
    checkpoint_cpu_seconds: float
    peak_rss_bytes: int
    strategy: str
    key: str
    dead_letter_file: str | None
    deleted: tuple[str, ...]
    caveat: str

    @property
    def exit_code(self) -> int:
        """0 where every row is in the index, 3 where some are dead letters."""
        return 3 if self.dead_letters else 0

    def as_json(self) -> JsonObject:
        """The report as one JSON object."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """The outcome of a replay.

    Attributes:
        job: the job whose dead letters they are.
        table: the table whose rows were read.
        index: the index that was written.
        found: dead letters before the replay.
        indexed: those whose rows are in the index now.
        gone: those whose rows are no longer in the source, or no longer meet the job's `--where`: they are dropped.
        gone_ids: the `_id`s of the first of these.
        remaining: those that remain.
        elsewhere: how many of these are in files on other machines, so that they were not replayed.
        reasons: why the first of those that remain were rejected once more, each with its `_id`.
        dead_letter_file: where those that remain are, or None where this machine has no such file.
        dead_letter_index: the index where they are, or None.
    """

    job: str
    table: str
    index: str
    found: int
    indexed: int
    gone: int
    gone_ids: tuple[str, ...]
    remaining: int
    elsewhere: int
    reasons: tuple[str, ...]
    dead_letter_file: str | None
    dead_letter_index: str | None

    @property
    def exit_code(self) -> int:
        """3 while dead letters remain, else 0."""
        return 3 if self.remaining else 0

    def as_json(self) -> JsonObject:
        """The outcome as one JSON object."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
