"""Client certificates and authorities: where they come from, and what is wrong with them, before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from cpi_tasks.environment import Loaded, Variables, read_authorities
from cpi_tasks.model.config import Certificates, OAuthLogin, RunConfig, TenantAccess

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]

FILES = "packagesDir: packages\ndeployConfig: config.yml\n"
BASIC = {"CPI_HOST": "t1.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "hunter2"}
CLIENT = {"CPI_HOST": "t1.example.com", "CPI_TOKEN_URL": "https://a.example.com/oauth/token", "CPI_CLIENT_ID": "c"}
PAIR = {"CPI_CLIENT_CERTIFICATE": "keys/c.pem", "CPI_CLIENT_KEY": "keys/c.key"}


@pytest.fixture(autouse=True)
def keys(tmp_path: Path) -> Path:
    """Write a certificate with its key, both in one file, another key, and one with a passphrase."""
    folder = tmp_path / "keys"
    folder.mkdir()
    authority = trustme.CA()
    mine, other = authority.issue_cert("a@example.com"), authority.issue_cert("b@example.com")
    certificate, key = mine.cert_chain_pems[0].bytes(), mine.private_key_pem.bytes()
    locked = load_pem_private_key(key, password=None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"made-up")
    )
    contents = {
        "c.pem": certificate,
        "c.key": key,
        "both.pem": certificate + key,
        "other.key": other.private_key_pem.bytes(),
        "locked.key": locked,
        "own.pem": authority.cert_pem.bytes(),
        "text.txt": b"no certificate",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def access(config: RunConfig) -> TenantAccess:
    assert isinstance(config.tenant, TenantAccess)
    return config.tenant


def test_from_variables(run: Run, keys: Path) -> None:
    """Paths are relative to the project root; a password is used besides, by whoever demands both."""
    certificates = access(run(variables=BASIC | PAIR)).certificates
    assert (certificates.client, certificates.client_key) == (keys / "c.pem", keys / "c.key")


def test_the_file_wins_over_variables(write: Write, run: Run, keys: Path) -> None:
    """As for every other key of ``tenant``; one file may hold both."""
    write("environments/x.yml", f"{FILES}tenant:\n  clientCertificate: keys/both.pem\n")
    certificates = access(run(variables=BASIC | {"CPI_CLIENT_CERTIFICATE": "keys/c.pem"})).certificates
    assert (certificates.client, certificates.client_key) == (keys / "both.pem", None)


def test_a_certificate_stands_in_for_the_client_secret(run: Run) -> None:
    """An OAuth client that has a certificate needs no secret, whether its id is given alone or in a service key."""
    key = '{"url": "https://t1.example.com", "tokenurl": "https://a.example.com/oauth/token", "clientid": "c"}'
    expected = OAuthLogin(token_url="https://a.example.com/oauth/token", client_id="c", client_secret="")
    assert access(run(variables=CLIENT | PAIR)).login == expected
    assert access(run(variables={"CPI_SERVICE_KEY": key} | PAIR)).login == expected


def test_only_who_has_the_key_has_its_digest(run: Run, keys: Path) -> None:
    """Where no password is the login's secret, the private key is: another key makes another secret."""
    first = access(run(variables=CLIENT | PAIR))
    assert len(first.secret) == 64
    assert first.secret not in repr(first)
    assert access(run(variables=BASIC | PAIR)).secret == "hunter2"
    second = access(run(variables=CLIENT | {"CPI_CLIENT_CERTIFICATE": "keys/both.pem"}))
    assert second.secret not in {first.secret, ""}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"CPI_CLIENT_CERTIFICATE": "keys/none.pem"},
            (
                "CPI_CLIENT_CERTIFICATE: is not the path of a file that can be read (paths are relative to the"
                " project root)"
            ),
        ),
        (PAIR | {"CPI_CLIENT_KEY": "keys"}, "CPI_CLIENT_KEY: is not the path of a file that can be read"),
        (PAIR | {"CPI_CLIENT_KEY": "a\0b"}, "CPI_CLIENT_KEY: is not the path of a file that can be read"),
        (
            PAIR | {"CPI_CLIENT_KEY": "-----BEGIN PRIVATE KEY-----\nhunter2"},
            "CPI_CLIENT_KEY: must be the path of a PEM file, not its content; write the content to a file",
        ),
        (
            PAIR | {"CPI_CLIENT_CERTIFICATE": "keys/text.txt"},
            "CPI_CLIENT_CERTIFICATE: names a file that holds no certificate in PEM form",
        ),
        (
            PAIR | {"CPI_CLIENT_KEY": "keys/text.txt"},
            "CPI_CLIENT_KEY: names a file that holds no private key in PEM form",
        ),
        (
            PAIR | {"CPI_CLIENT_KEY": "keys/other.key"},
            "CPI_CLIENT_KEY: names a file whose private key does not belong to the certificate",
        ),
        (
            PAIR | {"CPI_CLIENT_KEY": "keys/locked.key"},
            "CPI_CLIENT_KEY: names a file whose private key has a passphrase, which nobody could type",
        ),
        (
            {"CPI_CLIENT_CERTIFICATE": "keys/c.pem"},
            "CPI_CLIENT_CERTIFICATE: names a file without the private key; name the key's file in 'clientKey'",
        ),
        (
            {"CPI_CLIENT_KEY": "keys/c.key"},
            "CPI_CLIENT_KEY: belongs to a certificate: set 'clientCertificate' or CPI_CLIENT_CERTIFICATE too",
        ),
        ({"SSL_CERT_FILE": "none.pem"}, "SSL_CERT_FILE: names a file that cannot be read"),
        ({"SSL_CERT_DIR": "keys"}, "SSL_CERT_DIR: names no folder that can be read"),
    ],
)
def test_unusable_files(complaints: Complaints, variables: dict[str, str], expected: str) -> None:
    """Each is one problem at the variable to blame, without anything of what is in the files."""
    (found,) = complaints(variables=BASIC | variables)
    assert found.startswith(expected)
    assert "hunter2" not in found


