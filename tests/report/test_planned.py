"""A plan in words: what will be done to each artifact, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpi_tasks.model.plan import DeployAction, DeployStep, Origin, UpdateAction, UpdateStep
from cpi_tasks.model.tenant import DesigntimeArtifact
from tests.report.plans import CREATE, DEPLOY, FLOW, REFUSE, RUNNING, SAME, UPDATE, artifact, change, ref, told

WATCH = DeployStep(action=DeployAction.WATCH, reason="a deployment of 1.0.0 is already under way")
BEFORE = DesigntimeArtifact(id=ref("A").artifact, kind=FLOW, package=ref("A").package, version="1.0.0", name="A")


def step(action: UpdateAction, reason: str, base: str = "1.0.0", version: str = "") -> UpdateStep:
    return UpdateStep(action=action, reason=reason, base_version=base, version=version)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (CREATE, "  + A (integration flow): create 1.0.0, then deploy"),
        (
            step(UpdateAction.UPDATE, "content differs in a.iflw", version="1.0.1"),
            "  ~ A (integration flow): update 1.0.0 → 1.0.1 (content differs in a.iflw), then deploy",
        ),
        (
            step(UpdateAction.CONFIGURE, "parameter 'a' differs"),
            "  ~ A (integration flow): reconfigure (parameter 'a' differs), then deploy",
        ),
        (
            step(UpdateAction.REPLACE, "differs in v.xml; lost on the tenant: x", version="1.0.0"),
            "  ± A (integration flow): replace (differs in v.xml; lost on the tenant: x), then deploy",
        ),
        (
            step(UpdateAction.SAVE_VERSION, "an unsaved draft", base="", version="1.0.1"),
            "  ~ A (integration flow): save as a version to 1.0.1 (an unsaved draft), then deploy",
        ),
    ],
)
def test_every_write_has_its_sign_its_versions_and_its_reason(update: UpdateStep, said: str) -> None:
    """A sign tells at a glance what kind of write it is; the version is said only where it changes."""
    assert told(artifact("A", update, DEPLOY)) == [said]


@pytest.mark.parametrize(
    ("update", "deploy", "said"),
    [
        (None, DEPLOY, "  ↻ A (integration flow): deploy (content is updated)"),
        (None, WATCH, "  ↻ A (integration flow): watch (a deployment of 1.0.0 is already under way)"),
        (UPDATE, None, "  ~ A (integration flow): update (content differs in a.iflw)"),
        (
            replace(SAME, reason="read-only package: content is neither compared nor sent"),
            replace(DEPLOY, reason="not deployed"),
            (
                "  ↻ A (integration flow): unchanged (read-only package: content is neither compared nor sent); "
                "deploy (not deployed)"
            ),
        ),
        (
            step(UpdateAction.KEEP, "differs in v.xml and is kept (valueMappings: keep)"),
            RUNNING,
            (
                "  - A (integration flow): left alone (differs in v.xml and is kept (valueMappings: keep)); "
                "runs 1.0.0, exactly as this tool deployed it"
            ),
        ),
        (
            step(UpdateAction.KEEP, "somebody's draft (onDraft: skip)"),
            None,
            "  - A (integration flow): left alone (somebody's draft (onDraft: skip))",
        ),
    ],
)
def test_each_phase_is_told_for_itself(update: UpdateStep | None, deploy: DeployStep | None, said: str) -> None:
    """Where only one phase does something, the line says so, and why."""
    assert told(artifact("A", update, deploy)) == [said]


def test_what_is_refused_says_what_to_do() -> None:
    """A failure known beforehand is marked as one, in either phase, with the way out."""
    refused = DeployStep(action=DeployAction.REFUSE, reason="nothing to deploy", advice="run update first")
    assert told(artifact("A", REFUSE, DEPLOY), artifact("B", None, refused)) == [
        "  ✗ A (integration flow): refused (a draft is open); not deployed",
        "      what to do: save the draft",
        "  ✗ B (integration flow): refused to deploy (nothing to deploy)",
        "      what to do: run update first",
    ]


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (Origin.FILES, "; your change"),
        (Origin.TENANT, "; ⚠ someone's edit"),
        (Origin.BOTH, "; ⚠ changed on both sides"),
    ],
)
def test_who_made_the_content_differ_is_said(origin: Origin, said: str) -> None:
    """Your change and someone's edit are told apart, and only the second is marked."""
    update = replace(UPDATE, before=BEFORE, origin=origin)
    line = f"  ~ A (integration flow): update (content differs in a.iflw{said}), then deploy"
    assert told(artifact("A", update, DEPLOY)) == [line]


def test_an_unknown_origin_is_told_once_for_all() -> None:
    """Without a record, a line for the whole plan says so, not one for each artifact."""
    unknown = replace(UPDATE, origin=Origin.UNKNOWN)
    configured = UpdateStep(
        action=UpdateAction.CONFIGURE, reason="parameter 'a' differs", changes=(change("a", "1", "2", Origin.UNKNOWN),)
    )
    assert told(artifact("A", unknown), artifact("B", configured)) == [
        "  ~ A (integration flow): update (content differs in a.iflw)",
        "  ~ B (integration flow): reconfigure (parameter 'a' differs)",
        "      set a: '1' → '2'",
        "Who made 2 differences is not known: no earlier run left a record that tells.",
    ]


