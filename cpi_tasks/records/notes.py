"""What deployment records hold, as lines of JSON: of several lines about the same thing the last one counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from cpi_tasks.model.naming import ArtifactId, PackageId
from cpi_tasks.model.records import ArtifactRecord, Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledArtifact:
    """A baseline and the id of the key that made its digests; empty where it has none."""

    baseline: Baseline
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledPackage:
    """Keyed digests of a package's metadata and the id of the key that made them."""

    metadata: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Everything noted about one tenant."""

    records: dict[ArtifactId, ArtifactRecord] = field(default_factory=dict)
    artifacts: dict[ArtifactId, SettledArtifact] = field(default_factory=dict)
    packages: dict[PackageId, SettledPackage] = field(default_factory=dict)
    authors: dict[str, dict[str, int]] = field(default_factory=dict)
    """For each login the names that the tenant showed after its writes, case-folded, with their weights."""

    def __len__(self) -> int:
        """Count what is noted, which is the lines of the short form."""
        authors = sum(len(names) for names in self.authors.values())
        return len(self.records) + len(self.artifacts) + len(self.packages) + authors

    def take(self, line: str) -> None:
        """Let a line count, unless it was cut short, is of another version or is not ours."""
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            return
        match fields:
            case {
                "artifact": str(artifact),
                "uploaded": str() | None as uploaded,
                "is_pending": bool(is_pending),
                "is_triggered": bool(is_triggered),
                "content": str() | None as content,
                "parameters": str() | None as parameters,
                "deployed_on": int() | None as deployed_on,
            }:
                took_s, modified_at = fields.get("took_s"), fields.get("modified_at")
                # Lines of earlier releases have neither: what was triggered then may be under way.
                unseen, ran_before = fields.get("unseen", int(is_triggered)), fields.get("ran_before")
                self.records[ArtifactId(artifact)] = ArtifactRecord(
                    uploaded=uploaded,
                    is_pending=is_pending,
                    is_triggered=is_triggered,
                    content=content,
                    parameters=parameters,
                    deployed_on=deployed_on,
                    took_s=took_s if isinstance(took_s, float | int) else None,
                    modified_at=modified_at if isinstance(modified_at, int) else None,
                    unseen=unseen if isinstance(unseen, int) else int(is_triggered),
                    ran_before=ran_before if isinstance(ran_before, int) else None,
                )
            case {
                "settled": str(artifact),
                "content": str() | None as content,
                "version": str() | None as version,
                "parameters": digests,
                "key": str(key),
            } if is_texts(digests):
                modified_at = fields.get("modified_at")
                baseline = Baseline(
                    content=content,
                    version=version,
                    modified_at=modified_at if isinstance(modified_at, int) else None,
                    parameters=digests,
                )
                self.artifacts[ArtifactId(artifact)] = SettledArtifact(baseline=baseline, key=key)
            case {"package": str(package), "metadata": metadata, "key": str(key)} if is_texts(metadata):
                self.packages[PackageId(package)] = SettledPackage(metadata=metadata, key=key)
            case {"login": str(login), "author": str(name), "weight": int(weight)}:
                self.authors.setdefault(login, {})[name] = weight
            case _:
                return

    def lines(self) -> str:
        """Give the short form: one line for each thing that counts."""
        return "".join(
            [
                *(record_line(*item) for item in self.records.items()),
                *(artifact_line(*item) for item in self.artifacts.items()),
                *(package_line(*item) for item in self.packages.items()),
                *(
                    author_line(login, name, weight)
                    for login, names in self.authors.items()
                    for name, weight in names.items()
                ),
            ]
        )


def record_line(artifact: ArtifactId, record: ArtifactRecord) -> str:
    """Give the line for an artifact's record."""
    return _line({"artifact": artifact, **asdict(record)})


def artifact_line(artifact: ArtifactId, settled: SettledArtifact) -> str:
    """Give the line for how a run left an artifact."""
    return _line({"settled": artifact, **asdict(settled.baseline), "key": settled.key})


def package_line(package: PackageId, settled: SettledPackage) -> str:
    """Give the line for how a run left a package's metadata."""
    return _line({"package": package, "metadata": settled.metadata, "key": settled.key})


def author_line(login: str, name: str, weight: int) -> str:
    """Return the line for a name that the tenant showed after a write of a login."""
    return _line({"login": login, "author": name, "weight": weight})


def is_texts(value: object) -> bool:
    """Tell whether a value read from JSON is an object of texts."""
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _line(fields: Mapping[str, object]) -> str:
    # The line break comes first as well: a line that a kill cut short must not swallow the next one.
    return "\n" + json.dumps(fields, separators=(",", ":")) + "\n"
