"""Whole runs in the plain view, word for word."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace

from cpi_tasks.events import Event, PartStarted, RunFinished
from cpi_tasks.model.report import Report

Play = Callable[[Sequence[Event]], str]
DOUBLE = "═" * 71
SINGLE = "─" * 71


def expected(text: str) -> str:
    return textwrap.dedent(text).replace("<==>", DOUBLE).replace("<-->", SINGLE)


UNTIL_DEPLOYMENT = """\
    Environment: prod (--env) | Tenant: https://t1.example.com | Login: Basic

    PLAN: 1 package, 2 artifacts
    📦 Customers
      ~ CustomerSync (integration flow): update (content differs), then deploy
          files: src/a.groovy
          set host: 'a.example.com' → 'b.example.com'
          kept timeout: '30' on the tenant, '60' in the files
          kept dbPassword: '***' on the tenant, '***' in the files
      = 1 artifact unchanged
    Who made 1 difference is not known: no earlier run left a record that tells.
    Plan: 1 to update, 1 to deploy, 1 unchanged

    <==>
    PHASE 1: UPDATING ALL PACKAGES AND ARTIFACTS
    <==>
    Total artifacts to update: 1 of 2
    → updating CustomerSync (integration flow)
    ✓ CustomerSync updated 1.0.1 (0.4 s)
    = 📦 Customers: 1 artifact unchanged
    Phase 1 ended after 0.5 s: 1 updated, 0 failed, 1 unchanged.

    <==>
    PHASE 2: DEPLOYING ALL ARTIFACTS IN PARALLEL
    <==>
    Total artifacts to deploy: 1 of 2
    Max concurrent deployments: 3 in one package, 9 in the whole run
    → deploying CustomerSync (integration flow)
    → CustomerSync: STARTING 1.0.1
"""


def test_a_run_that_does_something(play: Play, successful_run: list[Event]) -> None:
    """A successful run shows plan, both phases, every settled artifact, the summary and a closing line."""
    wanted = expected(
        UNTIL_DEPLOYMENT
        + """\
    ✓ CustomerSync deployed 1.0.1 (12.3 s)
    = 📦 Customers: 1 artifact already running
    Phase 2 ended after 12.5 s: 1 deployed, 0 failed, 1 already running.

    <==>
    📊 DEPLOYMENT SUMMARY
    <==>
    Packages Updated:        1
    Packages Deployed:       1
    Packages Unchanged:      0
    Packages Failed:         0
    <-->
    Artifacts Total:         2
    Artifacts Updated:       1
    Artifacts Deployed OK:   1
    Artifacts Deployed Fail: 0
    Artifacts Changed:       1
    Artifacts Unchanged:     1
    Artifacts Skipped:       0
    Artifacts Failed:        0
    <-->
    Update phase:            0.5 s
    Deploy phase:            12.5 s
    Total time:              14.0 s
    <==>

    ✓ All operations completed successfully: 1 artifact updated, 1 deployed, 1 artifact unchanged.
    """
    )
    assert wanted == play(successful_run)


def test_a_second_run_says_that_nothing_was_done(play: Play, unchanged_run: list[Event]) -> None:
    """Where nothing needs doing, no artifact is listed and the last line says that nothing was deployed."""
    wanted = expected(
        """\
    Environment: prod (--env) | Tenant: https://t1.example.com | Login: Basic

    PLAN: 1 package, 1 artifact
    = 📦 Customers: unchanged, with 1 artifact
    Plan: 0 to update, 0 to deploy, 1 unchanged

    <==>
    PHASE 1: UPDATING ALL PACKAGES AND ARTIFACTS
    <==>
    Total artifacts to update: 0 of 1
    = 📦 Customers: 1 artifact unchanged
    Phase 1 ended after 0.0 s: 0 updated, 0 failed, 1 unchanged.

    <==>
    PHASE 2: DEPLOYING ALL ARTIFACTS IN PARALLEL
    <==>
    Total artifacts to deploy: 0 of 1
    Max concurrent deployments: 3 in one package, 9 in the whole run
    = 📦 Customers: 1 artifact already running
    Phase 2 ended after 0.0 s: 0 deployed, 0 failed, 1 already running.

    <==>
    📊 DEPLOYMENT SUMMARY
    <==>
    Packages Updated:        0
    Packages Deployed:       0
    Packages Unchanged:      1
    Packages Failed:         0
    <-->
    Artifacts Total:         1
    Artifacts Updated:       0
    Artifacts Deployed OK:   0
    Artifacts Deployed Fail: 0
    Artifacts Changed:       0
    Artifacts Unchanged:     1
    Artifacts Skipped:       0
    Artifacts Failed:        0
    <-->
    Update phase:            0.0 s
    Deploy phase:            0.0 s
    Total time:              1.2 s
    <==>

    ✓ Nothing needed doing: 1 artifact unchanged; nothing was written, nothing was deployed.
    """
    )
    assert wanted == play(unchanged_run)


def test_a_failure_stands_last_with_the_tenants_whole_text(play: Play, failed_run: list[Event]) -> None:
    """After the summary comes what failed, the tenant's text line by line, the advice, then the exit code."""
    text = play(failed_run)
    settled = "✗ CustomerSync not deployed: ended in ERROR: … (9.0 s)\n= 📦 Customers: 1 artifact already running\n"
    assert text.startswith(expected(UNTIL_DEPLOYMENT) + settled)
    assert "Phase 2 ended after 12.5 s: 0 deployed, 1 failed, 1 already running.\n" in text
    ending = expected(
        """\
    Total time:              14.0 s
    <==>

    <==>
    WHAT FAILED AND WHAT TO DO ABOUT IT
    <==>
    ✗ CustomerSync (integration flow, package Customers)
        deploy phase: not deployed (9.0 s)
            ended in ERROR:
            java.lang.RuntimeException: no credential [red]***[/red]
              at a.B\\x1b[2J
        what to do: create the credential and run again

    ✗ 1 of 2 artifacts failed; 1 updated, 0 deployed (exit code 1).
    """
    )
    assert text.endswith(ending)


