"""A consumer's repository in a temporary folder: environment, deploy configuration and artifacts of all four types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import yaml

MODEL = "src/main/resources/scenarioflows/integrationflow/model.iflw"
PROP = "src/main/resources/parameters.prop"
PROPDEF = "src/main/resources/parameters.propdef"
SCRIPT = "src/main/resources/script/Main.groovy"
TYPES = {"flow": "IntegrationFlow", "collection": "ScriptCollection", "mapping": "MessageMapping"}


def manifest(artifact: str, kind: str, version: str, *, name: str = "", more: Mapping[str, str] | None = None) -> bytes:
    """Write a manifest whose long lines are folded at 72 bytes, as tenants do."""
    headers = {
        "Manifest-Version": "1.0",
        "Bundle-ManifestVersion": "2",
        "Bundle-Name": name or f"{artifact} name",
        "Bundle-SymbolicName": f"{artifact}; singleton:=true",
        "Bundle-Version": version,
        "SAP-BundleType": kind,
        "SAP-NodeType": "IFLMAP",
        **(more or {}),
    }
    lines = []
    for header, value in headers.items():
        rest = f"{header}: {value}"
        while len(rest) > 72:
            lines.append(rest[:72])
            rest = f" {rest[72:]}"
        lines.append(rest)
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def step(**properties: str) -> str:
    """Write a step of a flow's model with its settings."""
    inner = "".join(
        f"<ifl:property><key>{key}</key><value>{escape(value)}</value></ifl:property>"
        for key, value in properties.items()
    )
    return f"<bpmn2:callActivity><bpmn2:extensionElements>{inner}</bpmn2:extensionElements></bpmn2:callActivity>"


def model(*steps: str) -> bytes:
    """Write a flow's model."""
    spaces = 'xmlns:bpmn2="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:ifl="http:///com.sap.ifl.model/Ifl.xsd"'
    return f"<bpmn2:definitions {spaces}>{''.join(steps)}</bpmn2:definitions>".encode()


def definitions(keys: Sequence[str], types: Mapping[str, str]) -> bytes:
    """Write the definitions of a flow's parameters."""
    items = "".join(
        f"<parameter><key/><name>{escape(key)}</name><type>{types.get(key, 'xsd:string')}</type></parameter>"
        for key in keys
    )
    return f"<parameters>{items}</parameters>".encode()


def values(*groups: Mapping[str, str]) -> bytes:
    """Write a value mapping; each group maps ``agency/schema`` to a value."""
    text = ""
    for number, group in enumerate(groups):
        entries = ""
        for side, value in group.items():
            agency, _, schema = side.partition("/")
            entries += f"<entry><agency>{agency}</agency><schema>{schema}</schema><value>{value}</value></entry>"
        text += f'<group id="{number:032x}">{entries}</group>'
    return f'<vm version="2.0">{text}</vm>'.encode()


