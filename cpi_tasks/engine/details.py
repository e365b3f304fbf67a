"""Content and parameters of single artifacts: from the cache where it knows that they are as wanted, else read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cpi_tasks.content import changed_paths, read_archive, wanted_parameters
from cpi_tasks.engine.context import Memory
from cpi_tasks.engine.heavy import run_heavy
from cpi_tasks.engine.reading import Reading
from cpi_tasks.errors import RequestFailed, TenantUnavailable, UnreadableAnswer
from cpi_tasks.model.config import ArtifactSpec, Settings
from cpi_tasks.model.content import ArtifactContent, ContentDigest, DownloadedContent
from cpi_tasks.model.naming import ArtifactId, VerifyPolicy
from cpi_tasks.model.records import Known
from cpi_tasks.model.tenant import DesigntimeArtifact, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Which details of an artifact must be known; ``is_proof``: only to spare a deployment, a refusal does no harm."""

    content: bool
    parameters: bool
    is_proof: bool = False


def known_state(
    design: DesigntimeArtifact, *, content: str, description: str | None, modified_at: int, parameters: Known | None
) -> Known:
    """Describe an artifact's content for the cache, with the parameters as far as they are known in that state."""
    return Known(
        version=design.version,
        modified_at=modified_at,
        content=content,
        description=None if description is None else hashlib.sha256(description.encode()).hexdigest(),
        parameters=None if parameters is None else parameters.parameters,
        parameter_digest=None if parameters is None else parameters.parameter_digest,
    )


class Details:
    """Reads details into a ``Reading``; the cache only ever proves that nothing needs to be written.

    What the cache knows to differ is read all the same: it will be overwritten, shown and kept, so it must be in hand.
    """

    def __init__(self, tenant: Tenant, *, settings: Settings, memory: Memory, reading: Reading) -> None:
        """Prepare; nothing is asked before ``read``."""
        self._tenant = tenant
        self._settings = settings
        self._memory = memory
        self._reading = reading

    async def read(self, spec: ArtifactSpec, content: ArtifactContent | None, needs: Needs) -> None:
        """Get what is needed of one artifact; what the tenant refuses is noted as unreadable."""
        design = self._reading.artifacts[spec.id]
        is_full = self._settings.verify is VerifyPolicy.FULL
        known = None if is_full else self._memory.cache.find(design)
        trouble = ""
        try:
            if needs.content:
                trouble, known = await self._content(spec, content, design, known)
            if needs.parameters and not trouble:
                await self._parameters(spec, content, design, known)
        except RequestFailed as error:
            trouble = str(error)
        if trouble:
            self._give_up(spec.id, trouble, needs)

    async def _content(
        self, spec: ArtifactSpec, content: ArtifactContent | None, design: DesigntimeArtifact, known: Known | None
    ) -> tuple[str, Known | None]:
        """Get the content; gives why that is not possible, and what the cache may keep now."""
        if known is not None and (content is None or _is_as_wanted(known, content)):
            self._reading.fingerprints[spec.id] = known.content
            if content is not None:
                self._reading.downloads[spec.id] = _as_in_files(content)
            return "", known
        archive = await self._tenant.download_artifact(spec.id, spec.kind)
        try:
            found = await run_heavy(len(archive), lambda: read_archive(archive, artifact=spec.id, kind=spec.kind))
        except TenantUnavailable as error:
            return str(error), None
        fingerprint = found.digest.fingerprint
        self._reading.downloads[spec.id] = found
        self._reading.fingerprints[spec.id] = fingerprint
        if content is not None and (design.is_draft or changed_paths(content.digest, found.digest)):
            self._memory.backups.keep_archive(spec.ref, archive)
        if design.modified_at is None:
            return "", None
        known = known_state(
            design,
            content=fingerprint,
            description=found.digest.description,
            modified_at=design.modified_at,
            parameters=known,
        )
        self._memory.cache.keep(design, known)
        return "", known

    async def _parameters(
        self, spec: ArtifactSpec, content: ArtifactContent | None, design: DesigntimeArtifact, known: Known | None
    ) -> None:
        reading, records = self._reading, self._memory.records
        if (
            known is not None
            and self._settings.verify is VerifyPolicy.CACHED
            and self._has_wanted(spec, content, known)
        ):
            reading.proved[spec.id] = known
            return
        try:
            shown = await self._tenant.read_parameters(spec.id)
        except UnreadableAnswer:
            if not self._is_replaced(spec, content):
                raise
            # They come from the content on the tenant: the files repair it, and are read back after the upload.
            shown = None
        reading.parameters[spec.id] = shown
        if known is not None and shown is not None:
            values = reading.values(spec.id)
            self._memory.cache.keep(
                design,
                Known(
                    version=known.version,
                    modified_at=known.modified_at,
                    content=known.content,
                    description=known.description,
                    parameters=records.digest_each(values),
                    parameter_digest=records.digest(values),
                ),
            )

    def _is_replaced(self, spec: ArtifactSpec, content: ArtifactContent | None) -> bool:
        """Return whether the content on the tenant differs from the files, so that an upload takes its place."""
        found = self._reading.downloads.get(spec.id)
        return content is not None and found is not None and bool(changed_paths(content.digest, found.digest))

    def _has_wanted(self, spec: ArtifactSpec, content: ArtifactContent | None, known: Known) -> bool:
        """Tell whether the cache proves that every wanted value is there."""
        if known.parameters is None:
            return False
        wanted = {} if content is None else wanted_parameters(spec, content, self._settings.parameter_policy, ())
        digests = self._memory.records.digest_each(wanted)
        return all(known.parameters.get(key) == digest for key, digest in digests.items())

    def _give_up(self, artifact: ArtifactId, trouble: str, needs: Needs) -> None:
        # Half a proof is none; without one an artifact is deployed, also from a package whose content is not shown.
        self._reading.downloads.pop(artifact, None)
        self._reading.fingerprints.pop(artifact, None)
        if not needs.is_proof:
            self._reading.unreadable_artifacts[artifact] = trouble


def _is_as_wanted(known: Known, content: ArtifactContent) -> bool:
    """Tell whether what the cache knows equals the files; a description counts only where both sides have one."""
    if known.content != content.digest.fingerprint:
        return False
    description = content.digest.description
    if None in {known.description, description}:
        return True
    return description is not None and known.description == hashlib.sha256(description.encode()).hexdigest()


def _as_in_files(content: ArtifactContent) -> DownloadedContent:
    """Describe content that is known to equal the files as if it had been downloaded."""
    digest = ContentDigest(entries=content.digest.entries, description=content.digest.description)
    return DownloadedContent(digest=digest, version=content.version, parameters={}, values=content.values)
