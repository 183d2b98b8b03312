"""The nodes of Elasticsearch and the credentials, as given by the user."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from indexer.access import TargetAccess
from indexer.errors import UsageError

__all__ = ["TargetAddress", "parse_target_url"]

_EXAMPLE: Final = "write http://localhost:9200, or several nodes separated by commas"


@dataclass(frozen=True, slots=True)
class TargetAddress:
    """The nodes and the credentials.

    Attributes:
        nodes: the nodes' URLs, without credentials, so that they can be shown.
        user: the user and the password, or None.
        api_key: an API key, or None; never set together with a user.
    """

    nodes: tuple[str, ...]
    user: tuple[str, str] | None
    api_key: str | None

    def __repr__(self) -> str:
        return f"TargetAddress({','.join(self.nodes)})"

    @property
    def secure(self) -> bool:
        """Whether the connection uses TLS."""
        return self.nodes[0].startswith("https:")


def parse_target_url(access: TargetAccess) -> TargetAddress:
    """Parse the URL. Credentials in one of several URLs apply to all of them.

    Raises:
        UsageError: for an invalid URL, or two kinds of credentials. No message shows a password.
    """
    nodes = [_node(url, access) for url in access.url.split(",")]
    if len({node.scheme for node in nodes}) > 1:
        raise UsageError("--target mixes http:// and https://; use one of them for all nodes.")
    user = _user(access, nodes)
    if user and access.api_key:
        raise UsageError("--target-api-key and a user are mutually exclusive; remove one of them.")
    return TargetAddress(
        nodes=tuple(_without_user(node) for node in nodes),
        user=user,
        api_key=access.api_key.get_secret_value() if access.api_key else None,
    )


def _node(url: str, access: TargetAccess) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else None)
    except ValueError:
        raise _invalid(
            access, broken=True
        ) from None  # its text quotes the invalid port, which may be a part of the password
    if "@" in parts.path + parts.query + parts.fragment or parts.query or parts.fragment:
        raise _invalid(access)
    if parts.scheme not in {"http", "https"} or not parts.hostname or port is None:
        raise _invalid(access)
    return parts


def _invalid(access: TargetAccess, *, broken: bool = False) -> UsageError:
    if "@" in access.url:  # an unescaped character may have split the password at any place
        return UsageError(
            "--target is not a valid URL (not shown, because it contains a password);"
            " write special characters in the password as %XX, or use --target-user and --target-password."
        )
    shown = "(not shown, because it may contain a password)" if broken else access.url
    return UsageError(f"--target {shown} is not a valid URL; {_EXAMPLE}.")


def _user(access: TargetAccess, nodes: list[SplitResult]) -> tuple[str, str] | None:
    for node in nodes:
        if node.username:
            return unquote(node.username), unquote(node.password or "")
    if access.user is None:
        return None
    return access.user, access.password.get_secret_value() if access.password else ""


def _without_user(node: SplitResult) -> str:
    host = node.netloc.rpartition("@")[2]
    port = "" if node.port else ":443"
    return f"{node.scheme}://{host}{port}{node.path.rstrip('/')}"
