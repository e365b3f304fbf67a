"""Archives as a client would build them, and a client inside the same process."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Mapping

import httpx
import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings

_BUNDLE_TYPES = {"Integration": "IntegrationFlow"}
_IFLW = "src/main/resources/scenarioflows/integrationflow/model.iflw"


def _pack(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def _bundle(
    artifact_id: str,
    kind: str = "Integration",
    *,
    version: str = "1.0.0",
    name: str | None = None,
    headers: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """Build an archive of any family."""
    lines = {
        "Manifest-Version": "1.0",
        "Bundle-ManifestVersion": "2",
        "Bundle-Name": name or artifact_id,
        "Bundle-SymbolicName": f"{artifact_id}; singleton:=true",
        "Bundle-Version": version,
        "SAP-BundleType": _BUNDLE_TYPES.get(kind, kind),
        **(headers or {}),
    }
    manifest = "".join(f"{key}: {value}\n" for key, value in lines.items()) + "\n"
    return _pack({"META-INF/MANIFEST.MF": manifest.encode(), **(files or {})})


def _flow(
    artifact_id: str,
    *,
    version: str = "1.0.0",
    parameters: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    steps: str = "",
    headers: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    name: str | None = None,
) -> bytes:
    """Build an integration flow; with ``parameters`` it has a ``.prop`` file, with ``types`` definitions of more."""
    contents = {_IFLW: f'<m:model xmlns:m="m" xmlns:ifl="ifl">{steps}</m:model>'.encode()}
    if parameters is not None or types is not None:
        defined = {**dict.fromkeys(parameters or {}, "xsd:string"), **(types or {})}
        items = "".join(
            f"<parameter><key/><name>{key}</name><type>{value}</type><description/></parameter>"
            for key, value in defined.items()
        )
        contents["src/main/resources/parameters.propdef"] = f"<parameters>{items}</parameters>".encode()
    if parameters is not None:
        text = "".join(f"{key.replace(' ', chr(92) + ' ')}={value}\n" for key, value in parameters.items())
        contents["src/main/resources/parameters.prop"] = text.encode()
    return _bundle(artifact_id, version=version, headers=headers, files={**contents, **(files or {})}, name=name)


def _connect(*, state: Simulator | None = None, **settings: object) -> tuple[Simulator, httpx.AsyncClient]:
    """Start a tenant in this process, and a client that is logged in and wants JSON. CSRF is off unless asked for."""
    simulator = state or Simulator(SimulatorSettings(**{"enforce_csrf": "never", **settings}))  # type: ignore[arg-type]
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=simulator.app),
        base_url="https://tenant.example/api/v1/",
        auth=("demo-user", "demo-password"),
        headers={"Accept": "application/json"},
    )
    return simulator, client


@pytest.fixture
def pack() -> Callable[..., bytes]:
    """Zip files as they are."""
    return _pack


@pytest.fixture
def bundle() -> Callable[..., bytes]:
    """Build an archive of any family."""
    return _bundle


@pytest.fixture
def flow() -> Callable[..., bytes]:
    """Build an integration flow."""
    return _flow


@pytest.fixture
def connect() -> Callable[..., tuple[Simulator, httpx.AsyncClient]]:
    """Start a tenant and a client in this process."""
    return _connect


@pytest.fixture
def encode() -> Callable[[bytes], str]:
    """Encode content the way clients send it."""
    return lambda data: base64.b64encode(data).decode()


@pytest.fixture
def step() -> Callable[..., str]:
    """Write a step of a model with its properties."""

    def write(**properties: str) -> str:
        items = "".join(
            f"<ifl:property><key>{key}</key><value>{value}</value></ifl:property>" for key, value in properties.items()
        )
        return f"<m:step><m:extensionElements>{items}</m:extensionElements></m:step>"

    return write
