"""The connection to Elasticsearch: the official client with its node pool, TLS and credentials, checked once."""

import re
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self, TypedDict

from elastic_transport import (
    BaseNode,
    NdjsonSerializer,
    NodeConfig,
    OrjsonSerializer,
    SerializationError,
    Serializer,
    TransportError,
    Urllib3HttpNode,
)
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError
from urllib3 import BaseHTTPResponse, HTTPConnectionPool

from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.model.document.bulk_response import TRANSIENT_STATUSES
from indexer.model.json import Json
from indexer.sink.errors import FORBIDDEN, UNAUTHORIZED, error_type, to_target_error
from indexer.sink.url import TargetAddress, parse_target_url
from indexer.tls import refuse_unusable

__all__ = ["MAX_RESPONSE_BYTES", "BoundedNode", "BulkResponseJson", "Cluster", "connect"]

MAX_RESPONSE_BYTES: Final = 8 * 1024 * 1024
"""Bytes that `BoundedNode` accepts of one response. A longer one is cut off one byte behind the limit."""

_MIN_VERSION: Final = (8, 0)

_CONNECTIONS_PER_NODE: Final = 80
"""More than `--writers` allows, so that no writer waits for the connection of another."""


class _Response:
    """The part of a urllib3 response that the node uses."""

    def __init__(self, response: BaseHTTPResponse, data: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.data = data


class _BoundedPool:
    """A connection pool that reads at most `MAX_RESPONSE_BYTES` of a response, and one byte more."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool
        self.close = pool.close

    def urlopen(self, method: str, target: str, **options: object) -> _Response:
        response = self._pool.urlopen(method, target, preload_content=False, **options)  # type: ignore[arg-type]  # passed on
        data = response.read(MAX_RESPONSE_BYTES + 1)
        if len(data) > MAX_RESPONSE_BYTES:
            response.close()  # and its connection, on which the rest of the response is still arriving
        else:
            response.release_conn()
        return _Response(response, data)


class BoundedNode(Urllib3HttpNode):
    """A node whose responses are bounded: how large documents are is known only once they arrive."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool = _BoundedPool(self.pool)  # type: ignore[assignment]  # it has what the node uses


class _RawNdjson(NdjsonSerializer):
    """Sends a body that is already bytes as it is; the official serializer copies it twice."""

    def dumps(self, data: object) -> bytes:
        return data if isinstance(data, bytes) else super().dumps(data)


class BulkResponseJson(OrjsonSerializer):
    """Recognizes the response to a batch of new documents; parsing it would cost 0.6 us a document."""

    _item: Final = b'{"index":{"status":201}}'

    def loads(self, data: bytes) -> Json:
        """Decode a response; where all items say `created`, they share one object."""
        if data.startswith(b'{"errors":false,"items":[{"index":'):
            count = data.count(self._item)
            if data == b'{"errors":false,"items":[%b]}' % b",".join([self._item] * count):
                return {"errors": False, "items": [{"index": {"status": 201}}] * count}
        value: Json = super().loads(data)
        return value


class _UndecodedSearchJson(OrjsonSerializer):
    """Leaves the response to a search at a point in time as bytes, for callers that decode only a part of it."""

    def loads(self, data: bytes) -> Json:
        if data.startswith(b'{"pit_id":'):
            return data  # type: ignore[return-value]  # callers of `Cluster.undecoded` expect bytes
        value: Json = super().loads(data)
        return value


class Cluster:
    """An Elasticsearch cluster that has answered. Threads may share it.

    Attributes:
        client: the official client, which tries up to three other nodes where one does not answer.
        single: the same client with one try a request, for callers that retry themselves.
        undecoded: a client with one try a request whose responses to searches at a point in time stay bytes, at most
            `MAX_RESPONSE_BYTES` and one byte more.
        url: the nodes' URLs, without credentials.
        version: the version of the oldest node, for example `9.2.0`.
    """

    def __init__(self, client: Elasticsearch, undecoded: Elasticsearch, url: str, version: str) -> None:
        self.client = client
        self.single = client.options(max_retries=0)
        self.undecoded = undecoded.options(max_retries=0)
        self.url = url
        self.version = version

    def __repr__(self) -> str:
        return f"Cluster({self.url!r}, version={self.version!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self.undecoded.close()


def connect(access: TargetAccess) -> Cluster:
    """Connect, and read the version.

    Raises:
        UsageError: for an invalid URL, no answer, wrong credentials, a missing privilege, a server other than
            Elasticsearch, or one that the installed client is too new for.
    """
    address = parse_target_url(access)
    refuse_unusable("target", access, secure=address.secure)
    shown = ",".join(address.nodes)
    client = _client(address, access, BulkResponseJson())
    try:
        undecoded = _client(address, access, _UndecodedSearchJson(), BoundedNode)
        return Cluster(client, undecoded, shown, _version(client, shown))
    except UsageError:
        client.close()
        raise


def _client(
    address: TargetAddress, access: TargetAccess, json: Serializer, node: type[BaseNode] = Urllib3HttpNode
) -> Elasticsearch:
    tls = _tls(access) if address.secure else {}
    try:
        return Elasticsearch(
            list(address.nodes),
            basic_auth=address.user,
            api_key=address.api_key,
            connections_per_node=_CONNECTIONS_PER_NODE,
            sniff_on_node_failure=access.sniff,
            sniff_before_requests=access.sniff,
            sniff_timeout=access.timeout,  # the default of 0.5 s would declare a busy cluster unavailable
            request_timeout=access.timeout,
            node_class=node,
            serializers={
                "application/json": json,
                "application/vnd.elasticsearch+json": json,
                "application/x-ndjson": _RawNdjson(),
                "application/vnd.elasticsearch+x-ndjson": _RawNdjson(),
            },
            **tls,
        )
    except ValueError as error:
        raise UsageError(f"--target {','.join(address.nodes)} cannot be used: {error}.") from error


class _Tls(TypedDict, total=False):
    verify_certs: bool
    ssl_show_warn: bool
    ca_certs: str
    client_cert: str
    client_key: str


def _tls(access: TargetAccess) -> _Tls:
    # --no-target-verify is deliberate; a warning for every connection would only bury others.
    options = _Tls(verify_certs=access.verify, ssl_show_warn=False)
    if access.ca is not None:
        options["ca_certs"] = str(access.ca)
    if access.cert is not None and not access.verify:
        raise UsageError("--target-cert and --no-target-verify are mutually exclusive; remove one of them.")
    if access.cert is not None:
        options["client_cert"] = str(access.cert)
    if access.cert_key is not None:
        options["client_key"] = str(access.cert_key)
    return options


class _Node(TypedDict):
    version: str


class _Nodes(TypedDict):
    nodes: dict[str, _Node]


def _version(client: Elasticsearch, shown: str) -> str:
    # Not `GET /`, which the plain distribution answers with 405.
    try:
        answer: _Nodes = client.nodes.info(metric="plugins", filter_path="nodes.*.version").body
        versions = [node["version"] for node in answer["nodes"].values()]
    except (UnsupportedProductError, SerializationError) as error:
        raise _not_elasticsearch(shown) from error
    except ApiError as error:
        raise _rejected(error, shown) from error
    except TransportError as error:
        raise UsageError(str(to_target_error(error, f"be reached at {shown}"))) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _not_elasticsearch(shown) from error
    oldest = min(versions, key=_numbers, default="")
    if _numbers(oldest) < _MIN_VERSION:
        raise UsageError(f"{shown} runs Elasticsearch {oldest}; 8.0 or newer is required.")
    return oldest


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _not_elasticsearch(shown: str) -> UsageError:
    return UsageError(f"{shown} is not Elasticsearch; check the host and port in --target.")


def _rejected(error: ApiError, shown: str) -> UsageError:
    status, installed = error.meta.status, version("elasticsearch")
    if error_type(error) == "media_type_header_exception":
        return UsageError(
            f"The Python client elasticsearch {installed} is too new for the server at {shown};"
            " pip install 'elasticsearch>=8.19,<9'."
        )
    if status == UNAUTHORIZED:
        return UsageError(
            f"Elasticsearch at {shown} rejected the login (401);"
            " check --target-user and --target-password, or --target-api-key."
        )
    if status == FORBIDDEN:
        return UsageError(f"{to_target_error(error, f'report its version at {shown}')}")
    if status in TRANSIENT_STATUSES:
        return UsageError(str(to_target_error(error, f"be reached at {shown}")))
    if error.meta.headers.get("x-elastic-product") is None:
        return _not_elasticsearch(shown)
    return UsageError(str(to_target_error(error, f"report its version at {shown}")))
