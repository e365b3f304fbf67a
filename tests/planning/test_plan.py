"""The whole plan: order, dependencies, phases, skips and warnings."""

from __future__ import annotations

import pytest

from cpi_tasks.errors import InputError
from cpi_tasks.model.config import Settings
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import ArtifactKind, Mode, PackageId
from cpi_tasks.model.plan import DeployAction, PackageAction, UpdateAction
from tests.planning.builders import (
    MAPPING,
    OTHER,
    SAME,
    SCRIPTS,
    VALUES,
    content,
    depends_on,
    design,
    download,
    inventory,
    package,
    plan,
    plan_with_library,
    runtime,
    spec,
    tenant_package,
)

DEPLOY_ONLY, UPDATE_ONLY = Settings(mode=Mode.DEPLOY_ONLY), Settings(mode=Mode.UPDATE_ONLY)


def test_packages_and_artifacts_stay_in_the_order_of_the_files() -> None:
    """The plan has every artifact once, in the order in which it was written down."""
    first = [content(spec(name, package="Zeta")) for name in ("C", "A", "B")]
    second = [content(spec(name, package="Alpha")) for name in ("E", "D")]

    planned = plan(
        [package(*(one.spec for one in first), called="Zeta"), package(*(one.spec for one in second), called="Alpha")],
        [*second, *first],
        Inventory(),
    )

    assert [one.id for one in planned.packages] == ["Zeta", "Alpha"]
    assert [one.ref.artifact for one in planned.artifacts()] == ["C", "A", "B", "E", "D"]
    assert planned.source == "deploy.yml"


def test_a_package_without_artifacts_is_planned_for_its_metadata() -> None:
    """An empty package is created like any other."""
    planned = plan([package()], [], Inventory())

    assert [(one.id, one.action, one.artifacts) for one in planned.packages] == [("Pack", PackageAction.CREATE, ())]


def test_an_update_only_run_has_no_deployments() -> None:
    """Nothing is deployed, and artifacts without ``sync`` say why they are skipped."""
    specs = [spec("A"), spec("B", sync=False)]
    contents = [content(specs[0])]

    planned = plan([package(*specs)], contents, inventory(design("B")), UPDATE_ONLY)

    assert (planned.updates, planned.deploys) == (True, False)
    assert [one.update.action if one.update else None for one in planned.artifacts()] == [UpdateAction.CREATE, None]
    assert [one.deploy for one in planned.artifacts()] == [None, None]
    assert [one.skip_reason for one in planned.artifacts()] == ["", "sync is false"]


def test_a_deploy_only_run_has_no_updates() -> None:
    """Nothing is written, not even a package's metadata; what design time has is deployed."""
    specs = [spec("A"), spec("B", deploy=False)]
    tenant = inventory(design("A"), design("B"))

    planned = plan([package(*specs, name="Other")], [content(specs[0], OTHER)], tenant, DEPLOY_ONLY)

    assert (planned.updates, planned.deploys) == (False, True)
    assert [one.action for one in planned.packages] == [PackageAction.KEEP]
    assert "sync" not in planned.packages[0].reason
    assert [one.update for one in planned.artifacts()] == [None, None]
    assert [one.deploy.action if one.deploy else None for one in planned.artifacts()] == [DeployAction.DEPLOY, None]
    assert [one.skip_reason for one in planned.artifacts()] == ["", "deploy is false"]


def test_a_deploy_only_run_needs_no_contents() -> None:
    """Artifact folders may be missing where nothing is updated."""
    planned = plan([package(spec("A"))], [], inventory(design("A")), DEPLOY_ONLY)

    assert depends_on(planned) == {"A": set()}


def test_a_deploy_only_run_keeps_the_order_the_folders_tell() -> None:
    """Where the folders are there, what is used still goes first."""
    library = content(spec("Lib", SCRIPTS, package="Libs"), OTHER)

    planned = plan_with_library(library, inventory(design("Flow"), design("Lib", SCRIPTS)), DEPLOY_ONLY)

    assert depends_on(planned) == {"Flow": {"Lib"}, "Lib": set()}


def test_a_deploy_only_run_does_not_look_at_override_keys_and_new_ids() -> None:
    """What would only be wrong for an update is no problem there."""
    of = content(spec(overrides={"nobody knows": "1"}, package="my_pack"))

    tenant = inventory(design(), parameters={"Flow": {}})

    planned = plan([package(of.spec, called="my_pack")], [of], tenant, DEPLOY_ONLY)

    assert [one.action for one in planned.packages] == [PackageAction.KEEP]


