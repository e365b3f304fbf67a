"""Small artifact folders and the configuration values that point at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Position
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId

SpecMaker = Callable[..., ArtifactSpec]
ConfigMaker = Callable[..., DeployConfig]
FolderMaker = Callable[..., Path]

MANIFEST = (
    "Manifest-Version: 1.0\r\nBundle-SymbolicName: {id}; singleton:=true\r\nBundle-Name: {id} name\r\n"
    "Bundle-Version: 1.0.1\r\nSAP-BundleType: {kind}\r\n\r\n"
)
MODEL_PATH = "src/main/resources/scenarioflows/integrationflow/flow.iflw"


def model(inside: bytes = b"") -> bytes:
    """Return a whole model of an integration flow with something in it."""
    spaces = b'xmlns:bpmn2="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:ifl="http:///com.sap.ifl.model/Ifl.xsd"'
    return b"<bpmn2:definitions " + spaces + b">" + inside + b"</bpmn2:definitions>"


def position(path: str = "") -> Position:
    return Position(file="deploy.yml", line=7, column=3, path=path)


@pytest.fixture
def make_folder(tmp_path: Path) -> FolderMaker:
    """Give a function that writes an artifact folder: a sound one of its kind, with ``files`` on top."""

    def make(
        artifact: str,
        kind: ArtifactKind = ArtifactKind.INTEGRATION_FLOW,
        files: Mapping[str, bytes] | None = None,
        package: str = "Pack",
    ) -> Path:
        folder = tmp_path / package / artifact
        content = {"META-INF/MANIFEST.MF": MANIFEST.format(id=artifact, kind=kind.value).encode()}
        if kind is ArtifactKind.INTEGRATION_FLOW:
            content[MODEL_PATH] = model()
        if kind is ArtifactKind.VALUE_MAPPING:
            content["value_mapping.xml"] = b'<vm version="2.0"></vm>'
        for path, data in {**content, **(files or {})}.items():
            whole = model(data) if path == MODEL_PATH and b"definitions" not in data else data
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(whole)
        return folder

    return make


@pytest.fixture
def make_spec() -> SpecMaker:
    """Give a function that describes an artifact folder as the configuration would."""

    def make(
        folder: Path,
        kind: ArtifactKind = ArtifactKind.INTEGRATION_FLOW,
        *,
        prefix: str = "",
        display_name: str | None = None,
        overrides: Mapping[str, str] | None = None,
        source_id: str | None = None,
        sync: bool = True,
    ) -> ArtifactSpec:
        source = source_id or folder.name
        final = f"{prefix}_{source}" if prefix else source
        return ArtifactSpec(
            ref=ArtifactRef(package=PackageId(prefix + folder.parent.name), artifact=ArtifactId(final)),
            source_id=source,
            kind=kind,
            folder=folder,
            display_name=display_name,
            sync=sync,
            deploy=True,
            overrides=overrides or {},
            position=position(f"packages.0.artifacts.{source}"),
            override_positions={},
        )

    return make


@pytest.fixture
def make_config() -> ConfigMaker:
    """Give a function that makes a configuration of artifacts, grouped into packages by their folders."""

    def make(*specs: ArtifactSpec, prefix: str = "") -> DeployConfig:
        folders = list(dict.fromkeys(spec.folder.parent for spec in specs))
        shared = {ArtifactKind.SCRIPT_COLLECTION, ArtifactKind.MESSAGE_MAPPING}
        return DeployConfig(
            source="deploy.yml",
            prefix=prefix,
            packages=tuple(
                PackageSpec(
                    id=PackageId(prefix + folder.name),
                    source_id=folder.name,
                    folder=folder,
                    name=None,
                    creation_name=folder.name,
                    description=None,
                    short_text=None,
                    sync=True,
                    deploy=True,
                    artifacts=tuple(spec for spec in specs if spec.folder.parent == folder),
                    position=position(f"packages.{folder.name}"),
                )
                for folder in folders
            ),
            renames={spec.source_id: str(spec.id) for spec in specs if spec.kind in shared},
        )

    return make


@pytest.fixture
def samples() -> Path:
    """Give the folder of real artifacts, see its NOTICE file."""
    return Path(__file__).parent.parent / "samples"
