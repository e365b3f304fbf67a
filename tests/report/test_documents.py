"""Plans for machines: one JSON document whose keys scripts may rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import pytest

from cpi_tasks.model.content import DiffStatus, FileDiff
from cpi_tasks.model.naming import ArtifactRef, PackageId
from cpi_tasks.model.plan import (
    DeployAction,
    DeployStep,
    Origin,
    PackageAction,
    PackagePlan,
    Plan,
    UpdateAction,
    UpdateStep,
)
from cpi_tasks.model.tenant import DesigntimeArtifact, IntegrationPackage, RuntimeArtifact
from cpi_tasks.report import Redactor, plan_json
from tests.planning.builders import content, spec
from tests.report.plans import CREATE, DEPLOY, FLOW, REFUSE, SAME, UPDATE, artifact, change, package, plan, ref

Json = Mapping[str, object]
A, B = ref("A"), ref("B")
BEFORE = DesigntimeArtifact(id=A.artifact, kind=FLOW, package=A.package, version="1.0.0", name="A")
FULL = UpdateStep(
    action=UpdateAction.SAVE_VERSION,
    reason="differs",
    advice="look",
    before=BEFORE,
    base_version="1.0.0",
    version="1.0.1",
    paths=("a.iflw",),
    changes=(change("host", None, "b", Origin.UNKNOWN), change("apiKey", "", "geheim")),
    kept=(change("url", "https://u:geheim@h", "c", Origin.TENANT),),
    only_on_tenant=("old",),
    origin=Origin.BOTH,
)
WATCH = DeployStep(
    action=DeployAction.WATCH,
    reason="under way",
    before=RuntimeArtifact(id=A.artifact, version="1.0.0", status="STARTING"),
    version="1.0.1",
    depends_on=frozenset({B, A}),
    fires_timer=True,
)


def document(*plans: Plan, diffs: Mapping[ArtifactRef, Sequence[FileDiff]] | None = None) -> Json:
    text = plan_json(plans, Redactor(), environment="prod", tenant="t1", diffs=diffs)
    return cast("Json", json.loads(text))


def artifacts(*plans: Plan) -> list[Json]:
    return cast("list[Json]", document(*plans)["artifacts"])


def test_an_empty_plan_has_every_key() -> None:
    """A script finds each key whatever is in the plan; numbers are there even where they are zero."""
    assert document() == {
        "formatVersion": 1,
        "environment": "prod",
        "tenant": "t1",
        "hasChanges": False,
        "hasRefusals": False,
        "refusals": [],
        "warnings": [],
        "counts": {
            "packages": {"total": 0, "create": 0, "update": 0, "unchanged": 0, "keep": 0, "refuse": 0},
            "artifacts": {
                "total": 0, "create": 0, "update": 0, "configure": 0, "replace": 0, "saveVersion": 0, "deploy": 0,
                "watch": 0, "unchanged": 0, "keep": 0, "skip": 0, "refuse": 0, "heldUp": 0,
            },
        },
        "packages": [],
        "artifacts": [],
    }  # fmt: skip


def test_an_artifact_has_everything_that_is_planned_for_it() -> None:
    """Every field of both steps; values of parameters that look secret are masked, and the document says so."""
    (found,) = artifacts(plan(package(artifact("A", FULL, WATCH, warnings=("w",)))))
    assert found == {
        "package": "P",
        "id": "A",
        "kind": "IntegrationFlow",
        "source": "c.yml",
        "update": {
            "action": "saveVersion",
            "reason": "differs",
            "advice": "look",
            "origin": "both",
            "fromVersion": "1.0.0",
            "toVersion": "1.0.1",
            "paths": ["a.iflw"],
            "parameters": [
                {"key": "host", "origin": "unknown", "secret": False, "old": None, "new": "b"},
                {"key": "apiKey", "origin": "files", "secret": True, "old": "", "new": "***"},
            ],
            "kept": [{"key": "url", "origin": "tenant", "secret": True, "old": "***", "new": "***"}],
            "onlyOnTenant": ["old"],
        },
        "deploy": {
            "action": "watch",
            "reason": "under way",
            "advice": "",
            "version": "1.0.1",
            "runningVersion": "1.0.0",
            "dependsOn": ["P/A", "P/B"],
            "heldUpBy": None,
            "firesTimer": True,
        },
        "skipReason": "",
        "warnings": ["w"],
        "diffs": None,
    }


def test_what_is_not_planned_or_not_known_is_null() -> None:
    """A skipped artifact has neither step; a new one has no version before and none running."""
    skipped, new = artifacts(plan(package(artifact("A", skip_reason="sync is false"), artifact("B", CREATE, DEPLOY))))
    assert (skipped["update"], skipped["deploy"], skipped["skipReason"]) == (None, None, "sync is false")
    update, deploy = cast("Json", new["update"]), cast("Json", new["deploy"])
    assert (update["fromVersion"], update["toVersion"], update["origin"]) == (None, "1.0.0", None)
    assert (deploy["version"], deploy["runningVersion"]) == (None, None)


@pytest.mark.parametrize(
    ("update", "versions"),
    [
        (replace(UPDATE, before=BEFORE), ("1.0.0", "1.0.0")),
        (replace(UPDATE, before=BEFORE, base_version="0.9.0", version="1.1.0"), ("0.9.0", "1.1.0")),
        (replace(CREATE, version="", content=content(spec(), version="1.2.3")), (None, "1.2.3")),
    ],
)
def test_versions_are_those_before_and_after(update: UpdateStep, versions: tuple[str | None, str]) -> None:
    """A step that names no version leaves the one there is; a new artifact has its manifest's."""
    (found,) = artifacts(plan(package(artifact("A", update))))
    step = cast("Json", found["update"])
    assert (step["fromVersion"], step["toVersion"]) == versions


