"""The service and metadata documents (SAP Help, OData API of Cloud Integration)."""

from __future__ import annotations

from starlette.responses import Response

from cpi_tasks.simulator import edmx
from cpi_tasks.simulator.call import Call, Handler, Route


def metadata_document(_call: Call) -> Response:
    """``GET $metadata``: 200 with EDMX, whatever ``Accept`` says."""
    headers = {"DataServiceVersion": "1.0"}
    return Response(edmx.document(), 200, headers, media_type="application/xml")


ROUTES: dict[Route, Handler] = {("GET", "$metadata"): metadata_document}