def test_an_artifact_that_takes_no_part_says_so() -> None:
    """With neither step the artifact stays visible, with its reason."""
    planned = plan([package(spec(sync=False, deploy=False))], [], inventory(design()))

    (artifact,) = planned.artifacts()
    assert (artifact.update, artifact.deploy) == (None, None)
    assert artifact.skip_reason == "sync and deploy are false"


def test_a_package_that_is_refused_refuses_its_artifacts() -> None:
    """A package the tenant does not show takes both steps of its artifacts with it, each with the reason."""
    of = content(spec())

    planned = plan(
        [package(of.spec)], [of], Inventory(unreadable_packages={PackageId("Pack"): "the tenant answered 403"})
    )

    (artifact,) = planned.artifacts()
    assert planned.packages[0].action is PackageAction.REFUSE
    assert artifact.update is not None
    assert artifact.deploy is not None
    assert (artifact.update.action, artifact.update.reason) == (UpdateAction.REFUSE, "the tenant answered 403")
    assert (artifact.deploy.action, artifact.deploy.reason) == (DeployAction.REFUSE, "the tenant answered 403")


def test_fixed_addresses_draw_one_warning_under_a_prefix() -> None:
    """Sender addresses in the model collide with another copy on the tenant; all are named in one warning."""
    contents = [
        content(spec(name), addresses=addresses) for name, addresses in {"A": ("/a",), "B": ("/b", "/c")}.items()
    ]
    quiet = content(spec("C"))

    planned = plan(
        [package(*(one.spec for one in contents), quiet.spec)], [*contents, quiet], Inventory(), prefix="DEV"
    )

    (warning,) = planned.warnings
    assert warning == (
        "sender addresses fixed in the model do not follow the prefix 'DEV' and collide with another copy on the same "
        "tenant; make them parameters: A (/a); B (/b, /c)"
    )


def test_many_fixed_addresses_are_counted_after_the_first_five() -> None:
    """The one warning stays readable."""
    contents = [content(spec(f"F{number}"), addresses=("/x",)) for number in range(7)]

    planned = plan([package(*(one.spec for one in contents))], contents, Inventory(), prefix="DEV")

    assert planned.warnings[0].endswith("F4 (/x) and 2 more")


@pytest.mark.parametrize(("prefix", "addresses"), [("", ("/a",)), ("DEV", ())])
def test_fixed_addresses_alone_or_a_prefix_alone_draw_no_warning(prefix: str, addresses: tuple[str, ...]) -> None:
    """Without a prefix there is no second copy, and without fixed addresses nothing collides."""
    of = content(spec(), addresses=addresses)

    assert plan([package(of.spec)], [of], Inventory(), prefix=prefix).warnings == ()


def test_every_problem_of_every_package_is_told_at_once() -> None:
    """Two packages that cannot be created are two problems of one error."""
    with pytest.raises(InputError) as raised:
        plan([package(called="a_b"), package(called="Fine"), package(called="c-d")], [], Inventory())

    assert ["a_b" in problem.message or "c-d" in problem.message for problem in raised.value.problems] == [True, True]


def test_a_full_plan_of_a_settled_tenant_does_nothing() -> None:
    """A second run writes and deploys nothing, for all families."""
    kinds = {"Flow": ArtifactKind.INTEGRATION_FLOW, "Lib": SCRIPTS, "Map": MAPPING, "Codes": VALUES}
    contents = [content(spec(name, kind), SAME, values=frozenset()) for name, kind in kinds.items()]
    tenant = inventory(
        *(design(name, kind) for name, kind in kinds.items()),
        package=tenant_package(metadata={"Name": "Orders", "ShortText": "x"}),
        downloads={"Codes": download(values=frozenset())},
        running=[runtime(name) for name in kinds],
    )

    planned = plan([package(*(one.spec for one in contents), name="Orders")], contents, tenant)

    assert [one.action for one in planned.packages] == [PackageAction.UNCHANGED]
    assert [one.update.action for one in planned.artifacts() if one.update] == [UpdateAction.UNCHANGED] * 4
    assert [one.deploy.action for one in planned.artifacts() if one.deploy] == [DeployAction.RUNNING] * 4
    assert planned.warnings == ()
