"""The real program over HTTPS: its authorities and its client certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import trustme

from cpi_tasks.simulator import Simulator, SimulatorSettings, running
from tests.support.program import Ended, Program, make_program

ALONE = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "HTTPS_PROXY": "", "https_proxy": "", "NO_PROXY": "", "no_proxy": ""}


@dataclass
class Site:
    """The program with a tenant over HTTPS, and the folder with the files of both."""

    program: Program
    folder: Path

    def plan(self, **variables: str) -> Ended:
        """Look at the tenant, with these variables and none of this machine's own."""
        program = replace(self.program, variables={**self.program.variables, **ALONE, **variables})
        return program.run("plan", "--env", "x")

    def file(self, name: str, *blobs: trustme.Blob) -> str:
        """Write a PEM file."""
        path = self.folder / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return str(path)


@contextmanager
def serving(folder: Path, *names: str, clients: trustme.CA | None = None) -> Iterator[tuple[Site, str]]:
    """Serve a tenant whose certificate has these names, for clients of an authority; gives our authority's file."""
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(tls)
    if clients is not None:
        tls.verify_mode = ssl.CERT_REQUIRED
        clients.configure_trust(tls)
    simulator = Simulator(SimulatorSettings(deploy_s=0.1))
    with running(simulator, tls=tls) as url:
        program = make_program(folder / "repo", simulator, url)
        program.project.flow("Sales", "Orders")
        program.project.save()
        site = Site(program, folder)
        yield site, site.file("own.pem", authority.cert_pem)
    program.check_outputs()


def test_an_authority_of_the_company(tmp_path: Path) -> None:
    """With its file named the run is as any other; without, it ends with 3 before anything was asked."""
    with serving(tmp_path, "127.0.0.1") as (site, own):
        refused = site.plan()
        assert refused.code == 3
        assert "could not connect to 127.0.0.1: its certificate is not accepted (" in refused.said
        assert "name the file with that authority's certificate in SSL_CERT_FILE" in refused.said
        assert "Traceback" not in refused.said
        assert site.program.simulator.requests == []
        accepted = site.plan(SSL_CERT_FILE=own)
        assert (accepted.code, "Plan: 1 to create" in accepted.said) == (0, True), accepted.said


def test_a_certificate_of_another_host(tmp_path: Path) -> None:
    """The authority is trusted, but whoever answers has another name."""
    with serving(tmp_path, "other.example.com") as (site, own):
        ended = site.plan(SSL_CERT_FILE=own)
        assert ended.code == 3
        assert "certificate is not valid for '127.0.0.1'" in ended.said
        assert site.program.simulator.requests == []


def test_a_client_certificate(tmp_path: Path) -> None:
    """A tenant that demands one gets it, from the environment file or from variables."""
    clients = trustme.CA()
    with serving(tmp_path, "127.0.0.1", clients=clients) as (site, own):
        mine = clients.issue_cert("deployer@example.com")
        certificate = site.file("repo/client.pem", *mine.cert_chain_pems)
        site.file("repo/client.key", mine.private_key_pem)
        assert site.plan(SSL_CERT_FILE=own, CPI_CLIENT_CERTIFICATE=certificate, CPI_CLIENT_KEY="client.key").code == 0
        site.program.project.keys["tenant"] = {"clientCertificate": "client.pem", "clientKey": "client.key"}
        site.program.project.save()
        assert site.plan(SSL_CERT_FILE=own).code == 0


def test_a_broken_client_certificate_is_invalid_input(tmp_path: Path) -> None:
    """It ends with 4 and the place, and nobody is connected to."""
    with serving(tmp_path, "127.0.0.1") as (site, own):
        ended = site.plan(SSL_CERT_FILE=own, CPI_CLIENT_CERTIFICATE=own)
        assert ended.code == 4
        assert "CPI_CLIENT_CERTIFICATE: names a file without the private key" in ended.said
