"""What a replay of dead letters did."""

from dataclasses import asdict, dataclass

from indexer.model.json import JsonObject

__all__ = ["Replayed"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of a replay.

    Attributes:
        job: the job whose dead letters they are.
        table: the table whose rows were read again.
        index: the index that was written.
        found: dead letters that there were.
        indexed: those whose rows are in the index now.
        gone: those whose rows are no longer in the source, or no longer meet the job's `--where`: they are dropped.
        gone_ids: the `_id`s of the first of these.
        remaining: those that are left.
        elsewhere: how many of these are in files of other machines, so that nothing was tried.
        reasons: why the first of those that are left were rejected again, each with its `_id`.
        dead_letter_file: where those that are left are, or None where this machine has no such file.
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
        """3 while dead letters are left, else 0."""
        return 3 if self.remaining else 0

    def as_json(self) -> JsonObject:
        """The outcome as one JSON object."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
