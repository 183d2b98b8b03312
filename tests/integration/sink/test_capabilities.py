"""What a real cluster says it can do."""

from collections.abc import Iterator

import pytest

from indexer.errors import UsageError
from indexer.model.json import JsonObject
from indexer.settings import TargetAccess
from indexer.sink.capabilities import probe_capabilities
from indexer.sink.client import Cluster, connect
from indexer.sink.index import Indexes
from tests.support.bulk_lines import NOW
from tests.support.fault_proxy import Exchange, FaultProxy, passes, refuse

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


def test_asking_for_nothing_tells_the_version(cluster: Cluster) -> None:
    capabilities = probe_capabilities(cluster, (), ())
    assert (capabilities.version, capabilities.analyzers, capabilities.field_types) == (
        cluster.version,
        frozenset(),
        frozenset(),
    )


def test_types_are_there_exactly_where_an_index_can_be_made_with_them(cluster: Cluster, alias: str) -> None:
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


def test_analyzers_and_tokenizers_are_there_exactly_where_text_can_be_analyzed(cluster: Cluster) -> None:
    names = ("standard", "keyword", "stop", "cjk", "nori", "nori_tokenizer", "no_such_analyzer")
    has = probe_capabilities(cluster, names, ()).analyzers
    assert {"standard", "keyword", "stop"} <= has
    assert "no_such_analyzer" not in has
    for name in names:
        tried = cluster.client.options(ignore_status=400).indices
        kinds = [tried.analyze(analyzer=name, text="x").body, tried.analyze(tokenizer=name, text="x").body]
        assert any("tokens" in kind for kind in kinds) is (name in has)


def test_asking_creates_nothing(cluster: Cluster) -> None:
    def everything() -> set[str]:
        indices = cluster.client.indices
        templates = indices.get_index_template().body["index_templates"]
        ours = indices.get(index="log-search-indexer*", expand_wildcards="all").body
        return {*ours, *(one["name"] for one in templates)}

    before = everything()
    probe_capabilities(cluster, ["cjk", "nori"], TYPES)
    assert not {name for name in everything() - before if "probe" in name or "simulate" in name}


DENIED = refuse(403, b'{"error":{"type":"security_exception","reason":"unauthorized"},"status":403}')


def test_a_user_who_may_not_ask_for_types_is_taken_to_have_what_the_plan_wants(elasticsearch_url: str) -> None:
    """Creating the index proves it, or is refused with nothing changed."""
    with FaultProxy(elasticsearch_url, on="/_simulate") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.otherwise = DENIED
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
def test_of_a_user_who_may_not_ask_the_modules_tell_the_analyzers(
    elasticsearch_url: str, plugins: bytes, modules: bytes, has: set[str]
) -> None:
    """The server's own list of plugins and modules is the one answer that is of the test's making."""

    def no_privilege(exchange: Exchange) -> None:
        nodes = b'{"nodes":{"a":{"version":"9.2.0","plugins":%b,"modules":%b}}}' % (plugins, modules)
        (DENIED if "/_analyze" in exchange.request.path else refuse(200, nodes))(exchange)

    on = "/_analyze|/_nodes/plugins|/_nodes/_all/plugins"
    with FaultProxy(elasticsearch_url, on=on) as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.otherwise = no_privilege
        assert probe_capabilities(cluster, ["nori", "cjk"], ()).analyzers == has


def test_a_plugin_must_be_on_every_node(elasticsearch_url: str) -> None:
    nodes = (
        b'{"nodes":{"a":{"version":"9.2.0","plugins":[{"name":"analysis-nori"}]},"b":{"version":"9.2.0","plugins":[]}}}'
    )
    with FaultProxy(elasticsearch_url, on="/_") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.otherwise = refuse(200, nodes)
        assert probe_capabilities(cluster, ["nori", "nori_tokenizer"], ()).analyzers == frozenset()
        proxy.otherwise = refuse(200, nodes.replace(b"[]", b'[{"name":"analysis-nori"}]'))
        assert probe_capabilities(cluster, ["nori"], ()).analyzers == {"nori"}


def test_a_tokenizer_counts_as_well_as_an_analyzer(elasticsearch_url: str) -> None:
    """The plain distribution has none that is not an analyzer too, so one answer is of the test's making."""

    def no_analyzer(exchange: Exchange) -> None:
        (refuse(400) if b'"analyzer"' in exchange.request.body else passes)(exchange)

    with FaultProxy(elasticsearch_url, on="/_analyze") as proxy, connect(TargetAccess(url=proxy.url)) as cluster:
        proxy.otherwise = no_analyzer
        assert probe_capabilities(cluster, ["standard", "no_such_tokenizer"], ()).analyzers == {"standard"}