def test_unusable_authorities(complaints: Complaints, keys: Path) -> None:
    """OpenSSL would go on without them, and blame the server."""
    (found,) = complaints(variables=BASIC | {"SSL_CERT_FILE": str(keys / "text.txt")})
    assert found == "SSL_CERT_FILE: names a file that holds no certificate in PEM form"


def test_a_problem_in_the_file_has_its_place(write: Write, complaints: Complaints) -> None:
    """Line, column and key, as for everything else in the file."""
    write("environments/x.yml", f"{FILES}tenant:\n  clientCertificate: keys/c.pem\n  clientKey: keys/other.key\n")
    (found,) = complaints(variables=BASIC)
    assert found.startswith("environments/x.yml:5:14: tenant.clientKey: names a file whose private key does not")


def test_a_file_that_is_not_here_is_no_fault_of_the_files(load: Load) -> None:
    """A check of the files, where nobody has the key, may tell it apart from one that is broken."""
    missing = load(variables=BASIC | {"CPI_CLIENT_CERTIFICATE": "none.pem"})
    broken = load(variables=BASIC | PAIR | {"CPI_CLIENT_KEY": "keys/other.key"})
    assert [problem.rule for problem in (*missing.problems, *broken.problems)] == ["login", ""]


def test_the_embedded_tenant_takes_no_certificate(write: Write, complaints: Complaints) -> None:
    """Beside ``simulator`` it would have no effect."""
    write("environments/x.yml", f"{FILES}tenant:\n  simulator:\n  clientKey: keys/c.key\n")
    assert complaints(variables={}) == [
        "environments/x.yml:5:3: tenant.clientKey: cannot be combined with 'simulator'",
    ]


def test_authorities_do_not_matter_where_nothing_is_encrypted(run: Run) -> None:
    """A left-over variable does not stop a run against this machine."""
    found = run(variables=BASIC | {"CPI_HOST": "http://localhost:8080", "SSL_CERT_FILE": "none.pem"})
    assert access(found).url == "http://localhost:8080"


def test_authorities_as_openssl_names_them() -> None:
    """One file, several folders; an empty variable is one that is not set."""
    expected = Certificates(authorities=Path("a.pem"), authority_folders=(Path("b"), Path("c")))
    assert (
        read_authorities(Variables({"SSL_CERT_FILE": "a.pem", "SSL_CERT_DIR": os.pathsep.join(["b", "c", ""])}))
        == expected
    )
    assert read_authorities(Variables({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""})) == Certificates()
