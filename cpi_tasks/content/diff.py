"""What an upload would change on the tenant, file by file, as a person reads it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice, repeat

from cpi_tasks.content.bundle import open_bundle
from cpi_tasks.content.canonical import MAPPING_PATH, CanonicalDigest, changed_paths
from cpi_tasks.content.download import archived_files
from cpi_tasks.content.readable import WIDE, readable_sides
from cpi_tasks.model.config import ArtifactSpec
from cpi_tasks.model.content import ArtifactContent, ContentDigest, DiffStatus, FileDiff

_CONTEXT = 3
_BEFORE_CHANGE = 80
_HEADS = 2
_HUNK = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@\Z")


def diff_archive(content: ArtifactContent, archive: bytes) -> tuple[FileDiff, ...]:
    """Compare what the tenant sent with what an upload would store: one diff for each of ``changed_paths``, in order.

    Both sides are shown as they are compared: what tenants rewrite is not in it, nor are values of a flow's parameters.
    Raises ``TenantUnavailable`` where the archive cannot be read (as ``read_archive``) and ``InputError`` where the
    folder cannot be read any more.
    """
    spec = content.spec
    old, tenant = _side(spec, archived_files(archive, artifact=spec.id, kind=spec.kind))
    new, files = _side(spec, open_bundle(spec, content.renames).packed_files())
    return tuple(
        _file_diff(path, spec, tenant=tenant.get(path), files=files.get(path), status=_status(path, old, new))
        for path in changed_paths(new, old)
    )


def _side(spec: ArtifactSpec, entries: Iterable[tuple[str, bytes]]) -> tuple[ContentDigest, dict[str, bytes]]:
    """Give one side's digest and its files under the paths that the digest gives them."""
    digest = CanonicalDigest(spec.id, spec.kind)
    files: dict[str, bytes] = {}
    for path, data in entries:
        digest.add(path, data)
        files[path] = data
    own = digest.own_mapping()
    return digest.result(), {MAPPING_PATH if path == own else path: data for path, data in files.items()}


def _status(path: str, tenant: ContentDigest, files: ContentDigest) -> DiffStatus:
    if path in files.entries and path not in tenant.entries:
        return DiffStatus.ADDED
    if path in tenant.entries and path not in files.entries:
        return DiffStatus.REMOVED
    return DiffStatus.CHANGED


def _file_diff(
    path: str, spec: ArtifactSpec, *, tenant: bytes | None, files: bytes | None, status: DiffStatus
) -> FileDiff:
    sides = readable_sides(path, spec.kind, tenant=tenant, files=files)
    if sides.remark:
        return FileDiff(path=path, status=status, lines=(sides.remark,), is_binary=sides.is_binary)
    return FileDiff(path=path, status=status, lines=tuple(_narrow(_unified(sides.tenant, sides.files))))


def _unified(old: list[str], new: list[str]) -> Iterator[str]:
    """Give the lines of a unified diff.

    Only what lies between the first and the last difference is searched: the search takes long for large files.
    """
    same = _shared(old, new)
    same_after = _shared(old[same:][::-1], new[same:][::-1])
    start, left_out = max(0, same - _CONTEXT), max(0, same_after - _CONTEXT)
    found = difflib.unified_diff(
        old[start : len(old) - left_out], new[start : len(new) - left_out], n=_CONTEXT, lineterm=""
    )
    for line in islice(found, _HEADS, None):
        hunk = _HUNK.match(line)
        yield _moved(hunk, start) if hunk else line


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """Give how many items both begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(old), len(new)))


def _moved(hunk: re.Match[str], lines: int) -> str:
    old, old_count, new, new_count = hunk.groups()
    return f"@@ -{int(old) + lines}{old_count} +{int(new) + lines}{new_count} @@"


def _narrow(lines: Iterable[str]) -> Iterator[str]:
    """Cut lines that nobody could read to the part that differs from the line on the other side."""
    for is_change, run in groupby(lines, lambda line: line.startswith(("-", "+"))):
        block = list(run)
        removed = [line for line in block if is_change and line.startswith("-")]
        others = block[len(removed) :]
        pairs = zip(removed, others, strict=False)
        changes = [_shared(old[1:], new[1:]) if max(len(old), len(new)) > WIDE else 0 for old, new in pairs]
        for half in (removed, others):
            yield from map(_part, half, chain(changes, repeat(0)))


def _part(line: str, change: int) -> str:
    """Give a line, or of a long one the part that shows its character number ``change``."""
    mark, text = line[:1], line[1:]
    if len(text) <= WIDE:
        return line
    start = 0 if change < WIDE - _BEFORE_CHANGE else change - _BEFORE_CHANGE
    end = start + WIDE
    return f"{mark}{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
