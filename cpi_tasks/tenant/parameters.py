"""Externalised parameters of integration flows."""

from __future__ import annotations

from cpi_tasks.errors import RequestRejected
from cpi_tasks.model.naming import ArtifactId, ArtifactKind
from cpi_tasks.model.tenant import ConfigurationParameter
from cpi_tasks.tenant import odata
from cpi_tasks.tenant.designtime import active_path
from cpi_tasks.tenant.packages import READ_ROLE
from cpi_tasks.tenant.session import Session, is_unknown
from cpi_tasks.tenant.verdict import listing, writing

CONFIGURE_ROLE = "WorkspacePackagesConfigure"


class ParameterCalls:
    """Calls on the configuration of integration flows."""

    def __init__(self, session: Session) -> None:
        """Take the session all calls go through."""
        self._session = session

    async def read_parameters(self, flow: ArtifactId) -> tuple[ConfigurationParameter, ...] | None:
        """Read parameters: ``GET IntegrationDesigntimeArtifacts(Id='F',Version='active')/Configurations``, 200.

        404 gives ``None``; some drafts are answered so (SAP, Integration Content; figaf).
        """
        path = f"{active_path(flow, ArtifactKind.INTEGRATION_FLOW)}/Configurations"
        request = listing(path, action=f"read the parameters of integration flow {flow!r}", role=READ_ROLE)
        try:
            return await self._session.collect(request, _parameter)
        except RequestRejected as rejected:
            if is_unknown(rejected):
                return None
            raise

    async def write_parameter(self, flow: ArtifactId, key: str, value: str) -> None:
        """Set a parameter: ``PUT <flow>/$links/Configurations('key')``, 202; other successes are accepted (figaf).

        The value is sent as it is, without XML entities. ``RequestRejected``: 400 for a value of the wrong type, 404
        for an unknown key (SAP, Integration Content; flashpipe; Piper).
        """
        flow_path = active_path(flow, ArtifactKind.INTEGRATION_FLOW)
        await self._session.write(
            writing(
                "PUT",
                f"{flow_path}/$links/Configurations({odata.literal(key)})",
                action=f"set parameter {key!r} of integration flow {flow!r}",
                role=CONFIGURE_ROLE,
                body={"ParameterValue": value},
            ),
            has_happened=lambda: self._has_value(flow, key, value),
        )

    async def _has_value(self, flow: ArtifactId, key: str, value: str) -> bool:
        return any((one.key, one.value) == (key, value) for one in await self.read_parameters(flow) or ())


def _parameter(row: odata.Entity) -> ConfigurationParameter:
    return ConfigurationParameter(
        key=odata.key_text(row, "ParameterKey"),
        value=odata.text(row, "ParameterValue"),
        data_type=odata.text(row, "DataType") or "xsd:string",
    )
