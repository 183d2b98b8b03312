"""Rounds: what a job reads after its load, for the table was written to meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.model.checkpoint import read_left, write_left
from indexer.model.json import JsonObject
from indexer.model.ledger import Left

__all__ = ["Round", "read_round", "write_round"]


@dataclass(frozen=True, slots=True)
class Round:
    """One reading after the load; its rows overwrite their documents, so it may read rows again.

    Attributes:
        column: the lead of the key by which it reads.
        left: what is left of each of its slices.
        whole: whether it reads all rows; else those that were added, or some slices once more.
    """

    column: str
    left: tuple[Left, ...]
    whole: bool


def write_round(one: Round) -> JsonObject:
    """A round as JSON."""
    return {"column": one.column, "whole": one.whole, "left": write_left(one.left)}


def read_round(content: Mapping[str, Any]) -> Round:
    """The inverse of `write_round`.

    Raises:
        KeyError, TypeError, ValueError: where it is not what `write_round` made.
    """
    return Round(str(content["column"]), read_left(content["left"]), bool(content["whole"]))
