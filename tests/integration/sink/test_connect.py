"""Connecting to Elasticsearch: versions, credentials, and the errors of wrong or absent servers."""

import re
import socket
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import SecretStr

from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.sink.client import connect
from tests.support.fault_proxy import Fault, FaultProxy, alter, refuse, run_before

pytestmark = pytest.mark.elasticsearch

NODES = b'{"nodes":{"a":{"version":"9.10.1"},"b":{"version":"9.2.0-SNAPSHOT"},"c":{"version":"10.0.0"}}}'


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def refusal(url: str, fault: Fault) -> str:
    """The error of `connect` if the version request meets this fault."""
    with FaultProxy(url, pattern="/_nodes") as proxy:
        proxy.default = fault
        with pytest.raises(UsageError) as refused:
            connect(TargetAccess(url=proxy.url))
        assert proxy.url in str(refused.value)
        return str(refused.value)


def test_the_version_is_found_without_the_root_path(elasticsearch_url: str) -> None:
    with connect(TargetAccess(url=elasticsearch_url)) as cluster:
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", cluster.version)
        assert repr(cluster) == f"Cluster('{elasticsearch_url}', version='{cluster.version}')"


def test_the_oldest_node_determines_the_version(elasticsearch_url: str) -> None:
    with FaultProxy(elasticsearch_url, pattern="/_nodes") as proxy:
        proxy.script(alter(lambda _: NODES))
        with connect(TargetAccess(url=proxy.url)) as cluster:
            assert cluster.version == "9.2.0-SNAPSHOT"


def test_an_unavailable_node_does_not_matter_if_another_answers(elasticsearch_url: str, closed_port: int) -> None:
    urls = f"http://127.0.0.1:{closed_port},{elasticsearch_url}"
    for _ in range(4):  # the pool starts with a random node
        with connect(TargetAccess(url=urls)) as cluster:
            assert cluster.client.cluster.health().body


def test_credentials_in_the_url_are_sent_and_not_shown(elasticsearch_url: str) -> None:
    with FaultProxy(elasticsearch_url, pattern="/_nodes") as proxy:
        with connect(TargetAccess(url=proxy.url.replace("//", "//me:pass%20word@"))) as cluster:
            assert "word" not in repr(cluster)
        assert proxy.requests[0].headers["authorization"] == "Basic bWU6cGFzcyB3b3Jk"


def test_an_api_key_is_sent(elasticsearch_url: str) -> None:
    with FaultProxy(elasticsearch_url, pattern="/_nodes") as proxy:
        connect(TargetAccess(url=proxy.url, api_key=SecretStr("a2V5"))).close()
        assert proxy.requests[0].headers["authorization"] == "ApiKey a2V5"


def test_a_port_without_a_server_is_refused(closed_port: int) -> None:
    with pytest.raises(UsageError, match=f"127.0.0.1:{closed_port} .Connection refused.; check that it runs"):
        connect(TargetAccess(url=f"http://127.0.0.1:{closed_port}"))


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no-such-host\.invalid:9200 .*; check that it runs"):
        connect(TargetAccess(url="http://no-such-host.invalid:9200"))


def test_https_to_a_plain_http_server_is_refused(elasticsearch_url: str) -> None:
    with pytest.raises(UsageError, match=r"TLS handshake failed.*http:// or https://"):
        connect(TargetAccess(url=elasticsearch_url.replace("http:", "https:")))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unreadable_ca_file_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(UsageError, match=f"--target-ca {file} cannot be read"):
        connect(TargetAccess(url="https://localhost:9", ca=file))


def test_a_client_too_new_for_its_server_is_told_what_to_install(elasticsearch_url: str) -> None:
    """Elasticsearch 8 gives this response to a 9.x client."""
    reason = b'{"type":"media_type_header_exception","reason":"Invalid media-type value on headers [Accept]"}'
    said = refusal(elasticsearch_url, refuse(400, b'{"error":' + reason + b',"status":400}'))
    assert version("elasticsearch") in said
    assert said.endswith("pip install 'elasticsearch>=8.19,<9'.")


@pytest.mark.parametrize(
    "fault",
    [
        refuse(200, b"<html>hello</html>", "text/html"),
        refuse(200, b'{"ok":true}'),
        refuse(200, b"hello"),
        refuse(200, b"\x00", "application/octet-stream"),
        refuse(404, b"not here", "text/plain"),
        refuse(400, b'{"error":"what?"}'),
    ],
    ids=["page", "json", "no json", "bytes", "404", "400"],
)
def test_another_server_is_refused(elasticsearch_url: str, fault: Fault) -> None:
    assert "is not Elasticsearch" in refusal(elasticsearch_url, fault)


@pytest.mark.cratedb
def test_cratedb_is_not_mistaken_for_elasticsearch(cratedb_url: str) -> None:
    with pytest.raises(UsageError, match="is not Elasticsearch"):
        connect(TargetAccess(url=cratedb_url.replace("crate:", "http:")))


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "check --target-user"),
        (403, "grant the user the privilege"),
        (503, "try again"),
        (429, "try again"),
        (502, "try again"),
    ],
)
def test_the_servers_error_is_reported_with_a_remedy(elasticsearch_url: str, status: int, remedy: str) -> None:
    said = refusal(elasticsearch_url, refuse(status, b'{"error":{"type":"x_exception","reason":"because"}}'))
    assert str(status) in said
    assert remedy in said


def test_an_old_server_is_refused(elasticsearch_url: str) -> None:
    said = refusal(elasticsearch_url, alter(lambda _: b'{"nodes":{"a":{"version":"7.17.9"}}}'))
    assert "runs Elasticsearch 7.17.9; 8.0 or newer is required" in said


def test_a_server_that_does_not_answer_in_time_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port} .no response in time"):
            connect(TargetAccess(url=f"http://127.0.0.1:{port}", timeout=0.3))


def test_sniffing_finds_the_published_addresses_of_the_nodes(elasticsearch_url: str) -> None:
    """The node is addressed as localhost and publishes 127.0.0.1, which only sniffing discovers."""
    url = elasticsearch_url.replace("127.0.0.1", "localhost")
    for sniff, expected in ((False, {"localhost"}), (True, {"127.0.0.1"})):
        with connect(TargetAccess(url=url, sniff=sniff)) as cluster:
            cluster.client.cluster.health()
            hosts = {node.host for node in cluster.client.transport.node_pool.all()}
        assert expected <= hosts
        assert sniff == ("127.0.0.1" in hosts)


def test_a_slow_sniff_does_not_time_out_early(elasticsearch_url: str) -> None:
    with FaultProxy(elasticsearch_url, pattern="/_nodes/_all/http") as proxy:
        proxy.script(run_before(partial(time.sleep, 1)))
        with connect(TargetAccess(url=proxy.url, sniff=True)) as cluster:
            assert cluster.version
        assert proxy.requests
