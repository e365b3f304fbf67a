"""Versions: tenants store them in different ways, and the deployment waits for the one that was read back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.content import read_archive
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, PackageId, VersionPolicy
from cpi_tasks.model.plan import UpdateAction
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import DesigntimeArtifact
from tests.support.bench import FLOW, VALUES, Bench, outcome_of, plan_of, rejected
from tests.support.fake_tenant import FakeTenant, Versions


@pytest.mark.parametrize("versions", ["manifest", "keep", "draft"])
async def test_higher_version_is_uploaded(bench: Bench, autojump_clock: MockClock, versions: Versions) -> None:
    """However a tenant treats Bundle-Version, a higher one ends as the saved version, and that one must run."""
    bench.tenant.versions = versions
    bench.tenant.have("A", version="1.0.3")
    bench.tenant.run("A", version="1.0.3")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="1.0.4"), UpdateAction.UPDATE)))

    found = outcome_of(report, "A")
    assert [step.summary for step in found.steps] == ["updated to 1.0.4", "deployed 1.0.4"]
    assert bench.tenant.artifacts["A"].version == "1.0.4"
    assert bench.tenant.count("save") == (0 if versions == "manifest" else 1)
    assert report.warnings == ()


@pytest.mark.parametrize(("versions", "version"), [("manifest", "1.0.3"), ("keep", "1.0.3"), ("draft", "1.0.4")])
@pytest.mark.parametrize("wanted", ["1.0.3", "1.0.2"])
async def test_same_or_lower_version_is_uploaded(
    bench: Bench, autojump_clock: MockClock, versions: Versions, version: str, wanted: str
) -> None:
    """The tenant's version stays where the manifest's is not higher; a draft is saved under the next number."""
    bench.tenant.versions = versions
    bench.tenant.have("A", version="1.0.3")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version=wanted), UpdateAction.UPDATE)))

    found = outcome_of(report, "A")
    assert [step.status for step in found.steps] == [Status.DONE, Status.DONE]
    assert bench.tenant.artifacts["A"].version == version


@pytest.mark.parametrize(("versions", "saves"), [("manifest", 0), ("keep", 1), ("draft", 1)])
async def test_created_with_the_manifests_version(
    bench: Bench, autojump_clock: MockClock, versions: Versions, saves: int
) -> None:
    """A new artifact ends with the manifest's version where the tenant stored a lower one or a draft."""
    bench.tenant.versions = versions

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="1.2.0"), UpdateAction.CREATE)))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["created 1.2.0", "deployed 1.2.0"]
    assert bench.tenant.count("save") == saves


class Forgetful(FakeTenant):
    """Answers every creation with 1.0.0, whatever it stored."""

    async def create_artifact(
        self, artifact: ArtifactId, kind: ArtifactKind, *, package: PackageId, name: str, archive: bytes
    ) -> DesigntimeArtifact:
        """Create one."""
        created = await super().create_artifact(artifact, kind, package=package, name=name, archive=archive)
        return replace(created, version="1.0.0")


async def test_creation_answered_with_another_version(bench: Bench, autojump_clock: MockClock) -> None:
    """The answer to a creation is not believed where it names another version than the manifest."""
    bench.tenant = Forgetful()
    bench.__post_init__()

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="1.0.1"), UpdateAction.CREATE)))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["created 1.0.1", "deployed 1.0.1"]
    assert bench.tenant.count("save") == 0


async def test_version_that_cannot_be_raised(bench: Bench, autojump_clock: MockClock) -> None:
    """Where the tenant refuses the number, the content is there and runs, and a warning tells the difference."""
    bench.tenant.versions = "keep"
    bench.tenant.have("A", version="1.0.3")
    bench.tenant.faults["save"] = [rejected("CANNOT_UPDATE_BUNDLE")]

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="1.0.4"), UpdateAction.UPDATE)))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["updated 1.0.3", "deployed 1.0.3"]
    (warning,) = report.warnings
    assert warning.startswith("P/A: stays version 1.0.3 instead of 1.0.4: ")


class Stubborn(FakeTenant):
    """Accepts SaveAsVersion and keeps its version."""

    async def save_version(self, artifact: ArtifactId, kind: ArtifactKind, version: str) -> None:  # noqa: ARG002
        """Do nothing."""
        await self._arrive(f"save {artifact} {version}")


