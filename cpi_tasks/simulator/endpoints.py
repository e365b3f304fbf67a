"""Entry points of flows: which sender channels have an address of their own, and how it is called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PROTOCOLS = {"HTTPS": "REST", "SOAP": "SOAP", "HCIOData": "ODATAV2", "AS2": "AS2", "AS4": "AS4"}
_ADDRESS_KEYS = ("urlPath", "address")


def addresses_of(senders: Iterable[Mapping[str, str]], parameters: Mapping[str, str]) -> dict[str, str]:
    """Give address and protocol of each sender channel of an HTTP-like adapter, with parameters filled in."""
    found = {}
    for sender in senders:
        protocol = _PROTOCOLS.get(sender.get("ComponentType", ""))
        text = next((sender[key] for key in _ADDRESS_KEYS if sender.get(key)), "")
        address = re.sub(r"\{\{([^{}]*)\}\}", lambda match: parameters.get(match[1], ""), text).strip("/ ")
        if protocol is not None and address:
            found[address] = protocol
    return found


def url_of(address: str, protocol: str, host: str) -> str:
    """Give the address as callers use it: another host than the API's."""
    folder = {"SOAP": "cxf", "ODATAV2": "odata/SAP"}.get(protocol, "http")
    return f"https://{host}/{folder}/{address}"
