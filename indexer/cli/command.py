"""What all commands share: their options, and their end. An error is one sentence on stderr and an exit code."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Final, NoReturn

import typer

from indexer.cli.options import setting_names, setting_parameters
from indexer.errors import FileError, IndexerError, Interrupted, Terminated
from indexer.option import OptionGroup
from indexer.settings import load_settings

__all__ = ["command"]

_STOPS: Final = (signal.SIGTERM, signal.SIGHUP)

_DEBUG: Final = Parameter(
    "debug",
    Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--debug", help="Show the traceback of an error. [env: INDEXER_DEBUG]")],
)


def command(*options: OptionGroup | str) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Make a command of a function that returns an exit code; turn its errors into sentences.

    The function's parameters are the command's own options, and those of a dataclass are its fields. `settings`, if it
    is one of them, is made from the options below, the environment and the config file.

    Args:
        options: groups of settings, or single settings by their names, that the command has as options.
    """
    names = setting_names(options)

    def decorate(function: Callable[..., int]) -> Callable[..., None]:
        own = {one.name: one for one in signature(function).parameters.values()}
        takes_settings = own.pop("settings", None) is not None
        sets: dict[str, Any] = {name: one.annotation for name, one in own.items() if is_dataclass(one.annotation)}

        @wraps(function)
        def run(*, debug: bool, **given: object) -> None:
            chosen = {name: given.pop(name) for name in names}
            for name, kind in sets.items():
                given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})

            def call() -> int:
                return function(**given, settings=load_settings(**chosen)) if takes_settings else function(**given)

            _run(call, debug=debug or bool(os.environ.get("INDEXER_DEBUG")))

        parameters = [
            *(one.replace(kind=Parameter.KEYWORD_ONLY) for name, one in own.items() if name not in sets),
            *(parameter for kind in sets.values() for parameter in _field_parameters(kind)),
            *setting_parameters(names),
            _DEBUG,
        ]
        run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _field_parameters(kind: type[Any]) -> Iterator[Parameter]:
    for field in fields(kind):
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)


def _run(call: Callable[[], int], *, debug: bool) -> NoReturn:
    stop = _Stop()
    stop.listen()
    _silence_libraries()
    try:
        code = call()
    except (KeyboardInterrupt, Interrupted) as error:
        _end(stop.error or _interrupted(error), debug=debug)
    except BrokenPipeError:  # the reader of our output is gone: `indexer search ... | head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # open until the exit
        code = 0
    except IndexerError as error:
        _end(error, debug=debug)
    except OSError as error:  # of files: errors of servers and connections have classes of their own
        _end(FileError(error.filename or "The output", error), debug=debug)
    if stop.error:  # a command that runs until Ctrl-C takes the signal for it
        _end(stop.error, debug=debug)
    raise typer.Exit(code)


class _Stop:
    """The signals by which the system stops a command, handled as Ctrl-C is.

    KeyboardInterrupt is no Exception, so no library mistakes it for a failed request and retries. After the first
    signal the others are ignored: a terminal that closes sends several, and a job still records how it ended.

    Attributes:
        error: the error that the first signal ends in; None before it.
    """

    def __init__(self) -> None:
        self.error: Terminated | None = None

    def listen(self) -> None:
        """Handle the signals, except those that are ignored from the start, as under nohup."""
        for number in _STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def _stop(self, number: int, _: object) -> NoReturn:
        for other in _STOPS:
            signal.signal(other, _ignore)
        name = signal.Signals(number).name
        self.error = Terminated(f"Terminated by {name}; run the same command again to continue.")
        raise KeyboardInterrupt


def _ignore(number: int, frame: object) -> None:
    """Continue. With SIG_IGN, Python would complain on stderr of a signal that has arrived but is not handled yet."""


def _interrupted(error: BaseException) -> Interrupted:
    return (
        error if isinstance(error, Interrupted) else Interrupted("Interrupted; run the same command again to continue.")
    )


def _silence_libraries() -> None:
    """Our progress and errors say what the drivers warn of; their lines would break the bar and the sentence."""
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(logging.NullHandler())


def _end(error: IndexerError, *, debug: bool) -> NoReturn:
    if debug:
        raise error
    sentence = " ".join(str(error).split())
    with suppress(OSError):  # the terminal is closed; the exit code still tells
        typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(error.exit_code)
