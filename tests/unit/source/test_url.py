"""Parsing the URLs of CrateDB."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from indexer.access import SourceAccess
from indexer.errors import UsageError
from indexer.source.cratedb import CrateSource
from indexer.source.open import open_source
from indexer.source.sqlalchemy import SqlAlchemySource
from indexer.source.url import SourceAddress, parse_source_url


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("crate://localhost:4200", ("http://localhost:4200",)),
        ("crate://localhost", ("http://localhost:4200",)),
        ("localhost:4201", ("http://localhost:4201",)),
        ("http://one", ("http://one:4200",)),
        ("https://one:443/crate/", ("https://one:443/crate",)),
        ("crate://[::1]:4200", ("http://[::1]:4200",)),
        ("crate://one:4200,two:4201, three", ("http://one:4200", "http://two:4201", "http://three:4200")),
        ("https://one,two", ("https://one:4200", "https://two:4200")),
        ("crate://one,two/?sslmode=require", ("https://one:4200", "https://two:4200")),
        ("crate://one/?sslmode=disable", ("http://one:4200",)),
    ],
)
def test_servers_are_parsed_from_the_url(url: str, servers: tuple[str, ...]) -> None:
    assert parse_source_url(SourceAccess(url=url)).servers == servers


def test_credentials_and_schema_are_parsed_from_the_url() -> None:
    address = parse_source_url(SourceAccess(url="crate://me%40home:p%2Cw%3A@one,two/?schema=My%20Schema"))
    assert (address.user, address.password, address.schema) == ("me@home", "p,w:", "My Schema")
    assert address.servers == ("http://one:4200", "http://two:4200")


def test_credentials_may_be_given_apart_from_the_url() -> None:
    access = SourceAccess(url="crate://one", user="me", password=SecretStr("pw"))
    assert parse_source_url(access) == SourceAddress(("http://one:4200",), "me", "pw")


def test_credentials_in_the_url_take_precedence() -> None:
    access = SourceAccess(url="crate://you@one", user="me", password=SecretStr("pw"))
    assert parse_source_url(access) == SourceAddress(("http://one:4200",), "you", None)


@pytest.mark.parametrize(
    ("url", "ca", "wanted", "verify"),
    [
        ("https://one", None, True, True),
        ("https://one", None, False, False),
        ("crate://one/?sslmode=require", None, True, False),
        ("crate://one/?sslmode=require", Path("ca.pem"), True, True),
        ("crate://one/?sslmode=verify-full", None, True, True),
        ("crate://one/?sslmode=verify-full", None, False, False),
    ],
)
def test_sslmode_ca_and_verify_decide_on_verification(url: str, ca: Path | None, wanted: bool, verify: bool) -> None:  # noqa: FBT001  # by name
    assert parse_source_url(SourceAccess(url=url, ca=ca, verify=wanted)).verify is verify


@pytest.mark.parametrize(
    "url",
    [
        "crate://",
        "crate://:4200",
        "crate://one:port",
        "crate://one:0",
        "crate://one:99999",
        "crate://one/#there",
        "crate://one,,two",
        "crate://one/?sslmode=maybe",
        "crate://one/?shcema=x",
        "crate://[::1",
        "",
    ],
)
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--source"):
        parse_source_url(SourceAccess(url=url))


@pytest.mark.parametrize(
    "url", ["crate://me:s3/cret@one", "crate://me:s3#cret@one", "crate://me:s3,cret@one", "crate://me:s3cret@one:x"]
)
def test_the_error_of_an_invalid_url_hides_the_password(url: str) -> None:
    with pytest.raises(UsageError, match="--source-password") as raised:
        parse_source_url(SourceAccess(url=url))
    assert "s3" not in str(raised.value)
    assert "cret" not in str(raised.value)


def test_the_repr_of_an_address_hides_the_password() -> None:
    address = parse_source_url(SourceAccess(url="crate://me:s3cret@one"))
    assert "s3cret" not in f"{address!r} {address}"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("crate://one", CrateSource),
        ("HTTPS://one", CrateSource),
        ("one:4200", CrateSource),
        ("postgresql+nothing://one/db", UsageError),
        ("mysql://me:s3cret@one/db", UsageError),
        ("kafka://one", UsageError),
    ],
)
def test_the_scheme_selects_the_source(url: str, kind: type[object]) -> None:
    access = SourceAccess(url=url)
    if kind is UsageError:
        with pytest.raises(UsageError, match="--source") as raised:
            open_source(access)
        assert "s3cret" not in str(raised.value)
    else:
        source = open_source(access)
        assert isinstance(source, kind)
        source.close()


def test_any_other_scheme_selects_sqlalchemy(tmp_path: Path) -> None:
    (tmp_path / "logs.db").touch()
    source = open_source(SourceAccess(url=f"sqlite:///{tmp_path}/logs.db"))
    assert isinstance(source, SqlAlchemySource)
    source.close()