@dataclass(slots=True)
class Project:
    """The repository; ``keys`` are the environment's, ``packages`` the deploy configuration's, both as written."""

    root: Path
    keys: dict[str, object] = field(default_factory=dict)
    packages: dict[str, dict[str, object]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, object]] = field(default_factory=dict)
    configs: dict[str, list[str]] = field(default_factory=dict)
    """Where the deploy configuration is a folder: its files, each with the ids of its packages."""

    def package(self, package: str, **keys: object) -> None:
        """Configure a package."""
        self.packages[package] = {"integrationSuiteId": package, "packageDir": package, **keys, "artifacts": []}

    def artifact(self, package: str, artifact: str, kind: str, files: Mapping[str, bytes], **keys: object) -> None:
        """Configure an artifact and write its folder."""
        if package not in self.packages:
            self.package(package)
        entry: dict[str, object] = {"artifactId": artifact, "artifactDir": artifact, "type": kind, **keys}
        self.artifacts[artifact] = entry
        listed = self.packages[package]["artifacts"]
        assert isinstance(listed, list)
        listed.append(entry)
        for path, data in files.items():
            self.edit(package, artifact, path, data)

    def flow(
        self,
        package: str,
        artifact: str,
        *,
        version: str = "1.0.0",
        parameters: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        scripts_of: str = "",
        mapping_of: str = "",
        more: Mapping[str, str] | None = None,
        name: str = "",
        files: Mapping[str, bytes] | None = None,
        **keys: object,
    ) -> None:
        """Configure an integration flow with one script of its own, by the names of what else it uses."""
        steps = [step(activityType="Script", script="Main.groovy", scriptBundleId="")]
        needs = []
        if scripts_of:
            steps.append(step(activityType="Script", script="Shared.groovy", scriptBundleId=scripts_of))
            needs.append(f'scriptcollection.{scripts_of};resolution:=optional;bundleType:String="ScriptCollection"')
        if mapping_of:
            steps.append(step(mappinguri=f"dir://mmap/{mapping_of}.mmap", messageMappingBundleId=mapping_of))
            needs.append(f'messagemapping.{mapping_of};resolution:=optional;bundleType:String="MessageMapping"')
        steps += [step(value="{{" + key + "}}") for key in parameters or {}]
        headers = {**({"Require-Capability": ",".join(needs)} if needs else {}), **(more or {})}
        content = {
            "META-INF/MANIFEST.MF": manifest(artifact, "IntegrationFlow", version, name=name, more=headers),
            "metainfo.prop": b"#Mon Jan 05 08:00:00 UTC 2026\ndescription=A flow\n",
            MODEL: model(*steps),
            SCRIPT: b"def Message processData(Message message) {\n    return message\n}\n",
        }
        if parameters is not None:
            escaped = {key.replace(" ", "\\ "): value for key, value in parameters.items()}
            content[PROP] = "".join(f"{key}={value}\n" for key, value in escaped.items()).encode()
            content[PROPDEF] = definitions(list(parameters), types or {})
        self.artifact(package, artifact, "IntegrationFlow", {**content, **(files or {})}, **keys)

    def collection(self, package: str, artifact: str, *, version: str = "1.0.0", **keys: object) -> None:
        """Configure a script collection."""
        provided = {"Provide-Capability": f'scriptcollection.{artifact};version:Version="{version}"'}
        content = {
            "META-INF/MANIFEST.MF": manifest(artifact, "ScriptCollection", version, more=provided),
            "src/main/resources/script/Shared.groovy": b"def shared() { 1 }\n",
        }
        self.artifact(package, artifact, "ScriptCollection", content, **keys)

    def mapping(self, package: str, artifact: str, *, version: str = "1.0.0", **keys: object) -> None:
        """Configure a message mapping."""
        provided = {"Provide-Capability": f'messagemapping.{artifact};version:Version="{version}"'}
        content = {
            "META-INF/MANIFEST.MF": manifest(artifact, "MessageMapping", version, more=provided),
            f"src/main/resources/mapping/{artifact}.mmap": b"<mapping><from>Order</from><to>Invoice</to></mapping>",
        }
        self.artifact(package, artifact, "MessageMapping", content, **keys)

    def values(
        self, package: str, artifact: str, *groups: Mapping[str, str], version: str = "1.0.0", **keys: object
    ) -> None:
        """Configure a value mapping."""
        content = {
            "META-INF/MANIFEST.MF": manifest(artifact, "ValueMapping", version),
            "value_mapping.xml": values(*(groups or ({"ERP/Country": "DE", "CRM/Country": "Germany"},))),
        }
        self.artifact(package, artifact, "ValueMapping", content, **keys)

    def every_kind(self) -> None:
        """Configure two packages with artifacts of all four types, a flow that uses others, and parameters."""
        self.package("Sales", displayName="Sales", short_text="Orders and invoices", description="What we sell")
        self.flow(
            "Sales", "Orders", scripts_of="Scripts", mapping_of="OrderToInvoice", parameters={"Host": "a.example"}
        )
        self.collection("Sales", "Scripts")
        self.mapping("Sales", "OrderToInvoice")
        self.values("Sales", "Countries")
        self.flow("Stock", "Counting", parameters={"Receiver Host": "b.example", "Zero": ""}, version="1.0.3")
        self.override("Counting", {"Receiver Host": "c.example"})

    def override(self, artifact: str, overrides: Mapping[str, str]) -> None:
        """Set the ``configOverrides`` of an artifact."""
        self.artifacts[artifact]["configOverrides"] = dict(overrides)

    def edit(self, package: str, artifact: str, path: str, data: bytes) -> None:
        """Write a file of an artifact."""
        file = self.folder(package, artifact) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def folder(self, package: str, artifact: str) -> Path:
        """Give an artifact's folder."""
        return self.root / "packages" / package / str(self.artifacts[artifact]["artifactDir"])

    def raise_version(self, package: str, artifact: str, version: str) -> None:
        """Give an artifact's manifest another version."""
        path = self.folder(package, artifact) / "META-INF/MANIFEST.MF"
        lines = path.read_bytes().split(b"\r\n")
        changed = [f"Bundle-Version: {version}".encode() if x.startswith(b"Bundle-Version") else x for x in lines]
        path.write_bytes(b"\r\n".join(changed))

    def save(self) -> None:
        """Write the environment ``x`` and the deploy configuration."""
        source = "configs" if self.configs else "config.yml"
        environment = {"packagesDir": "packages", "deployConfig": source, **self.keys}
        folder = self.root / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "x.yml").write_text(yaml.safe_dump(environment), encoding="utf-8")
        self._save_config("config.yml", list(self.packages))
        for name, packages in self.configs.items():
            self._save_config(f"configs/{name}.yml", packages)

    def _save_config(self, name: str, packages: list[str]) -> None:
        file = self.root / name
        file.parent.mkdir(exist_ok=True)
        listed = [self.packages[package] for package in packages]
        file.write_text(yaml.safe_dump({"packages": listed}, sort_keys=False), encoding="utf-8")