def test_what_somebody_deleted_is_marked() -> None:
    """An artifact that a run created before and that is gone is no simple creation; one that is new is."""
    gone, new = replace(CREATE, origin=Origin.TENANT), replace(CREATE, origin=Origin.FILES)
    assert told(artifact("A", gone), artifact("B", new)) == [
        "  + A (integration flow): create 1.0.0",
        "      ⚠ deleted on the tenant, or moved to another package, since the last run",
        "  + B (integration flow): create 1.0.0",
    ]


def test_files_that_the_reason_does_not_name_follow() -> None:
    """Every file that differs is named once."""
    some = UpdateStep(
        action=UpdateAction.UPDATE, reason="content differs in a, b, c, d, e and 1 more", paths=(*"abcde", "src/z.xsl")
    )
    none = replace(some, reason="forced", paths=("src/y.xsl", "src/z.xsl"))
    assert told(artifact("A", some), artifact("B", none)) == [
        "  ~ A (integration flow): update (content differs in a, b, c, d, e and 1 more)",
        "      more files: src/z.xsl",
        "  ~ B (integration flow): update (forced)",
        "      files: src/y.xsl, src/z.xsl",
    ]


def test_parameters_are_shown_old_to_new_with_who_made_them_differ() -> None:
    """What is set, what is kept as somebody configured it, and what only the tenant has."""
    update = UpdateStep(
        action=UpdateAction.CONFIGURE,
        reason="3 parameters differ",
        changes=(
            change("host", "a", "b"),
            change("port", None, "1", Origin.TENANT),
            change("path", "/", "/x", Origin.BOTH),
        ),
        kept=(change("timeout", "30", "60", Origin.TENANT),),
        only_on_tenant=("old", "older"),
    )
    assert told(artifact("A", update))[1:] == [
        "      set host: 'a' → 'b' (your change)",
        "      set port: none → '1' (⚠ overwrites someone's edit)",
        "      set path: '/' → '/x' (⚠ changed on both sides, overwrites someone's edit)",
        "      kept timeout: '30' on the tenant, '60' in the files (someone's edit)",
        "      only on the tenant, kept: old, older",
    ]


def test_of_many_parameters_ten_are_shown_and_every_overwritten_edit() -> None:
    """The rest is counted; but whose edit is lost is never left out."""
    changes = tuple(change(f"k{n}", "a", "b", Origin.BOTH if n == 13 else Origin.FILES) for n in range(15))
    lines = told(artifact("A", UpdateStep(action=UpdateAction.CONFIGURE, reason="differ", changes=changes)))
    assert lines[10:] == [
        "      set k9: 'a' → 'b' (your change)",
        "      set k13: 'a' → 'b' (⚠ changed on both sides, overwrites someone's edit)",
        "      set … and 4 more parameters",
    ]


@pytest.mark.parametrize(
    ("update", "deploy", "is_marked"),
    [
        (UPDATE, DEPLOY, True),
        (None, DEPLOY, True),
        (SAME, RUNNING, False),
        (REFUSE, DEPLOY, False),
    ],
)
def test_a_timer_that_fires_is_marked_where_it_is_deployed(
    update: UpdateStep | None, deploy: DeployStep, *, is_marked: bool
) -> None:
    """A flow that starts working at once is marked; one that is not deployed is not."""
    lines = told(
        artifact("A", update, replace(deploy, fires_timer=True)),
        artifact("B", UPDATE),
    )
    assert ("      ⚠ its timer fires as soon as it is deployed" in lines) is is_marked


def test_what_waits_for_a_refused_artifact_is_held_up_through_any_number_of_steps() -> None:
    """Each held-up deployment names what it waits for; what does not depend on it is not held up."""
    needs_a = replace(DEPLOY, depends_on=frozenset({ref("A")}))
    needs_b = replace(DEPLOY, depends_on=frozenset({ref("B")}), fires_timer=True)
    lines = told(artifact("C", UPDATE, needs_b), artifact("B", UPDATE, needs_a), artifact("A", REFUSE, DEPLOY))
    assert [line for line in lines if "will not" in line or "timer" in line] == [
        "      ✗ will not be deployed: it needs B, see there",
        "      ✗ will not be deployed: it needs A, see there",
    ]
    assert not any("will not" in line for line in told(artifact("C", UPDATE, needs_b), artifact("B", UPDATE, DEPLOY)))


def test_warnings_make_an_unchanged_artifact_worth_a_line() -> None:
    """Nothing that is worth a warning hides in a count."""
    assert told(artifact("A", SAME, RUNNING, warnings=("1.0.0 stays",)), artifact("B", SAME, RUNNING)) == [
        "  = A (integration flow): unchanged (content and parameters as wanted)",
        "      ⚠ 1.0.0 stays",
        "  = 1 artifact unchanged",
    ]
