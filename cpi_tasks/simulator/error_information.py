"""The shapes in which tenants give the text of a failed deployment."""

from __future__ import annotations

import json
from typing import Literal

from starlette.responses import PlainTextResponse, Response

ErrorShape = Literal["parameter", "template", "children", "nested", "message", "text"]


def document(text: str, shape: ErrorShape) -> Response:
    """Give the text in the wanted shape: 200 with JSON, or plain text."""
    match shape:
        case "text":
            return PlainTextResponse(text)
        case "message":
            body: dict[str, object] = {"message": text}
        case "parameter":
            body = {"message": _message(), "parameter": [text]}
        case "template":
            body = {"message": _message("{0}"), "parameter": [text]}
        case "children":
            cause = {"message": _message("{0}"), "parameter": [text]}
            body = {"message": _message(), "parameter": [], "childInstances": [cause]}
        case "nested":
            inner = {"parameters": [text], "childMessageInstances": []}
            body = {"message": _message(), "parameter": [json.dumps(inner)]}
    return Response(json.dumps(body), media_type="application/json")


def _message(text: str = "") -> dict[str, str]:
    return {
        "subsystemName": "CONTENT",
        "subsytemPartName": "CONTENT_DEPLOY",  # codespell:ignore - tenants spell it like this
        "messageId": "GenerationFailed",
        "messageText": text,
    }
