"""Sender addresses that two integration flows have in common: of two such flows a tenant starts only one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cpi_tasks.content.flow import channels
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.finding import Finding, Rule
from cpi_tasks.model.naming import ArtifactKind
from cpi_tasks.validation.folders import Folders, error, warning

# Adapters whose sender address must be unique, with the part of the address space that it lives in. AS2 and AS4 are not
# among them: their partners' ids tell messages of one address apart. Of other adapters nothing is known.
_SPACES = {
    "HTTPS": "http",
    "SOAP": "cxf",
    "XI": "cxf",
    "IDOC": "cxf",
    "HCIOData": "odata",
    "ProcessDirect": "ProcessDirect",
}
_PARAMETER = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sender:
    """One sender channel; ``is_certain`` unless its address depends on a parameter that the tenant may have changed."""

    content: ArtifactContent
    space: str
    address: str
    is_certain: bool


def find_shared_addresses(contents: Iterable[ArtifactContent], folders: Folders) -> Iterator[Finding]:
    """Find flows that are to be deployed and whose channels listen where another flow's do.

    An error where both addresses are in the models or in overrides; a warning where a parameter gives one of them, for
    the tenant may have another value.
    """
    first: dict[tuple[str, str], _Sender] = {}
    told = set()
    for sender in _senders(contents, folders):
        key = sender.space, sender.address
        other = first.setdefault(key, sender)
        ours, theirs = sender.content.spec, other.content.spec
        if ours.ref == theirs.ref or (key, ours.ref) in told:
            continue
        told.add((key, ours.ref))
        place = f"{theirs.position.file}:{theirs.position.line}"
        text = (
            f"integration flow '{ours.source_id}' has the sender address '{sender.address}' ({sender.space}), as has "
            f"'{theirs.source_id}' ({place})"
        )
        if sender.is_certain and other.is_certain:
            message = f"{text}: the second one to be deployed does not start"
            yield error(Rule.SHARED_ADDRESS, ours.position, message)
        else:
            message = f"{text}: unless the tenant has another parameter value, only one of them starts"
            yield warning(Rule.SHARED_ADDRESS, ours.position, message)


def _senders(contents: Iterable[ArtifactContent], folders: Folders) -> Iterator[_Sender]:
    for content in contents:
        if content.spec.kind is not ArtifactKind.INTEGRATION_FLOW or not content.spec.deploy:
            continue
        for model in folders.models(content.spec.folder):
            for settings in channels(model):
                sender = _sender(content, settings)
                if sender is not None:
                    yield sender


def _sender(content: ArtifactContent, settings: Mapping[str, str]) -> _Sender | None:
    space = _SPACES.get(settings.get("ComponentType", ""))
    written = settings.get("urlPath") or settings.get("address") or ""
    if space is None or settings.get("direction", "").lower() != "sender":
        return None
    keys = _PARAMETER.findall(written)
    if any(key not in content.parameters for key in keys):
        return None
    address = _PARAMETER.sub(lambda match: content.parameters[match[1]], written).strip("/ ")
    if not address or "://" in address:
        return None
    is_certain = all(key in content.spec.overrides for key in keys)
    return _Sender(content=content, space=space, address=address, is_certain=is_certain)
