"""The entries of a value mapping by scheme: source agency and identifier to target agency and identifier."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from xml.etree import ElementTree as ET

import defusedxml.ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from cpi_tasks.simulator.odata import ODataError

FILE = "value_mapping.xml"
_MAX_PAIRS = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Scheme:
    """One direction between two code lists."""

    source_agency: str
    source_id: str
    target_agency: str
    target_id: str

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Its four texts in the order of the API."""
        return self.source_agency, self.source_id, self.target_agency, self.target_id

    @property
    def key(self) -> str:
        """One text for it, to remember things by."""
        return "\0".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """One pair of values; the id is that of its group in the file."""

    id: str
    source: str
    target: str


class ValueMapFile:
    """``value_mapping.xml`` as a list of groups, each with values by agency and identifier."""

    def __init__(self, entries: Mapping[str, bytes]) -> None:
        """Read the file; none, or an empty one, has no groups. One that is not well-formed is a 500."""
        self._groups: list[tuple[str, dict[tuple[str, str], str]]] = []
        data = entries.get(FILE, b"")
        try:
            root = SafeET.fromstring(data) if data.strip() else ET.Element("vm")
        except (ET.ParseError, DefusedXmlException, ValueError) as error:
            raise ODataError(500, "The value mapping cannot be read.") from error
        for group in root.iter("group"):
            values = {
                (entry.findtext("agency") or "", entry.findtext("schema") or ""): entry.findtext("value") or ""
                for entry in group.iter("entry")
            }
            self._groups.append((group.get("id") or uuid.uuid4().hex, values))

    def schemes(self) -> list[Scheme]:
        """Give every direction for which there are pairs, sorted; absurdly many pairs are a 500."""
        if sum(len(values) ** 2 for _, values in self._groups) > _MAX_PAIRS:
            raise ODataError(500, "The value mapping is too large.")
        pairs = {pair for _, values in self._groups for pair in permutations(values, 2)}
        return sorted(Scheme(*source, *target) for source, target in pairs)

    def maps(self, scheme: Scheme) -> list[ValueMap]:
        """Give the pairs of a scheme in the order of the file."""
        source, target = _ends(scheme)
        return [
            ValueMap(id=group_id, source=values[source], target=values[target])
            for group_id, values in self._groups
            if source in values and target in values
        ]

    def put(self, scheme: Scheme, *, source: str, target: str, map_id: str) -> str:
        """Change the pair with an id, or add one where the id is empty; gives the id, unknown ones are 404."""
        ends = dict(zip(_ends(scheme), (source, target), strict=True))
        if not map_id:
            self._groups.append((uuid.uuid4().hex, ends))
            return self._groups[-1][0]
        for group_id, values in self._groups:
            if group_id == map_id:
                values.update(ends)
                return map_id
        raise ODataError(404, f"Value map '{map_id}' not found.")

    def drop(self, scheme: Scheme) -> None:
        """Forget all pairs of a scheme."""
        source, target = _ends(scheme)
        self._groups = [
            (group_id, values) for group_id, values in self._groups if not (source in values and target in values)
        ]

    def render(self) -> bytes:
        """Write the file."""
        root = ET.Element("vm", {"version": "2.0"})
        for group_id, values in self._groups:
            group = ET.SubElement(root, "group", {"id": group_id})
            for (agency, schema), value in values.items():
                entry = ET.SubElement(group, "entry")
                for name, text in (("agency", agency), ("schema", schema), ("value", value)):
                    ET.SubElement(entry, name).text = text
        return bytes(ET.tostring(root, encoding="utf-8"))


def _ends(scheme: Scheme) -> tuple[tuple[str, str], tuple[str, str]]:
    return (scheme.source_agency, scheme.source_id), (scheme.target_agency, scheme.target_id)
