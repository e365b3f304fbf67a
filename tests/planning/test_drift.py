"""In what a tenant differs from the files, and who made it so: contents, drafts, versions, deletions, locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cpi_tasks.model.config import DeployConfig, Settings
from cpi_tasks.model.naming import ArtifactId, PackageId, VersionPolicy
from cpi_tasks.model.plan import Origin
from cpi_tasks.model.records import ArtifactRecord, Baseline
from cpi_tasks.model.tenant import DesigntimeLock
from cpi_tasks.planning import find_drift
from tests.planning.builders import (
    OTHER,
    RECORD,
    SAME,
    content,
    digest,
    inventory,
    package,
    spec,
    tenant_package,
)
from tests.planning.remembered import ANN, Told, drift, left, remembering, told, visited

THIRD = {"script/a.groovy": "three"}
OURS = ArtifactRecord(uploaded=digest(OTHER).fingerprint, is_pending=True)
EXACT = Settings(versioning=VersionPolicy.EXACT)
DIFFERS = "content differs in script/a.groovy"
DRAFT_DIFFERS = "an unsaved draft that differs in script/a.groovy"
DRAFT_EQUAL = "an unsaved draft with the content of the files"
DELETED = "deleted on the tenant, or moved to another package"


@pytest.mark.parametrize("baseline", [None, left(), left(OTHER)], ids=["no record", "as left", "both moved alike"])
def test_nothing_is_told_where_both_sides_are_equal(baseline: Baseline | None) -> None:
    """Equal content, parameters and version that run are no drift, whatever was left before."""
    of = content(spec(overrides={"host": "prod"}), parameters={"host": "prod"})
    tenant = remembering(visited(parameters={"host": "prod"}), baseline, [of])

    assert drift(of, tenant) == []


@pytest.mark.parametrize(
    ("files", "tenant", "baseline", "origin"),
    [
        (OTHER, SAME, left(SAME), Origin.FILES),
        (SAME, OTHER, left(SAME), Origin.TENANT),
        (THIRD, OTHER, left(SAME), Origin.BOTH),
        (OTHER, SAME, None, Origin.UNKNOWN),
        (OTHER, SAME, Baseline(version="1.0.0"), Origin.UNKNOWN),
    ],
    ids=["your change", "someone's edit", "both", "no record", "content not on record"],
)
def test_differing_content_has_the_author_that_the_record_shows(
    files: Mapping[str, str], tenant: Mapping[str, str], baseline: Baseline | None, origin: Origin
) -> None:
    """The side that moved since the last run made the difference; without a record nobody is named."""
    (entry,) = drift(content(spec(), files), remembering(visited(tenant), baseline))

    assert told([entry]) == [("content", origin.value, DIFFERS)]
    assert (entry.by, entry.at) == (("", None) if origin is Origin.FILES else (ANN, 1_000))


def test_a_description_is_told_without_an_author() -> None:
    """No record covers the description of an artifact, so whose change it is stays open."""
    tenant = remembering(visited(), left())
    there = tenant.downloads[ArtifactId("Flow")]
    other = replace(tenant, downloads={ArtifactId("Flow"): replace(there, digest=digest(SAME, "theirs"))})

    assert told(drift(content(spec(), description="ours"), other)) == [
        ("content", "differs, origin unknown", "content differs in metainfo.prop")
    ]


@pytest.mark.parametrize(
    ("record", "baseline", "origin"),
    [
        (OURS, left(SAME), "your change"),
        (OURS, None, "your change"),
        (replace(OURS, is_pending=False), left(SAME), "changed on both sides"),
        (ArtifactRecord(), left(SAME), "changed on both sides"),
    ],
    ids=["cut off", "cut off, first run", "an older upload came back", "never ours"],
)
def test_what_a_run_uploaded_that_was_cut_off_is_nobodys_edit(
    record: ArtifactRecord, baseline: Baseline | None, origin: str
) -> None:
    """Our own upload counts as ours only until a run has settled: then somebody may have restored it."""
    tenant = remembering(visited(OTHER, record=record), baseline)

    assert told(drift(content(spec(), THIRD), tenant)) == [("content", origin, DIFFERS)]


@pytest.mark.parametrize(
    ("files", "tenant", "baseline", "record", "said"),
    [
        (SAME, OTHER, left(), RECORD, ("someone's edit", DRAFT_DIFFERS)),
        (THIRD, OTHER, left(), RECORD, ("changed on both sides", DRAFT_DIFFERS)),
        # Opened and saved without a change, or with one of a parameter: a draft that stands in the way all the same.
        (OTHER, SAME, left(), RECORD, ("changed on both sides", DRAFT_DIFFERS)),
        (SAME, SAME, left(), RECORD, ("someone's edit", DRAFT_EQUAL)),
        (OTHER, OTHER, left(), RECORD, ("someone's edit", DRAFT_EQUAL)),
        (SAME, OTHER, None, RECORD, ("differs, origin unknown", DRAFT_DIFFERS)),
        (SAME, SAME, None, RECORD, ("differs, origin unknown", DRAFT_EQUAL)),
        (THIRD, OTHER, left(), OURS, ("your change", DRAFT_DIFFERS)),
        (OTHER, OTHER, left(), OURS, ("your change", DRAFT_EQUAL)),
        (OTHER, SAME, left(version=None), RECORD, ("your change", DRAFT_DIFFERS)),
        (SAME, SAME, left(version=None), RECORD, ("your change", DRAFT_EQUAL)),
        (SAME, OTHER, left(version=None), RECORD, ("someone's edit", DRAFT_DIFFERS)),
    ],
)
def test_a_draft_is_told_with_who_left_it(
    files: Mapping[str, str],
    tenant: Mapping[str, str],
    baseline: Baseline | None,
    record: ArtifactRecord,
    said: tuple[str, str],
) -> None:
    """A draft is ours where a run left or uploaded just that; any other is somebody's, also with the old content."""
    held = remembering(visited(tenant, version="Active", record=record), baseline)

    assert [entry for entry in told(drift(content(spec(), files), held)) if entry[0] != "runtime"] == [("draft", *said)]


