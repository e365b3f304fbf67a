"""Design-time artifacts of the four families, their versions, and the locks on them."""

from __future__ import annotations

import io
import zipfile
from functools import partial

from cpi_tasks.errors import RequestRejected, TenantUnavailable
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId
from cpi_tasks.model.tenant import DesigntimeArtifact, DesigntimeLock
from cpi_tasks.tenant import odata
from cpi_tasks.tenant.packages import EDIT_ROLE, READ_ROLE
from cpi_tasks.tenant.retry import Trouble
from cpi_tasks.tenant.session import Session, is_unknown, repeat_anyway
from cpi_tasks.tenant.upload import Upload
from cpi_tasks.tenant.verdict import Request, listing, reading, writing
from cpi_tasks.tenant.wire import Answer

_ARCHIVE_TYPES = "application/zip, application/octet-stream;q=0.9, */*;q=0.8"
_NO_LOCKS = frozenset({403, 404, 501})


def active_path(artifact: ArtifactId, kind: ArtifactKind) -> str:
    """Give the path of an artifact's active version, the only one the API addresses for sure (Piper)."""
    entity_set = f"{odata.API_ROOT}{kind.api_name}DesigntimeArtifacts"
    return f"{entity_set}(Id={odata.literal(artifact)},Version='active')"


