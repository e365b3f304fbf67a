"""The options of conformance tests and seeds; pytest sees options only where it looks for them at the start."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the conformance tests run against another tenant, and the simulation play other seeds."""
    group = parser.getgroup("conformance", "tests/conformance against a tenant of your choice")
    group.addoption(
        "--tenant-url",
        metavar="URL",
        help="address of the tenant's API host, logged in to with the CPI_* variables; default: the embedded tenant",
    )
    group.addoption(
        "--tenant-writes",
        action="store_true",
        help="also run what creates, deploys and deletes packages of its own on that tenant",
    )
    group.addoption(
        "--tenant-prefix",
        metavar="PREFIX",
        default="ZZCONF",
        help="what every id that is written begins with, letters and digits (default: %(default)s)",
    )
    seeds = parser.getgroup("seeds", "tests/simulation/seeds: whole runs made by lot")
    seeds.addoption("--seeds", metavar="N", type=int, default=200, help="play N seeds (default: %(default)s)")
    seeds.addoption(
        "--first-seed", metavar="K", type=int, default=0, help="play the seeds from K on (default: %(default)s)"
    )
    seeds.addoption("--seed", metavar="K", type=int, default=None, help="play this one seed alone")
