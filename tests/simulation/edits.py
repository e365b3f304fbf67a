"""Changes of files and tenant by name: what a developer does to the repository and a person in the Web UI."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

from cpi_tasks.errors import SimulatorError
from tests.support.project import PROP, SCRIPT, values
from tests.support.world import World

PREFIX = "DEV"
SHARED = "src/main/resources/script/Shared.groovy"
GERMANY = {"ERP/Country": "DE", "CRM/Country": "Germany"}
FRANCE = {"ERP/Country": "FR", "CRM/Country": "France"}
PACKAGES = {"Orders": "Sales", "Scripts": "Sales", "OrderToInvoice": "Sales", "Countries": "Sales", "Counting": "Stock"}
PARAMETERS = {"Host": "a.example", "Free": "file", "Empty": ""}
"""The parameters of Orders: an enforced one, one that nobody enforces by default, and one without a value."""


def configure(world: World) -> None:
    """Configure two packages with artifacts of all four types."""
    project = world.project
    project.package("Sales", displayName="Sales", short_text="Orders and invoices")
    project.flow("Sales", "Orders", scripts_of="Scripts", mapping_of="OrderToInvoice", parameters=PARAMETERS)
    project.override("Orders", {"Host": "b.example"})
    project.collection("Sales", "Scripts")
    project.mapping("Sales", "OrderToInvoice")
    project.values("Sales", "Countries", GERMANY)
    project.flow("Stock", "Counting", version="1.0.3")


def final_id(world: World, artifact: str) -> str:
    """Give an artifact's id on the tenant."""
    return f"{PREFIX}_{artifact}" if world.project.keys.get("deploymentPrefix") == PREFIX else artifact


def stored_files(world: World, artifact: str) -> Mapping[str, bytes]:
    """Give the files of an artifact on the tenant."""
    with zipfile.ZipFile(io.BytesIO(world.simulator.artifact(artifact).archive)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def content_path(artifact: str) -> str:
    """Give the path of the file that edits change, as it is in the files."""
    own = {"Scripts": SHARED, "OrderToInvoice": "src/main/resources/mapping/OrderToInvoice.mmap"}
    return {**own, "Countries": "value_mapping.xml"}.get(artifact, SCRIPT)


def new_content(artifact: str, word: str) -> bytes:
    """Give other content of that file."""
    if artifact == "OrderToInvoice":
        return f"<mapping><from>{word}</from></mapping>".encode()
    return values(GERMANY, {**FRANCE, "CRM/Country": word}) if artifact == "Countries" else f"// {word}\n".encode()


def edit_files(world: World, artifact: str, word: str) -> None:
    """Change an artifact's content in the repository."""
    world.project.edit(PACKAGES[artifact], artifact, content_path(artifact), new_content(artifact, word))


def edit_tenant(world: World, artifact: str, word: str, *, as_draft: bool = False) -> None:
    """Change an artifact's content in the Web UI, and save it or leave a draft."""
    id_ = final_id(world, artifact)
    path = content_path(artifact).replace("OrderToInvoice", final_id(world, "OrderToInvoice"))
    edit = world.simulator.edit_as_draft if as_draft else world.simulator.edit_content
    edit(id_, {path: new_content(artifact, word)})


def _file_value(world: World, _: str) -> None:
    world.project.edit("Sales", "Orders", PROP, b"Host=a.example\nFree=newer\nEmpty=\n")


def _tenant_description(world: World, _: str) -> None:
    for package in world.simulator.packages.values():
        package.fields["ShortText"] = "Somebody's text"


Edit = Callable[[World, str], None]
FILE_EDITS: Mapping[str, Edit] = {
    "files: content": lambda world, artifact: edit_files(world, artifact, "files"),
    "files: as the tenant's": lambda world, artifact: edit_files(world, artifact, "tenant"),
    "files: version up": lambda world, a: world.project.raise_version(PACKAGES[a], a, "1.1.0"),
    "files: version down": lambda world, a: world.project.raise_version(PACKAGES[a], a, "0.9"),
    "files: override": lambda world, _: world.project.override("Orders", {"Host": "c.example", "Empty": "filled"}),
    "files: no override": lambda world, _: world.project.override("Orders", {}),
    "files: value": _file_value,
    "files: description": lambda world, _: world.project.packages["Sales"].update(short_text="Our text"),
}
TENANT_EDITS: Mapping[str, Edit] = {
    "tenant: content": lambda world, artifact: edit_tenant(world, artifact, "tenant"),
    "tenant: as the files'": lambda world, artifact: edit_tenant(world, artifact, "files"),
    "tenant: draft": lambda world, artifact: edit_tenant(world, artifact, "tenant", as_draft=True),
    "tenant: version up": lambda world, a: world.simulator.save_version(final_id(world, a), "1.2.0"),
    "tenant: deleted": lambda world, a: world.simulator.delete(final_id(world, a)),
    "tenant: undeployed": lambda world, a: world.simulator.undeploy(final_id(world, a)),
    "tenant: deployed": lambda world, a: world.simulator.deploy(final_id(world, a)),
    "tenant: enforced": lambda world, _: world.simulator.set_parameter(final_id(world, "Orders"), "Host", "x.example"),
    "tenant: not enforced": lambda world, _: world.simulator.set_parameter(final_id(world, "Orders"), "Free", "x"),
    "tenant: description": _tenant_description,
}
EDITS = {**FILE_EDITS, **TENANT_EDITS}
_OF_ORDERS = ("override", "no override", "value", "description", "enforced", "not enforced")
POOL = tuple(
    (name, artifact)
    for name in EDITS
    for artifact in (["Orders"] * 3 if name.partition(": ")[2] in _OF_ORDERS else PACKAGES)
)
"""Every edit of every artifact, to draw from; those that only one artifact knows are in it more often."""


def apply(world: World, name: str, artifact: str) -> None:
    """Do an edit; nothing where the artifact it is about is not there."""
    try:
        EDITS[name](world, artifact)
    except SimulatorError:
        return
