"""Two documents are the same where Elasticsearch understands them so, and nowhere else."""

import struct
from random import Random
from typing import Any, TypeAlias

import orjson
from hypothesis import given
from hypothesis import strategies as st

from indexer.model.job.checkpoint import SliceProgress, unread
from indexer.model.json import Json, JsonObject
from indexer.model.paging.slice import Slice
from indexer.model.paging.window import Prefix, Prefixes, Range, TieGroup
from indexer.sink.hits import DocumentPage, StoredDocument, read_documents, read_page
from indexer.verify.digest import ALL_BUCKETS, Digest, SeenDocuments, bucket_of
from indexer.verify.document_diff import document_differences, split_line
from indexer.verify.findings import sample_slices

Sent: TypeAlias = dict[str, tuple[JsonObject, JsonObject | None, bool]]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['{"_index":"i","_id":', ',"_score":null,"_source":{}', ',"sort":[', '"]}}', "]}}"]
)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.sampled_from([0, 1, 0.0, 1.0]) | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
objects: st.SearchStrategy[JsonObject] = st.dictionaries(texts, values, max_size=4)


def paths(row: Json, held: Json, *vectors: str) -> list[str]:
    return [one.path for one in document_differences(row, held, frozenset(vectors))]


def as_floats(value: Json) -> Json:
    """The same numbers, written another way; absent for null."""
    if isinstance(value, dict):
        return {key: as_floats(inner) for key, inner in reversed(value.items()) if inner is not None}
    if isinstance(value, list):
        return [as_floats(inner) for inner in value]
    return float(value) if type(value) is int else value


@given(objects)
def test_a_document_is_itself_however_it_is_written(document: JsonObject) -> None:
    assert paths(document, document) == []
    assert paths(document, as_floats(document)) == []
    assert paths(as_floats(document), orjson.loads(orjson.dumps(document))) == []


@given(objects, texts, values, values)
def test_a_change_is_found_where_it_is(document: JsonObject, key: str, row: Json, held: Json) -> None:
    deep: JsonObject = {"o": {"list": [document, {key: row}]}}
    other: JsonObject = {"o": {"list": [document, {key: held}]}}
    found = paths(deep, other)
    assert bool(found) == bool(paths(row, held))
    assert all(path.startswith(f"o.list[1].{key}") for path in found)
    assert sorted(found) == sorted(paths(other, deep))


@given(scalars, scalars)
def test_scalars_are_the_same_where_their_json_is_or_their_number(row: Json, held: Json) -> None:
    number = (int, float)
    alike = type(row) is type(held) or (type(row) in number and type(held) in number)
    assert bool(paths(row, held)) == (not alike or row != held)


@given(st.lists(st.floats(-1e6, 1e6, width=64), min_size=1, max_size=4))
def test_a_vector_is_compared_as_it_is_kept(vector: list[float]) -> None:
    kept: list[Json] = [struct.unpack("f", struct.pack("f", one))[0] for one in vector]
    row: list[Json] = [*vector]
    assert paths({"v": row}, {"v": kept}, "v") == []
    off: list[Json] = [vector[0] + max(1.0, abs(vector[0])) * 1e-4, *kept[1:]]
    assert paths({"v": row}, {"v": off}, "v") == ["v[0]"]


@given(texts, objects)
def test_a_line_is_taken_apart(id_: str, document: JsonObject) -> None:
    line = orjson.dumps({"index": {"_id": id_}}) + b"\n" + orjson.dumps(document) + b"\n"
    assert split_line(line) == (orjson.dumps(id_), orjson.dumps(document))


@given(st.dictionaries(texts, st.tuples(objects, st.none() | objects, st.booleans()), max_size=6), st.data())
def test_an_answer_is_told_apart_as_if_it_were_decoded(sent: Sent, data: st.DataObject) -> None:
    """DocumentPage that are gone, that changed, that name ignored fields, and that look like a hit inside."""
    hits: list[Any] = []
    for place, (id_, (document, changed, ignored)) in enumerate(sent.items()):
        if data.draw(st.booleans()):
            more = {"_ignored": ["a.keyword"]} if ignored else {}
            source = document if changed is None else changed
            hits.append({"_index": "i", "_id": id_, "_score": None, **more, "_source": source, "sort": [place]})
    head = {"pit_id": "p", "took": 1, "timed_out": False, "_shards": {"failed": 0}}
    answer = orjson.dumps({**head, "hits": {"max_score": None, "hits": hits}})
    page = read_page(answer, "i", {orjson.dumps(id_): orjson.dumps(one) for id_, (one, _, _) in sent.items()})
    assert page.answer["timed_out"] is False
    assert page.answer["_shards"] == {"failed": 0}
    held = {one.id: one for one in page.others}
    assert sorted([*page.places, *(one.place for one in page.others)]) == sorted(hit["sort"][0] for hit in hits)
    for hit in hits:
        same = orjson.dumps(hit["_source"]) == orjson.dumps(sent[hit["_id"]][0])
        if orjson.dumps(hit["_id"]) in page.same:
            assert same
        else:
            assert held[hit["_id"]] == StoredDocument(hit["_id"], hit["sort"][0], hit["_source"])
    assert len(page.same) + len(held) == len(hits)


