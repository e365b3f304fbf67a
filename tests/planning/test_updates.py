"""What the update phase does to an artifact, and why."""

from __future__ import annotations

import pytest

from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, DraftPolicy, PackageId
from cpi_tasks.model.plan import ParameterChange, UpdateAction
from cpi_tasks.model.records import ArtifactRecord
from tests.planning.builders import (
    MAPPING,
    OTHER,
    SAME,
    SCRIPTS,
    content,
    design,
    digest,
    download,
    inventory,
    plan_one,
    spec,
    tenant_package,
    update_of,
)

READ_ONLY = tenant_package(is_read_only=True)
DRAFT = design(version="Active", modified_by="ann@example.com")


def test_what_does_not_exist_is_created() -> None:
    """A new artifact is created, with the parameters that are enforced."""
    of = content(spec(overrides={"host": "prod"}), parameters={"host": "prod", "port": "1"})

    step = update_of(of, inventory())

    assert (step.action, step.reason) == (UpdateAction.CREATE, "does not exist on the tenant")
    assert step.content is of
    assert step.enforced == {"host": "prod"}
    assert step.base_version == ""
    assert step.writes


def test_equal_content_and_parameters_cost_no_write() -> None:
    """What is as wanted is left alone."""
    step = update_of(content(spec()), inventory(design()))

    assert (step.action, step.reason) == (UpdateAction.UNCHANGED, "content and parameters as wanted")
    assert not step.writes


def test_differing_content_is_uploaded() -> None:
    """The paths that differ are named, and the parameters go along."""
    of = content(spec(overrides={"host": "prod"}), OTHER, parameters={"host": "prod"})

    step = update_of(of, inventory(design(version="1.0.7"), parameters={"Flow": {"host": "qa"}}))

    assert (step.action, step.reason) == (UpdateAction.UPDATE, "content differs in script/a.groovy")
    assert step.paths == ("script/a.groovy",)
    assert step.base_version == "1.0.7"
    assert step.enforced == {"host": "prod"}
    assert step.changes == (ParameterChange(key="host", old="qa", new="prod"),)


@pytest.mark.parametrize("kind", [SCRIPTS, MAPPING])
def test_collections_and_mappings_are_uploaded_too(kind: ArtifactKind) -> None:
    """Script collections and message mappings are updated in place like flows."""
    of = content(spec("Lib", kind), OTHER)

    assert update_of(of, inventory(design("Lib", kind))).action is UpdateAction.UPDATE


def test_files_on_one_side_only_are_a_difference() -> None:
    """A file the tenant lacks, and one only the tenant has, both count."""
    of = content(spec(), {"a": "1", "b": "1"})
    tenant = inventory(design(), downloads={"Flow": download({"b": "1", "c": "1"})})

    assert update_of(of, tenant).reason == "content differs in a, c"


@pytest.mark.parametrize("on_draft", list(DraftPolicy))
def test_a_draft_with_the_wanted_content_is_saved(on_draft: DraftPolicy) -> None:
    """A draft that equals the files is ours, whatever ``onDraft`` says."""
    tenant = inventory(DRAFT, downloads={"Flow": download(version="1.0.4")})

    step = update_of(content(spec()), tenant, Settings(on_draft=on_draft))

    assert step.action is UpdateAction.SAVE_VERSION
    assert step.reason == "the tenant has the wanted content as an unsaved draft"
    assert step.base_version == "1.0.4"


def test_a_draft_we_uploaded_is_updated() -> None:
    """A draft that an interrupted run of ours left is overwritten without asking."""
    tenant = inventory(
        DRAFT,
        downloads={"Flow": download({"script/a.groovy": "ours"}, version="1.0.4")},
        records={"Flow": ArtifactRecord(uploaded=digest({"script/a.groovy": "ours"}).fingerprint)},
    )

    step = update_of(content(spec(), OTHER), tenant)

    assert step.action is UpdateAction.UPDATE
    assert step.base_version == "1.0.4"


def test_a_draft_is_foreign_where_our_upload_was_another_one() -> None:
    """Somebody changed the draft after our upload, so it is not ours any more."""
    tenant = inventory(
        DRAFT,
        downloads={"Flow": download({"script/a.groovy": "changed by ann"})},
        records={"Flow": ArtifactRecord(uploaded=digest({"script/a.groovy": "ours"}).fingerprint)},
    )

    assert update_of(content(spec(), OTHER), tenant).action is UpdateAction.REFUSE


def test_a_foreign_draft_fails_the_artifact() -> None:
    """Under ``onDraft: fail`` the artifact fails, with whose draft it is and what to do."""
    step = update_of(content(spec(), OTHER), inventory(DRAFT))

    assert step.action is UpdateAction.REFUSE
    assert step.reason == (
        "the tenant has an unsaved draft by ann@example.com that differs from the files in script/a.groovy"
    )
    assert step.advice == "save or discard the draft in the Web UI, or set onDraft to overwrite or skip"


def test_a_foreign_draft_that_was_never_saved_fails_too() -> None:
    """``Draft`` (no version at all) is a draft like ``Active``."""
    assert update_of(content(spec(), OTHER), inventory(design(version="Draft"))).action is UpdateAction.REFUSE


def test_a_foreign_draft_is_overwritten_where_that_is_asked_for() -> None:
    """Under ``onDraft: overwrite`` the files win."""
    step = update_of(content(spec(), OTHER), inventory(DRAFT), Settings(on_draft=DraftPolicy.OVERWRITE))

    assert step.action is UpdateAction.UPDATE