class DesigntimeCalls:
    """Calls on design-time artifacts; ``<X>`` below is ``Integration`` or the family's own name."""

    def __init__(self, session: Session) -> None:
        """Take the session all calls go through."""
        self._session = session

    async def list_artifacts(self, package: PackageId, kind: ArtifactKind) -> tuple[DesigntimeArtifact, ...]:
        """List a family: ``GET IntegrationPackages('P')/<X>DesigntimeArtifacts``, 200; empty for a package not there.

        Source: SAP, Integration Content.
        """
        path = f"{odata.keyed('IntegrationPackages', package)}/{kind.api_name}DesigntimeArtifacts"
        request = listing(path, action=f"list the {kind.label}s of integration package {package!r}", role=READ_ROLE)
        try:
            return await self._session.collect(request, partial(_artifact, kind, package))
        except RequestRejected as rejected:
            if is_unknown(rejected):
                return ()
            raise

    async def read_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> DesigntimeArtifact | None:
        """Read an artifact: ``GET <X>DesigntimeArtifacts(Id='A',Version='active')``, 200; 404 gives ``None``.

        Source: SAP, Integration Content.
        """
        request = reading(active_path(artifact, kind), action=f"read {kind.label} {artifact!r}", role=READ_ROLE)
        return await self._session.find(
            request, lambda answer: _artifact(kind, PackageId(""), odata.entity(answer.content))
        )

    async def download_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> bytes:
        """Download an archive: ``GET <X>DesigntimeArtifacts(Id='A',Version='active')/$value``, 200 with zip bytes.

        ``RequestRejected``: 404 for an unknown artifact, 400 in a read-only package; such errors are XML (Piper).
        """
        request = Request(
            method="GET",
            path=f"{active_path(artifact, kind)}/$value",
            action=f"download {kind.label} {artifact!r}",
            role=READ_ROLE,
            accept=_ARCHIVE_TYPES,
        )
        return await self._session.read(request, _archive)

    async def create_artifact(
        self, artifact: ArtifactId, kind: ArtifactKind, *, package: PackageId, name: str, archive: bytes
    ) -> DesigntimeArtifact:
        """Create an artifact: ``POST <X>DesigntimeArtifacts`` with the archive in base64, 201 with the entity.

        Where the entity cannot be read the artifact is read back. ``RequestRejected``: 500 for an id in use, 404 for
        an unknown package (SAP, Integration Content; flashpipe).
        """
        action = f"create {kind.label} {artifact!r} in integration package {package!r}"
        answer = await self._session.write(
            writing(
                "POST",
                f"{odata.API_ROOT}{kind.api_name}DesigntimeArtifacts",
                action=action,
                role=EDIT_ROLE,
                body=Upload(members={"Name": name, "Id": artifact, "PackageId": package}, archive=archive),
            ),
            has_happened=lambda: self._is_in(artifact, kind, package),
        )
        try:
            created = None if answer is None else _artifact(kind, package, odata.entity(answer.content))
        except Trouble:
            created = None
        if created is not None and created.version:
            return created
        read_back = await self.read_artifact(artifact, kind)
        if read_back is None:
            raise TenantUnavailable(f"could not {action}: the tenant took the call but does not have it; run again")
        return read_back

    async def update_artifact(self, artifact: ArtifactId, kind: ArtifactKind, *, archive: bytes) -> None:
        """Replace content: ``PUT <X>DesigntimeArtifacts(Id='A',Version='active')``, 200.

        The body holds the content alone, so that name and version come from the manifest; mappings refuse an ``Id`` or
        ``PackageId`` beside it. ``RequestRejected``: 400 for a locked artifact or another symbolic name, 501 for value
        mappings (SAP, Integration Content; flashpipe; terraform-provider-sap-integration-suite).
        """
        await self._session.write(
            writing(
                "PUT",
                active_path(artifact, kind),
                action=f"update {kind.label} {artifact!r}",
                role=EDIT_ROLE,
                body=Upload(members={}, archive=archive),
            ),
            has_happened=repeat_anyway,
        )

    async def delete_artifact(self, artifact: ArtifactId, kind: ArtifactKind) -> None:
        """Delete an artifact: ``DELETE <X>DesigntimeArtifacts(Id='A',Version='active')``, 200 (flashpipe)."""
        action = f"delete {kind.label} {artifact!r}"
        await self._session.write(
            writing("DELETE", active_path(artifact, kind), action=action, role=EDIT_ROLE),
            has_happened=lambda: self._is_gone(artifact, kind),
        )

    async def save_version(self, artifact: ArtifactId, kind: ArtifactKind, version: str) -> None:
        """Save the active state: ``POST <X>DesigntimeArtifactSaveAsVersion?Id='A'&SaveAsVersion='V'``, 200 or 202.

        ``RequestRejected``: 400 for something that is no version number (SAP, Integration Content; Piper).
        """
        path = odata.call(f"{kind.api_name}DesigntimeArtifactSaveAsVersion", Id=artifact, SaveAsVersion=version)
        action = f"save {kind.label} {artifact!r} as version {version!r}"
        await self._session.write(
            writing("POST", path, action=action, role=EDIT_ROLE),
            has_happened=lambda: self._is_saved_as(artifact, kind, version),
        )

    async def _is_in(self, artifact: ArtifactId, kind: ArtifactKind, package: PackageId) -> bool:
        found = await self.read_artifact(artifact, kind)
        return found is not None and found.package in {package, ""}

    async def _is_gone(self, artifact: ArtifactId, kind: ArtifactKind) -> bool:
        return await self.read_artifact(artifact, kind) is None

    async def _is_saved_as(self, artifact: ArtifactId, kind: ArtifactKind, version: str) -> bool:
        found = await self.read_artifact(artifact, kind)
        return found is not None and found.version == version

    async def list_locks(self) -> tuple[DesigntimeLock, ...]:
        """List locks: ``GET IntegrationDesigntimeLocks``, 200; 403, 404 and 501 give none.

        Few logins have the role for it, and the list only helps to explain (SAP's data model of the API).
        """
        path = odata.API_ROOT + "IntegrationDesigntimeLocks"
        request = listing(path, action="list design-time locks", role="WorkspaceArtifactLocksRead")
        try:
            return await self._session.collect(request, _lock)
        except RequestRejected as rejected:
            if rejected.status in _NO_LOCKS:
                return ()
            raise


def _artifact(kind: ArtifactKind, package: PackageId, row: odata.Entity) -> DesigntimeArtifact:
    return DesigntimeArtifact(
        id=ArtifactId(odata.id_text(row)),
        kind=kind,
        package=PackageId(odata.text(row, "PackageId") or package),
        version=odata.text(row, "Version"),
        name=odata.text(row, "Name"),
        modified_at=odata.epoch_ms(row.get("ModifiedAt")),
        modified_by=odata.text(row, "ModifiedBy"),
    )


def _lock(row: odata.Entity) -> DesigntimeLock:
    return DesigntimeLock(
        artifact=ArtifactId(odata.text(row, "ArtifactId")),
        created_by=odata.text(row, "CreatedBy"),
        created_at=odata.epoch_ms(row.get("CreatedAt")),
    )


def _archive(answer: Answer) -> bytes:
    """Give the bytes if they are a whole zip file: its directory stands at the end."""
    if not zipfile.is_zipfile(io.BytesIO(answer.content)):
        raise odata.odd("the answer is no complete zip archive")
    return answer.content
