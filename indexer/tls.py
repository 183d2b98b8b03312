"""TLS: its files, which are looked at before anything is connected, and what helps where a server is not trusted."""

import ssl
from typing import Final, Literal, TypeAlias

from indexer.errors import UsageError
from indexer.settings import SourceAccess, TargetAccess

__all__ = ["Side", "refuse_unusable", "trust"]

Side: TypeAlias = Literal["source", "target"]

_OTHER_NAME: Final = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

_OUT_OF_DATE: Final = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def trust(side: Side, error: ssl.SSLCertVerificationError) -> str:
    """The remedy for a server whose certificate is not trusted."""
    if error.verify_code in _OTHER_NAME:
        return f"name the server in --{side} as its certificate does"
    if error.verify_code in _OUT_OF_DATE:
        return "renew the server's certificate"
    return f"name the authority that signed its certificate with --{side}-ca"


def refuse_unusable(side: Side, access: SourceAccess | TargetAccess, *, secure: bool) -> None:
    """Refuse files that no connection could be made with; a client would blame the handshake, or ask the terminal.

    Args:
        side: whose options the files were given by.
        access: the files.
        secure: whether the server is spoken to through TLS at all.

    Raises:
        UsageError: where a file cannot be read as what it should be, a key is given without its certificate, or any
            file for a connection that is not encrypted: a password would be sent as it is.
    """
    files = {"ca": access.ca, "cert": access.cert, "cert-key": access.cert_key}
    for name, path in files.items():
        if path is not None and not secure:
            raise UsageError(
                f"--{side}-{name} {path} is for TLS, which --{side} does not ask for: write https:// there."
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if access.ca is not None:
            context.load_verify_locations(access.ca)
    except OSError as error:
        raise UsageError(f"--{side}-ca {access.ca} cannot be read as PEM certificates: {_why(error)}.") from error
    _refuse_pair(side, access, context)


def _refuse_pair(side: Side, access: SourceAccess | TargetAccess, context: ssl.SSLContext) -> None:
    cert, key = access.cert, access.cert_key
    if cert is None:
        if key is not None:
            raise UsageError(f"--{side}-cert-key {key} is of no use alone: name its certificate with --{side}-cert.")
        return
    try:
        context.load_cert_chain(cert, key, password=b"")  # without one, an encrypted key asks the terminal
    except OSError as error:
        raise UsageError(
            f"--{side}-cert {cert} and its key {key or 'in the same file'} cannot be read ({_why(error)}):"
            f" give a PEM certificate with --{side}-cert and its key, not encrypted, with --{side}-cert-key."
        ) from error


def _why(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)
