"""Two documents are equal exactly if Elasticsearch treats them as equal."""

import struct
from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from indexer.model.job.checkpoint import SliceProgress, unread
from indexer.model.json import Json, JsonObject
from indexer.model.paging.slice import Slice
from indexer.model.paging.window import Prefix, Prefixes, Range, TieGroup
from indexer.verify.digest import ALL_BUCKETS, Digest, MatchedDocuments, bucket_of
from indexer.verify.document_diff import document_differences, split_line
from indexer.verify.verify import sample_slices

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.sampled_from([0, 1, 0.0, 1.0]) | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
objects: st.SearchStrategy[JsonObject] = st.dictionaries(texts, values, max_size=4)


def paths(row: Json, held: Json, *vectors: str) -> list[str]:
    return [one.path for one in document_differences(row, held, frozenset(vectors))]


def as_floats(value: Json) -> Json:
    """The same document with integers as floats, nulls absent and keys reversed."""
    if isinstance(value, dict):
        return {key: as_floats(inner) for key, inner in reversed(value.items()) if inner is not None}
    if isinstance(value, list):
        return [as_floats(inner) for inner in value]
    return float(value) if type(value) is int else value


@given(objects)
def test_a_document_equals_itself_in_any_number_format_and_key_order(document: JsonObject) -> None:
    assert paths(document, document) == []
    assert paths(document, as_floats(document)) == []
    assert paths(as_floats(document), orjson.loads(orjson.dumps(document))) == []


@given(objects, texts, values, values)
def test_a_change_is_reported_with_its_path(document: JsonObject, key: str, row: Json, held: Json) -> None:
    deep: JsonObject = {"o": {"list": [document, {key: row}]}}
    other: JsonObject = {"o": {"list": [document, {key: held}]}}
    found = paths(deep, other)
    assert bool(found) == bool(paths(row, held))
    assert all(path.startswith(f"o.list[1].{key}") for path in found)
    assert sorted(found) == sorted(paths(other, deep))


@given(scalars, scalars)
def test_scalars_are_equal_exactly_if_their_values_and_json_types_are(row: Json, held: Json) -> None:
    number = (int, float)
    alike = type(row) is type(held) or (type(row) in number and type(held) in number)
    assert bool(paths(row, held)) == (not alike or row != held)


@given(st.lists(st.floats(-1e6, 1e6, width=64), min_size=1, max_size=4))
def test_vectors_are_compared_in_single_precision(vector: list[float]) -> None:
    kept: list[Json] = [struct.unpack("f", struct.pack("f", one))[0] for one in vector]
    row: list[Json] = [*vector]
    assert paths({"v": row}, {"v": kept}, "v") == []
    off: list[Json] = [vector[0] + max(1.0, abs(vector[0])) * 1e-4, *kept[1:]]
    assert paths({"v": row}, {"v": off}, "v") == ["v[0]"]


@given(texts, objects)
def test_a_bulk_line_is_split_into_id_and_document(id_: str, document: JsonObject) -> None:
    line = orjson.dumps({"index": {"_id": id_}}) + b"\n" + orjson.dumps(document) + b"\n"
    assert split_line(line) == (orjson.dumps(id_), orjson.dumps(document))


documents_of_a_side = st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=3)), max_size=30)


@given(documents_of_a_side, documents_of_a_side, st.randoms(use_true_random=False))
def test_digests_differ_exactly_in_the_buckets_that_differ(
    rows: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]], random: Random
) -> None:
    """Duplicates count twice, order does not matter, and exactly the buckets that differ are named."""
    one, two = Digest(), Digest()
    one.add(rows)
    shuffled = [*rows, *others]
    random.shuffle(shuffled)
    for document in shuffled:
        two.add([document])
    expected = {bucket_of(id_) for id_, _ in others}
    assert one.differing(two) == two.differing(one) == expected
    assert two.count(expected) - one.count(expected) == len(others)
    assert two.count(ALL_BUCKETS) == len(shuffled)


places = st.integers(0, 3).flatmap(lambda shard: st.integers(0, 5_000).map(lambda place: (shard << 32) | place))


@given(st.lists(places), st.lists(places))
def test_matched_documents_are_tracked_exactly(added: list[int], asked: list[int]) -> None:
    matched = MatchedDocuments()
    matched.add(added)
    assert len(matched) == len(set(added))
    assert matched.duplicates == len(added) - len(set(added))
    assert {place for place in asked if place in matched} == set(asked) & set(added)


@given(
    st.lists(st.integers(2, 10**9), min_size=1, max_size=8), st.floats(0.001, 0.5), st.randoms(use_true_random=False)
)
def test_a_sample_lies_within_its_slices(widths: list[int], share: float, random: Random) -> None:
    slices: list[SliceProgress] = []
    lo = -5
    for number, width in enumerate(widths):
        slices += unread([Slice(number, Range(lo, lo + width), 1_000_000)])
        lo += width
    chosen = sample_slices(slices, share, random)
    assert [part.number for part in chosen] == [part.number for part in slices]
    for part, all_of_it in zip(chosen, slices, strict=True):
        [window], [around] = part.windows, all_of_it.windows
        assert isinstance(window, Range)
        assert isinstance(around, Range)
        assert around.lo <= window.lo < window.hi <= around.hi
        assert window.hi - window.lo <= (around.hi - around.lo) * share + 1


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_a_sample_of_a_text_key_consists_of_whole_prefixes(rows: list[int], random: Random) -> None:
    prefixes = [Prefix(chr(97 + place), rows=count) for place, count in enumerate(rows)]
    slices = unread([Slice(0, Prefixes(tuple(prefixes)), sum(rows)), Slice(1, TieGroup(None), 30_000)])
    chosen = sample_slices(slices, 0.1, random)
    assert len({part.number for part in chosen}) == len(chosen)
    total = sum(rows) + 30_000
    taken = sum(part.rows for part in chosen)
    assert taken >= 0.1 * total
    assert taken - max(*rows, 30_000) < max(0.1 * total, 1_000)


def test_a_small_table_is_sampled_completely() -> None:
    text = Prefixes((Prefix("a", rows=60), Prefix("b", rows=40)))
    slices = unread([Slice(0, Range(0, 9), 800), Slice(1, text, 100)])
    assert sample_slices(slices, 0.01, Random(1)) == slices
