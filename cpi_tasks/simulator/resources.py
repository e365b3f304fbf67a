"""Resources inside of artifacts: which files of an archive are such, their types and their places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cpi_tasks.simulator.archive import RESOURCES
from cpi_tasks.simulator.odata import ODataError

_TYPES_BY_SUFFIX = {
    "groovy": "groovy",
    "gsh": "groovy",
    "js": "js",
    "jar": "jar",
    "mmap": "mmap",
    "opmap": "opmap",
    "wsdl": "wsdl",
    "xsd": "xsd",
    "xsl": "xslt",
    "xslt": "xslt",
    "edmx": "edmx",
}
_FOLDERS = {
    "groovy": "script",
    "js": "script",
    "jar": "lib",
    "mmap": "mapping",
    "opmap": "mapping",
    "xslt": "mapping",
    "wsdl": "wsdl",
    "xsd": "xsd",
    "edmx": "edmx",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A file that the API shows as a resource; ``path`` is its place in the archive."""

    name: str
    type: str
    path: str

    @property
    def referenced_type(self) -> str:
        """For schemas that belong to a service definition: its type."""
        return "wsdl" if self.type == "xsd" and self.path.startswith(f"{RESOURCES}wsdl/") else ""


def find(entries: Mapping[str, bytes]) -> list[Resource]:
    """Give all resources of an archive, in its order."""
    found = []
    for path in entries:
        folder, _, name = path.rpartition("/")
        type_ = _TYPES_BY_SUFFIX.get(name.rpartition(".")[2].lower())
        if type_ is not None and folder.startswith(RESOURCES.rstrip("/")):
            found.append(Resource(name=name, type=type_, path=path))
    return found


def place(name: str, type_: str, referenced_type: str) -> str:
    """Tell where a new resource goes; an unknown type, or a name that is none for it, is a 400."""
    if type_ not in _FOLDERS:
        known = ", ".join(sorted(_FOLDERS))
        raise ODataError(400, f"Resource type '{type_}' is not supported; supported types are {known}.")
    if not re.fullmatch(r"[\w.() -]{1,200}", name) or _TYPES_BY_SUFFIX.get(name.rpartition(".")[2].lower()) != type_:
        raise ODataError(400, f"Resource name '{name}' is not valid for resource type '{type_}'.")
    if referenced_type and (type_, referenced_type) != ("xsd", "wsdl"):
        raise ODataError(400, f"Referenced resource type '{referenced_type}' is not supported.")
    return f"{RESOURCES}{referenced_type or _FOLDERS[type_]}/{name}"
