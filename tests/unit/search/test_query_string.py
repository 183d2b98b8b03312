"""Korean words of a query string become prefixes, and nothing else of it changes."""

import pytest

from indexer.search.query_string import with_prefixes

FIELDS = frozenset({"message", "note text"})


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("반도체 개발", "반도체* 개발*"),
        ("GPU", "(GPU OR /gpu[가-힣]+/)"),
        ("v1.2 반도체", "(v1.2 OR /v1[.]2[가-힣]+/) 반도체*"),
        ("message:500^2", "message:(500 OR /500[가-힣]+/)^2"),
        ("a-b", "a-b"),
        ("_id:5", "_id:5"),
        ("반도체 AND service:auth", "반도체* AND service:auth"),
        ("message:반도체", "message:반도체*"),
        ("note\\ text:반도체", "note\\ text:반도체*"),
        ("service:결제", "service:결제"),
        ("service:결제 반도체", "service:결제 반도체*"),
        ("service:(결제 OR 인증) 반도체", "service:(결제 OR 인증) 반도체*"),
        ("message:(반도체 OR 개발)", "message:(반도체* OR 개발*)"),
        ("service:(결제 OR message:반도체)", "service:(결제 OR message:반도체*)"),
        ('"반도체를 개발"', '"반도체를 개발"'),
        ('"반도체를 개발"~2 삼성', '"반도체를 개발"~2 삼성*'),
        ('message:"반도체를 개발" 삼성', 'message:"반도체를 개발" 삼성*'),
        ('"말 \\" 끝" 삼성', '"말 \\" 끝" 삼성*'),
        ("반도*", "반도*"),
        ("반?체", "반?체"),
        ("반도체~1", "반도체~1"),
        ("반도체^2", "반도체*^2"),
        ("+반도체 -판매", "+반도체* -판매*"),
        ("NOT 반도체", "NOT 반도체*"),
        ("!반도체 && 개발 || 삼성", "!반도체* && 개발* || 삼성*"),
        ("/반도.*/", "/반도.*/"),
        ("message:[가 TO 나]", "message:[가 TO 나]"),
        (">=가", ">=가"),
        ("개발한다.", "개발한다*"),
        ("삼성-전자", "(삼성* AND 전자*)"),
        ("A-반도체", "(A AND 반도체*)"),
        ("3,000원", "3,000원*"),
        ("삼성,전자", "(삼성* AND 전자*)"),
        ("S23을", "S23을*"),
        ("반도체\\*", "반도체*"),
        ("필드:값 반도체", "필드:값 반도체*"),
        ("(반도체", "(반도체*"),
        ("반도체)) 개발", "반도체*)) 개발*"),
        ('"반도체', '"반도체'),
    ],
)
def test_a_query_is_asked_so(query: str, asked: str) -> None:
    assert with_prefixes(query, FIELDS) == asked


def test_an_index_with_a_korean_analyzer_is_asked_as_it_is() -> None:
    assert with_prefixes("반도체 개발", frozenset()) == "반도체 개발"