def test_a_foreign_draft_is_skipped_where_that_is_asked_for() -> None:
    """Under ``onDraft: skip`` nothing of the artifact is written, not even its overrides."""
    of = content(spec(overrides={"host": "prod"}), OTHER, parameters={"host": "prod"})
    tenant = inventory(DRAFT, parameters={"Flow": {"host": "qa"}})

    step = update_of(of, tenant, Settings(on_draft=DraftPolicy.SKIP))

    assert step.action is UpdateAction.KEEP
    assert step.reason.endswith("(onDraft: skip)")
    assert not step.writes


def test_a_read_only_package_keeps_its_content() -> None:
    """Content of a read-only package is neither compared nor sent, and the report says so."""
    tenant = inventory(design(), package=READ_ONLY, downloads={"Flow": download(OTHER)})

    step = update_of(content(spec()), tenant)

    assert step.action is UpdateAction.UNCHANGED
    assert step.reason == "read-only package: content is neither compared nor sent"
    assert step.content is None


def test_overrides_are_written_in_a_read_only_package() -> None:
    """Parameters are what can be configured there."""
    of = content(spec(overrides={"host": "prod"}), OTHER, parameters={"host": "prod"})

    step = update_of(of, inventory(design(), package=READ_ONLY, parameters={"Flow": {"host": "qa"}}))

    assert step.action is UpdateAction.CONFIGURE
    assert step.content is None
    assert step.changes == (ParameterChange(key="host", old="qa", new="prod"),)
    assert step.reason == "read-only package: content is neither compared nor sent; parameter 'host' differs"


def test_a_read_only_package_cannot_take_a_new_artifact() -> None:
    """What is missing in a read-only package fails before anything is sent."""
    step = update_of(content(spec()), inventory(package=READ_ONLY))

    assert step.action is UpdateAction.REFUSE
    assert step.reason == "package 'Pack' is read-only on the tenant and has no artifact 'Flow'"


@pytest.mark.parametrize(
    "tenant",
    [
        inventory(design(), unreadable_packages={PackageId("Pack"): "could not download: the tenant answered 500"}),
        inventory(design(), unreadable_artifacts={ArtifactId("Flow"): "could not download: the tenant answered 500"}),
    ],
    ids=["package", "artifact"],
)
def test_what_cannot_be_read_is_refused_with_the_tenants_words(tenant: Inventory) -> None:
    """An artifact that could not be compared, or whose package could not be read, is not written."""
    step = update_of(content(spec(), OTHER), tenant)

    assert (step.action, step.reason) == (UpdateAction.REFUSE, "could not download: the tenant answered 500")


def test_an_artifact_without_sync_has_no_update() -> None:
    """``sync: false`` leaves an artifact alone, however much it differs."""
    assert plan_one(content(spec(sync=False), OTHER), inventory(design())).update is None


def test_a_new_artifact_of_a_new_package_is_created() -> None:
    """Package and artifact are both made where neither is there."""
    assert update_of(content(spec(), SAME), Inventory()).action is UpdateAction.CREATE


@pytest.mark.parametrize(
    ("files", "tenant", "entries", "warning"),
    [
        ("1.0.1", "1.0.0", OTHER, ()),
        (
            "1.0.0",
            "1.0.0",
            OTHER,
            ("content changes under the unchanged version 1.0.0; raise Bundle-Version to tell the states apart",),
        ),
        (
            "1.0.0",
            "1.0.3",
            OTHER,
            (
                (
                    "the files say version 1.0.0, the tenant has 1.0.3: the tenant's version stays; to go back, "
                    "set Bundle-Version above 1.0.3, or use versioning: exact with --allow-downgrade for 1.0.0"
                ),
            ),
        ),
        (
            "1.0.9",
            "1.0.10",
            OTHER,
            (
                (
                    "the files say version 1.0.9, the tenant has 1.0.10: the tenant's version stays; to go back, "
                    "set Bundle-Version above 1.0.10, or use versioning: exact with --allow-downgrade for 1.0.9"
                ),
            ),
        ),
        (
            "1.1.0",
            "1.0.0",
            SAME,
            ("the files say version 1.1.0, the tenant has the same content as 1.0.0: 1.0.0 stays",),
        ),
        ("1.0.0", "1.0.0", SAME, ()),
        (
            "1.0.0",
            "1.0.3",
            SAME,
            (
                (
                    "the files say version 1.0.0, the tenant has the same content as 1.0.3: the tenant's version "
                    "stays; to go back, set Bundle-Version above 1.0.3, or use versioning: exact with "
                    "--allow-downgrade for 1.0.0"
                ),
            ),
        ),
    ],
)
def test_versions_that_will_not_be_as_the_files_say_draw_a_warning(
    files: str, tenant: str, entries: dict[str, str], warning: tuple[str, ...]
) -> None:
    """The manifest's version counts where it is higher and something is uploaded; else the report warns."""
    of = content(spec(), entries, version=files)

    assert plan_one(of, inventory(design(version=tenant))).warnings == warning


def test_a_new_artifact_draws_no_version_warning() -> None:
    """Where nothing was there the files' version is simply the first one."""
    assert plan_one(content(spec(), version="0.9.0"), inventory()).warnings == ()
