"""The real program behind proxies: what it uses, what it refuses, and that no password is ever shown."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from pathlib import Path
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer

import pytest
import trustme

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.program import Ended, Program, make_program

NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR")
PASSWORD = "hun#ter2-pass"
ESCAPED = "hun%23ter2-pass"


@dataclass
class Proxy:
    """A proxy that knows where all hosts really are, and keeps what it was asked for."""

    port: int = 0
    target: tuple[str, int] = ("127.0.0.1", 0)
    asked: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)


@contextmanager
def serving(handler: type[BaseRequestHandler]) -> Iterator[int]:
    """Serve on a free port of this machine."""
    ThreadingTCPServer.allow_reuse_address = True
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def connected(near: socket.socket, target: tuple[str, int]) -> None:
    """Hand on what comes from both sides, until they end."""
    with socket.create_connection(target) as far:
        back = threading.Thread(target=pump, args=(far, near))
        back.start()
        pump(near, far)
        with suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes from one side."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def http_proxy() -> Iterator[Proxy]:
    """Run a proxy that speaks HTTP."""
    proxy = Proxy()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            proxy.asked.append(self.path)
            proxy.logins.append(self.headers.get("Proxy-Authorization", ""))
            self.send_response(200)
            self.end_headers()
            connected(self.connection, proxy.target)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

    with serving(Handler) as proxy.port:
        yield proxy


@pytest.fixture
def socks_proxy() -> Iterator[Proxy]:
    """Run a proxy that speaks SOCKS (RFC 1928, RFC 1929)."""
    proxy = Proxy()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            methods = self.rfile.read(self.rfile.read(2)[1])
            self.wfile.write(b"\x05\x02" if b"\x02" in methods else b"\x05\x00")
            if b"\x02" in methods:
                user = self.rfile.read(self.rfile.read(2)[1]).decode()
                password = self.rfile.read(self.rfile.read(1)[0]).decode()
                proxy.logins.append(f"{user}:{password}")
                self.wfile.write(b"\x01\x00")
            kind = self.rfile.read(4)[3]
            assert kind == 3
            host = self.rfile.read(self.rfile.read(1)[0]).decode()
            proxy.asked.append(f"{host}:{int.from_bytes(self.rfile.read(2), 'big')}")
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            connected(self.connection, proxy.target)

    with serving(Handler) as proxy.port:
        yield proxy


@dataclass
class Site:
    """The program, and a tenant that only a proxy can find."""

    program: Program
    port: int

    def plan(self, **variables: str) -> Ended:
        """Look at the tenant with these variables."""
        program = replace(self.program, variables={**self.program.variables, **variables})
        ended = program.run("plan", "--env", "x")
        assert "Traceback" not in ended.said
        assert not any(secret in ended.said for secret in (PASSWORD, ESCAPED, "ter2-pass")), ended.said
        return ended


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve a tenant by the name ``tenant.example.com``."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("tenant.example.com", "127.0.0.1").configure_cert(tls)
    simulator = Simulator(SimulatorSettings(deploy_s=0.1))
    with running(simulator, tls=tls) as url:
        program = make_program(tmp_path / "repo", simulator, url)
        program.project.flow("Sales", "Orders")
        program.project.save()
        authority.cert_pem.write_to_path(tmp_path / "own.pem")
        own = {"SSL_CERT_FILE": str(tmp_path / "own.pem")}
        host = {name: value.replace(url, "https://tenant.example.com") for name, value in program.variables.items()}
        yield Site(replace(program, variables={**host, **own}), int(url.rpartition(":")[2]))
    program.check_outputs()


def test_a_proxy_is_used(site: Site, http_proxy: Proxy) -> None:
    """Of ``HTTPS_PROXY`` connections are asked for, with its login; a line end behind it draws a warning."""
    http_proxy.target = ("127.0.0.1", site.port)
    ended = site.plan(
        HTTPS_PROXY=f"http://me:{ESCAPED}@127.0.0.1:{http_proxy.port}\r\n", NO_PROXY="[::1],other:*,\u00fc"
    )
    assert ended.code == 0, ended.said
    assert "HTTPS_PROXY has a line break around the value, which the run ignores" in ended.said
    assert set(http_proxy.asked) == {"tenant.example.com:443"}
    assert set(http_proxy.logins) == {"Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()}


@pytest.mark.skipif(find_spec("socksio") is None, reason="needs the extra cpi-tasks[socks]")
def test_a_socks_proxy_is_used(site: Site, socks_proxy: Proxy) -> None:
    """With the extra installed; the proxy finds the host."""
    socks_proxy.target = ("127.0.0.1", site.port)
    ended = site.plan(ALL_PROXY=f"socks5h://me:{ESCAPED}@127.0.0.1:{socks_proxy.port}")
    assert ended.code == 0, ended.said
    assert set(socks_proxy.asked) == {"tenant.example.com:443"}
    assert set(socks_proxy.logins) == {f"me:{PASSWORD}"}


@pytest.mark.parametrize(
    "value",
    [
        f'"http://me:{ESCAPED}@127.0.0.1:1"',
        f"ftp://me:{ESCAPED}@127.0.0.1:1",
        f"http://me:{PASSWORD}@127.0.0.1:1",
        f"http://me:{ESCAPED}@127.0.0.1:99999",
        f"http://me:{ESCAPED}@:8080",
    ],
)
def test_a_proxy_that_cannot_be_used_is_invalid_input(site: Site, value: str) -> None:
    """It ends with 4 and names the variable, before anything is sent."""
    ended = site.plan(HTTPS_PROXY=value)
    assert (ended.code, "HTTPS_PROXY: " in ended.said) == (4, True), ended.said


def test_variables_that_do_not_matter_are_ignored(site: Site) -> None:
    """This machine itself is reached directly, whatever the variables say."""
    bad = {"HTTP_PROXY": "socks5://x", "HTTPS_PROXY": f"'http://me:{PASSWORD}@x'", "ALL_PROXY": "socks5h://x"}
    host = {"CPI_HOST": f"https://127.0.0.1:{site.port}"}
    tokens = {"CPI_TOKEN_URL": f"https://127.0.0.1:{site.port}/oauth/token"}
    ended = site.plan(**bad, **host, **tokens, NO_PROXY="[::1],fd00::/8,localhost:*,\u00fc")
    assert ended.code == 0, ended.said
