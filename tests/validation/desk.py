"""A configuration with its contents for the checks, and folders that are not on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackageSpec, Position
from cpi_tasks.model.content import ArtifactContent, ContentDigest
from cpi_tasks.model.finding import Finding
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, PackageId
from cpi_tasks.validation import check


@dataclass(slots=True)
class Desk:
    """One configuration of package ``Pack`` in the making, and what its folders hold."""

    files: set[Path] = field(default_factory=set)
    flow_models: dict[Path, list[bytes]] = field(default_factory=dict)
    contents: dict[ArtifactRef, ArtifactContent] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)
    package: str = "Pack"
    short_text: str | None = None
    package_sync: bool = True

    def has(self, file: Path) -> bool:
        """Whether a file was put there."""
        return file in self.files

    def models(self, folder: Path) -> Sequence[bytes]:
        """Give the models that were put there."""
        return self.flow_models.get(folder, [])

    def add(
        self,
        artifact: str = "Flow",
        kind: ArtifactKind = ArtifactKind.INTEGRATION_FLOW,
        *,
        name: str = "A name",
        deploy: bool = True,
        overrides: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        known: frozenset[str] = frozenset(),
        references: frozenset[str] = frozenset(),
        profile: str = "",
        model: bytes = b"",
        files: tuple[str, ...] = (),
    ) -> None:
        """Add an artifact; each one stands ten lines below the one before."""
        folder = Path("packages", "Pack", artifact)
        line = 10 * (len(self.contents) + 1)
        spec = ArtifactSpec(
            ref=ArtifactRef(package=PackageId(self.package), artifact=ArtifactId(artifact)),
            source_id=artifact,
            kind=kind,
            folder=folder,
            display_name=None,
            sync=True,
            deploy=deploy,
            overrides=overrides or {},
            position=Position(file="config.yml", line=line, column=7),
            override_positions={
                key: Position(file="config.yml", line=line + number, column=11)
                for number, key in enumerate(overrides or {}, start=1)
            },
        )
        self.contents[spec.ref] = ArtifactContent(
            spec=spec,
            renames={},
            version="1.0.0",
            name=name,
            digest=ContentDigest(entries={}),
            parameters={**(parameters or {}), **(overrides or {})},
            parameter_types={},
            known_keys=frozenset(parameters or {}) | known,
            references=references,
            runtime_profile=profile,
        )
        self.files |= {folder / path for path in files}
        self.flow_models[folder] = [model]

    @property
    def config(self) -> DeployConfig:
        """The configuration so far."""
        package = PackageSpec(
            id=PackageId(self.package),
            source_id=self.package,
            folder=Path("packages", "Pack"),
            name=None,
            creation_name=self.package,
            description=None,
            short_text=self.short_text,
            sync=self.package_sync,
            deploy=True,
            artifacts=tuple(content.spec for content in self.contents.values()),
            position=Position(file="config.yml", line=2, column=5),
        )
        return DeployConfig(source="config.yml", prefix="", packages=(package,), renames=self.renames)

    def check(self, *, is_complete: bool = True) -> tuple[Finding, ...]:
        """Run all checks."""
        return check([self.config], self.contents, self, is_complete=is_complete)

    def found(self, *, is_complete: bool = True) -> list[str]:
        """Run all checks and give place, severity and rule of each finding."""
        return [
            f"{each.problem.file}:{each.problem.line} {each.severity.value} {each.rule.value}"
            for each in self.check(is_complete=is_complete)
        ]
