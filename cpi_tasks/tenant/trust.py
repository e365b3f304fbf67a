"""TLS: whose certificates are trusted, which one we show, and what it means when one side refuses the other's."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import truststore

from cpi_tasks.model.config import Certificates
from cpi_tasks.tenant.text import one_line

_OTHER_NAME = frozenset({62, 63, 64})
"""OpenSSL's codes for a certificate that was made for another host, mail address or IP address."""
_OTHER_TIME = frozenset({9, 10})
_NO_FILES = frozenset({"darwin", "win32"})
"""Where the system keeps its authorities in a store of its own."""
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""Names of certificates after which OpenSSL looks for them (``openssl rehash``)."""
_OUR_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a client certificate and got none",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it refuses our client certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our client certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "our client certificate was revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it refuses our client certificate",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "it refuses our client certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know the authority of our client certificate",
}


class TlsRefused(Exception):
    """One side does not accept the other's certificate: the next attempt would end the same. Stays in this room."""

    def __init__(self, cause: str, advice: str) -> None:
        """Keep what is wrong and what to do about it, both as parts of a sentence."""
        super().__init__(cause)
        self.cause = cause
        self.advice = advice


def make_context(urls: Iterable[str], certificates: Certificates) -> ssl.SSLContext:
    """Give what verifies the servers at these addresses, and shows our certificate to those that ask.

    Trusted are the system's authorities, and those of ``certificates`` besides. Without any https address nobody is,
    because reading all authorities takes its time. Raises ``TlsRefused`` where a file cannot be used (any more).
    """
    if not any(urlsplit(url).scheme.lower() == "https" for url in urls):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = _system_context()
    try:
        if certificates.authorities is not None:
            context.load_verify_locations(cafile=certificates.authorities)
        for folder in certificates.authority_folders:
            _trust_folder(context, folder)
        if certificates.client is not None:
            # Without a password given OpenSSL would ask for it on the terminal.
            context.load_cert_chain(certificates.client, certificates.client_key, password=lambda: "")
    except OSError as error:
        raise TlsRefused(
            f"a file with certificates cannot be used ({one_line(error.strerror or str(error), 200)})",
            "check SSL_CERT_FILE, SSL_CERT_DIR, clientCertificate and clientKey",
        ) from error
    return context


def refusal_in(error: BaseException) -> TlsRefused | None:
    """Find out whether certificates are behind a failed connection; ``None`` where something else is."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = one_line(cause.verify_message or str(cause), 200)
            return TlsRefused(f"its certificate is not accepted ({said})", _advice(cause.verify_code))
        if isinstance(cause, ssl.SSLError) and cause.reason in _OUR_CERTIFICATE:
            advice = "check clientCertificate and clientKey of 'tenant', or CPI_CLIENT_CERTIFICATE and CPI_CLIENT_KEY"
            return TlsRefused(_OUR_CERTIFICATE[cause.reason], advice)
    return None


def _system_context() -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    if sys.platform in _NO_FILES or not paths.cafile:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # truststore would read this file anew for each connection, and with SSL_CERT_FILE set nothing but that file.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_default_verify_paths()
    if Path(paths.openssl_cafile).is_file():
        with suppress(OSError):
            context.load_verify_locations(cafile=paths.openssl_cafile)
    if Path(paths.openssl_capath).is_dir():
        context.load_verify_locations(capath=paths.openssl_capath)
    return context


def _trust_folder(context: ssl.SSLContext, folder: Path) -> None:
    """Trust the authorities in a folder; of several folders some may not be there, as OpenSSL has it."""
    files: list[Path] = []
    with suppress(OSError):
        files = sorted(file for file in folder.iterdir() if file.is_file())
    if sys.platform not in _NO_FILES and any(_HASHED.fullmatch(file.name) for file in files):
        context.load_verify_locations(capath=folder)  # looks into the one file that is needed, when it is
        return
    for file in files:
        with suppress(ssl.SSLError):  # such a folder may hold other things as well
            context.load_verify_locations(cafile=file)


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _advice(code: int) -> str:
    if code in _OTHER_NAME:
        return "check that CPI_HOST and the token URL name the hosts as they call themselves, and the proxy settings"
    if code in _OTHER_TIME:
        return "check the date of this machine; otherwise only whoever runs the server can renew it"
    return (
        "if an authority of your company has signed it, name the file with that authority's certificate in"
        " SSL_CERT_FILE"
    )
