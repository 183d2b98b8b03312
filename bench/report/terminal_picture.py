"""Draws docs/search.svg for `make docs`: a terminal with searches of the sample logs."""

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from indexer.cli.main import app

__all__ = ["draw"]

SEARCHES: Final = (
    ("timeout AND service:payments", "--since", "2h", "--level", "ERROR", "--sort", "-ts", "-n", "4"),
    ("반도체 개발", "-n", "3"),
    ("--where", "status=500", "--where", "latency_ms>300", "--top", "service", "--histogram", "15m"),
)
_WIDTH: Final = 110


def draw(folder: Path) -> Path:
    """Run the searches and draw what they print.

    Args:
        folder: where the picture goes.

    Raises:
        SystemExit: where a search ends in an error.
    """
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    for search in SEARCHES:
        shown = " ".join(f"'{word}'" if {" ", ">"} & {*word} else word for word in search)
        console.print(Text(f"$ indexer search {shown}", style="bold green"))
        console.print(Text.from_ansi(_run(search)))
    path = folder / "search.svg"
    drawn = console.export_svg(title="indexer search")
    # A picture asks no other host for anything: the font is one that the reader has.
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")
    return path


def _run(search: tuple[str, ...]) -> str:
    os.environ.update(FORCE_COLOR="1", COLUMNS=str(_WIDTH), TZ="UTC")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            app(["search", *search], prog_name="indexer")
        except SystemExit as end:
            if end.code not in (0, None):
                sys.exit(out.getvalue())
    return out.getvalue()


if __name__ == "__main__":
    print(f"Drawn: {draw(Path('docs'))}")
