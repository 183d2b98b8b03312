"""Probing the capabilities of a real cluster."""

from collections.abc import Iterator

import pytest

from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.sink.capabilities import probe_capabilities
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from tests.support.bulk_lines import NOW
from tests.support.fault_proxy import Exchange, FaultProxy, pass_through, refuse

pytestmark = pytest.mark.elasticsearch

TYPES = (
    *("boolean", "binary", "byte", "date", "dense_vector", "double", "flattened", "float", "geo_point", "geo_shape"),
    *("half_float", "integer", "ip", "keyword", "long", "nested", "object", "scaled_float", "short", "text"),
    *("wildcard", "no_such_type"),
)


@pytest.fixture
def cluster(elasticsearch_url: str) -> Iterator[Cluster]:
    with connect(TargetAccess(url=elasticsearch_url)) as connected:
        yield connected


def test_probing_for_nothing_returns_the_version(cluster: Cluster) -> None:
    capabilities = probe_capabilities(cluster, (), ())
    assert (capabilities.version, capabilities.analyzers, capabilities.field_types) == (
        cluster.version,
        frozenset(),
        frozenset(),
    )


def test_a_field_type_is_available_exactly_if_an_index_can_be_created_with_it(cluster: Cluster, alias: str) -> None:
    has = probe_capabilities(cluster, (), TYPES).field_types
    assert {"text", "keyword", "long", "ip", "date"} <= has
    assert "no_such_type" not in has
    indexes = Indexes(cluster)
    for type_ in TYPES:
        name = indexes.new_name(alias, NOW)
        field: JsonObject = {"type": type_, **({"scaling_factor": 1} if type_ == "scaled_float" else {})}
        try:
            indexes.create(name, {"properties": {"f": field}}, {}, {})
        except UsageError:
            assert type_ not in has
        else:
            assert type_ in has


def test_an_analyzer_is_available_exactly_if_it_can_analyze_text(cluster: Cluster) -> None:
    names = ("standard", "keyword", "stop", "cjk", "nori", "nori_tokenizer", "no_such_analyzer")
    has = probe_capabilities(cluster, names, ()).analyzers
    assert {"standard", "keyword", "stop"} <= has
    assert "no_such_analyzer" not in has
    for name in names:
        tried = cluster.client.options(ignore_status=400).indices
        kinds = [tried.analyze(analyzer=name, text="x").body, tried.analyze(tokenizer=name, text="x").body]
        assert any("tokens" in kind for kind in kinds) is (name in has)


def test_probing_creates_nothing(cluster: Cluster) -> None:
    def everything() -> set[str]:
        indices = cluster.client.indices
        templates = indices.get_index_template().body["index_templates"]
        ours = indices.get(index="log-search-indexer*", expand_wildcards="all").body
        return {*ours, *(one["name"] for one in templates)}

    before = everything()
    probe_capabilities(cluster, ["cjk", "nori"], TYPES)
    assert not {name for name in everything() - before if "probe" in name or "simulate" in name}


DENIED = refuse(403, b'{"error":{"type":"security_exception","reason":"unauthorized"},"status":403}')


def test_without_the_privilege_to_probe_field_types_they_are_assumed_available(elasticsearch_url: str) -> None:
    """Creating the index will tell; if it fails, nothing has changed."""
    with FaultProxy(elasticsearch_url, pattern="/_simulate") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.default = DENIED
        assert probe_capabilities(cluster, ["no_such_analyzer"], ["no_such_type"]).field_types == {"no_such_type"}


@pytest.mark.parametrize(
    ("plugins", "modules", "has"),
    [
        (b"[]", b"[]", set()),
        (b"[]", b'[{"name":"analysis-common"}]', {"cjk"}),
        (b'[{"name":"analysis-nori"}]', b'[{"name":"analysis-common"}]', {"cjk", "nori"}),
    ],
    ids=["minimal", "as usual", "with nori"],
)
def test_without_the_privilege_to_analyze_the_list_of_modules_decides(
    elasticsearch_url: str, plugins: bytes, modules: bytes, has: set[str]
) -> None:
    """The test replaces only the list of plugins and modules."""

    def no_privilege(exchange: Exchange) -> None:
        nodes = b'{"nodes":{"a":{"version":"9.2.0","plugins":%b,"modules":%b}}}' % (plugins, modules)
        (DENIED if "/_analyze" in exchange.request.path else refuse(200, nodes))(exchange)

    on = "/_analyze|/_nodes/plugins|/_nodes/_all/plugins"
    with FaultProxy(elasticsearch_url, pattern=on) as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.default = no_privilege
        assert probe_capabilities(cluster, ["nori", "cjk"], ()).analyzers == has


def test_a_plugin_must_be_on_every_node(elasticsearch_url: str) -> None:
    nodes = (
        b'{"nodes":{"a":{"version":"9.2.0","plugins":[{"name":"analysis-nori"}]},"b":{"version":"9.2.0","plugins":[]}}}'
    )
    with FaultProxy(elasticsearch_url, pattern="/_") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.default = refuse(200, nodes)
        assert probe_capabilities(cluster, ["nori", "nori_tokenizer"], ()).analyzers == frozenset()
        proxy.default = refuse(200, nodes.replace(b"[]", b'[{"name":"analysis-nori"}]'))
        assert probe_capabilities(cluster, ["nori"], ()).analyzers == {"nori"}


def test_a_tokenizer_counts_as_well_as_an_analyzer(elasticsearch_url: str) -> None:
    """Every tokenizer of the plain distribution is also an analyzer, so the test refuses the analyzer request."""

    def no_analyzer(exchange: Exchange) -> None:
        (refuse(400) if b'"analyzer"' in exchange.request.body else pass_through)(exchange)

    with FaultProxy(elasticsearch_url, pattern="/_analyze") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.default = no_analyzer
        assert probe_capabilities(cluster, ["standard", "no_such_tokenizer"], ()).analyzers == {"standard"}
