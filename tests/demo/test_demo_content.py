"""The demo's content hangs together: it stands as it would in Git, and everything that is named exists."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import javaproperties
import pytest
import yaml
from defusedxml import ElementTree

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "environments/demo/packages"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
IFL = "{http:///com.sap.ifl.model/Ifl.xsd}"
RESOURCES = "src/main/resources"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One configured artifact of the demo and its folder."""

    id: str
    kind: str
    folder: Path
    overrides: dict[str, str]

    def header(self, name: str) -> str:
        """Return one header of the manifest, unfolded."""
        return unfold(self.folder / "META-INF/MANIFEST.MF")[name]

    def model(self) -> Path:
        """Return the flow's one model file."""
        (path,) = (self.folder / RESOURCES / "scenarioflows/integrationflow").glob("*.iflw")
        return path

    def steps(self) -> list[dict[str, str]]:
        """Return the properties of every step of the flow."""
        tags = {f"{BPMN}callActivity", f"{BPMN}serviceTask"}
        return [own_properties(step) for step in xml(self.model()).iter() if step.tag in tags]

    def scripts(self) -> list[tuple[Path, str]]:
        """Return file and function of every script step, wherever the file lies."""
        found = []
        for step in self.steps():
            if step["activityType"] == "Script":
                owner = BY_ID[step["scriptBundleId"]] if step["scriptBundleId"] else self
                path = owner.folder / RESOURCES / "script" / step["script"]
                found.append((path, step["scriptFunction"] or "processData"))
        return found


def xml(path: Path) -> Element:
    root: Element = ElementTree.fromstring(path.read_bytes())
    return root


def text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def own_properties(element: Element) -> dict[str, str]:
    return {text(p, "key"): text(p, "value") for p in element.findall(f"{BPMN}extensionElements/{IFL}property")}


def unfold(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").replace("\n ", "").splitlines()
    return dict(line.split(": ", 1) for line in lines if line)


def load(path: Path) -> dict[str, object]:
    """Read YAML with every scalar as it is written."""
    loaded: dict[str, object] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return loaded


def configured() -> list[Demo]:
    found = []
    packages = load(ROOT / "environments/demo/config.yml")["packages"]
    assert isinstance(packages, list)
    for package in packages:
        for artifact in package["artifacts"]:
            folder = PACKAGES / package["packageDir"] / artifact["artifactDir"]
            overrides = artifact.get("configOverrides", {})
            found.append(Demo(id=artifact["artifactId"], kind=artifact["type"], folder=folder, overrides=overrides))
    return found


ARTIFACTS = configured()
BY_ID = {artifact.id: artifact for artifact in ARTIFACTS}
FLOWS = [artifact for artifact in ARTIFACTS if artifact.kind == "IntegrationFlow"]
every_artifact = pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: artifact.id)
every_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.id)


def test_the_environment_is_the_embedded_tenant_and_its_content() -> None:
    """The environment file names the embedded tenant, three deployments at once, and paths that exist."""
    environment = load(ROOT / "environments/demo.yml")
    assert environment == {
        "tenant": {"simulator": {"deploySeconds": "1.5"}},
        "packagesDir": "environments/demo/packages",
        "deployConfig": "environments/demo/config.yml",
        "mode": "update-and-deploy",
        "parallelDeployments": "3",
    }
    assert PACKAGES.is_dir()


def test_ten_artifacts_of_all_four_types_are_configured() -> None:
    """The demo has ten artifacts in two packages, and every type among them."""
    assert {artifact.id: artifact.kind for artifact in ARTIFACTS} == {
        "CustomerSync": "IntegrationFlow",
        "CustomerDataTransform": "IntegrationFlow",
        "CustomerValidation": "ScriptCollection",
        "CustomerEnrichment": "IntegrationFlow",
        "CustomerToErpMapping": "MessageMapping",
        "CountryCodes": "ValueMapping",
        "DeviceTelemetryIngest": "IntegrationFlow",
        "DeviceRegistration": "IntegrationFlow",
        "DeviceAlerting": "IntegrationFlow",
        "DeviceScripts": "ScriptCollection",
    }
    assert len(ARTIFACTS) == 10


def test_configured_folders_and_existing_folders_are_the_same() -> None:
    """Every configured artifact has its folder, and no folder lies there unused."""
    existing = {folder for package in PACKAGES.iterdir() for folder in package.iterdir()}
    assert {artifact.folder for artifact in ARTIFACTS} == existing


@every_artifact
def test_manifests_are_folded_at_72_bytes(artifact: Demo) -> None:
    """No line of a manifest has more than 72 bytes, only full lines are continued, and an empty line ends it."""
    content = (artifact.folder / "META-INF/MANIFEST.MF").read_bytes()
    lines = content.decode().split("\n")
    assert lines[-2:] == ["", ""]
    assert max(len(line.encode()) for line in lines) <= 72
    continued = [line for line, following in itertools.pairwise(lines) if following.startswith(" ")]
    assert {len(line.encode()) for line in continued} <= {72}
    assert "" not in lines[:-2]


@every_artifact
def test_manifests_name_their_artifact(artifact: Demo) -> None:
    """A manifest carries the configured id with its directive, the type, a version and a name."""
    assert artifact.header("Bundle-SymbolicName") == f"{artifact.id}; singleton:=true"
    assert artifact.header("SAP-BundleType") == artifact.kind
    assert artifact.header("SAP-NodeType") == "IFLMAP"
    assert re.fullmatch(r"\d+\.\d+\.\d+", artifact.header("Bundle-Version"))
    assert artifact.header("Bundle-Name")
    assert text(xml(artifact.folder / ".project"), "name") == artifact.id
    assert javaproperties.loads((artifact.folder / "metainfo.prop").read_text(encoding="utf-8"))["description"]