def test_a_version_that_somebody_saved_is_told() -> None:
    """The same content under another version than the last run left is an edit."""
    (entry,) = drift(content(spec()), remembering(visited(version="1.2.0"), left()))

    assert told([entry]) == [("version", "someone's edit", "saved as version 1.2.0, the last run left 1.0.0")]
    assert (entry.by, entry.at) == (ANN, 1_000)


@pytest.mark.parametrize("baseline", [None, left(version="1.0"), left(version=None)])
def test_no_version_is_told_where_none_is_known_to_have_moved(baseline: Baseline | None) -> None:
    """Without a record there is nothing to compare; 1.0 and 1.0.0 are one version."""
    assert drift(content(spec(), version="3.0.0"), remembering(visited(), baseline)) == []


def test_a_version_that_moved_with_somebodys_content_is_told_once() -> None:
    """Who changes content saves it as a version: that is one edit."""
    assert told(drift(content(spec()), remembering(visited(OTHER, version="1.0.1"), left()))) == [
        ("content", "someone's edit", DIFFERS)
    ]


def test_a_version_is_told_beside_your_own_change() -> None:
    """Your change of the content does not hide that somebody saved a version."""
    assert told(drift(content(spec(), OTHER), remembering(visited(version="1.2.0"), left()))) == [
        ("content", "your change", DIFFERS),
        ("version", "someone's edit", "saved as version 1.2.0, the last run left 1.0.0"),
    ]


def test_a_version_saved_by_a_run_that_was_cut_off_is_nobodys_edit() -> None:
    """The baseline is older than our own upload then, so its version proves nothing."""
    tenant = remembering(visited(OTHER, version="1.1.0", record=OURS), left())

    assert [entry for entry in told(drift(content(spec(), OTHER), tenant)) if entry[0] == "version"] == []


@pytest.mark.parametrize(("baseline", "origin"), [(None, "differs, origin unknown"), (left(), "your change")])
def test_under_exact_another_version_alone_is_a_difference(baseline: Baseline | None, origin: str) -> None:
    """``exact`` saves the files' version also where nothing else differs, except in packages that are read-only."""
    of, tenant = content(spec(), version="1.1.0"), remembering(visited(), baseline)
    detail = "the files say version 1.1.0, the tenant has 1.0.0 (versioning: exact)"
    read_only = replace(tenant, packages={PackageId("Pack"): tenant_package(is_read_only=True)})

    assert told(drift(of, tenant, EXACT)) == [("version", origin, detail)]
    assert drift(of, read_only, EXACT) == []
    assert told(drift(content(spec(), OTHER, version="1.1.0"), tenant, EXACT)) == [("content", origin, DIFFERS)]


@pytest.mark.parametrize(
    ("baselines", "said"),
    [
        ({"Flow": left()}, [("missing", "someone's edit", DELETED)]),
        ({"Another": left()}, [("missing", "your change", "not on the tenant yet")]),
        ({}, [("missing", "differs, origin unknown", "not on the tenant")]),
    ],
    ids=["was there", "was not there", "no record at all"],
)
def test_what_is_missing_was_deleted_or_not_sent_yet(baselines: Mapping[str, Baseline], said: Told) -> None:
    """Only a record tells the two apart: without any, a deletion must not pass for your own change."""
    tenant = replace(inventory(), baselines={ArtifactId(name): baseline for name, baseline in baselines.items()})

    assert told(drift(content(spec()), tenant)) == said