def test_an_interruption_says_what_was_in_flight(play: Play, interrupted_run: list[Event]) -> None:
    """After Ctrl-C the output names what was cut off and how to go on."""
    ending = expected(
        """\
    <==>
    NOT FINISHED: THE RUN WAS INTERRUPTED
    <==>
    ✗ CustomerSync (integration flow, package Customers)
        deploy phase: cut off: the run was interrupted; deployment goes on on the tenant
        what to do: run again

    ✗ Interrupted after 14.0 s (exit code 130): 1 of 2 artifacts not finished, 0 failed, 1 updated, 0 deployed. \
Running the same command again picks up from here.
    """
    )
    assert play(interrupted_run).endswith(ending)


def test_two_parts_get_a_header_a_summary_each_and_a_total(
    play: Play, successful_run: list[Event], failed_run: list[Event]
) -> None:
    """With several configurations each has a header and a summary, a total follows, and failures name their part."""
    good, bad = _report(successful_run), _report(failed_run)
    second = replace(bad.parts[0], source="configs/more.yml", update_s=None)
    report = replace(good, parts=(good.parts[0], second), duration_s=30.0)
    events: list[Event] = [
        successful_run[0],
        PartStarted(source="configs/prod.yml", number=1, total=2),
        *successful_run[2:-1],
        PartStarted(source="configs/more.yml", number=2, total=2),
        *failed_run[2:-1],
        RunFinished(report=report),
    ]
    text = play(events)
    assert "\n\nCONFIGURATION 1 OF 2: configs/prod.yml\n\nPLAN: " in text
    assert "\n\nCONFIGURATION 2 OF 2: configs/more.yml\n\nPLAN: " in text
    titles = [line for line in text.splitlines() if line.startswith("📊")]
    assert titles == [
        "📊 DEPLOYMENT SUMMARY (1 of 2: configs/prod.yml)",
        "📊 DEPLOYMENT SUMMARY (2 of 2: configs/more.yml)",
        "📊 DEPLOYMENT SUMMARY (total of 2 configurations)",
    ]
    ending = expected(
        """\
    📊 DEPLOYMENT SUMMARY (total of 2 configurations)
    <==>
    Packages Updated:        2
    Packages Deployed:       1
    Packages Unchanged:      0
    Packages Failed:         1
    <-->
    Artifacts Total:         4
    Artifacts Updated:       2
    Artifacts Deployed OK:   1
    Artifacts Deployed Fail: 1
    Artifacts Changed:       1
    Artifacts Unchanged:     2
    Artifacts Skipped:       0
    Artifacts Failed:        1
    <-->
    Update phases:           0.5 s
    Deploy phases:           25.0 s
    Total time:              30.0 s
    <==>

    <==>
    WHAT FAILED AND WHAT TO DO ABOUT IT
    <==>
    ✗ CustomerSync (integration flow, package Customers, configuration configs/more.yml)
    """
    )
    assert ending in text
    assert "Update phase:            did not run\n" in text


def _report(events: list[Event]) -> Report:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last.report