@pytest.mark.parametrize("versions", ["keep", "draft"])
async def test_version_that_is_not_kept(bench: Bench, autojump_clock: MockClock, versions: Versions) -> None:
    """A tenant that accepts a version number and does not keep it draws a warning, and what it has is deployed."""
    bench.tenant = Stubborn()
    bench.__post_init__()
    bench.tenant.versions = versions
    bench.tenant.have("A", version="1.0.3")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="1.0.4"), UpdateAction.UPDATE)))

    assert [step.status for step in outcome_of(report, "A").steps] == [Status.DONE, Status.DONE]
    stored = "1.0.3" if versions == "keep" else "Active"
    assert report.warnings == (f"P/A: stays version {stored} instead of 1.0.4: the tenant did not keep it",)


async def test_own_draft_is_saved(bench: Bench, autojump_clock: MockClock) -> None:
    """A draft with the wanted content is saved as a version without an upload, and deployed as that."""
    bench.tenant.have("A", version="Active")
    planned = bench.update(bench.content("A", version="1.0.4"), UpdateAction.SAVE_VERSION)
    assert planned.update is not None
    planned = replace(planned, update=replace(planned.update, base_version="1.0.3"))

    report = await bench.carry_out(plan_of(planned))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["saved as 1.0.4", "deployed 1.0.4"]
    assert bench.tenant.count("update") == 0


async def test_draft_that_cannot_be_saved(bench: Bench, autojump_clock: MockClock) -> None:
    """A draft the tenant will not save is red: its content has no version."""
    bench.tenant.versions = "draft"
    bench.tenant.have("A", version="1.0.3")
    bench.tenant.faults["save"] = [rejected("CANNOT_UPDATE_BUNDLE")]

    (outcome,) = await bench.updated(bench.update(bench.content("A"), UpdateAction.UPDATE))

    assert outcome.status is Status.FAILED
    assert "CANNOT_UPDATE_BUNDLE" in outcome.reason


EXACT, KEEP, BUMP = VersionPolicy.EXACT, VersionPolicy.KEEP, VersionPolicy.BUMP


@pytest.mark.parametrize("versions", ["manifest", "keep", "draft"])
@pytest.mark.parametrize(
    ("policy", "wanted", "version"),
    [
        (EXACT, "1.0.4", "1.0.4"),
        (EXACT, "1.0.2", "1.0.2"),
        (EXACT, "1.0.3", "1.0.3"),
        (KEEP, "1.0.4", "1.0.3"),
        (KEEP, "1.0.2", "1.0.3"),
        (BUMP, "1.0.3", "1.0.4"),
        (BUMP, "1.0.2", "1.0.4"),
        (BUMP, "1.2.0", "1.2.0"),
    ],
)
async def test_changed_content_ends_in_the_version_of_the_policy(
    bench: Bench, autojump_clock: MockClock, versions: Versions, policy: VersionPolicy, wanted: str, version: str
) -> None:
    """However a tenant treats ``Bundle-Version``, changed content is saved and runs as what ``versioning`` says."""
    bench.settings = replace(bench.settings, versioning=policy)
    bench.tenant.versions = versions
    bench.tenant.have("A", version="1.0.3")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version=wanted), UpdateAction.UPDATE)))

    word = "updated" if version == "1.0.3" else "updated to"
    assert [step.summary for step in outcome_of(report, "A").steps] == [f"{word} {version}", f"deployed {version}"]
    assert bench.tenant.artifacts["A"].version == version
    assert read_archive(bench.tenant.archives["A"], artifact=ArtifactId("A"), kind=FLOW).version == version
    assert report.warnings == ()


@pytest.mark.parametrize("policy", list(VersionPolicy))
@pytest.mark.parametrize("versions", ["manifest", "keep", "draft"])
async def test_what_is_new_has_the_files_version(
    bench: Bench, autojump_clock: MockClock, versions: Versions, policy: VersionPolicy
) -> None:
    """A creation ends in the manifest's version under every policy and on every tenant: there is no other to keep."""
    bench.settings = replace(bench.settings, versioning=policy)
    bench.tenant.versions = versions

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="0.9.0"), UpdateAction.CREATE)))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["created 0.9.0", "deployed 0.9.0"]
    assert report.warnings == ()


