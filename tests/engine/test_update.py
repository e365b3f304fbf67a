"""The update phase: order, what a failure keeps out, and what is written to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trio.testing import MockClock

from cpi_tasks.errors import AuthenticationError, TenantError
from cpi_tasks.events import ArtifactUpdated, DeploymentTriggered, Phase, PhaseFinished
from cpi_tasks.model.naming import ArtifactId
from cpi_tasks.model.plan import ArtifactPlan, PackageAction, ParameterChange, UpdateAction, UpdateStep
from cpi_tasks.model.report import Status
from cpi_tasks.model.tenant import DesigntimeLock
from tests.support.bench import FLOW, Bench, deployment, deploys_of, plan_of, ref, rejected, unavailable
from tests.support.script import Script

CREATE, UPDATE, CONFIGURE = UpdateAction.CREATE, UpdateAction.UPDATE, UpdateAction.CONFIGURE


def change(key: str, new: str, old: str | None = "old") -> ParameterChange:
    return ParameterChange(key=key, old=old, new=new)


async def test_no_deployment_before_every_update_ended(bench: Bench, autojump_clock: MockClock) -> None:
    """The first deployment is triggered after the last update, however long that took and however it ended."""
    for artifact in "ABC":
        bench.tenant.have(artifact, package=artifact)
    bench.tenant.slow["update A"] = [100.0]
    bench.tenant.slow["update B"] = [200.0]
    bench.tenant.faults["update B"] = [rejected()]
    updates = [bench.update(bench.content(a, package=a), UPDATE) for a in "AB"]

    await bench.carry_out(plan_of(*updates, deployment("C", package="C")))

    kinds = [type(event) for event in bench.events]
    last_update = max(n for n, kind in enumerate(kinds) if kind is ArtifactUpdated)
    assert last_update < kinds.index(DeploymentTriggered)
    assert min(bench.tenant.at("trigger A") + bench.tenant.at("trigger C")) >= 200
    finished = [event.phase for event in bench.events if isinstance(event, PhaseFinished)]
    assert finished == [Phase.UPDATE, Phase.DEPLOY]


async def test_failed_update_keeps_its_deployment_out(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact whose update failed is not deployed, with a pointer to that; others go on."""
    for artifact in "AB":
        bench.tenant.have(artifact)
    bench.tenant.faults["update A"] = [rejected("CANNOT_UPDATE_BUNDLE")]

    report = await bench.carry_out(plan_of(*(bench.update(bench.content(a), UPDATE) for a in "AB")))

    (failed, done) = report.artifacts()
    assert failed.update is not None
    assert failed.deploy is not None
    assert (failed.update.status, failed.deploy.status) == (Status.FAILED, Status.ABORTED)
    assert failed.update.reason.endswith("the tenant answered 400 Bad Request: CANNOT_UPDATE_BUNDLE")
    assert failed.deploy.reason == "its update failed"
    assert [step.status for step in done.steps] == [Status.DONE, Status.DONE]


async def test_package_that_cannot_be_created(bench: Bench, autojump_clock: MockClock) -> None:
    """All artifacts of a package that cannot be created are aborted in both phases; nothing is sent for them."""
    bench.tenant.faults["create_package P"] = [rejected("Enter a valid Id.")]

    report = await bench.carry_out(
        plan_of(*(bench.update(bench.content(a), CREATE) for a in "AB"), action=PackageAction.CREATE)
    )

    (package,) = report.packages
    assert package.update is not None
    assert package.update.status is Status.FAILED
    assert {step.status for artifact in package.artifacts for step in artifact.steps} == {Status.ABORTED}
    assert bench.tenant.names == ["create_package P"]


async def test_metadata_failure_alone(bench: Bench, autojump_clock: MockClock) -> None:
    """A package whose metadata alone fails is red, and its artifacts go on."""
    bench.tenant.have("A")
    bench.tenant.faults["update_package P"] = [rejected()]

    report = await bench.carry_out(plan_of(bench.update(bench.content("A"), UPDATE), action=PackageAction.UPDATE))

    (package,) = report.packages
    assert package.update is not None
    assert (package.update.status, package.update.summary) == (Status.FAILED, "not metadata updated")
    assert [step.status for step in package.artifacts[0].steps] == [Status.DONE, Status.DONE]


@pytest.mark.parametrize(
    ("action", "call"), [(PackageAction.CREATE, "create_package P"), (PackageAction.UPDATE, "update_package P")]
)
async def test_package_metadata_is_sent(
    bench: Bench, autojump_clock: MockClock, action: PackageAction, call: str
) -> None:
    """A package's metadata is sent as planned, before anything of its artifacts."""
    await bench.carry_out(plan_of(bench.update(bench.content("A"), CREATE), action=action))

    assert bench.tenant.names[0] == call
    assert bench.tenant.packages["P"] == {"Name": "Orders", "ShortText": "Orders"}


