"""Certificates for the servers and users of one test run, by `openssl`."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Authority", "Pair", "can_sign"]


def can_sign() -> bool:
    """Whether `openssl` is installed."""
    return shutil.which("openssl") is not None


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority.

    Attributes:
        folder: an existing folder for its files, and for the certificates that it signs.
        name: the prefix of its files' names.
    """

    folder: Path
    name: str = "ca"

    @property
    def ca(self) -> Path:
        """Its own certificate, as a PEM file."""
        return self.folder / f"{self.name}.pem"

    def make(self) -> "Authority":
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{self.name}.key", "-x509", "-out", self.ca.name,
            "-subj", f"/CN=the authority {self.name} of the tests", "-days", "2",
        )  # fmt: skip
        return self

    def issue(self, name: str, alternatives: str = "") -> Pair:
        """A certificate for a name, and for alternatives such as `DNS:localhost,IP:127.0.0.1`."""
        (self.folder / "extensions").write_text(f"subjectAltName={alternatives}\n" if alternatives else "")
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
            f"/CN={name}",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", self.ca.name, "-CAkey", f"{self.name}.key", "-CAcreateserial",
            "-days", "2", "-extfile", "extensions", "-out", f"{name}.pem",
        )  # fmt: skip
        return Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def keystore(self, pair: Pair, password: str) -> Path:
        """The pair as a PKCS #12 file, for Java."""
        store = pair.cert.with_suffix(".p12")
        self._openssl(
            "pkcs12", "-export", "-in", pair.cert.name, "-inkey", pair.key.name, "-certfile", self.ca.name, "-out",
            store.name, "-passout", f"pass:{password}",
        )  # fmt: skip
        return store

    def truststore(self, keytool: Path, password: str) -> Path:
        """A PKCS #12 file with which Java trusts the authority; `openssl` cannot mark a certificate as trusted."""
        store = self.folder / f"{self.name}-trust.p12"
        subprocess.run(
            [keytool, "-importcert", "-noprompt", "-alias", "ca", "-file", self.ca, "-keystore", store,
             "-storepass", password],
            check=True, capture_output=True,
        )  # fmt: skip
        return store

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
