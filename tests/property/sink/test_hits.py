"""Hits are matched and passed on as if they had been decoded, whatever the documents contain."""

from typing import TypeAlias

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.model.json import Json, JsonObject
from indexer.sink.hits import DocumentPage, StoredDocument, decode_response, match_hits, page_of_documents

Sent: TypeAlias = dict[str, tuple[JsonObject, JsonObject | None, bool]]
"""By `_id`: the document that was sent, the one that is stored instead, and whether the hit names ignored fields."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['{"_index":"i","_id":', ',"_score":null,"_source":{}', ',"sort":[', '"]}}', "]}}"]
)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
objects: st.SearchStrategy[JsonObject] = st.dictionaries(texts, values, max_size=4)


def hit(id_: str, source: Json, shard_doc: int, *, ignored: bool = False) -> JsonObject:
    more: JsonObject = {"_ignored": ["a.keyword"]} if ignored else {}
    return {"_index": "i", "_id": id_, "_score": None, **more, "_source": source, "sort": [shard_doc]}


def response(hits: list[JsonObject], *, timed_out: bool = False, failed: int = 0) -> bytes:
    head = {"pit_id": "p", "took": 1, "timed_out": timed_out, "_shards": {"total": 1, "failed": failed}}
    return orjson.dumps({**head, "hits": {"max_score": None, "hits": hits}})


@given(st.dictionaries(texts, st.tuples(objects, st.none() | objects, st.booleans()), max_size=6), st.data())
def test_hits_are_matched_as_if_they_were_decoded(sent: Sent, data: st.DataObject) -> None:
    """Documents that are missing, that changed, that name ignored fields, and that contain what looks like a hit."""
    stored = {
        id_: (shard_doc, document if changed is None else changed, ignored)
        for shard_doc, (id_, (document, changed, ignored)) in enumerate(sent.items())
        if data.draw(st.booleans())
    }
    hits = [hit(id_, source, shard_doc, ignored=ignored) for id_, (shard_doc, source, ignored) in stored.items()]
    page = match_hits(
        decode_response(response(hits)).hits.hits,
        {orjson.dumps(id_): orjson.dumps(document) for id_, (document, _, _) in sent.items()},
    )
    others = {other.id: other for other in page.others}
    assert sorted([*page.shard_docs, *(other.shard_doc for other in page.others)]) == sorted(
        shard_doc for shard_doc, _, _ in stored.values()
    )
    for id_, (shard_doc, source, _) in stored.items():
        if orjson.dumps(id_) in page.same:
            assert orjson.dumps(source) == orjson.dumps(sent[id_][0])
        else:
            assert others[id_] == StoredDocument(id_, shard_doc, source)
    assert len(page.same) + len(others) == len(hits)


def test_documents_that_equal_what_was_sent_are_not_decoded() -> None:
    hits = [hit("a", {"n": "a"}, 7), hit("b", {"n": "b"}, 7, ignored=True)]
    page = match_hits(decode_response(response(hits)).hits.hits, {b'"a"': b'{"n":"a"}', b'"b"': b'{"n":"b"}'})
    assert (page.same, page.shard_docs, page.others) == ({b'"a"', b'"b"'}, [7, 7], [])


def test_a_document_that_contains_a_hit_is_read_as_one_document() -> None:
    inner = hit("b", {"n": "b"}, 9)
    hits = [hit("a", {"hit": inner}, 1), hit("b", {"n": "c"}, 2)]
    page = match_hits(
        decode_response(response(hits)).hits.hits, {b'"a"': orjson.dumps({"hit": inner}), b'"b"': b'{"n":"b"}'}
    )
    assert (page.same, page.shard_docs) == ({b'"a"'}, [1])
    assert page.others == [StoredDocument("b", 2, {"n": "c"})]


@given(st.dictionaries(texts, st.tuples(objects, st.booleans()), max_size=6))
def test_documents_are_passed_on_as_if_they_were_decoded(documents: dict[str, tuple[JsonObject, bool]]) -> None:
    hits = [
        hit(id_, source, shard_doc, ignored=ignored)
        for shard_doc, (id_, (source, ignored)) in enumerate(documents.items())
    ]
    page = page_of_documents(decode_response(response(hits)).hits.hits)
    assert page.pairs == [(orjson.dumps(id_), orjson.dumps(source)) for id_, (source, _) in documents.items()]
    assert page.last == (len(hits) - 1 if hits else None)


def test_an_id_is_recognized_however_it_is_escaped() -> None:
    data = response([hit("ID", {"n": 1}, 4)]).replace(b'"ID"', b'"\\u0001\\/"')
    page = page_of_documents(decode_response(data).hits.hits)
    assert page == DocumentPage([(orjson.dumps("\x01/"), b'{"n":1}')], 4)


@pytest.mark.parametrize(("timed_out", "failed", "partial"), [(False, 0, False), (True, 0, True), (False, 1, True)])
def test_a_response_without_some_shards_is_partial(*, timed_out: bool, failed: int, partial: bool) -> None:
    assert decode_response(response([], timed_out=timed_out, failed=failed)).partial is partial


@pytest.mark.parametrize("end", range(1, 40, 3))
def test_a_response_that_was_cut_off_is_an_error(end: int) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_response(response([hit("a", {"n": 1}, 1)])[:-end])
