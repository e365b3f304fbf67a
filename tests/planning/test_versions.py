"""Which version an artifact is to have after a step, under each setting of ``versioning``, and what draws a warning."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.naming import DraftPolicy, VersionPolicy
from cpi_tasks.model.plan import ArtifactPlan, UpdateAction
from cpi_tasks.planning import why_refused
from tests.planning.builders import (
    OTHER,
    SAME,
    VALUES,
    content,
    design,
    download,
    inventory,
    package,
    plan,
    plan_one,
    spec,
    tenant_package,
    update_of,
)

MANIFEST, EXACT, KEEP, BUMP = VersionPolicy.MANIFEST, VersionPolicy.EXACT, VersionPolicy.KEEP, VersionPolicy.BUMP


def planned(
    policy: VersionPolicy, files: str, tenant: str, entries: Mapping[str, str] = OTHER, *, draft_of: str = ""
) -> ArtifactPlan:
    """Plan a flow; with ``draft_of`` the tenant has a draft of that version with the wanted content."""
    of = content(spec(), entries, version=files)
    held = {"Flow": download(entries if draft_of else None, version=draft_of or tenant)}
    there = inventory(design(version="Active" if draft_of else tenant), downloads=held)
    return plan_one(of, there, Settings(versioning=policy, allow_downgrade=True))


def version_of(artifact: ArtifactPlan) -> str:
    assert artifact.update is not None
    return artifact.update.version


@pytest.mark.parametrize(
    ("policy", "files", "tenant", "version"),
    [
        (MANIFEST, "1.0.1", "1.0.0", "1.0.1"),
        (MANIFEST, "1.0.0", "1.0.0", "1.0.0"),
        (MANIFEST, "1.0.9", "1.0.10", "1.0.10"),
        (EXACT, "1.0.1", "1.0.0", "1.0.1"),
        (EXACT, "1.0.9", "1.0.10", "1.0.9"),
        (KEEP, "2.0.0", "1.0.0", "1.0.0"),
        (KEEP, "1.0.0", "2.0.0", "2.0.0"),
        (BUMP, "1.0.0", "1.0.0", "1.0.1"),
        (BUMP, "1.0.0", "1.0.7", "1.0.8"),
        (BUMP, "1.1.0", "1.0.7", "1.1.0"),
    ],
)
def test_changed_content_ends_in_the_version_that_the_setting_names(
    policy: VersionPolicy, files: str, tenant: str, version: str
) -> None:
    """Higher by the manifest, exactly it, the tenant's, or the next patch where the manifest is not higher."""
    step = update_of(
        content(spec(), OTHER, version=files),
        inventory(design(version=tenant)),
        Settings(versioning=policy, allow_downgrade=True),
    )

    assert (step.action, step.version) == (UpdateAction.UPDATE, version)
    assert step.is_version_binding == (policy is EXACT)


@pytest.mark.parametrize(
    ("policy", "files", "draft_of", "version"),
    [
        (MANIFEST, "1.2.0", "1.0.4", "1.2.0"),
        # A draft cannot be saved without a number of its own.
        (MANIFEST, "1.0.0", "1.0.4", "1.0.5"),
        (MANIFEST, "1.0.4", "1.0.4", "1.0.5"),
        (EXACT, "1.2.0", "1.0.4", "1.2.0"),
        (KEEP, "1.2.0", "1.0.4", "1.0.4"),
        (BUMP, "1.0.0", "1.0.4", "1.0.5"),
    ],
)
def test_a_draft_is_saved_as_the_version_that_the_setting_names(
    policy: VersionPolicy, files: str, draft_of: str, version: str
) -> None:
    """What counts is the version that the draft's own manifest carries."""
    artifact = planned(policy, files, "", draft_of=draft_of)

    assert artifact.update is not None
    assert (artifact.update.action, artifact.update.version) == (UpdateAction.SAVE_VERSION, version)


