"""The CrateDB servers, the credentials and the schema, as given by the user."""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from indexer.access import SourceAccess
from indexer.errors import UsageError

__all__ = ["SCHEMES", "SourceAddress", "parse_source_url"]

SCHEMES: Final = frozenset({"crate", "http", "https"})
"""The schemes of URLs that name a CrateDB server."""

_DEFAULT_PORT: Final = 4200
_JWT_DOTS: Final = 2
"""Dots between the three parts of a JSON Web Token."""

_EXAMPLE: Final = "write crate://localhost:4200, or several servers separated by commas"
_UNENCRYPTED: Final = frozenset({"disable"})
_UNVERIFIED: Final = frozenset({"allow", "prefer", "require"})
_VERIFIED: Final = frozenset({"verify-ca", "verify-full"})
"""`sslmode` as in SQLAlchemy's CrateDB dialect and libpq: `require` encrypts without verifying the server."""


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """The servers and how to connect to them.

    Attributes:
        servers: their URLs, `http://` or `https://`, without credentials, so that they can be shown.
        user: the user; None for CrateDB's default.
        password: the user's password, or None.
        jwt: a JSON Web Token, or None; never set together with a user.
        schema: the schema of tables given without one; None for CrateDB's default, `doc`.
        verify: whether the servers' certificates are verified.
    """

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    jwt: str | None = None
    schema: str | None = None
    verify: bool = True

    @property
    def secure(self) -> bool:
        """Whether all connections use TLS."""
        return all(server.startswith("https:") for server in self.servers)

    def __repr__(self) -> str:
        return f"SourceAddress({self})"

    def __str__(self) -> str:
        return ",".join(self.servers)


def parse_source_url(access: SourceAccess) -> SourceAddress:
    """Parse the URL: `crate://user:pw@one:4200,two:4200/?schema=x&sslmode=require`, or `https://host:4200`.

    Of several URLs, the first sets the scheme of those without one; credentials and options in one apply to all.

    Raises:
        UsageError: for an invalid URL, or two kinds of credentials. No message shows a password.
    """
    parts = _parts(access)
    options = _options(parts)
    mode = options.get("sslmode", "disable")
    if mode not in _UNENCRYPTED | _UNVERIFIED | _VERIFIED:
        raise UsageError(f"unknown sslmode={mode} in --source; use disable, require, verify-ca or verify-full.")
    address = SourceAddress(
        servers=tuple(_server(part, secure=mode not in _UNENCRYPTED) for part in parts),
        schema=options.get("schema"),
        verify=access.verify and (mode not in _UNVERIFIED or access.ca is not None or "sslmode" not in options),
    )
    return _with_credentials(address, access, parts)


def _parts(access: SourceAccess) -> list[SplitResult]:
    scheme = "crate"
    parts = []
    for url in access.url.split(","):
        scheme, _, rest = url.strip().rpartition("://") if "://" in url else (scheme, "", url.strip())
        parts.append(_part(f"{scheme}://{rest}", access))
    return parts


def _part(url: str, access: SourceAccess) -> SplitResult:
    try:
        part = urlsplit(url)
        port = part.port
    except ValueError:
        raise _invalid(
            access, broken=True
        ) from None  # its text quotes the invalid port, which may be a part of the password
    stray = "@" in part.path + part.query + part.fragment or part.fragment
    if stray or part.scheme not in SCHEMES or not part.hostname or port == 0:
        raise _invalid(access)
    return part


def _invalid(access: SourceAccess, *, broken: bool = False) -> UsageError:
    if "@" in access.url:  # an unescaped character may have split the password at any place
        return UsageError(
            "--source is not a valid CrateDB URL (not shown, because it contains a password);"
            " write special characters in the password as %XX, or use --source-user and --source-password."
        )
    shown = "(not shown, because it may contain a password)" if broken else access.url
    return UsageError(f"--source {shown} is not a valid CrateDB URL; {_EXAMPLE}.")


def _options(parts: list[SplitResult]) -> dict[str, str]:
    options = {name: value for part in parts for name, value in parse_qsl(part.query, keep_blank_values=True)}
    for name in options.keys() - {"schema", "sslmode"}:
        raise UsageError(f"unknown option {name} in --source; use schema or sslmode.")
    return options


def _server(part: SplitResult, *, secure: bool) -> str:
    scheme = "https" if part.scheme == "https" or (part.scheme == "crate" and secure) else "http"
    host = part.netloc.rpartition("@")[2]
    return f"{scheme}://{host}{'' if part.port else f':{_DEFAULT_PORT}'}{part.path.rstrip('/')}"


def _with_credentials(address: SourceAddress, access: SourceAccess, parts: list[SplitResult]) -> SourceAddress:
    user, password = _user(access, parts)
    if access.jwt is None:
        return replace(address, user=user, password=password)
    if user is not None:
        raise UsageError("--source-jwt and a user are mutually exclusive; remove one of them.")
    return replace(address, jwt=_token(access.jwt.get_secret_value()))


def _token(text: str) -> str:
    if text.count(".") != _JWT_DOTS or not text.isascii() or len(text.split()) != 1:
        raise UsageError(
            "--source-jwt is not a JSON Web Token (not shown); it must be header.claims.signature on one line."
        )
    return text.strip()


def _user(access: SourceAccess, parts: list[SplitResult]) -> tuple[str | None, str | None]:
    for part in parts:
        if part.username:
            return unquote(part.username), _unquoted(part.password)
    return access.user, access.password.get_secret_value() if access.password else None


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)
