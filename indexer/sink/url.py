"""Where Elasticsearch is and who asks: the nodes and the credentials out of what the user gave."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from indexer.errors import UsageError
from indexer.settings import TargetAccess

__all__ = ["TargetAddress", "parse_target_url"]

_EXAMPLE = "write http://localhost:9200, or several nodes separated by commas"


@dataclass(frozen=True, slots=True)
class TargetAddress:
    """The nodes and the credentials.

    Attributes:
        nodes: the URLs of the nodes, without credentials, fit to be shown.
        user: the user and the password, or None.
        api_key: an API key, or None; never together with a user.
    """

    nodes: tuple[str, ...]
    user: tuple[str, str] | None
    api_key: str | None

    def __repr__(self) -> str:
        return f"Address({','.join(self.nodes)})"

    @property
    def secure(self) -> bool:
        """Whether the nodes are spoken to through TLS."""
        return self.nodes[0].startswith("https:")


def parse_target_url(access: TargetAccess) -> TargetAddress:
    """Take the URL apart. Credentials in one of several URLs serve for all.

    Raises:
        UsageError: for a URL that cannot be, or two kinds of credentials; without showing a password.
    """
    nodes = [_node(url, access) for url in access.url.split(",")]
    if len({node.scheme for node in nodes}) > 1:
        raise UsageError("--target mixes http:// and https://: give all nodes the same.")
    user = _user(access, nodes)
    if user and access.api_key:
        raise UsageError("--target-api-key and a user exclude each other: give one of them.")
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
        raise _invalid(access, broken=True) from None  # what is no port may be a password, and its text quotes it
    if "@" in parts.path + parts.query + parts.fragment or parts.query or parts.fragment:
        raise _invalid(access)
    if parts.scheme not in {"http", "https"} or not parts.hostname or port is None:
        raise _invalid(access)
    return parts


def _invalid(access: TargetAccess, *, broken: bool = False) -> UsageError:
    if "@" in access.url:  # wherever the URL breaks, a part of the password may be in what is left
        return UsageError(
            "--target is not a URL of Elasticsearch (not shown, for it holds a password):"
            " write special characters in the password as %XX, or use --target-user and --target-password."
        )
    shown = "(not shown, for it may hold a password)" if broken else access.url
    return UsageError(f"--target {shown} is not a URL of Elasticsearch: {_EXAMPLE}.")


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
