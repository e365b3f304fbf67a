"""Benchmark 6: archives of real size, uploaded over a real socket: memory and CPU."""

from __future__ import annotations

import base64
import hashlib
import math
import time
import zlib
from pathlib import Path
from random import Random

from tests.benchmarks.measures import Measure
from tests.benchmarks.processes import invoke, tenant
from tests.benchmarks.workload import rates, repository
from tests.support.program import CHECKOUT
from tests.support.project import Project

_KIB, _MIB = 1024, 1024 * 1024
_SMALLEST, _LARGEST = 50 * _KIB, 3 * _MIB
_LEVEL = 6
_TEXT_SHARE = 0.4
"""How much of an archive is text that was compressed; the rest is a jar, which is stored as it is."""
_TEXT_SUFFIXES = (".iflw", ".groovy", ".xsd", ".xsl", ".wsdl", ".mmap", ".xml", ".propdef")
_PACKAGES = 10


def measure(folder: Path, *, archives: int = 300, largest: int = _LARGEST) -> list[Measure]:
    """Upload flows whose archives have 50 KiB to 3 MiB, as many small ones as large ones on a scale of sizes."""
    project = repository(
        folder / "repository",
        parallelDeployments=5,
        requestsPerSecond=rates(1000, 1000),
    )
    content, packed, least_s = add_archives(project, archives=archives, largest=largest)
    with tenant() as running:
        ran = invoke("update", "--env", "x", cwd=project.root, env=running.variables())
    mib = content / _MIB
    note = f"{archives} archives of {_SMALLEST / _KIB:.0f} KiB to {largest / _MIB:.2g} MiB: {packed / _MIB:.0f} MiB, "
    return [
        Measure(benchmark=6, what="peak memory", unit="MiB", measured=ran.peak_mib, most=150),
        Measure(
            benchmark=6,
            what="CPU for each MiB of content",
            unit="ms",
            measured=ran.cpu_s / mib * 1000,
            bound=least_s / mib * 1000,
            most=25,
            note=f"{note}{mib:.0f} MiB unpacked; bound: pack, encode and digest it once",
        ),
        Measure(
            benchmark=6,
            what="CPU for each MiB of archive",
            unit="ms",
            measured=ran.cpu_s / (packed / _MIB) * 1000,
        ),
        Measure(benchmark=6, what="update, whole command", unit="s", measured=ran.wall_s),
    ]


def add_archives(project: Project, *, archives: int, largest: int) -> tuple[int, int, float]:
    """Configure the flows; gives the bytes of content, about those of the archives, and the least CPU to pack them."""
    random = Random(6)  # noqa: S311 - the same content every time is what is wanted
    lines = _lines()
    content = packed = 0
    least_s = 0.0
    for number in range(archives):
        share = number / max(1, archives - 1)
        size = round(math.exp(math.log(_SMALLEST) * (1 - share) + math.log(largest) * share))
        text, compressed = _text(lines, random, round(size * _TEXT_SHARE))
        jar = random.randbytes(max(0, size - compressed))
        files = {"src/main/resources/xsd/schemas.xsd": text, "src/main/resources/lib/library.jar": jar}
        project.flow(f"Package{number % _PACKAGES}", f"Flow{number}", files=files)
        content += len(text) + len(jar)
        packed += compressed + len(jar)
        least_s += _least_s(text, jar)
    project.save()
    return content, packed, least_s


def _lines() -> list[bytes]:
    """Give the lines of the real artifacts among the tests' samples."""
    files = (CHECKOUT / "tests/samples").rglob("*")
    texts = [file for file in sorted(files) if file.suffix in _TEXT_SUFFIXES and file.is_file()]
    return [line for text in texts for line in text.read_bytes().splitlines(keepends=True)]


def _text(lines: list[bytes], random: Random, compressed: int) -> tuple[bytes, int]:
    """Put lines together until they have about the wanted size when compressed; gives them and that size."""
    packer, parts, size = zlib.compressobj(_LEVEL), list[bytes](), 0
    while size < compressed:
        part = b"".join(random.choices(lines, k=50))
        parts.append(part)
        size += len(packer.compress(part))
    return b"".join(parts), size


def _least_s(text: bytes, jar: bytes) -> float:
    """Give the CPU seconds to compress, encode and digest one artifact, once each."""
    began = time.process_time()
    base64.b64encode(zlib.compress(text, _LEVEL) + jar)
    hashlib.sha256(text + jar)
    return time.process_time() - began
