"""The options that the benchmarks share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ByteSize, TypeAdapter

from indexer.errors import UsageError

__all__ = ["JsonFile", "Source", "Target", "TargetHeap", "heap_of", "numbers", "sizes"]

_OWN: Final = "one of its own, started and stopped"

Source = Annotated[str | None, typer.Option(help="A CrateDB to use.", metavar="URL", show_default=_OWN)]
Target = Annotated[str | None, typer.Option(help="An Elasticsearch to use.", metavar="URL", show_default=_OWN)]
TargetHeap = Annotated[
    str | None,
    typer.Option(help="Java heap of that Elasticsearch of its own.", metavar="SIZE", show_default="up to 1GiB"),
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", help="Write every run and its environment to this file.", metavar="FILE", dir_okay=False),
]

_SIZE: Final = TypeAdapter(ByteSize)


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 on, separated by commas.

    Raises:
        UsageError: where one is none.
    """
    return tuple(_positive(one, int) for one in text.split(","))


def sizes(text: str) -> tuple[int, ...]:
    """Sizes such as 2MiB, separated by commas, in bytes.

    Raises:
        UsageError: where one is none.
    """
    return tuple(_positive(one, lambda size: int(_SIZE.validate_python(size))) for one in text.split(","))


def heap_of(text: str | None) -> int | None:
    """The bytes of `--target-heap`.

    Raises:
        UsageError: where it is no size.
    """
    return None if text is None else sizes(text)[0]


def _positive(text: str, read: Callable[[str], int]) -> int:
    try:
        found = read(text.strip().replace("_", ""))
    except ValueError:
        found = 0
    if found < 1:
        raise UsageError(f"{text!r} is no number or size from 1 on: separate several by commas, as in 1000,2000.")
    return found
