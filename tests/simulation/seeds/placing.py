"""What is on a seed's tenant before the first run: packages of the files that others made, and what nobody names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import trio

from cpi_tasks.simulator import Simulator
from tests.simulation.seeds.content import FAMILIES, Content, Item
from tests.support.project import MODEL, SCRIPT, manifest, model

_STRANGER = "Stranger"
_LODGER = "Lodger"


async def place(content: Content, simulator: Simulator) -> list[str]:
    """Put on the tenant what the files say is there, in versions of its own, then change some of the files.

    Beside it come an artifact in a package of its own and one in each placed package, which no file names. Gives
    all of it in words.
    """
    lots, story = content.random, []
    simulator.add_package("Strange", "Somebody else's")
    simulator.add_artifact("Strange", _STRANGER, "Integration", _pack(_foreign(_STRANGER)))
    simulator.deploy(_STRANGER)
    placed = [item for item in content.items if item.bundle.is_placed]
    for bundle in (one for one in content.bundles.values() if one.is_placed):
        package = content.final_package(bundle.id)
        mode = "READ_ONLY" if bundle.is_read_only else "EDIT_ALLOWED"
        simulator.add_package(package, f"{bundle.id} of others", mode=mode)
        lodger = f"{_LODGER}{bundle.id}"
        simulator.add_artifact(package, lodger, "Integration", _pack(_foreign(lodger)))
        story.append(f"tenant: {package} is there, {mode}")
    for item in placed:
        artifact, package = content.final(item), content.final_package(item.package)
        version = lots.choice((item.version, "0.9.0", "0.9.0", "3.0.0"))
        simulator.add_artifact(package, artifact, FAMILIES[item.kind], _archive(content, item), version)
        is_running = lots.random() < 0.3
        if is_running:
            simulator.deploy(artifact)
        story.append(f"tenant: {artifact} {version} is there{' and runs' if is_running else ''}")
    # What is edited while it is being deployed looks as if it had been deployed later.
    await trio.sleep(100)
    for item in placed:
        artifact = content.final(item)
        if not item.bundle.is_read_only and lots.random() < 0.4:
            is_draft = lots.random() < 0.5
            edit = simulator.edit_as_draft if is_draft else simulator.edit_content
            edit(artifact, {content.final_path(item): content.by_hand(item)})
            story.append(f"tenant: {'draft' if is_draft else 'edit'} {artifact}")
        if lots.random() < 0.5:
            content.edit_content(item)
            story.append(f"files: content of {item.id}")
    return story


def _archive(content: Content, item: Item) -> bytes:
    folder = content.project.folder(item.package, item.id)
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return _pack(files)


def _foreign(artifact: str) -> Mapping[str, bytes]:
    return {
        "META-INF/MANIFEST.MF": manifest(artifact, "IntegrationFlow", "1.0.0"),
        MODEL: model(),
        SCRIPT: b"// of others\n",
    }


def _pack(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in sorted(files):
            archive.writestr(name, files[name])
    return data.getvalue()
