"""Whether what design time holds is what runs, as a drift check tells it, and whose doing it is where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import DeployAction
from cpi_tasks.model.records import ArtifactRecord
from cpi_tasks.model.tenant import RuntimeArtifact
from tests.planning.builders import OTHER, RECORD, TRIGGERED, content, decided, runtime, spec
from tests.planning.remembered import ANN, Told, drift, left, remembering, told, visited

NOTHING = ArtifactRecord()
BEHIND = "was changed by ann@example.com after its last deployment"
OF = content(spec())


def runtime_drift(tenant: Inventory, of: ArtifactContent = OF) -> Told:
    return told(drift(of, remembering(tenant, left())))


@pytest.mark.parametrize(
    ("record", "origin"),
    [
        (RECORD, "someone's edit"),
        (NOTHING, "differs, origin unknown"),
        (TRIGGERED, "your change"),
        (replace(RECORD, is_pending=True), "your change"),
    ],
    ids=["was running", "no record", "triggered by us", "written by us"],
)
def test_what_is_not_deployed_is_told(record: ArtifactRecord, origin: str) -> None:
    """Somebody undeployed what an earlier run saw running; what a run never finished is your own."""
    tenant = replace(visited(record=record), runtime={})

    assert runtime_drift(tenant) == [("runtime", origin, "not deployed")]


@pytest.mark.parametrize(
    ("running", "record", "said"),
    [
        (runtime(status="ERROR", deployed_on=3_000), RECORD, ("someone's edit", "is ERROR on the tenant")),
        # It is the very deployment that we saw running: that it fails now is nobody's edit.
        (runtime(status="ERROR"), RECORD, ("differs, origin unknown", "is ERROR on the tenant")),
        (runtime(status="ERROR"), NOTHING, ("differs, origin unknown", "is ERROR on the tenant")),
        (runtime(status="STOPPING"), RECORD, ("someone's edit", "is STOPPING on the tenant")),
        (runtime(version="0.9.0"), RECORD, ("someone's edit", "runs version 0.9.0, design time has 1.0.0")),
        (runtime(version="0.9.0"), NOTHING, ("differs, origin unknown", "runs version 0.9.0, design time has 1.0.0")),
        (runtime(version="0.9.0"), TRIGGERED, ("your change", "runs version 0.9.0, design time has 1.0.0")),
        (
            runtime(status="STARTING", version="0.9.0"),
            RECORD,
            ("someone's edit", "runs version 0.9.0, design time has 1.0.0"),
        ),
    ],
)
def test_what_runs_otherwise_is_told(running: RuntimeArtifact, record: ArtifactRecord, said: tuple[str, str]) -> None:
    """A failed or another deployment is somebody's where the record knows a different one of ours."""
    tenant = visited(running=replace(running, deployed_by=ANN), record=record)

    (entry,) = drift(OF, remembering(tenant, left()))

    assert told([entry]) == [("runtime", *said)]
    assert (entry.by, entry.at) == (ANN, running.deployed_on)


@pytest.mark.parametrize(
    "running", [runtime(), runtime(status="STARTING"), runtime(deployed_on=3_000), runtime(deployed_on=None)]
)
def test_what_runs_or_starts_in_the_right_version_is_no_drift(running: RuntimeArtifact) -> None:
    """That somebody deployed the same state again, or that times are not given, is no difference."""
    assert runtime_drift(visited(running=running)) == []


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (NOTHING, [("runtime", "differs, origin unknown", BEHIND)]),
        (replace(RECORD, parameters="other values"), [("runtime", "someone's edit", BEHIND)]),
        (replace(RECORD, content="other content"), [("runtime", "someone's edit", BEHIND)]),
        (replace(RECORD, is_pending=True, content=None), [("runtime", "your change", BEHIND)]),
        (RECORD, []),
    ],
    ids=["no record", "other parameters ran", "other content ran", "written by us", "proved by the record"],
)
def test_a_change_that_was_never_deployed_is_told(record: ArtifactRecord, said: Told) -> None:
    """Files and design time are equal, and yet something older runs: a run would deploy, so a check must not be green.

    So it is with a fix that somebody saved and you took into the files, and with an edit that only the last run's
    lost record could have shown.
    """
    tenant = visited(modified_at=2_500, record=record)

    assert runtime_drift(tenant) == said
    assert (decided(tenant)[0] is DeployAction.DEPLOY) == bool(said)


def test_what_a_run_wrote_and_nobody_saw_running_is_told() -> None:
    """A run that was cut off between its write and its deployment leaves a difference, however the times look."""
    tenant = visited(record=replace(RECORD, is_pending=True))

    assert runtime_drift(tenant) == [
        ("runtime", "your change", "an earlier run wrote a change that was never seen running")
    ]


@pytest.mark.parametrize(
    ("running", "detail"),
    [(None, "not deployed"), (runtime(status="ERROR", deployed_on=3_000), "is ERROR on the tenant")],
)
def test_your_own_change_does_not_hide_what_somebody_stopped(running: RuntimeArtifact | None, detail: str) -> None:
    """Differing content explains an older version that runs, not that nothing does."""
    tenant = visited()
    tenant = replace(tenant, runtime={} if running is None else {ArtifactId("Flow"): running})

    assert runtime_drift(tenant, content(spec(), OTHER)) == [
        ("content", "your change", "content differs in script/a.groovy"),
        ("runtime", "someone's edit", detail),
    ]


def test_your_own_change_does_not_hide_an_older_version_that_runs() -> None:
    """Files that have moved on change nothing on the tenant: who deployed something else there is told."""
    tenant = visited(running=runtime(version="0.9.0"))

    assert [entry[:2] for entry in runtime_drift(tenant, content(spec(), OTHER))] == [
        ("content", "your change"),
        ("runtime", "someone's edit"),
    ]


@pytest.mark.parametrize("entries", [OTHER, None], ids=["content", "version"])
def test_what_follows_from_somebodys_edit_is_not_told_again(entries: dict[str, str] | None) -> None:
    """Who saves a new version leaves the older one running: that is one difference."""
    tenant = visited(entries or {"script/a.groovy": "one"}, version="1.2.0", modified_at=2_500)

    assert len(runtime_drift(tenant)) == 1


def test_a_draft_runs_in_any_version() -> None:
    """What was deployed of a draft has some version of its own; only the draft is told."""
    assert [entry[0] for entry in runtime_drift(visited(version="Active", running=runtime(version="1.0.3")))] == [
        "draft"
    ]


def test_what_is_not_deployed_by_runs_is_not_looked_at() -> None:
    """``deploy: false`` leaves the runtime to others."""
    assert runtime_drift(replace(visited(), runtime={}), content(spec(deploy=False))) == []
