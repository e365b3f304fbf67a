"""Files with certificates, as variables and the ``tenant:`` section name them: checked before anything is sent."""

from __future__ import annotations

import hashlib
import os
import ssl
from pathlib import Path

from cpi_tasks.environment.process import Use, Variables
from cpi_tasks.errors import Problem
from cpi_tasks.model.config import Certificates

CERTIFICATE, KEY = "clientCertificate", "clientKey"
_FILE, _FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"


class CertificateError(ValueError):
    """A client certificate cannot be used; ``key`` is the one to blame, the sentence holds nothing of the files."""

    def __init__(self, key: str, message: str, *, is_unreadable: bool = False) -> None:
        """Keep the parts; ``is_unreadable``: the file is not here, which may be right on another machine."""
        super().__init__(message)
        self.key = key
        self.is_unreadable = is_unreadable


def read_authorities(variables: Variables) -> Certificates:
    """Give what ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` (several, as in ``PATH``) name, as OpenSSL reads them."""
    file, folders = variables.read(_FILE, Use.PATH), variables.read(_FOLDERS, Use.PATH) or ""
    return Certificates(
        authorities=Path(file) if file else None,
        authority_folders=tuple(Path(folder) for folder in folders.split(os.pathsep) if folder),
    )


def check_authorities(certificates: Certificates) -> tuple[Problem, ...]:
    """Look whether the authorities can be read: OpenSSL would silently go on without them."""
    problems = []
    if certificates.authorities is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=certificates.authorities)
        except ssl.SSLError:
            problems.append(Problem(file=_FILE, message="names a file that holds no certificate in PEM form"))
        except (OSError, ValueError):
            problems.append(Problem(file=_FILE, message="names a file that cannot be read"))
    folders = certificates.authority_folders
    if folders and not any(folder.is_dir() and os.access(folder, os.R_OK | os.X_OK) for folder in folders):
        problems.append(Problem(file=_FOLDERS, message="names no folder that can be read"))
    return tuple(problems)


def client_certificate(authorities: Certificates, *, certificate: str, key: str | None, root: Path) -> Certificates:
    """Add a client certificate and its key, given as paths relative to ``root``; raises ``CertificateError``.

    Without ``key`` the certificate's file must hold both.
    """
    file = _path(CERTIFICATE, certificate, root)
    key_file = None if key is None else _path(KEY, key, root)
    _read(CERTIFICATE, file)
    content = _read(KEY, key_file) if key_file is not None else _read(CERTIFICATE, file)
    _check_pair(file, key_file)
    return Certificates(
        authorities=authorities.authorities,
        authority_folders=authorities.authority_folders,
        client=file,
        client_key=key_file,
        key_digest=hashlib.sha256(content).hexdigest(),
    )


def _path(key: str, text: str, root: Path) -> Path:
    if "-----BEGIN" in text:
        raise CertificateError(key, "must be the path of a PEM file, not its content; write the content to a file")
    return root / text.strip()


def _read(key: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError):
        message = "is not the path of a file that can be read (paths are relative to the project root)"
        raise CertificateError(key, message, is_unreadable=True) from None


def _check_pair(certificate: Path, key: Path | None) -> None:
    asked: list[bool] = []

    def passphrase() -> str:
        asked.append(True)
        return ""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=certificate)
    except OSError:
        raise CertificateError(CERTIFICATE, "names a file that holds no certificate in PEM form") from None
    try:
        context.load_cert_chain(certificate, key, password=passphrase)
    except OSError as error:
        blamed = CERTIFICATE if key is None else KEY
        raise CertificateError(blamed, _why(error, is_encrypted=bool(asked), is_one_file=key is None)) from None


def _why(error: OSError, *, is_encrypted: bool, is_one_file: bool) -> str:
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return "names a file whose private key does not belong to the certificate"
    if is_encrypted:
        return "names a file whose private key has a passphrase, which nobody could type; give it without one"
    if is_one_file:
        return "names a file without the private key; name the key's file in 'clientKey' or CPI_CLIENT_KEY"
    return "names a file that holds no private key in PEM form"
