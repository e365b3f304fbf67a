"""Integration packages."""

from __future__ import annotations

import html
from collections.abc import Mapping

from cpi_tasks.model.naming import PackageId
from cpi_tasks.model.tenant import IntegrationPackage
from cpi_tasks.tenant import odata
from cpi_tasks.tenant.session import Session, repeat_anyway
from cpi_tasks.tenant.verdict import listing, reading, writing

READ_ROLE = "WorkspacePackagesRead"
EDIT_ROLE = "WorkspacePackagesEdit"

_ENTITY_SET = "IntegrationPackages"
_TEXT_FIELDS = ("Name", "ShortText", "Version", "Vendor")
_LIST_FIELDS = ("SupportedPlatform", "Products", "Keywords", "Countries", "Industries", "LineOfBusiness")
_UNSENT_FIELDS = frozenset({"Id", "Mode"})


class PackageCalls:
    """Calls on integration packages (SAP, Integration Content; role templates by SAP Help)."""

    def __init__(self, session: Session) -> None:
        """Take the session all calls go through."""
        self._session = session

    async def list_packages(self) -> tuple[IntegrationPackage, ...]:
        """List all packages: ``GET IntegrationPackages``, 200, by pages (SAP, Integration Content)."""
        path = odata.API_ROOT + _ENTITY_SET
        return await self._session.collect(
            listing(path, action="list the integration packages", role=READ_ROLE), _package
        )

    async def read_package(self, package: PackageId) -> IntegrationPackage | None:
        """Read one package: ``GET IntegrationPackages('P')``, 200; 404 gives ``None``.

        List fields come back as they are sent (``"[A, B]"`` as ``"A, B"``), and so does a description that the tenant
        only wrapped in paragraphs (SAP, Integration Content; terraform-provider-sap-integration-suite).
        """
        request = reading(
            odata.keyed(_ENTITY_SET, package), action=f"read integration package {package!r}", role=READ_ROLE
        )
        return await self._session.find(request, lambda answer: _package(odata.entity(answer.content)))

    async def create_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Create a package: ``POST IntegrationPackages``, 201.

        The body is the bare entity, without ``Mode``, which a tenant refuses (flashpipe). ``RequestRejected``: 400 for
        an id with other characters than letters and digits, 409 for one that exists (SAP, Integration Content).
        """
        body = {"Id": package, **_sendable(metadata)}
        action = f"create integration package {package!r}"
        await self._session.write(
            writing("POST", odata.API_ROOT + _ENTITY_SET, action=action, role=EDIT_ROLE, body=body),
            has_happened=lambda: self._is_there(package),
        )

    async def update_package(self, package: PackageId, metadata: Mapping[str, str]) -> None:
        """Replace a package's metadata: ``PUT IntegrationPackages('P')``, 202 (SAP, Integration Content)."""
        await self._session.write(
            writing(
                "PUT",
                odata.keyed(_ENTITY_SET, package),
                action=f"update the metadata of integration package {package!r}",
                role=EDIT_ROLE,
                body=_sendable(metadata),
            ),
            has_happened=repeat_anyway,
        )

    async def _is_there(self, package: PackageId) -> bool:
        return await self.read_package(package) is not None


def plain_list(value: str) -> str:
    """Turn ``"[A, B]"``, as tenants give list fields, into ``"A, B"``, as they take them; ``"[]"`` is empty."""
    stripped = value.strip()
    return stripped[1:-1].strip() if stripped.startswith("[") and stripped.endswith("]") else value


def plain_description(value: str) -> str:
    """Undo the ``<p>`` that a tenant puts around a description, once for each time it was sent; richer HTML stays.

    Sent back as read, such a description would grow by a paragraph with every update.
    """
    inner = value.strip()
    unwrapped = False
    while inner.lower().startswith("<p>") and inner.lower().endswith("</p>"):
        inner = inner[len("<p>") : -len("</p>")].strip()
        unwrapped = True
    return html.unescape(inner) if unwrapped and "<" not in inner else value


def _sendable(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in metadata.items() if name not in _UNSENT_FIELDS}


def _package(entity: odata.Entity) -> IntegrationPackage:
    description = plain_description(odata.text(entity, "Description"))
    return IntegrationPackage(
        id=PackageId(odata.id_text(entity)),
        name=odata.text(entity, "Name"),
        short_text=odata.text(entity, "ShortText"),
        description=description,
        is_read_only=odata.text(entity, "Mode").strip().upper() == "READ_ONLY",
        metadata={
            "Description": description,
            **{name: odata.text(entity, name) for name in _TEXT_FIELDS},
            **{name: plain_list(odata.text(entity, name)) for name in _LIST_FIELDS},
        },
        modified_at=odata.epoch_ms(entity.get("ModifiedDate")),
        modified_by=odata.text(entity, "ModifiedBy"),
    )
