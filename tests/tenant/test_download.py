"""Downloads of deploy configurations over real loopback sockets: limits, redirects, and where the token goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from cpi_tasks.errors import DownloadError
from cpi_tasks.model.config import BasicLogin, Proxy
from cpi_tasks.tenant import download, fetch
from cpi_tasks.tenant.download import shown_url

Route = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A small web server; ``routes`` maps paths to what answers, ``seen`` keeps path and token of each request."""

    def __init__(self) -> None:
        """Listen on a free port."""
        site = self
        self.routes: dict[str, Route] = {}
        self.seen: list[tuple[str, str | None]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.seen.append((self.path, self.headers.get("Authorization")))
                site.routes[self.path.partition("?")[0]](self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def reply(status: int, body: bytes = b"", *, has_length: bool = True, cut_off: int = 0, **headers: str) -> Route:
    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        length = {"Content-Length": str(len(body) + cut_off)} if has_length else {}
        for name, value in {**length, **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except ConnectionError:
            return

    return route


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    """Serve two sites of different origin."""
    pair = Site(), Site()
    threads = [threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01}) for site in pair]
    for thread in threads:
        thread.start()
    yield pair
    for site in pair:
        site.server.shutdown()
        site.server.server_close()
    for thread in threads:
        thread.join()


def test_a_file_is_fetched_with_its_token(sites: tuple[Site, Site]) -> None:
    """The bytes come as they are; the token goes as Bearer, or not at all where there is none."""
    home, _ = sites
    home.routes["/c.yml"] = reply(200, b"packages: []\n")
    assert fetch(f"{home.url}/c.yml?ref=main", "t0ken") == b"packages: []\n"
    assert fetch(f"{home.url}/c.yml", None) == b"packages: []\n"
    assert home.seen == [("/c.yml?ref=main", "Bearer t0ken"), ("/c.yml", None)]


def test_a_token_as_files_have_it(sites: tuple[Site, Site]) -> None:
    """The line end after a token is not part of it; one that no header can carry is refused without being shown."""
    home, _ = sites
    home.routes["/c.yml"] = reply(200, b"x: 1")
    assert fetch(f"{home.url}/c.yml", " t0ken\n") == b"x: 1"
    assert home.seen == [("/c.yml", "Bearer t0ken")]
    for token in ("s3cret\nX-Evil: 1", "s3crét"):
        with pytest.raises(DownloadError, match="check deployConfigToken") as caught:
            fetch(f"{home.url}/c.yml", token)
        assert "s3cr" not in str(caught.value)


def test_the_token_stays_with_its_origin(sites: tuple[Site, Site]) -> None:
    """A redirect within the origin keeps the token, one to another port does not get it, one back home does."""
    home, other = sites
    home.routes["/a"] = reply(302, Location="/b")
    home.routes["/b"] = reply(307, Location=f"{other.url}/c")
    other.routes["/c"] = reply(301, Location=f"{other.url}/d")
    other.routes["/d"] = reply(200, b"x: 1")
    assert fetch(f"{home.url}/a", "t0ken") == b"x: 1"
    assert home.seen == [("/a", "Bearer t0ken"), ("/b", "Bearer t0ken")]
    assert other.seen == [("/c", None), ("/d", None)]


def test_redirects_end(sites: tuple[Site, Site]) -> None:
    """Five redirects are followed, a sixth is not."""
    home, _ = sites
    for number in range(6):
        home.routes[f"/{number}"] = reply(302, Location=f"/{number + 1}")
    home.routes["/6"] = reply(200, b"x: 1")
    assert fetch(f"{home.url}/1", None) == b"x: 1"
    with pytest.raises(DownloadError, match="redirects more than 5 times"):
        fetch(f"{home.url}/0", None)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("ftp://127.0.0.1/x", "the scheme it redirects to is 'ftp'"),
        ("http://example.invalid/x", "the scheme it redirects to is 'http'"),
        ("http://user:pw@127.0.0.1/x", "it has a user name in it"),
        ("http://[::1/x", "Invalid URL in location header"),
        ("file:///etc/passwd", "something that is no address"),
    ],
)
def test_redirects_to_elsewhere_are_refused(sites: tuple[Site, Site], location: str, words: str) -> None:
    """Only https and this machine's own http are followed."""
    home, _ = sites
    home.routes["/a"] = reply(302, Location=location)
    with pytest.raises(DownloadError) as caught:
        fetch(f"{home.url}/a", "t0ken")
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"could not download the deploy configuration {home.url}/a: ")


