"""Every command ends here: an error is one sentence on stderr and its exit code."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Final, NoReturn, ParamSpec

import typer

from indexer.errors import FileError, IndexerError, Interrupted, Terminated

__all__ = ["command_errors"]

Options = ParamSpec("Options")

_STOPS: Final = (signal.SIGTERM, signal.SIGHUP)


def command_errors(command: Callable[Options, int]) -> Callable[Options, None]:
    """Run a command that returns its exit code; turn its errors into sentences.

    `--debug`, or INDEXER_DEBUG in the environment, lets the traceback through.
    """

    @wraps(command)
    def run(*args: Options.args, **options: Options.kwargs) -> None:
        stop = _Stop()
        stop.listen()
        _quiet_libraries()
        debug = bool(options.get("debug")) or bool(os.environ.get("INDEXER_DEBUG"))
        try:
            code = command(*args, **options)
        except (KeyboardInterrupt, Interrupted) as error:
            _end(stop.told or _interrupted(error), debug=debug)
        except BrokenPipeError:  # the reader of our output went away: `indexer search ... | head`
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # open until the exit
            code = 0
        except IndexerError as error:
            _end(error, debug=debug)
        except OSError as error:  # of files: what servers and their connections do has errors of its own
            _end(FileError(error.filename or "The output", error), debug=debug)
        if stop.told:  # what goes on until Ctrl-C takes the signal for it
            _end(stop.told, debug=debug)
        raise typer.Exit(code)

    return run


class _Stop:
    """The signals by which the system stops a command, taken as Ctrl-C is.

    KeyboardInterrupt is no Exception: no library takes it for a request that failed and asks again. After the first
    signal the others are ignored, for a terminal that closes sends more than one, and a job writes how it ended.

    Attributes:
        told: the error that the first signal ends in; None before it.
    """

    def __init__(self) -> None:
        self.told: Terminated | None = None

    def listen(self) -> None:
        """Take the signals; but one that is ignored from the start stays so, for this is what nohup does."""
        for number in _STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def _stop(self, number: int, _: object) -> NoReturn:
        for other in _STOPS:
            signal.signal(other, _ignore)
        name = signal.Signals(number).name
        self.told = Terminated(f"Terminated by {name}: run the same command again to go on.")
        raise KeyboardInterrupt


def _ignore(number: int, frame: object) -> None:
    """Go on. Python complains on stderr where SIG_IGN is set for a signal that has come and was not told of yet."""


def _interrupted(error: BaseException) -> Interrupted:
    return error if isinstance(error, Interrupted) else Interrupted("Interrupted: run the same command again to go on.")


def _quiet_libraries() -> None:
    """What the drivers warn of is in our own progress and errors; their lines would break the bar and the sentence."""
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(logging.NullHandler())


def _end(error: IndexerError, *, debug: bool) -> NoReturn:
    if debug:
        raise error
    sentence = " ".join(str(error).split())
    with suppress(OSError):  # the terminal is closed: nobody reads it any more, and the exit code still tells
        typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(error.exit_code)