@pytest.mark.parametrize("wanted", ["1.0.4", "1.0.2"])
@pytest.mark.parametrize("versions", ["keep", "draft"])
async def test_exact_version_that_is_not_kept(
    bench: Bench, autojump_clock: MockClock, versions: Versions, wanted: str
) -> None:
    """Under ``exact`` a tenant that shows another version after taking the call fails the artifact, undeployed."""
    bench.settings = replace(bench.settings, versioning=EXACT)
    bench.tenant = Stubborn()
    bench.__post_init__()
    bench.tenant.versions = versions
    bench.tenant.have("A", version="1.0.3")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version=wanted), UpdateAction.UPDATE)))

    update, deploy = outcome_of(report, "A").steps
    stored = "1.0.3" if versions == "keep" else "Active"
    assert (update.status, deploy.status) == (Status.FAILED, Status.ABORTED)
    assert f"it took the call but shows version {stored}" in update.reason


@pytest.mark.parametrize("versions", ["keep", "draft"])
async def test_exact_version_that_is_refused(bench: Bench, autojump_clock: MockClock, versions: Versions) -> None:
    """Under ``exact`` a version that the tenant refuses fails the artifact with the tenant's words."""
    bench.settings = replace(bench.settings, versioning=EXACT)
    bench.tenant.versions = versions
    bench.tenant.have("A", version="1.0.3")
    bench.tenant.faults["save"] = [rejected("CANNOT_UPDATE_BUNDLE")]

    (outcome,) = await bench.updated(bench.update(bench.content("A", version="1.0.2"), UpdateAction.UPDATE))

    assert outcome.status is Status.FAILED
    assert "CANNOT_UPDATE_BUNDLE" in outcome.reason
    assert bench.records.baselines == {}


@pytest.mark.parametrize("versions", ["manifest", "keep", "draft"])
async def test_exact_version_of_content_as_wanted(timed: Bench, autojump_clock: MockClock, versions: Versions) -> None:
    """A flow that differs in its version alone goes up once more, because a version is only saved after a change."""
    timed.settings = replace(timed.settings, versioning=EXACT)
    timed.tenant.versions = versions
    timed.have(timed.content("A", version="1.0.3"))

    report = await timed.run(timed.content("A", version="1.0.2"))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["updated to 1.0.2", "deployed 1.0.2"]
    assert timed.tenant.count("update") == 1
    assert timed.backups.states["A"] == ("1.0.3", {})


async def test_exact_version_of_a_value_mapping(timed: Bench, autojump_clock: MockClock) -> None:
    """A value mapping as wanted but for its version is saved under that, neither deleted nor created."""
    timed.settings = replace(timed.settings, versioning=EXACT)
    timed.have(timed.content("M", kind=VALUES, version="1.0.3"))

    report = await timed.run(timed.content("M", kind=VALUES, version="1.0.4"))

    assert [step.summary for step in outcome_of(report, "M").steps] == ["saved as 1.0.4", "deployed 1.0.4"]
    assert [name for name in timed.tenant.names if name.startswith(("save", "delete", "create"))] == ["save M 1.0.4"]


async def test_kept_version_that_a_draft_cannot_have(bench: Bench, autojump_clock: MockClock) -> None:
    """Where a tenant saves no draft under a number it has, ``keep`` ends in the next one, and a warning says why."""
    bench.settings = replace(bench.settings, versioning=KEEP)
    bench.tenant.versions = "draft"
    bench.tenant.have("A", version="1.0.3")
    bench.tenant.faults["save A 1.0.3"] = [rejected("Version already exists")]

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="2.0.0"), UpdateAction.UPDATE)))

    assert [step.summary for step in outcome_of(report, "A").steps] == ["updated to 1.0.4", "deployed 1.0.4"]
    assert report.warnings == (
        "P/A: stays version 1.0.4 instead of 1.0.3: the tenant saves no draft under a number it has already",
    )


async def test_kept_version_on_a_tenant_that_saves_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    """A draft that stays one whatever is called draws one warning, with what the tenant shows in the end."""
    bench.settings = replace(bench.settings, versioning=KEEP)
    bench.tenant = Stubborn()
    bench.__post_init__()
    bench.tenant.versions = "draft"
    bench.tenant.have("A", version="1.0.3")

    report = await bench.carry_out(plan_of(bench.update(bench.content("A", version="2.0.0"), UpdateAction.UPDATE)))

    assert report.warnings == ("P/A: stays version Active instead of 1.0.4: the tenant did not keep it",)
