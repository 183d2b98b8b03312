"""Certificates for servers and users that live for one test run, made by `openssl`."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Authority", "Pair", "can_sign"]


def can_sign() -> bool:
    """Whether there is an `openssl` to make certificates with."""
    return shutil.which("openssl") is not None


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """An authority of the tests' own; its files are in a folder that is there.

    Attributes:
        folder: where its files, and those of whom it signs for, are.
        name: what they are named after.
    """

    folder: Path
    name: str = "ca"

    @property
    def ca(self) -> Path:
        """Its own certificate, PEM."""
        return self.folder / f"{self.name}.pem"

    def make(self) -> "Authority":
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{self.name}.key", "-x509", "-out", self.ca.name,
            "-subj", f"/CN=the authority {self.name} of the tests", "-days", "2",
        )  # fmt: skip
        return self

    def issue(self, name: str, alternatives: str = "") -> Pair:
        """A certificate for a name, and for others: `DNS:localhost,IP:127.0.0.1`."""
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
        """The pair as Java reads it, PKCS #12."""
        store = pair.cert.with_suffix(".p12")
        self._openssl(
            "pkcs12", "-export", "-in", pair.cert.name, "-inkey", pair.key.name, "-certfile", self.ca.name, "-out",
            store.name, "-passout", f"pass:{password}",
        )  # fmt: skip
        return store

    def truststore(self, keytool: Path, password: str) -> Path:
        """The authority as Java trusts it: `openssl` cannot mark a certificate so."""
        store = self.folder / f"{self.name}-trust.p12"
        subprocess.run(
            [keytool, "-importcert", "-noprompt", "-alias", "ca", "-file", self.ca, "-keystore", store,
             "-storepass", password],
            check=True, capture_output=True,
        )  # fmt: skip
        return store

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
