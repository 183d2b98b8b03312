"""Every command ends here: an error is one sentence on stderr and its exit code."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import typer

from indexer.errors import IndexerError, Interrupted, Terminated

__all__ = ["guarded"]

Options = ParamSpec("Options")


def guarded(command: Callable[Options, int]) -> Callable[Options, None]:
    """Run a command that returns its exit code; turn its errors into sentences.

    `--debug`, or INDEXER_DEBUG in the environment, lets the traceback through.
    """

    @wraps(command)
    def run(*args: Options.args, **options: Options.kwargs) -> None:
        for stop in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(stop, _terminate)
        _quiet_libraries()
        debug = bool(options.get("debug")) or bool(os.environ.get("INDEXER_DEBUG"))
        try:
            code = command(*args, **options)
        except KeyboardInterrupt:
            _end(Interrupted("Interrupted."), debug=debug)
        except BrokenPipeError:  # the reader of our output went away: `indexer search ... | head`
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # open until the exit
            code = 0
        except IndexerError as error:
            _end(error, debug=debug)
        raise typer.Exit(code)

    return run


def _quiet_libraries() -> None:
    """What the drivers warn of is in our own progress and errors; their lines would break the bar and the sentence."""
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(logging.NullHandler())


def _terminate(number: int, _: object) -> NoReturn:
    raise Terminated(f"Terminated by {signal.Signals(number).name}: run the same command again to go on.")


def _end(error: IndexerError, *, debug: bool) -> NoReturn:
    if debug:
        raise error
    sentence = " ".join(str(error).split())
    typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(error.exit_code)
