"""The one place where an answer of Elasticsearch, or the lack of one, becomes an error of this product."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import responses
from typing import Final

from elastic_transport import ConnectionTimeout, SerializationError, TlsError, TransportError
from elasticsearch import ApiError

from indexer.errors import RequestTooLarge, TargetBusy, TargetError, TargetUnavailable
from indexer.model.document.bulk_response import BUSY, Rejection, error_reason, is_transient
from indexer.model.json import Json
from indexer.tls import trust

__all__ = [
    "BAD_REQUEST",
    "FORBIDDEN",
    "NOT_FOUND",
    "TIMEOUT",
    "UNAUTHORIZED",
    "api_error_reason",
    "error_type",
    "index_blocked",
    "reason_of",
    "to_target_error",
    "translated_errors",
]

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
TIMEOUT: Final = 408
TOO_LARGE: Final = 413

_REMEDIES = {
    UNAUTHORIZED: "check --target-user and --target-password, or --target-api-key",
    FORBIDDEN: "grant the privilege that it names to the user",
}

_INDEX_REMEDIES = {
    "index_not_found_exception": "someone deleted it while it was loaded: run the job again",
    "index_closed_exception": "open it, then resume the job",
    "cluster_block_exception": "free disk space or lift the block, then resume the job",
    "security_exception": "grant the privilege that it names, then resume the job",
}


@contextmanager
def translated_errors(doing: str) -> Iterator[None]:
    """Turn what the official client raises inside the block into an error of this product.

    Args:
        doing: what was asked for, to follow "Elasticsearch could not": `create the index logs_20261122_101500`.

    Raises:
        TargetBusy: for 429.
        TargetUnavailable: for no answer, half an answer, 502, 503, 504, or a node that left.
        RequestTooLarge: for 413.
        TargetError: for any other answer that is not success.
    """
    try:
        yield
    except (ApiError, TransportError) as error:
        raise to_target_error(error, doing) from error


def to_target_error(error: ApiError | TransportError, doing: str) -> TargetError:
    """The error of this product for what the official client raised; see `translated_errors`."""
    if isinstance(error, TransportError):
        return _unanswered(error, doing)
    status = error.meta.status
    said = f"Elasticsearch could not {doing} ({status}: {api_error_reason(error)})"
    if status == TOO_LARGE:
        return RequestTooLarge(f"{said}; raise http.max_content_length, or lower --batch-bytes.", status)
    kind = error_type(error)
    if is_transient(status, kind):
        unavailable = TargetBusy if status == BUSY else TargetUnavailable
        return unavailable(f"{said}; try again when it has recovered.", status)
    remedy = _REMEDIES.get(status) or _INDEX_REMEDIES.get(kind)
    return TargetError(f"{said}; {remedy}." if remedy else f"{said}.", status)


def error_type(error: ApiError) -> str:
    """The type that Elasticsearch gives an error, for example `media_type_header_exception`, or nothing."""
    said = _error(error)
    return str(said.get("type", "")) if isinstance(said, dict) else ""


def index_blocked(index: str, item: Rejection) -> TargetError:
    """The error for an item of a bulk response that tells of the whole index."""
    return TargetError(
        f"Elasticsearch no longer takes documents for {index} ({item.status}: {item.reason});"
        f" {_INDEX_REMEDIES[item.type]}.",
        item.status,
    )


def _unanswered(error: TransportError, doing: str) -> TargetError:
    root = _root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return TargetError(
            f"Elasticsearch could not {doing} (its certificate is not trusted: {root.verify_message});"
            f" {trust('target', root)}."
        )
    if isinstance(error, SerializationError):  # its message quotes the whole answer
        why = "its answer was not whole JSON"
    elif isinstance(error, ConnectionTimeout):
        why = "it did not answer in time"
    else:
        why = (root.strerror if isinstance(root, OSError) else None) or str(root).rstrip(".")
    kind = "the TLS handshake failed: " if isinstance(error, TlsError) else ""
    return TargetUnavailable(
        f"Elasticsearch could not {doing} ({kind}{why});"
        " check that it runs and that the URL has the right port and http:// or https://."
    )


def _root(error: BaseException) -> BaseException:
    """The exception at the bottom: urllib3 wraps it as a cause, or as an argument."""
    inner = error.__cause__ or next((arg for arg in reversed(error.args) if isinstance(arg, Exception)), None)
    return error if inner is None else _root(inner)


def reason_of(error: TargetError) -> str:
    """What Elasticsearch itself said, without this product's sentence around it."""
    cause = error.__cause__
    return api_error_reason(cause) if isinstance(cause, ApiError) else str(error)


def api_error_reason(error: ApiError) -> str:
    """What Elasticsearch said, in one line."""
    said = _error(error)
    return error_reason(said) if said else responses.get(error.meta.status, "no reason given")


def _error(error: ApiError) -> Json:
    body: Json = error.body  # what any server may have sent: a proxy's page of HTML, for one
    return body.get("error") if isinstance(body, dict) else body