@pytest.mark.parametrize("action", [CREATE, UPDATE, UpdateAction.REPLACE, UpdateAction.SAVE_VERSION, CONFIGURE])
async def test_write_is_on_record_before_it_is_sent(
    bench: Bench, autojump_clock: MockClock, action: UpdateAction
) -> None:
    """A write that needs a deployment is noted before the first call that changes the tenant."""
    content = bench.content("A")
    if action is not CREATE:
        bench.tenant.have("A", version="Active" if action is UpdateAction.SAVE_VERSION else "1.0.0")
        bench.tenant.archives["A"] = b""
    bench.settings = replace(bench.settings, value_mappings=bench.settings.value_mappings.REPLACE)
    step = UpdateStep(action=action, reason="asked for", changes=(change("Host", "b"),))

    await bench.carry_out(plan_of(bench.update(content, action, step=step)))

    names = bench.tenant.names
    writes = ("create A", "update A", "delete A", "save A", "write A")
    assert names.index("note_write A") < next(n for n, name in enumerate(names) if name.startswith(writes))
    assert names.index("note_write A") < names.index("trigger A") < names.index("note_running A")


async def test_record_names_what_was_uploaded(bench: Bench, autojump_clock: MockClock) -> None:
    """After a green run the record holds the content's fingerprint and the parameters as the tenant has them."""
    content = bench.content("A", parameters={"Host": "a", "Port": "1"})
    step = UpdateStep(action=CREATE, reason="asked for", enforced={"Host": "b"})

    await bench.carry_out(plan_of(bench.update(content, CREATE, step=step)))

    record = bench.records.records["A"]
    assert record.uploaded == record.content == content.digest.fingerprint
    assert record.parameters == "Host=b,Port=1"
    assert not record.is_pending


async def test_failed_deployment_stays_pending(bench: Bench, autojump_clock: MockClock) -> None:
    """What was written and not seen running stays pending, so that the next run deploys it."""
    bench.tenant.have("A")
    bench.tenant.scripts["A"] = Script(ends="ERROR")

    await bench.carry_out(plan_of(bench.update(bench.content("A"), UPDATE)))

    assert bench.records.records["A"].is_pending


async def test_enforced_parameters_after_an_upload(bench: Bench, autojump_clock: MockClock) -> None:
    """After an upload the parameters are read again, and only what differs is written."""
    bench.tenant.have("A")
    bench.tenant.parameters["A"] = {"Host": "by hand", "Port": "1", "Kept": "by hand"}
    content = bench.content("A", parameters={"Host": "a", "Port": "1", "Kept": "a", "New": "n"})
    step = UpdateStep(action=UPDATE, reason="asked for", enforced={"Host": "b", "Port": "1", "New": "n"})

    (outcome,) = await bench.updated(bench.update(content, UPDATE, step=step))

    assert [name for name in bench.tenant.names if name.startswith("write ")] == ["write A Host=b"]
    assert bench.tenant.parameters["A"] == {"Host": "b", "Port": "1", "Kept": "by hand", "New": "n"}
    assert outcome.summary == "updated to 1.0.1, 1 parameter written"


async def test_upload_without_enforced_parameters_reads_none(timed: Bench, autojump_clock: MockClock) -> None:
    """Where no parameter is enforced and the time of change is proof, none is read."""
    await timed.updated(timed.update(timed.content("A", parameters={"Host": "a"}), CREATE))

    assert timed.tenant.count("parameters") == 0


