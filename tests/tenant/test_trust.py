"""TLS over real loopback sockets: whom we trust, whom not, and what is said about it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import trustme

from cpi_tasks.errors import DownloadError, TenantUnavailable
from cpi_tasks.events import Event, RequestFinished
from cpi_tasks.model.config import BasicLogin, Certificates, OAuthLogin, TenantAccess
from cpi_tasks.model.naming import PackageId
from cpi_tasks.tenant import TenantClient, connect, fetch
from cpi_tasks.tenant.trust import make_context

LOGIN = BasicLogin(username="demo-user", password="demo-password")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of this machine's own network settings in."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


class Nothing(BaseHTTPRequestHandler):
    """A tenant without any package; under ``/c.yml`` it has a deploy configuration."""

    def handle(self) -> None:
        """Answer; where the handshake fails, read what is under way, so that the alert is not lost with it."""
        try:
            self.connection.do_handshake()
        except ssl.SSLError:
            with socket.fromfd(self.connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as plain:
                while plain.recv(65536):
                    pass
            return
        super().handle()

    def do_GET(self) -> None:
        """Answer."""
        body = b"packages: []" if self.path == "/c.yml" else b'{"error": {"code": "NotFound"}}'
        self.send_response(200 if self.path == "/c.yml" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


@contextmanager
def serving(tls: ssl.SSLContext) -> Iterator[str]:
    """Serve from a thread, over plain OpenSSL: trio's servers drop a connection where others send an alert first."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Bench:
    """An authority of our own, a folder for its files, and what the client emitted."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)
    events: list[Event] = field(default_factory=list)

    def file(self, name: str, *blobs: trustme.Blob) -> Path:
        """Write a PEM file."""
        path = self.folder / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return path

    @property
    def own(self) -> Path:
        """Give the file of the authority."""
        return self.file("own.pem", self.authority.cert_pem)

    def server(self, *names: str, clients: trustme.CA | None = None, end: datetime | None = None) -> ssl.SSLContext:
        """Give a server's side: a certificate for these names; client certificates of ``clients`` are demanded."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(*(names or ("127.0.0.1",)), not_after=end).configure_cert(context)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            clients.configure_trust(context)
        return context

    def client(self, issuer: trustme.CA) -> Certificates:
        """Give a client's side: trust in the authority, and a certificate of ``issuer``."""
        mine = issuer.issue_cert("deployer@example.com")
        certificate = self.file("client.pem", *mine.cert_chain_pems)
        key = self.file("client.key", mine.private_key_pem)
        return Certificates(authorities=self.own, client=certificate, client_key=key)

    @asynccontextmanager
    async def connected(self, server: ssl.SSLContext, certificates: Certificates) -> AsyncIterator[TenantClient]:
        """Serve something that has nothing, and connect to it."""
        with serving(server) as url:
            async with connect(
                TenantAccess(url=url, login=LOGIN, certificates=certificates),
                designtime_rate=100.0,
                runtime_rate=100.0,
                request_timeout_s=20.0,
                outage_budget_s=60.0,
                emit=self.events.append,
                note_secret=lambda _: None,
            ) as client:
                yield client

    async def read(self, server: ssl.SSLContext, certificates: Certificates) -> object:
        """Ask for a package that is not there: ``None`` is the tenant's answer."""
        async with self.connected(server, certificates) as client:
            return await client.read_package(PackageId("None"))

    async def refused(self, server: ssl.SSLContext, certificates: Certificates) -> str:
        """Ask where certificates are in the way, and give the sentence; it took a single request."""
        async with self.connected(server, certificates) as client:
            with pytest.raises(TenantUnavailable) as caught:
                await client.read_package(PackageId("None"))
        assert [event.result for event in self.events if isinstance(event, RequestFinished)] == ["certificate refused"]
        return str(caught.value)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a bench."""
    return Bench(tmp_path)


async def test_an_authority_of_the_company_is_trusted(bench: Bench) -> None:
    """Whether its certificate is in a file that is named, or in one of a folder."""
    assert await bench.read(bench.server(), Certificates(authorities=bench.own)) is None
    bench.file("notes.txt")
    assert await bench.read(bench.server(), Certificates(authority_folders=(bench.folder,))) is None


async def test_an_unknown_authority_is_refused(bench: Bench) -> None:
    """At once, with the reason and the variable to set; what goes on is never an unverified connection."""
    other = bench.file("other.pem", trustme.CA().cert_pem)
    said = await bench.refused(bench.server(), Certificates(authorities=other))
    assert said.startswith("could not connect to 127.0.0.1: its certificate is not accepted (")
    assert said.endswith("name the file with that authority's certificate in SSL_CERT_FILE")
    assert "unable to get local issuer certificate" in said or "self-signed certificate in certificate chain" in said


async def test_a_certificate_for_another_host_is_refused(bench: Bench) -> None:
    """Its authority may be trusted, but it is somebody else's."""
    said = await bench.refused(bench.server("other.example.com"), Certificates(authorities=bench.own))
    assert "certificate is not valid for '127.0.0.1'" in said
    assert "check that CPI_HOST and the token URL name the hosts as they call themselves" in said