def test_an_answer_with_what_was_sent_is_not_decoded() -> None:
    hits = [
        {"_index": "i", "_id": id_, "_score": None, **more, "_source": {"n": id_}, "sort": [7]}
        for id_, more in (("a", {}), ("b", {"_ignored": ["n"]}))
    ]
    answer = orjson.dumps({"pit_id": "p", "hits": {"max_score": None, "hits": hits}})
    page = read_page(answer, "i", {b'"a"': b'{"n":"a"}', b'"b"': b'{"n":"b"}'})
    assert (page.same, page.places, page.others) == ({b'"a"', b'"b"'}, [7, 7], [])


def test_an_answer_is_read_where_a_document_looks_like_a_hit() -> None:
    inner: JsonObject = {"_index": "i", "_id": "b", "_score": None, "_source": {"n": "b"}, "sort": [9]}
    hits = [
        {"_index": "i", "_id": "a", "_score": None, "_source": {"hit": inner}, "sort": [1]},
        {"_index": "i", "_id": "b", "_score": None, "_source": {"n": "c"}, "sort": [2]},
    ]
    answer = orjson.dumps({"pit_id": "p", "hits": {"max_score": None, "hits": hits}})
    page = read_page(answer, "i", {b'"a"': orjson.dumps({"hit": inner}), b'"b"': b'{"n":"b"}'})
    assert (page.same, page.places) == (set(), [])
    assert page.others == [StoredDocument("a", 1, {"hit": inner}), StoredDocument("b", 2, {"n": "c"})]


pairs = st.dictionaries(texts, st.tuples(objects, st.booleans()), max_size=6)


@given(pairs)
def test_documents_are_told_apart_as_if_they_were_decoded(made: dict[str, tuple[JsonObject, bool]]) -> None:
    hits: list[Any] = []
    for place, (id_, (source, ignored)) in enumerate(made.items()):
        more = {"_ignored": ["a.keyword"]} if ignored else {}
        hits.append({"_index": "i", "_id": id_, "_score": None, **more, "_source": source, "sort": [place]})
    head = {"pit_id": "p", "took": 1, "timed_out": False, "_shards": {"failed": 0}}
    answer, documents = read_documents(orjson.dumps({**head, "hits": {"max_score": None, "hits": hits}}), "i")
    assert (answer["timed_out"], answer["pit_id"]) == (False, "p")
    assert documents.pairs == [(orjson.dumps(id_), orjson.dumps(source)) for id_, (source, _) in made.items()]
    assert documents.last == (len(hits) - 1 if hits else None)


def test_an_id_is_known_however_it_is_escaped() -> None:
    hit = b'{"_index":"i","_id":"\\u0001\\/","_score":null,"_source":{"n":1},"sort":[4]}'
    _, documents = read_documents(b'{"pit_id":"p","hits":{"max_score":null,"hits":[%b]}}' % hit, "i")
    assert documents == DocumentPage([(orjson.dumps("\x01/"), b'{"n":1}')], 4)


documents_of_a_side = st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=3)), max_size=30)


@given(documents_of_a_side, documents_of_a_side, st.randoms(use_true_random=False))
def test_sums_are_the_same_for_the_same_documents_only(
    rows: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]], random: Random
) -> None:
    """Doubled documents count twice, and the order does not matter; only the buckets that differ are named."""
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
def test_what_was_seen_is_known_exactly(added: list[int], asked: list[int]) -> None:
    seen = SeenDocuments()
    seen.add(added)
    assert len(seen) == len(set(added))
    assert seen.again == len(added) - len(set(added))
    assert {place for place in asked if place in seen} == set(asked) & set(added)


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
def test_a_sample_of_text_is_made_of_its_prefixes(rows: list[int], random: Random) -> None:
    prefixes = [Prefix(chr(97 + place), rows=count) for place, count in enumerate(rows)]
    slices = unread([Slice(0, Prefixes(tuple(prefixes)), sum(rows)), Slice(1, TieGroup(None), 30_000)])
    chosen = sample_slices(slices, 0.1, random)
    assert len({part.number for part in chosen}) == len(chosen)
    total = sum(rows) + 30_000
    taken = sum(part.rows for part in chosen)
    assert taken >= 0.1 * total
    assert taken - max(*rows, 30_000) < max(0.1 * total, 1_000)


def test_a_small_table_is_sampled_whole() -> None:
    text = Prefixes((Prefix("a", rows=60), Prefix("b", rows=40)))
    slices = unread([Slice(0, Range(0, 9), 800), Slice(1, text, 100)])
    assert sample_slices(slices, 0.01, Random(1)) == slices
