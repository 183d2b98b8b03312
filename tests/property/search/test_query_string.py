"""What rewriting a query string never does, whatever the query."""

from hypothesis import example, given
from hypothesis import strategies as st

from indexer.search.query_string import with_prefixes

FIELDS = frozenset({"message"})
HANGUL = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=5)
ANY = st.text(st.sampled_from("가나다 ab1:()\"\\/[]{}~^*?+-!&|.,'<>=\n") | st.characters(codec="utf-8"), max_size=30)


@given(ANY)
@example("\\")
def test_a_query_without_fields_to_ask_stays(query: str) -> None:
    assert with_prefixes(query, frozenset()) == query


@given(
    st.lists(
        st.sampled_from(["AND", "(", ")", "[1 TO 5]", "a*", "b~", "/re/", '"two words"', "+", "!", "service:auth"])
    )
)
def test_what_is_no_bare_word_stays(parts: list[str]) -> None:
    query = " ".join(parts)
    assert with_prefixes(query, FIELDS) == query


@given(st.text(st.sampled_from("가나다 :()\"\\/[]{}~^*?+-!&|.,'<>=\n"), max_size=30))
def test_rewriting_twice_is_rewriting_once(query: str) -> None:
    once = with_prefixes(query, FIELDS)
    assert with_prefixes(once, FIELDS) == once


@given(st.lists(HANGUL, min_size=1, max_size=5))
def test_every_word_becomes_a_prefix(words: list[str]) -> None:
    assert with_prefixes(" ".join(words), FIELDS).split() == [f"{word}*" for word in words]


@given(st.lists(HANGUL, min_size=1, max_size=5))
def test_a_phrase_stays(words: list[str]) -> None:
    phrase = f'"{" ".join(words)}"'
    assert with_prefixes(phrase, FIELDS) == phrase


@given(ANY, HANGUL)
def test_words_of_other_fields_stay(query: str, word: str) -> None:
    assert with_prefixes(f"service:{word}", FIELDS) == f"service:{word}"
    assert with_prefixes(f"service:{word} {query}", FIELDS).startswith(f"service:{word} ")
