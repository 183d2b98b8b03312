"""Parsing the target's URL and credentials."""

import pytest
from pydantic import SecretStr

from indexer.access import TargetAccess
from indexer.errors import UsageError
from indexer.sink.url import parse_target_url


def test_several_nodes_share_the_credentials_of_one_url() -> None:
    address = parse_target_url(TargetAccess(url="https://me:pa%2Css%40@a:9200/es/, https://b"))
    assert address.nodes == ("https://a:9200/es", "https://b:443")
    assert address.user == ("me", "pa,ss@")
    assert "pa,ss@" not in repr(address)


def test_an_ipv6_node_keeps_its_brackets() -> None:
    assert parse_target_url(TargetAccess(url="http://u:p@[::1]:9200")).nodes == ("http://[::1]:9200",)


def test_user_and_password_may_be_given_apart_from_the_url() -> None:
    address = parse_target_url(TargetAccess(url="http://a:9200", user="me", password=SecretStr("pw")))
    assert address.user == ("me", "pw")


@pytest.mark.parametrize(
    "url", ["localhost:9200", "http://localhost", "ftp://a:1", "http://[::1:9200", "http://a:x", ""]
)
def test_an_invalid_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError, match="write http://localhost:9200"):
        parse_target_url(TargetAccess(url=url))


@pytest.mark.parametrize(
    "url", ["http://me:se#cret@a:9200", "http://me:se/cret@a:9200", "http://me:se,cret@a:9200", "http://me:secret@a:x"]
)
def test_a_password_that_breaks_the_url_is_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_target_url(TargetAccess(url=url))
    assert "cret" not in str(refused.value)
    assert "%XX" in str(refused.value)


def test_two_kinds_of_credentials_are_refused() -> None:
    with pytest.raises(UsageError, match="mutually exclusive"):
        parse_target_url(TargetAccess(url="http://me:pw@a:9200", api_key=SecretStr("key")))


def test_http_and_https_nodes_cannot_be_mixed() -> None:
    with pytest.raises(UsageError, match="mixes"):
        parse_target_url(TargetAccess(url="http://a:9200,https://b:9200"))