async def test_an_expired_certificate_is_refused(bench: Bench) -> None:
    """With advice that fits: no file helps here."""
    end = datetime.now(UTC) - timedelta(days=1)
    said = await bench.refused(bench.server(end=end), Certificates(authorities=bench.own))
    assert "certificate has expired" in said
    assert "check the date of this machine" in said
    assert "SSL_CERT_FILE" not in said


async def test_a_client_certificate_is_shown_to_who_asks_for_it(bench: Bench) -> None:
    """A server that demands one lets us in."""
    clients = trustme.CA()
    assert await bench.read(bench.server(clients=clients), bench.client(clients)) is None


async def test_a_demanded_client_certificate_that_is_missing(bench: Bench) -> None:
    """The sentence says what to give, and the request is not repeated."""
    said = await bench.refused(bench.server(clients=trustme.CA()), Certificates(authorities=bench.own))
    assert said == (
        "could not connect to 127.0.0.1: it asks for a client certificate and got none; check clientCertificate and"
        " clientKey of 'tenant', or CPI_CLIENT_CERTIFICATE and CPI_CLIENT_KEY"
    )


async def test_a_client_certificate_that_the_server_refuses(bench: Bench) -> None:
    """One of an authority that the server does not know."""
    said = await bench.refused(bench.server(clients=trustme.CA()), bench.client(trustme.CA()))
    assert "it does not know the authority of our client certificate" in said


async def test_files_that_cannot_be_used_any_more(bench: Bench) -> None:
    """A file that went away after it was checked ends in a sentence."""
    with pytest.raises(TenantUnavailable, match=r"could not connect to 127.0.0.1: a file with certificates cannot be"):
        await bench.read(bench.server(), Certificates(authorities=bench.folder / "gone.pem"))


async def test_a_key_with_a_passphrase_asks_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL would ask for it on the terminal and wait: the password that it is given does not fit instead."""
    asked: list[str] = []

    def load(self: ssl.SSLContext, certificate: Path, key: Path, password: Callable[[], str]) -> None:
        asked.append(password())

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    monkeypatch.setattr("truststore.SSLContext.load_cert_chain", load)
    make_context(("https://t1.example.com",), bench.client(bench.authority))
    assert asked == [""]


def test_downloads_trust_the_same_authorities(bench: Bench) -> None:
    """A deploy configuration comes over verified connections only, and a client certificate stays with the tenant."""
    broken = Certificates(authorities=bench.own, client=bench.folder / "none.pem")
    with serving(bench.server()) as url:
        assert fetch(f"{url}/c.yml", None, certificates=broken) == b"packages: []"
        with pytest.raises(DownloadError, match=r"its certificate is not accepted .* in SSL_CERT_FILE"):
            fetch(f"{url}/c.yml", None)


async def test_a_client_without_a_secret_names_itself_in_the_form() -> None:
    """The certificate of the connection is the proof (RFC 8705): no Basic header, no secret but the token."""
    seen: list[httpx.Request] = []
    secrets: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"access_token": "t0ken", "expires_in": 3600})
        return httpx.Response(404, json={"error": {"code": "NotFound", "message": {"value": "none"}}})

    login = OAuthLogin(token_url="https://auth.example.com/oauth/token", client_id="sb-it!b1")
    async with connect(
        TenantAccess(url="https://t1.example.com", login=login),
        designtime_rate=100.0,
        runtime_rate=100.0,
        request_timeout_s=20.0,
        outage_budget_s=60.0,
        emit=lambda _: None,
        note_secret=secrets.append,
        transport=httpx.MockTransport(answer),
    ) as client:
        assert await client.read_package(PackageId("P")) is None
    assert seen[0].content == b"grant_type=client_credentials&client_id=sb-it%21b1"
    assert "authorization" not in seen[0].headers
    assert seen[1].headers["authorization"] == "Bearer t0ken"
    assert secrets == ["t0ken"]
