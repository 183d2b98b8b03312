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

from indexer.errors import UsageError
from indexer.model.document.bulk_response import LATER
from indexer.model.json import Json
from indexer.settings import TargetAccess
from indexer.sink.errors import FORBIDDEN, UNAUTHORIZED, error_type, to_target_error
from indexer.sink.url import TargetAddress, parse_target_url
from indexer.tls import refuse_unusable

__all__ = ["MOST_BYTES", "BoundedNode", "Cluster", "connect"]

MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of an answer at most; one that is longer was cut off, and has one byte more."""


class BoundedNode(Urllib3HttpNode):
    """Reads at most `MOST_BYTES` and one more of each answer: how wide documents are is known once they are there."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool = _BoundedPool(self.pool)  # type: ignore[assignment]  # all of it that is used


class _Answer:
    """All that the node asks of a response."""

    def __init__(self, response: BaseHTTPResponse, data: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.data = data


class _BoundedPool:
    """A pool that reads answers itself."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool
        self.close = pool.close

    def urlopen(self, method: str, target: str, **options: object) -> _Answer:
        response = self._pool.urlopen(method, target, preload_content=False, **options)  # type: ignore[arg-type]  # passed on
        data = response.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            response.close()  # and its connection with it: the rest of the answer is on its way
        else:
            response.release_conn()
        return _Answer(response, data)


OLDEST: Final = (8, 0)
"""The first version that this product is for."""

CONNECTIONS: Final = 80
"""Open connections to one node at most: more than `--writers` can be, so that no writer waits for another."""


class ReadyNdjson(NdjsonSerializer):
    """Sends a body that is already bytes as it is; the official serializer copies it twice."""

    def dumps(self, data: object) -> bytes:
        """The bytes themselves, or what the official serializer makes of anything else."""
        return data if isinstance(data, bytes) else super().dumps(data)


class QuickJson(OrjsonSerializer):
    """Knows the answer to a batch that was created whole when it sees it: parsing it would cost 0.6 us a document."""

    _item: Final = b'{"index":{"status":201}}'

    def loads(self, data: bytes) -> Json:
        """The value; of an answer whose items are all the same, one item many times."""
        if data.startswith(b'{"errors":false,"items":[{"index":'):
            count = data.count(self._item)
            if data == b'{"errors":false,"items":[%b]}' % b",".join([self._item] * count):
                return {"errors": False, "items": [{"index": {"status": 201}}] * count}
        value: Json = super().loads(data)
        return value


class RawJson(OrjsonSerializer):
    """Leaves the answer of a search at a point in time as bytes, for those who decode of it only what they need."""

    def loads(self, data: bytes) -> Json:
        """The value, or the bytes."""
        if data.startswith(b'{"pit_id":'):
            return data  # type: ignore[return-value]  # who asks through `Cluster.undecoded` knows
        value: Json = super().loads(data)
        return value


class Cluster:
    """An Elasticsearch cluster that has answered. Threads may share it.

    Attributes:
        client: the official client, which tries another node up to three times where one does not answer.
        single: the same client with one try a request, for callers that count and bound tries themselves.
        url: the nodes it was given, without credentials.
        undecoded: as `single`, and the answers to searches at a point in time stay bytes, cut off behind `MOST_BYTES`.
        version: the oldest node's version, for example `9.2.0`.
    """

    def __init__(self, client: Elasticsearch, url: str, version: str, undecoded: Elasticsearch | None = None) -> None:
        self.client = client
        self.single = client.options(max_retries=0)
        self._undecoded = undecoded or client
        self.undecoded = self._undecoded.options(max_retries=0)
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
        self._undecoded.close()


def connect(access: TargetAccess) -> Cluster:
    """Connect, and find out the version.

    Raises:
        UsageError: for an invalid URL, no answer, wrong credentials, a missing privilege, something that is not
            Elasticsearch, or a server that the installed client is too new for.
    """
    address = parse_target_url(access)
    refuse_unusable("target", access, secure=address.secure)
    client = _client(address, access, QuickJson())
    shown = ",".join(address.nodes)
    try:
        undecoded = _client(address, access, RawJson(), BoundedNode)
        return Cluster(client, shown, _version(client, shown), undecoded)
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
            connections_per_node=CONNECTIONS,
            sniff_on_node_failure=access.sniff,
            sniff_before_requests=access.sniff,
            sniff_timeout=access.timeout,  # by its default, half a second, a busy cluster would be taken for away
            request_timeout=access.timeout,
            node_class=node,
            serializers={
                "application/json": json,
                "application/vnd.elasticsearch+json": json,
                "application/x-ndjson": ReadyNdjson(),
                "application/vnd.elasticsearch+x-ndjson": ReadyNdjson(),
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
    # Whoever gives --no-target-verify knows; a warning for every connection would only hide others.
    options = _Tls(verify_certs=access.verify, ssl_show_warn=False)
    if access.ca is not None:
        options["ca_certs"] = str(access.ca)
    if access.cert is not None and not access.verify:
        raise UsageError("--target-cert is sent to a server that is checked only: leave --no-target-verify out.")
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
    # `GET /` would be the usual way; the plain distribution answers it with 405.
    try:
        answer: _Nodes = client.nodes.info(metric="plugins", filter_path="nodes.*.version").body
        versions = [node["version"] for node in answer["nodes"].values()]
    except (UnsupportedProductError, SerializationError) as error:
        raise _stranger(shown) from error
    except ApiError as error:
        raise _refusal(error, shown) from error
    except TransportError as error:
        raise UsageError(str(to_target_error(error, f"be reached at {shown}"))) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _stranger(shown) from error
    oldest = min(versions, key=_parts, default="")
    if _parts(oldest) < OLDEST:
        raise UsageError(f"{shown} is Elasticsearch {oldest}: this product needs 8.0 or newer.")
    return oldest


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _stranger(shown: str) -> UsageError:
    return UsageError(f"{shown} answers, but is not Elasticsearch: check the host and the port of --target.")


def _refusal(error: ApiError, shown: str) -> UsageError:
    status, ours = error.meta.status, version("elasticsearch")
    if error_type(error) == "media_type_header_exception":
        return UsageError(
            f"The installed Python client elasticsearch {ours} is too new for the server at {shown}:"
            " pip install 'elasticsearch>=8.19,<9'."
        )
    if status == UNAUTHORIZED:
        return UsageError(
            f"Elasticsearch at {shown} refuses the credentials, or the lack of them (401):"
            " check --target-user and --target-password, or --target-api-key."
        )
    if status == FORBIDDEN:
        return UsageError(f"{to_target_error(error, f'tell its version at {shown}')}")
    if status in LATER:
        return UsageError(str(to_target_error(error, f"be reached at {shown}")))
    if error.meta.headers.get("x-elastic-product") is None:
        return _stranger(shown)
    return UsageError(str(to_target_error(error, f"tell its version at {shown}")))