def test_refused_artifacts_hold_up_their_own_deployment_and_that_of_what_uses_them() -> None:
    """``heldUpBy`` names the artifact that stands in the way."""
    waits = replace(DEPLOY, depends_on=frozenset({B}))
    one = plan(package(artifact("A", UPDATE, waits), artifact("B", REFUSE, DEPLOY), artifact("C", SAME, DEPLOY)))
    held_up = [cast("Json", found["deploy"])["heldUpBy"] for found in artifacts(one)]
    assert held_up == ["P/B", "P/B", None]
    assert document(one)["hasRefusals"] is True


def test_why_a_run_would_be_refused_as_a_whole_is_said() -> None:
    """A script sees the reasons, and that there are any, without the run being tried; secrets are masked."""
    text = plan_json([], Redactor(["geheim"]), environment="e", tenant="t", refusals=["drift in geheim"])
    found = json.loads(text)
    assert (found["hasRefusals"], found["refusals"]) == (True, ["drift in ***"])


def test_a_package_has_its_fields_old_and_new() -> None:
    """Only the fields that change, under the tenant's names."""
    before = IntegrationPackage(
        id=PackageId("P"), name="P", short_text="", description="", is_read_only=False, metadata={"Name": "P"}
    )
    changed = PackagePlan(
        id=PackageId("P"),
        action=PackageAction.UPDATE,
        reason="Name differs",
        changed_fields=("Name", "Version"),
        metadata={"Name": "Q", "Version": "2", "Vendor": "V"},
        before=before,
        origin=Origin.FILES,
    )
    assert document(plan(changed))["packages"] == [
        {
            "source": "c.yml",
            "id": "P",
            "action": "update",
            "reason": "Name differs",
            "origin": "files",
            "fields": [{"name": "Name", "old": "P", "new": "Q"}, {"name": "Version", "old": None, "new": "2"}],
        }
    ]


def test_diffs_are_there_only_where_they_were_asked_for() -> None:
    """Null without ``--diff``, else a list, empty for an artifact without any; secret properties are masked."""
    one = plan(package(artifact("A", UPDATE), artifact("B", SAME)))
    lines = ("@@ -1 +1 @@", "-password=geheim", "+host=h")
    diff = FileDiff(path="src/x.prop", status=DiffStatus.CHANGED, lines=lines)
    found = cast("list[Json]", document(one, diffs={A: (diff,)})["artifacts"])
    assert [each["diffs"] for each in found] == [
        [
            {
                "path": "src/x.prop",
                "status": "changed",
                "isBinary": False,
                "lines": ["@@ -1 +1 @@", "-password=***", "+host=h"],
            }
        ],
        [],
    ]
    assert [each["diffs"] for each in artifacts(one)] == [None, None]


def test_several_plans_are_one_document_in_the_order_of_the_files() -> None:
    """Each package and artifact says which configuration it is from; warnings and counts are of all."""
    first = replace(plan(package(artifact("A", UPDATE))), source="1.yml", warnings=("w1",))
    second = replace(plan(package(artifact("B", CREATE), name="Q")), source="2.yml", warnings=("w2",))
    found = document(first, second)
    assert [(each["source"], each["id"]) for each in artifacts(first, second)] == [("1.yml", "A"), ("2.yml", "B")]
    assert found["warnings"] == ["w1", "w2"]
    assert cast("Json", cast("Json", found["counts"])["artifacts"])["total"] == 2


def test_the_same_plan_always_gives_the_same_text() -> None:
    """Whatever order a set happens to have, so that two documents can be compared as texts; it ends in a line end."""
    needs = [ref(f"N{n}") for n in range(20)]
    texts = {
        plan_json(
            [plan(package(artifact("A", None, replace(DEPLOY, depends_on=frozenset(order)))))],
            Redactor(),
            environment="e",
            tenant="t",
        )
        for order in (needs, needs[::-1], needs[10:] + needs[:10])
    }
    (text,) = texts
    assert text.endswith("\n}\n")
    positions = [text.index(f'"P/N{n}"') for n in sorted(range(20), key=str)]
    assert positions == sorted(positions)