async def test_upload_without_a_time_of_change_reads_what_the_record_names(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Where only the record proves anything later, it names the values that the tenant shows."""
    bench.tenant.added["A"] = {"SAP_ProfileId": "iflmap"}

    await bench.carry_out(plan_of(bench.update(bench.content("A", parameters={"Host": "a"}), CREATE)))

    assert bench.tenant.count("parameters") == 1
    assert bench.records.records["A"].parameters == "Host=a,SAP_ProfileId=iflmap"


async def test_configure_writes_exactly_the_changes(bench: Bench, autojump_clock: MockClock) -> None:
    """A flow whose parameters alone differ gets these values and no upload; all are read back once."""
    bench.tenant.have("A")
    wanted = {"a": "1", "b": "2", "c": ""}
    changes = (change("a", "1"), change("c", ""))
    step = UpdateStep(action=CONFIGURE, reason="asked for", enforced=wanted, changes=changes)

    (outcome,) = await bench.updated(bench.update(bench.content("A"), CONFIGURE, step=step))

    writes = [name for name in bench.tenant.names if not name.startswith(("note", "look", "task", "trigger", "list"))]
    assert writes == ["write A a=1", "write A c=", "parameters A"]
    assert outcome.summary == "configured 2 parameters"


async def test_steps_that_write_nothing(bench: Bench, autojump_clock: MockClock) -> None:
    """What is unchanged, kept or refused sends nothing; the refused one keeps its deployment out."""
    actions = {"A": UpdateAction.UNCHANGED, "B": UpdateAction.KEEP, "C": UpdateAction.REFUSE}
    for artifact in actions:
        bench.tenant.have(artifact)
    planned = [
        ArtifactPlan(ref=ref(a), kind=FLOW, update=UpdateStep(action=action, reason="because", advice="do this"))
        for a, action in actions.items()
    ]

    outcomes = await bench.updated(*planned[:2], replace(planned[2], deploy=deployment("C").deploy))

    assert [outcome.status for outcome in outcomes] == [Status.UNCHANGED, Status.SKIPPED, Status.FAILED]
    assert {outcome.reason for outcome in outcomes} == {"because"}
    assert bench.tenant.names == []


async def test_lock_names_the_owner(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact open in the editor is red with the name of who has it open."""
    bench.tenant.have("A")
    bench.tenant.locks = (DesigntimeLock(artifact=ArtifactId("A"), created_by="kim@example.com"),)
    bench.tenant.faults["update A"] = [rejected("Cannot update the artifact as it is locked")]

    (outcome,) = await bench.updated(bench.update(bench.content("A"), UPDATE))

    assert "open for editing by kim@example.com in the Web UI" in outcome.reason
    assert outcome.advice == "have it saved or closed by kim@example.com, then rerun"


async def test_lock_without_a_list(bench: Bench, autojump_clock: MockClock) -> None:
    """Where locks cannot be listed the tenant's own words remain."""
    bench.tenant.have("A")
    bench.tenant.faults["update A"] = [rejected("Cannot update the artifact as it is locked")]
    bench.tenant.faults["locks"] = [unavailable()]

    (outcome,) = await bench.updated(bench.update(bench.content("A"), UPDATE))

    assert outcome.reason.endswith("Cannot update the artifact as it is locked")


async def test_id_owned_by_another_package(bench: Bench, autojump_clock: MockClock) -> None:
    """An id that exists in another package is named with that package, which is left as it is."""
    content = bench.content("A", package="P")
    planned = bench.update(content, CREATE)
    bench.tenant.have("A", package="Elsewhere")

    (outcome,) = await bench.updated(planned)

    assert outcome.status is Status.FAILED
    assert outcome.reason.startswith("artifact id 'A' belongs to package 'Elsewhere' on the tenant already")
    assert bench.tenant.artifacts["A"].package == "Elsewhere"


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (rejected("gone", status=500), "fix what the tenant names, then rerun"),
        (AuthenticationError("login refused"), "check the credentials of the environment"),
    ],
)
async def test_read_after_a_write_fails(
    bench: Bench, autojump_clock: MockClock, error: TenantError, advice: str
) -> None:
    """An upload that cannot be read back is red, because nobody knows the version to expect."""
    bench.tenant.have("A")
    bench.tenant.faults["read A"] = [error]

    (outcome,) = await bench.updated(bench.update(bench.content("A"), UPDATE))

    assert (outcome.status, outcome.advice) == (Status.FAILED, advice)
    assert bench.tenant.count("trigger") == 0
    assert bench.records.records["A"].is_pending


async def test_artifact_vanished_after_the_write(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact somebody deleted right after our upload is red with that guess."""
    bench.tenant.have("A")
    bench.tenant.slow["read A"] = [5.0]
    planned = bench.update(bench.content("A"), UPDATE)
    bench.tenant.at_each_await = lambda: bench.tenant.artifacts.clear() if bench.tenant.names[-1] == "read A" else None

    (outcome,) = await bench.updated(planned)

    assert "somebody may have deleted it meanwhile" in outcome.reason


async def test_files_that_changed_during_the_run(bench: Bench, autojump_clock: MockClock) -> None:
    """An artifact whose folder vanished is red by itself; others go on."""
    for artifact in "AB":
        bench.tenant.have(artifact)
    plans = [bench.update(bench.content(a), UPDATE) for a in "AB"]
    assert plans[0].update is not None
    assert plans[0].update.content is not None
    (plans[0].update.content.spec.folder / "META-INF/MANIFEST.MF").unlink()

    report = await bench.carry_out(plan_of(*plans))

    assert deploys_of(report) == {"A": "aborted", "B": "done"}
    (vanished, _) = report.artifacts()
    assert vanished.update is not None
    assert vanished.update.reason.startswith("its files changed during the run: ")


async def test_updates_side_by_side(bench: Bench, autojump_clock: MockClock) -> None:
    """Packages update side by side: nine uploads of 10 s in three packages take little more than 20 s."""
    plans = [
        bench.update(bench.content(f"{package}{n}", package=package), CREATE, deployed=False)
        for package in "PQR"
        for n in range(3)
    ]
    bench.tenant.slow["create"] = [10.0] * 9

    report = await bench.carry_out(plan_of(*plans))

    assert report.update_s is not None
    assert 10 <= report.update_s <= 21