@pytest.mark.parametrize("policy", list(VersionPolicy))
def test_a_new_artifact_has_the_files_version(policy: VersionPolicy) -> None:
    """Where nothing was there, no setting can mean another one."""
    step = update_of(content(spec(), version="0.9.0"), inventory(), Settings(versioning=policy))

    assert (step.action, step.version) == (UpdateAction.CREATE, "0.9.0")


@pytest.mark.parametrize("policy", [MANIFEST, KEEP, BUMP])
@pytest.mark.parametrize("files", ["0.9.0", "1.0.0", "2.0.0"])
def test_equal_content_keeps_its_version(policy: VersionPolicy, files: str) -> None:
    """Without changed content nothing is written, whatever the files' version."""
    step = update_of(content(spec(), version=files), inventory(design()), Settings(versioning=policy))

    assert (step.action, step.version) == (UpdateAction.UNCHANGED, "")


@pytest.mark.parametrize("files", ["2.0.0", "0.9.0"])
def test_exact_saves_the_files_version_of_equal_content(files: str) -> None:
    """Under ``exact`` another version alone is a step of its own, and its reason says so."""
    step = update_of(content(spec(), version=files), inventory(design()), Settings(versioning=EXACT))

    assert (step.action, step.version, step.is_version_binding) == (UpdateAction.SAVE_VERSION, files, True)
    assert step.reason == (
        f"the files say version {files}, the tenant has the same content as 1.0.0 (versioning: exact)"
    )


def test_exact_takes_parameters_along() -> None:
    """What was to be configured is still set, and stands in the reason."""
    of = content(spec(overrides={"host": "a"}), parameters={"host": "a"}, version="2.0.0")

    step = update_of(of, inventory(design(), parameters={"Flow": {"host": "x"}}), Settings(versioning=EXACT))

    assert step.action is UpdateAction.SAVE_VERSION
    assert [change.key for change in step.changes] == ["host"]
    assert step.reason.endswith("(versioning: exact); parameter 'host' differs")


@pytest.mark.parametrize("files", ["1.0", "1.0.0", "1"])
def test_exact_leaves_the_same_version_alone(files: str) -> None:
    """1.0 and 1.0.0 are one version, so nothing is to be saved."""
    step = update_of(content(spec(), version=files), inventory(design()), Settings(versioning=EXACT))

    assert step.action is UpdateAction.UNCHANGED


def test_a_read_only_packages_artifact_keeps_its_version() -> None:
    """Its content is not sent, so no setting saves a version of it."""
    tenant = inventory(design(), package=tenant_package(is_read_only=True))

    step = update_of(content(spec(), version="2.0.0"), tenant, Settings(versioning=EXACT))

    assert (step.action, step.version) == (UpdateAction.UNCHANGED, "")


@pytest.mark.parametrize(("policy", "version"), [(MANIFEST, "1.0.3"), (EXACT, "1.0.0"), (BUMP, "1.0.4")])
def test_a_replaced_value_mapping_follows_the_setting(policy: VersionPolicy, version: str) -> None:
    """It is created anew, and yet its version does not go down by itself."""
    of = content(spec("Map", VALUES), OTHER, version="1.0.0", values=frozenset())
    tenant = inventory(design("Map", VALUES, version="1.0.3"), downloads={"Map": download(values=frozenset())})

    step = update_of(of, tenant, Settings(versioning=policy, allow_downgrade=True))

    assert (step.action, step.version) == (UpdateAction.REPLACE, version)


def test_a_replaced_draft_of_a_value_mapping_needs_no_new_number() -> None:
    """It is deleted with its draft, so the number of the last saved version is free."""
    of = content(spec("Map", VALUES), OTHER, version="1.0.0", values=frozenset())
    tenant = inventory(
        design("Map", VALUES, version="Active"), downloads={"Map": download(version="1.0.3", values=frozenset())}
    )

    step = update_of(of, tenant, Settings(on_draft=DraftPolicy.OVERWRITE))

    assert (step.action, step.version) == (UpdateAction.REPLACE, "1.0.3")


