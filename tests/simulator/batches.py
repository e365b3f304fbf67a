"""Batches as clients write them, and what is read from their answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

FLOW_F = "IntegrationDesigntimeArtifacts(Id='F',Version='active')"
MIXED = "multipart/mixed; boundary=b"
JSON = ("Content-Type: application/json", "Accept: application/json")


def part(line: str, body: str = "", *, headers: Sequence[str] = (), content_id: str | None = None) -> str:
    """Write a request by its first line without the protocol version, or with all of it."""
    inner = "\r\n".join([line, *headers, "", body])
    echo = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    return f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{echo}\r\n{inner}"


def joined(parts: Sequence[str], boundary: str = "b") -> str:
    """Write parts one after another."""
    return "".join(f"--{boundary}\r\n{item}\r\n" for item in parts) + f"--{boundary}--\r\n"


def changeset(*parts: str) -> str:
    """Write a part that is a change set."""
    return f'Content-Type: multipart/mixed; boundary="c"\r\n\r\n{joined(parts, "c")}'


def write(key: str, value: str, *, prefix: str = "", flow: str = FLOW_F, content_id: str | None = None) -> str:
    """Write a request that sets a parameter."""
    line = f"PUT {prefix}{flow}/$links/Configurations('{key}') HTTP/1.1"
    return part(line, f'{{"ParameterValue": "{value}"}}', headers=JSON, content_id=content_id)


def create_package(package: str, *, content_id: str | None = None) -> str:
    """Write a request that creates a package."""
    body = f'{{"Id": "{package}", "Name": "{package}", "ShortText": "{package}"}}'
    return part("POST IntegrationPackages HTTP/1.1", body, headers=JSON, content_id=content_id)


async def send(client: httpx.AsyncClient, *parts: str, kind: str = MIXED) -> httpx.Response:
    """Send a batch."""
    return await client.post("$batch", content=joined(parts), headers={"Content-Type": kind})


def statuses(answer: httpx.Response) -> list[int]:
    """Give the status of each answer inside of a batch's answer."""
    return [int(code) for code in re.findall(r"^HTTP/1\.1 (\d+)", answer.text, re.MULTILINE)]
