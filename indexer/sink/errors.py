"""Translates what the Elasticsearch client raises into errors of this product; the only place that does."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import responses
from typing import Final

from elastic_transport import ConnectionTimeout, SerializationError, TlsError, TransportError
from elasticsearch import ApiError

from indexer.errors import RequestTooLarge, TargetBusy, TargetError, TargetUnavailable
from indexer.model.document.bulk_response import TOO_MANY_REQUESTS, Rejection, error_reason, is_transient
from indexer.model.json import Json
from indexer.tls import trust_remedy

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
    FORBIDDEN: "grant the user the privilege that it names",
}

_INDEX_REMEDIES = {
    "index_not_found_exception": "it was deleted during the load; run the job again",
    "index_closed_exception": "open the index, then resume the job",
    "cluster_block_exception": "free disk space or lift the block, then resume the job",
    "security_exception": "grant the user the privilege that it names, then resume the job",
}


@contextmanager
def translated_errors(action: str) -> Iterator[None]:
    """Translate what the official client raises inside the block.

    Args:
        action: the request, as it follows "Elasticsearch could not": `create the index logs_20261122_101500`.

    Raises:
        TargetBusy: for 429.
        TargetUnavailable: for no response, an incomplete response, 502, 503, 504, or a node that left the cluster.
        RequestTooLarge: for 413.
        TargetError: for any other error response.
    """
    try:
        yield
    except (ApiError, TransportError) as error:
        raise to_target_error(error, action) from error


def to_target_error(error: ApiError | TransportError, action: str) -> TargetError:
    """The error of this product for what the official client raised; see `translated_errors`."""
    if isinstance(error, TransportError):
        return _without_response(error, action)
    status = error.meta.status
    reason = f"{status}: {api_error_reason(error)}"
    message = f"Elasticsearch could not {action} ({reason})"
    if status == TOO_LARGE:
        return RequestTooLarge(f"{message}; raise http.max_content_length, or lower --batch-bytes.", status)
    kind = error_type(error)
    if is_transient(status, kind):
        unavailable = TargetBusy if status == TOO_MANY_REQUESTS else TargetUnavailable
        return unavailable(f"{message}; try again when it has recovered.", status, reason)
    remedy = _REMEDIES.get(status) or _INDEX_REMEDIES.get(kind)
    return TargetError(f"{message}; {remedy}." if remedy else f"{message}.", status)


def error_type(error: ApiError) -> str:
    """The type of an error, for example `media_type_header_exception`; empty where the response names none."""
    content = _content(error)
    return str(content.get("type", "")) if isinstance(content, dict) else ""


def index_blocked(index: str, item: Rejection) -> TargetError:
    """The error for an item of a bulk response that concerns the whole index."""
    return TargetError(
        f"Elasticsearch no longer accepts documents for {index} ({item.status}: {item.reason});"
        f" {_INDEX_REMEDIES[item.type]}.",
        item.status,
    )


def _without_response(error: TransportError, action: str) -> TargetError:
    root = _root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return TargetError(
            f"Elasticsearch could not {action}: TLS certificate not trusted ({root.verify_message});"
            f" {trust_remedy('target', root)}."
        )
    if isinstance(error, SerializationError):  # its message quotes the whole response
        reason = "incomplete response"
    elif isinstance(error, ConnectionTimeout):
        reason = "no response in time"
    else:
        reason = (root.strerror if isinstance(root, OSError) else None) or str(root).rstrip(".")
    prefix = "the TLS handshake failed: " if isinstance(error, TlsError) else ""
    return TargetUnavailable(
        f"Elasticsearch could not {action} ({prefix}{reason});"
        " check that it runs, and the port and http:// or https:// in --target.",
        reason=f"{prefix}{reason}",
    )


def _root(error: BaseException) -> BaseException:
    """The innermost exception: urllib3 wraps it as the cause or as an argument."""
    inner = error.__cause__ or next((arg for arg in reversed(error.args) if isinstance(arg, Exception)), None)
    return error if inner is None else _root(inner)


def reason_of(error: TargetError) -> str:
    """What Elasticsearch itself said, without the message around it."""
    cause = error.__cause__
    return api_error_reason(cause) if isinstance(cause, ApiError) else str(error)


def api_error_reason(error: ApiError) -> str:
    """What Elasticsearch said, in one line."""
    content = _content(error)
    return error_reason(content) if content else responses.get(error.meta.status, "no reason given")


def _content(error: ApiError) -> Json:
    body: Json = error.body  # from any server: it may be the HTML page of a proxy
    return body.get("error") if isinstance(body, dict) else body