def test_what_takes_no_part_in_a_run_is_not_missed() -> None:
    """With neither ``sync`` nor ``deploy`` an artifact is not even looked for, though it was left there once."""
    of = content(spec(sync=False, deploy=False))

    assert drift(of, remembering(inventory(), left())) == []


def test_without_sync_only_what_runs_counts() -> None:
    """``sync: false`` leaves content, drafts and versions alone, however they moved since an earlier run."""
    of = content(spec(sync=False))

    tenant = remembering(visited(OTHER, version="Active"), left())
    assert drift(of, tenant) == []
    assert told(drift(of, replace(tenant, runtime={}))) == [("runtime", "someone's edit", "not deployed")]


@pytest.mark.parametrize(
    ("files", "tenant", "package_left", "said"),
    [
        ("new", "old", {"ShortText": "old"}, [("metadata", "your change", "the package's ShortText differs")]),
        ("old", "new", {"ShortText": "old"}, [("metadata", "someone's edit", "the package's ShortText differs")]),
        (
            "one",
            "two",
            {"ShortText": "old"},
            [("metadata", "changed on both sides", "the package's ShortText differs")],
        ),
        ("one", "two", None, [("metadata", "differs, origin unknown", "the package's ShortText differs")]),
        ("one", "one", {"ShortText": "old"}, []),
    ],
)
def test_metadata_of_a_package_is_told_by_field(
    files: str, tenant: str, package_left: Mapping[str, str] | None, said: Told
) -> None:
    """Each field that the files name is compared with the tenant's and with what the last run left."""
    of = content(spec())
    named = package(of.spec, short_text=files)
    held = replace(visited(), packages={PackageId("Pack"): tenant_package(metadata={"ShortText": tenant})})
    known = remembering(held, left(), packages=[named], package_left=package_left)

    entries = drift(of, known, in_package=named)

    assert told(entries) == said
    assert all((entry.package, entry.ref, entry.kind) == ("Pack", None, None) for entry in entries)


@pytest.mark.parametrize("is_read_only", [True, False])
def test_metadata_that_a_run_leaves_alone_is_not_told(is_read_only: bool) -> None:
    """That is so in read-only packages, and for packages with ``sync: false``."""
    of = content(spec())
    named = package(of.spec, short_text="ours", sync=is_read_only)
    held = tenant_package(metadata={"ShortText": "theirs"}, is_read_only=is_read_only)

    assert drift(of, replace(visited(), packages={PackageId("Pack"): held}), in_package=named) == []


@pytest.mark.parametrize(
    ("package_left", "said"),
    [
        ({"Name": "Pack"}, ("missing", "someone's edit", "the package was deleted on the tenant")),
        (None, ("missing", "differs, origin unknown", "the package is not on the tenant")),
    ],
)
def test_a_missing_package_is_told(package_left: Mapping[str, str] | None, said: tuple[str, str, str]) -> None:
    """Deleted where the last run left it there; beside it stands what it should hold."""
    tenant = replace(remembering(inventory(), None, package_left=package_left), packages={})

    assert told(drift(content(spec()), tenant))[0] == said


def test_what_cannot_be_read_never_passes_for_equal() -> None:
    """An unreadable artifact, and a package of which nothing could be read, are entries with the tenant's words."""
    of, sick = content(spec()), "could not download: the tenant answered 500"
    artifact = replace(visited(), unreadable_artifacts={ArtifactId("Flow"): sick})
    whole = replace(inventory(), packages={}, unreadable_packages={PackageId("Pack"): sick})

    assert told(drift(of, artifact)) == [("unreadable", "differs, origin unknown", sick)]
    assert [(entry.ref, *told([entry])[0]) for entry in drift(of, whole)] == [
        (None, "unreadable", "differs, origin unknown", sick)
    ]


def test_a_lock_is_told_beside_everything_else() -> None:
    """Who has an artifact open is named, with the time, also where it differs already."""
    lock = DesigntimeLock(artifact=ArtifactId("Flow"), created_by=ANN, created_at=5_000)
    tenant = replace(remembering(visited(OTHER), left()), locks={ArtifactId("Flow"): lock})

    entries = drift(content(spec()), tenant)

    assert told(entries) == [
        ("content", "someone's edit", DIFFERS),
        ("lock", "someone's edit", "open in an editor by ann@example.com"),
    ]
    assert (entries[1].by, entries[1].at) == ("", 5_000)


def test_entries_follow_the_files() -> None:
    """Packages and artifacts stand in the order in which they are configured."""
    one, two, three = spec("Z"), spec("A"), spec("M", package="Early")
    config = DeployConfig(
        source="deploy.yml", prefix="", packages=(package(one, two), package(three, called="Early")), renames={}
    )

    entries = find_drift(config, {}, inventory(), Settings())

    assert [entry.ref and entry.ref.artifact for entry in entries] == ["Z", "A", None, "M"]
