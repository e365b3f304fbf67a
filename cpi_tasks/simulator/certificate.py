"""A certificate for the embedded tenant, made for one run and trusted by nobody who was not told to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from cpi_tasks.errors import SimulatorError

_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the server needs, and the certificate authority that clients must trust (PEM)."""

    context: ssl.SSLContext = field(repr=False)
    authority: bytes


def make_certificate(host: str) -> Certificate:
    """Make an authority and a certificate for a host and for this machine's loopback names.

    ``SimulatorError`` where the libraries of the extra ``tls`` are not installed.
    """
    try:
        import trustme  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise SimulatorError(
            "could not serve HTTPS: the library that makes certificates is not installed; "
            "install it with: pip install 'cpi-tasks[tls]'"
        ) from error
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*dict.fromkeys((host, *_NAMES))).configure_cert(context)
    return Certificate(context=context, authority=authority.cert_pem.bytes())