@pytest.mark.parametrize(
    ("artifact", "warnings"),
    [
        (planned(KEEP, "2.0.0", "1.0.0"), ()),
        (planned(BUMP, "1.0.0", "1.0.0"), ()),
        (planned(BUMP, "1.0.0", "1.0.7"), ()),
        (planned(EXACT, "1.0.1", "1.0.0"), ()),
        (
            planned(EXACT, "1.0.0", "1.0.0"),
            ("content changes under the unchanged version 1.0.0; raise Bundle-Version to tell the states apart",),
        ),
        (
            planned(EXACT, "1.0.0", "1.0.7"),
            ("the version goes down from 1.0.7 to 1.0.0, as --allow-downgrade permits",),
        ),
        (
            planned(EXACT, "1.0.0", "1.0.7", SAME),
            ("the version goes down from 1.0.7 to 1.0.0, as --allow-downgrade permits",),
        ),
        (planned(MANIFEST, "1.2.0", "", draft_of="1.0.4"), ()),
    ],
)
def test_a_warning_is_given_only_where_the_setting_did_not_ask_for_it(
    artifact: ArtifactPlan, warnings: tuple[str, ...]
) -> None:
    """What ``keep`` and ``bump`` do is what was asked for; a version that goes down is told."""
    assert artifact.warnings == warnings


def refusal(policy: VersionPolicy, *, allow: bool, files: str = "1.0.0") -> tuple[str, ...]:
    flows = [content(spec(name), OTHER, version=files) for name in ("Flow", "Second")]
    tenant = inventory(design(version="1.0.7"), design("Second", version="2.0.0"))
    settings = Settings(versioning=policy, allow_downgrade=allow)
    one_plan = plan([package(*(flow.spec for flow in flows))], flows, tenant, settings)
    return why_refused([one_plan], settings)


def test_a_plan_says_that_a_lower_version_is_refused() -> None:
    """Without ``--allow-downgrade`` nothing permits it, and the plan says what would."""
    of = content(spec(), OTHER, version="1.0.0")
    there = inventory(design(version="1.0.7"), downloads={"Flow": download()})

    assert plan_one(of, there, Settings(versioning=EXACT)).warnings == (
        ("refused: the version would go down from 1.0.7 to 1.0.0; --allow-downgrade permits it"),
    )


def test_a_version_goes_down_only_where_that_is_allowed() -> None:
    """Without ``--allow-downgrade`` the run is refused, with every artifact concerned; with it, it is not."""
    (text,) = refusal(EXACT, allow=False)

    assert text == (
        "versioning: exact would lower versions on the tenant, which is done only with --allow-downgrade: "
        "'Pack/Flow' has 1.0.7, the files say 1.0.0; 'Pack/Second' has 2.0.0, the files say 1.0.0"
    )
    assert refusal(EXACT, allow=True) == ()


def test_a_version_alone_that_would_go_down_is_refused_too() -> None:
    """Equal content makes no difference."""
    of = content(spec(), version="0.9.0")
    settings = Settings(versioning=EXACT)

    (text,) = why_refused([plan([package(of.spec)], [of], inventory(design()), settings)], settings)

    assert text.endswith("'Pack/Flow' has 1.0.0, the files say 0.9.0")


@pytest.mark.parametrize("policy", [MANIFEST, KEEP, BUMP])
def test_no_other_setting_lowers_a_version(policy: VersionPolicy) -> None:
    """Only ``exact`` can, so only it is refused."""
    assert refusal(policy, allow=False) == ()


def test_a_higher_version_is_never_refused() -> None:
    """``exact`` going up needs no permission."""
    assert refusal(EXACT, allow=False, files="3.0.0") == ()


def test_what_is_no_version_is_not_called_lower() -> None:
    """A tenant that shows a text instead of a version takes the files' version."""
    assert version_of(planned(KEEP, "1.0.0", "nightly")) == "1.0.0"
    assert planned(EXACT, "1.0.0", "nightly").warnings == ()