def test_https_does_not_fall_back_to_http(sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect from https to http is refused, to this machine too."""
    home, _ = sites

    def redirected(*_: object, **__: object) -> tuple[int, str, bytes]:
        return 302, f"{home.url}/x", b""

    monkeypatch.setattr(download, "_get", redirected)
    with pytest.raises(DownloadError, match="redirects from https to http"):
        fetch("https://config.example.com/c.yml", "t0ken")
    assert home.seen == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.invalid/c.yml?token=s3cret", "its scheme is 'http'; use https"),
        ("ftp://example.invalid/c.yml?token=s3cret", "its scheme is 'ftp'; use https"),
        ("https://user:s3cret@example.invalid/c.yml", "it has a user name in it"),
        ("https:///c.yml?token=s3cret", "no address"),
        ("c.yml?token=s3cret", "no address"),
        ("https://example.invalid:s3cret/", "no address"),
    ],
)
def test_addresses_are_checked_before_anything_is_sent(url: str, words: str) -> None:
    """Addresses that are not https, or none at all, are refused without showing what may be secret in them."""
    with pytest.raises(DownloadError) as caught:
        fetch(url, "t0ken")
    assert words in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert "token=s3cret" not in str(caught.value)
    assert "user:s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "token", "advice"),
    [
        (404, None, "it may need deployConfigToken"),
        (401, "t0ken", "check the address and deployConfigToken"),
        (500, None, "check the address or try again later"),
        (304, None, "check the address or try again later"),
    ],
)
def test_an_error_status_is_told(sites: tuple[Site, Site], status: int, token: str | None, advice: str) -> None:
    """The sentence has the address without its query, the status and what to try."""
    home, _ = sites
    home.routes["/c.yml"] = reply(status)
    with pytest.raises(DownloadError) as caught:
        fetch(f"{home.url}/c.yml?private=s3cret", token)
    expected = f"could not download the deploy configuration {home.url}/c.yml: the server answered {status}; "
    assert str(caught.value).startswith(expected)
    assert advice in str(caught.value)


@pytest.mark.parametrize("declared", [True, False])
def test_a_file_too_large_is_given_up(
    sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    """More than 10 MiB are not read, whether or not the server says how much there is."""
    assert download.MAX_BYTES == 10 * 1024 * 1024
    monkeypatch.setattr(download, "MAX_BYTES", 1024 * 1024)
    home, _ = sites
    home.routes["/ok"] = reply(200, b"x" * (1024 * 1024))
    home.routes["/big"] = reply(200, b"x" * (1024 * 1024 + 1), has_length=declared)
    assert len(fetch(f"{home.url}/ok", None)) == 1024 * 1024
    with pytest.raises(DownloadError, match="larger than 1 MiB"):
        fetch(f"{home.url}/big", None)


def test_a_file_that_takes_too_long_is_given_up(sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole download, redirects included, has a minute."""
    assert download.MAX_SECONDS == 60.0
    home, _ = sites
    home.routes["/a"] = reply(302, Location="/b")
    home.routes["/b"] = reply(200, b"x: 1")
    readings = iter([0.0, 1.0, 61.0])  # at the start, before the first request, before the second
    clock = SimpleNamespace(monotonic=lambda: next(readings))
    monkeypatch.setattr(download, "time", clock)
    with pytest.raises(DownloadError, match="took longer than 60 s"):
        fetch(f"{home.url}/a", None)
    assert [path for path, _ in home.seen] == ["/a"]


def test_a_server_that_sends_byte_after_byte_is_given_up(
    sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is that of the whole download: no single read of the headers ever takes long."""
    monkeypatch.setattr(download, "MAX_SECONDS", 0.3)
    is_over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not is_over.wait(0.02):
            handler.wfile.write(b"x")

    home, _ = sites
    home.routes["/c.yml"] = drip
    try:
        with pytest.raises(DownloadError, match="it took longer than 0 s"):
            fetch(f"{home.url}/c.yml", None)
    finally:
        is_over.set()


def test_a_web_page_is_no_configuration(sites: tuple[Site, Site]) -> None:
    """A login page that answers 200 is recognised, before YAML is blamed."""
    home, _ = sites
    home.routes["/c.yml"] = reply(200, b"<!DOCTYPE html><html><body>Sign in</body></html>")
    with pytest.raises(DownloadError, match="a web page came instead of a file"):
        fetch(f"{home.url}/c.yml", None)


def test_a_broken_download_is_told(sites: tuple[Site, Site]) -> None:
    """A body cut short and a host that does not answer end in a sentence."""
    home, _ = sites
    home.routes["/cut"] = reply(200, b"half", cut_off=96)
    with pytest.raises(DownloadError, match="the connection broke"):
        fetch(f"{home.url}/cut?private=s3cret", None)
    with pytest.raises(DownloadError, match="no connection") as caught:
        fetch("http://127.0.0.1:1/c.yml?private=s3cret", "t0ken")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://u:p@h.example.com:8443/a/b?q=1#f", "https://h.example.com:8443/a/b"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("https://h:port/a?q", "https://h:port/a"),
        ("https://u:p@h:port/a?q", "h:port/a"),
    ],
)
def test_shown_addresses(url: str, expected: str) -> None:
    """What is shown of an address has neither user nor query nor fragment."""
    assert expected == shown_url(url)


def test_the_proxy_that_is_chosen(sites: tuple[Site, Site]) -> None:
    """Each address is asked for through its own proxy; one that cannot be used is the reason of the failure."""
    proxy, _ = sites
    target = "http://127.0.0.1:1/c.yml"
    proxy.routes[target] = reply(200, b"a: 1")
    assert fetch(target, None, choose_proxy=lambda _: Proxy(url=proxy.url)) == b"a: 1"

    def refuse(url: str) -> Proxy:
        raise DownloadError(f"HTTPS_PROXY cannot be used for {url}")

    with pytest.raises(DownloadError, match=r"HTTPS_PROXY cannot be used for http://127\.0\.0\.1:1/c\.yml"):
        fetch(target, None, choose_proxy=refuse)


BOB = BasicLogin(username="bob", password="pässword")
BOB_HEADER = "Basic Ym9iOnDDpHNzd29yZA=="


def test_a_basic_login_stays_with_its_origin(sites: tuple[Site, Site]) -> None:
    """It is sent to its own host, encoded as UTF-8, and not to where that redirects."""
    home, other = sites
    home.routes["/a"] = reply(302, Location="/b")
    home.routes["/b"] = reply(307, Location=f"{other.url}/c")
    other.routes["/c"] = reply(200, b"x: 1")
    assert fetch(f"{home.url}/a", BOB) == b"x: 1"
    assert home.seen == [("/a", BOB_HEADER), ("/b", BOB_HEADER)]
    assert other.seen == [("/c", None)]


def test_a_refused_basic_login_names_its_keys(sites: tuple[Site, Site]) -> None:
    """And never what they hold."""
    home, _ = sites
    home.routes["/a"] = reply(401)
    with pytest.raises(DownloadError, match="deployConfigUsername and deployConfigPassword") as caught:
        fetch(f"{home.url}/a", BOB)
    assert "pässword" not in str(caught.value)
