"""A body that carries an archive: encoded piece by piece while it is sent, because archives of 40 MiB occur."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_PIECE = 3 * 2**16
"""Bytes encoded at once: a multiple of three, so that pieces join without padding; a fraction of a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A JSON object of text members whose last one, ``ArtifactContent``, is an archive in one line of base64."""

    members: Mapping[str, str]
    archive: bytes = field(repr=False)

    def __len__(self) -> int:
        """Give the body's length in bytes."""
        return len(self._opening()) + 4 * -(-len(self.archive) // 3) + len(b'"}')

    def pieces(self) -> Iterator[bytes]:
        """Give the body from its beginning, as often as it is sent; no two pieces are held at once."""
        yield self._opening()
        whole = memoryview(self.archive)
        for begin in range(0, len(whole), _PIECE):
            yield binascii.b2a_base64(whole[begin : begin + _PIECE], newline=False)
        yield b'"}'

    def _opening(self) -> bytes:
        return json_bytes({**self.members, "ArtifactContent": ""}).removesuffix(b'"}')


def json_bytes(members: Mapping[str, str]) -> bytes:
    """Write an object of text members; what is no text in UTF-8 is escaped."""
    return json.dumps(members, ensure_ascii=False).encode("utf-8", "backslashreplace")
