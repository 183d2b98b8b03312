"""The one place where an answer of a source, or the lack of one, becomes an error of this product."""

import sqlite3
import ssl
from http import HTTPStatus
from typing import Final

import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from urllib3.exceptions import HTTPError, ReadTimeoutError, SSLError

from indexer.errors import BreakerTripped, SourceError, SourceUnavailable
from indexer.model.json import Json
from indexer.tls import trust

__all__ = ["FORBIDDEN", "UNKNOWN", "error_in_response", "error_of_database", "error_without_response"]

FORBIDDEN: Final = frozenset({4010, 4011})
"""CrateDB's codes for a user who may not: not logged in, or without the privilege."""

UNKNOWN: Final = frozenset({4041, 4045})
"""CrateDB's codes for a table or schema that is not there, or that the user may not know of."""

_NOT_UNDERSTOOD: Final = 4000
_UNHANDLED: Final = 5000
_NOT_READY: Final = 4040
"""Not found, of anything that has no code of its own: a shard that recovers, after a restart (seen)."""
_RETRY: Final = frozenset({_NOT_READY, 4290, 5002, 5003, 5005, *range(5030, 5040)})
_AWAY: Final = (
    "NodeNotConnectedException",
    "NodeDisconnectedException",
    "NodeClosedException",
    "ConnectTransportException",
    "NoSuchNodeException",
)
_UNKNOWN_NODE: Final = "SQLParseException[Unknown node: "
"""A query that was planned for a node that is gone from the cluster by the time it runs."""
_BREAKER: Final = "CircuitBreakingException"
_LATER: Final = frozenset({429, 502, 503, 504, 509})
_LONGEST: Final = 500
_SQLITE_LATER: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLSTATE_LATER: Final = ("08", "40", "53", "57P")
"""Connection exception, transaction rollback, insufficient resources, operator intervention."""


def error_in_response(status: int, body: bytes) -> SourceError | None:
    """The error that an answer of CrateDB's HTTP endpoint tells of, or None for success.

    Args:
        status: the HTTP status.
        body: the body, decompressed; JSON with `error.code` and `error.message` where it comes from CrateDB itself.
    """
    if status < HTTPStatus.BAD_REQUEST:
        return None
    code, message = _error(body)
    if code is None:
        return _without_code(status, message)
    said = f"CrateDB answered {code}: {message}"
    if code == _UNHANDLED and _BREAKER in message:
        return BreakerTripped(said, code)
    if code in _RETRY or _node_is_away(code, message):
        return SourceUnavailable(said, code)
    return SourceError(said, code)


def _node_is_away(code: int, message: str) -> bool:
    """Seen while a node of three was dying: these come with the codes of defects and of wrong SQL."""
    if code == _NOT_UNDERSTOOD:
        return message.startswith(_UNKNOWN_NODE)
    return code == _UNHANDLED and any(name in message for name in _AWAY)


def error_without_response(servers: str, error: BaseException) -> SourceError:
    """The error for a request that no server answered.

    Args:
        servers: the servers' URLs, without passwords.
        error: what the client or urllib3 raised.
    """
    cause = _http_error(error)
    root = _root(cause)
    if isinstance(root, ssl.SSLCertVerificationError):
        return SourceError(
            f"CrateDB at {servers} is not trusted, for its certificate is not ({root.verify_message}):"
            f" {trust('source', root)}."
        )
    if isinstance(cause, SSLError):
        return SourceError(
            f"The TLS handshake with CrateDB at {servers} failed ({_why(cause)}):"
            " write http:// or crate:// in --source where the server speaks no TLS, else see its log."
        )
    return SourceUnavailable(
        f"CrateDB at {servers} does not answer ({_why(cause)}):"
        " start it, or name the right one with --source, by https:// where it speaks TLS."
    )


def error_of_database(error: SQLAlchemyError, url: str) -> SourceError:
    """The error for what SQLAlchemy raised.

    Args:
        error: what it raised.
        url: the database's URL, without its password.
    """
    reason = _shortened(str(error.orig) if isinstance(error, DBAPIError) else str(error))
    said = f"The database {url} answered: {reason}"
    return SourceUnavailable(said) if _will_pass(error) else SourceError(said)


def _will_pass(error: SQLAlchemyError) -> bool:
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeoutError)
    if isinstance(error.orig, sqlite3.Error):
        # A lock has an extended code (SQLITE_BUSY_SNAPSHOT, ...) whose low byte is the primary one.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_LATER
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(_SQLSTATE_LATER)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _without_code(status: int, message: str) -> SourceError:
    """What a proxy answers, or CrateDB before it looks at the statement: a wrong password has no code there."""
    if status == HTTPStatus.UNAUTHORIZED:
        return SourceError(
            f"CrateDB refused the log-in ({message}):"
            " check --source-user and --source-password, or --source-jwt, or --source-cert.",
            min(FORBIDDEN),
        )
    said = f"The source answered HTTP {status}: {message or 'nothing more'}"
    return SourceUnavailable(said) if status in _LATER else SourceError(said)


def _error(body: bytes) -> tuple[int | None, str]:
    try:
        answer: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, _shortened(body.decode(errors="replace"))
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return None, _shortened(str(error or answer))
    code = error.get("code")
    return code if isinstance(code, int) else None, _shortened(str(error.get("message", "")))


def _http_error(error: BaseException) -> BaseException:
    """What urllib3 raised, which the client wraps."""
    cause = error.__cause__
    return error if isinstance(error, HTTPError) or cause is None else _http_error(cause)


def _root(error: BaseException) -> BaseException:
    """The exception at the bottom: urllib3 wraps it as an argument, or as a cause."""
    inner = next((arg for arg in reversed(error.args) if isinstance(arg, BaseException)), error.__cause__)
    return error if inner is None or isinstance(error, ReadTimeoutError) else _root(inner)


def _why(cause: BaseException) -> str:
    error = _root(cause)
    if isinstance(error, ReadTimeoutError):
        return "no answer within --source-timeout"
    return (error.strerror if isinstance(error, OSError) else None) or _shortened(str(error)) or type(error).__name__


def _shortened(text: str) -> str:
    """One line: a message of CrateDB may quote the whole statement."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
