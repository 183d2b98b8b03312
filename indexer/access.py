"""How to reach each server: its URL, who we are there, and the files of TLS."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

__all__ = ["ServerAccess", "SourceAccess", "TargetAccess", "without_secrets"]


class ServerAccess(BaseModel):
    """How to reach a server.

    Attributes:
        url: one URL, or several servers separated by commas; credentials may be part of it.
        user: the user, if the URL has none.
        password: the password, if the URL has none.
        ca: a file with the certificate authorities to trust, PEM.
        cert: a client certificate, PEM; includes its key unless `cert_key` names another file.
        cert_key: the certificate's key, PEM, not encrypted.
        verify: whether the server's certificate is checked.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    user: str | None = None
    password: SecretStr | None = None
    ca: Path | None = None
    cert: Path | None = None
    cert_key: Path | None = None
    verify: bool = True


class SourceAccess(ServerAccess):
    """How to reach the source.

    Attributes:
        jwt: a JSON Web Token, instead of a user and password; CrateDB only.
        timeout: seconds without an answer after which a request fails.
    """

    jwt: SecretStr | None = None
    timeout: float = 300.0


class TargetAccess(ServerAccess):
    """How to reach Elasticsearch.

    Attributes:
        api_key: an API key, base64 as Elasticsearch returns it; instead of a user and password.
        sniff: whether to discover the cluster's nodes, at the start and when one fails.
        timeout: seconds without an answer after which a request fails.
    """

    api_key: SecretStr | None = None
    sniff: bool = False
    timeout: float = 120.0


def without_secrets(url: str) -> str:
    """A URL, or several separated by commas, fit to be shown: user names stay, passwords do not."""
    return ",".join(_mask(part) for part in url.split(","))


def _mask(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{unquote(parts.username or '')}:***@{host}").geturl()
