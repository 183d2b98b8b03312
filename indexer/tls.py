"""TLS: checks of certificate files before anything is connected, and remedies for certificates that are not trusted."""

import ssl
from typing import Final, Literal, TypeAlias

from indexer.access import SourceAccess, TargetAccess
from indexer.errors import UsageError

__all__ = ["Side", "refuse_unusable", "trust_remedy"]

Side: TypeAlias = Literal["source", "target"]

_WRONG_HOST: Final = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

_EXPIRED: Final = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def trust_remedy(side: Side, error: ssl.SSLCertVerificationError) -> str:
    """What to do about a server whose certificate is not trusted."""
    if error.verify_code in _WRONG_HOST:
        return f"use a host name from the certificate in --{side}"
    if error.verify_code in _EXPIRED:
        return "renew the server's certificate"
    return f"pass its CA with --{side}-ca"


def refuse_unusable(side: Side, access: SourceAccess | TargetAccess, *, secure: bool) -> None:
    """Refuse certificate files that cannot be used; a client would report a failed handshake, or prompt for a password.

    Args:
        side: the side whose options named the files.
        access: the files.
        secure: whether the connection uses TLS.

    Raises:
        UsageError: where a file cannot be read as PEM, a key is given without its certificate, or a file is given for
            a connection without TLS, which would send the password in plain text.
    """
    files = {"ca": access.ca, "cert": access.cert, "cert-key": access.cert_key}
    for name, path in files.items():
        if path is not None and not secure:
            raise UsageError(f"--{side}-{name} requires a TLS connection; write https:// in --{side}.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if access.ca is not None:
            context.load_verify_locations(access.ca)
    except OSError as error:
        raise UsageError(
            f"--{side}-ca {access.ca} cannot be read as PEM ({_reason(error)}); pass a file with CA certificates."
        ) from error
    _refuse_pair(side, access, context)


def _refuse_pair(side: Side, access: SourceAccess | TargetAccess, context: ssl.SSLContext) -> None:
    cert, key = access.cert, access.cert_key
    if cert is None:
        if key is not None:
            raise UsageError(f"--{side}-cert-key requires --{side}-cert, the certificate of that key.")
        return
    try:
        context.load_cert_chain(cert, key, password=b"")  # without it, an encrypted key would prompt on the terminal
    except OSError as error:
        raise UsageError(
            f"--{side}-cert {cert} and its key {key or 'in the same file'} cannot be read ({_reason(error)});"
            f" pass a PEM certificate with --{side}-cert and its unencrypted key with --{side}-cert-key."
        ) from error


def _reason(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)