@every_flow
def test_flows_run_on_the_classic_runtime(flow: Demo) -> None:
    """A flow's manifest names the runtime profile iflmap."""
    assert flow.header("SAP-RuntimeProfile") == "iflmap"


@pytest.mark.parametrize("artifact_id", ["CustomerValidation", "DeviceScripts", "CustomerToErpMapping"])
def test_what_is_referenced_provides_its_capability(artifact_id: str) -> None:
    """Script collections and message mappings provide a capability with their own id and version."""
    artifact = BY_ID[artifact_id]
    version = artifact.header("Bundle-Version")
    provided = f'{artifact.kind.lower()}.{artifact_id};version:Version="{version}"'
    assert artifact.header("Provide-Capability") == provided


@every_flow
def test_required_capabilities_are_what_the_model_refers_to(flow: Demo) -> None:
    """A flow requires exactly the collections and mappings its steps use, and all of them are in the demo."""
    manifest = unfold(flow.folder / "META-INF/MANIFEST.MF")
    pattern = r'(\w+)\.(\w+);resolution:=optional;bundleType:String="(\w+)";source:String="reference"'
    required = re.findall(pattern, manifest.get("Require-Capability", ""))
    assert all(namespace == kind.lower() for namespace, _, kind in required)
    collections = {("ScriptCollection", step["scriptBundleId"]) for step in flow.steps() if step.get("scriptBundleId")}
    mappings = {
        ("MessageMapping", step["messageMappingBundleId"])
        for step in flow.steps()
        if step.get("messageMappingBundleId")
    }
    assert {(kind, name) for _, name, kind in required} == collections | mappings
    assert all(BY_ID[name].kind == kind for kind, name in collections | mappings)


def test_both_kinds_of_reference_are_shown() -> None:
    """Five flows use a script collection, one a message mapping, and one nothing of another artifact."""
    required = {
        flow.id: sorted(re.findall(r"(\w+\.\w+);resolution", unfold(flow.folder / "META-INF/MANIFEST.MF")[name]))
        for flow in FLOWS
        for name in unfold(flow.folder / "META-INF/MANIFEST.MF")
        if name == "Require-Capability"
    }
    assert required == {
        "CustomerSync": ["scriptcollection.CustomerValidation"],
        "CustomerDataTransform": ["messagemapping.CustomerToErpMapping", "scriptcollection.CustomerValidation"],
        "CustomerEnrichment": ["scriptcollection.CustomerValidation"],
        "DeviceTelemetryIngest": ["scriptcollection.DeviceScripts"],
        "DeviceAlerting": ["scriptcollection.DeviceScripts"],
    }


@every_flow
def test_script_steps_find_their_file_and_function(flow: Demo) -> None:
    """A script step's file exists, in the flow or in the collection it names, and has the function it calls."""
    for path, function in flow.scripts():
        source = path.read_text(encoding="utf-8")
        assert re.search(rf"^Message {function}\(Message message\)", source, re.MULTILINE), (path.name, function)


def test_every_script_is_used() -> None:
    """No script file lies in the demo that no flow calls."""
    assert {path for flow in FLOWS for path, _ in flow.scripts()} == set(PACKAGES.rglob("*.groovy"))


@every_flow
def test_parameters_of_the_model_are_defined_and_have_values(flow: Demo) -> None:
    """The keys in the model's double braces, in parameters.prop and in parameters.propdef are the same."""
    resources = flow.folder / RESOURCES
    used = set(re.findall(r"\{\{([^{}]+)\}\}", flow.model().read_text(encoding="utf-8")))
    values = javaproperties.loads((resources / "parameters.prop").read_text(encoding="utf-8"))
    definitions = xml(resources / "parameters.propdef")
    assert used == set(values) == {text(parameter, "name") for parameter in definitions.iter("parameter")}
    assert used == {reference.attrib["param_key"] for reference in definitions.iter("reference")}
    assert all(values.values())


def test_overrides_name_parameters_and_change_their_values() -> None:
    """Overrides stand on flows only, name keys of the flow, and differ from what its file says."""
    overridden = [artifact for artifact in ARTIFACTS if artifact.overrides]
    assert {artifact.kind for artifact in overridden} == {"IntegrationFlow"}
    for flow in overridden:
        values = javaproperties.loads((flow.folder / RESOURCES / "parameters.prop").read_text(encoding="utf-8"))
        assert set(flow.overrides) <= set(values), flow.id
        assert [key for key, value in flow.overrides.items() if values[key] == value] == []


def test_overrides_show_what_is_easily_spoiled() -> None:
    """Among the overrides are keys with spaces, expressions, leading and trailing zeros and a degree sign."""
    assert BY_ID["CustomerSync"].overrides == {
        "Sender Address": "/demo/customers/sync",
        "Company Code": "0010",
        "Audit Text": 'Customer ${header.CustomerId}: received on "${date:now:yyyy-MM-dd}" & checked',
    }
    assert BY_ID["DeviceAlerting"].overrides["Alert Threshold"] == "72.50"
    assert BY_ID["DeviceAlerting"].overrides["Alert_Subject"] == "Demo: above 72.5 °C on ${date:now:dd.MM.yyyy}"
