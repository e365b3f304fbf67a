"""Configuration parameters: what is enforced, what is kept, and which override keys are known."""

from __future__ import annotations

import pytest

from cpi_tasks.errors import InputError
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.inventory import Inventory
from cpi_tasks.model.naming import PackageId, ParameterPolicy
from cpi_tasks.model.plan import ParameterChange, UpdateAction
from cpi_tasks.planning.parameters import ParameterPlan, plan_parameters, unknown_overrides
from tests.planning.builders import content, design, inventory, package, plan, spec, update_of

OVERRIDES, ALL = ParameterPolicy.OVERRIDES, ParameterPolicy.ALL


def planned(of: ArtifactContent, tenant: Inventory, policy: ParameterPolicy = OVERRIDES) -> ParameterPlan:
    return plan_parameters(of.spec, of, tenant, policy)


def flow(
    parameters: dict[str, str], overrides: dict[str, str] | None = None, types: dict[str, str] | None = None
) -> ArtifactContent:
    """Give a flow whose file has these values, with the overrides merged in as loading does."""
    return content(spec(overrides=overrides), parameters={**parameters, **(overrides or {})}, types=types)


def test_overrides_are_enforced_and_other_differences_are_kept() -> None:
    """Only keys of ``configOverrides`` change an existing flow; other differences are shown as kept."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa", "port": "1", "path": "/x"}})

    result = planned(flow({"port": "2", "path": "/x"}, {"host": "prod"}), tenant)

    assert result.enforced == {"host": "prod"}
    assert result.changes == (ParameterChange(key="host", old="qa", new="prod"),)
    assert result.kept == (ParameterChange(key="port", old="1", new="2"),)


def test_an_override_the_tenant_has_already_is_no_change() -> None:
    """Equal values cost no write."""
    tenant = inventory(design(), parameters={"Flow": {"host": "prod"}})

    result = planned(flow({}, {"host": "prod"}), tenant)

    assert result.enforced == {"host": "prod"}
    assert result.changes == ()


@pytest.mark.parametrize(
    ("wanted", "has"), [("007", "7"), ("1.10", "1.1"), ("yes", "true"), ("a ", "a"), ("${x}", "$x")]
)
def test_values_are_compared_as_written(wanted: str, has: str) -> None:
    """Numbers, booleans, blanks and Camel expressions are nothing but texts."""
    tenant = inventory(design(), parameters={"Flow": {"key": has}})

    assert planned(flow({}, {"key": wanted}), tenant).changes == (ParameterChange(key="key", old=has, new=wanted),)


def test_an_empty_override_is_written() -> None:
    """``''`` in ``configOverrides`` is a value like any other."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa"}})

    assert planned(flow({}, {"host": ""}), tenant).changes == (ParameterChange(key="host", old="qa", new=""),)


def test_an_empty_override_is_written_where_the_tenant_has_no_value() -> None:
    """An absent value and an empty one are not the same."""
    tenant = inventory(design(), parameters={"Flow": {}})

    assert planned(flow({}, {"host": ""}), tenant).changes == (ParameterChange(key="host", old=None, new=""),)


def test_all_enforces_every_key_of_the_file() -> None:
    """Under ``all`` what differs from the file is a change, and nothing is kept."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa", "port": "1", "mine": "x"}})

    result = planned(flow({"host": "prod", "port": "1"}), tenant, ALL)

    assert result.enforced == {"host": "prod", "port": "1"}
    assert result.changes == (ParameterChange(key="host", old="qa", new="prod"),)
    assert result.kept == ()


@pytest.mark.parametrize("value", ["", "<host>", "<enter the host here>"])
def test_all_does_not_write_empty_values_and_placeholders(value: str) -> None:
    """What stands for "to be filled in" must not overwrite what a person configured."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa"}})

    result = planned(flow({"host": value}), tenant, ALL)

    assert result.enforced == {}
    assert result.changes == ()
    assert result.kept == (ParameterChange(key="host", old="qa", new=value),)


@pytest.mark.parametrize("value", ["<", ">", "<a", "a>", "x <y>", "<a>b</a>", "<a/><b/>"])
def test_all_writes_what_only_resembles_a_placeholder(value: str) -> None:
    """A placeholder is one pair of angle brackets around words; XML is a value."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa"}})

    assert planned(flow({"host": value}), tenant, ALL).enforced == {"host": value}


def test_all_leaves_a_schedule_of_the_tenant_alone() -> None:
    """A timer that the tenant calls ``custom:schedule`` is not written."""
    tenant = inventory(design(), parameters={"Flow": {"timer": "daily", "host": "qa"}}, schedules=["timer"])

    result = planned(flow({"timer": "hourly", "host": "prod"}), tenant, ALL)

    assert result.enforced == {"host": "prod"}
    assert result.kept == (ParameterChange(key="timer", old="daily", new="hourly"),)


def test_all_leaves_a_schedule_of_the_files_alone() -> None:
    """A timer that only ``parameters.propdef`` calls ``custom:schedule`` is not written either."""
    tenant = inventory(design(), parameters={"Flow": {"timer": "daily"}})

    assert planned(flow({"timer": "hourly"}, types={"timer": "custom:schedule"}), tenant, ALL).enforced == {}


@pytest.mark.parametrize("value", ["", "<host>"])
def test_all_writes_empty_values_and_placeholders_that_are_overrides(value: str) -> None:
    """What is named in ``configOverrides`` is asked for, whatever it looks like."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa"}})

    result = planned(flow({}, {"host": value}), tenant, ALL)

    assert result.changes == (ParameterChange(key="host", old="qa", new=value),)


def test_all_writes_a_schedule_that_is_an_override() -> None:
    """A timer named in ``configOverrides`` is written."""
    tenant = inventory(design(), parameters={"Flow": {"timer": "daily"}}, schedules=["timer"])

    assert planned(flow({}, {"timer": "hourly"}), tenant, ALL).enforced == {"timer": "hourly"}


def test_a_parameter_only_the_file_has_is_not_kept() -> None:
    """Where the tenant has no value there is nothing that a person configured."""
    tenant = inventory(design(), parameters={"Flow": {}})

    assert planned(flow({"new": "1"}), tenant).kept == ()


def test_a_new_flow_is_given_all_that_is_enforced() -> None:
    """Nothing is on the tenant yet, so that every enforced value is a change."""
    result = planned(flow({"port": "2"}, {"host": "prod"}), Inventory(), ALL)

    assert result.enforced == {"port": "2", "host": "prod"}
    assert set(result.changes) == {
        ParameterChange(key="port", old=None, new="2"),
        ParameterChange(key="host", old=None, new="prod"),
    }


def test_where_the_tenant_shows_no_parameters_what_is_enforced_is_written() -> None:
    """Values that cannot be compared are written rather than taken for granted."""
    result = planned(flow({"port": "2"}, {"host": "prod"}), inventory(design(), parameters={"Flow": None}))

    assert result.changes == (ParameterChange(key="host", old=None, new="prod"),)
    assert result.kept == ()


def test_a_changed_override_alone_configures_the_flow() -> None:
    """Equal content with another parameter value is a parameter write, not an upload."""
    tenant = inventory(design(), parameters={"Flow": {"host": "qa", "port": "1"}})

    step = update_of(flow({"port": "2"}, {"host": "prod"}), tenant)

    assert step.action is UpdateAction.CONFIGURE
    assert step.reason == "parameter 'host' differs"
    assert step.changes == (ParameterChange(key="host", old="qa", new="prod"),)
    assert step.kept == (ParameterChange(key="port", old="1", new="2"),)


def test_kept_differences_alone_are_no_change() -> None:
    """What a person configured is shown and counts neither as change nor as failure."""
    step = update_of(flow({"port": "2"}), inventory(design(), parameters={"Flow": {"port": "1"}}))

    assert step.action is UpdateAction.UNCHANGED
    assert step.kept == (ParameterChange(key="port", old="1", new="2"),)


def test_many_changed_parameters_are_counted_after_the_first_five() -> None:
    """The reason stays readable for flows with many parameters."""
    overrides = {f"key{number}": "new" for number in range(7)}

    step = update_of(flow({}, overrides), inventory(design(), parameters={"Flow": {}}))

    assert step.reason == "parameters 'key0', 'key1', 'key2', 'key3', 'key4' and 2 more differ"


def test_an_unknown_override_is_a_problem_with_its_place_and_a_hint() -> None:
    """A mistyped key is told with the line of the key and what was probably meant."""
    of = content(spec(overrides={"Reciever Host": "x"}), parameters={"Receiver Host": "y"})

    (problem,) = unknown_overrides(of.spec, of, Inventory())

    assert str(problem) == (
        "deploy.yml:20:11: configOverrides.Reciever Host: integration flow 'Flow' has no parameter 'Reciever Host' "
        "(did you mean 'Receiver Host'?)"
    )


def test_an_unknown_override_without_anything_alike_has_no_hint() -> None:
    """Nothing is guessed where nothing is close."""
    of = content(spec(overrides={"xyz": "x"}), parameters={"Receiver Host": "y"})

    (problem,) = unknown_overrides(of.spec, of, Inventory())

    assert problem.message == "integration flow 'Flow' has no parameter 'xyz'"


def test_keys_of_the_files_and_of_the_tenant_are_known() -> None:
    """A key may come from ``.prop``, from ``.propdef`` or the model, or from the tenant's own parameters."""
    of = content(
        spec(overrides={"in prop": "1", "in model": "2", "on tenant": "3"}),
        parameters={"in prop": "0"},
        known=["in model"],
    )
    tenant = inventory(design(), parameters={"Flow": {"on tenant": "x"}})

    assert unknown_overrides(of.spec, of, tenant) == ()


def test_a_key_only_another_flow_has_is_unknown() -> None:
    """The parameters of one flow say nothing about another."""
    of = content(spec(overrides={"host": "1"}))
    tenant = inventory(design(), design("Other"), parameters={"Flow": {}, "Other": {"host": "x"}})

    assert len(unknown_overrides(of.spec, of, tenant)) == 1


def test_keys_are_not_judged_where_the_tenant_does_not_show_its_own() -> None:
    """A flow whose parameters are hidden, or a package that cannot be read, may know any key."""
    of = content(spec(overrides={"host": "1"}))
    hidden = inventory(design(), parameters={"Flow": None})
    refused = Inventory(unreadable_packages={PackageId("Pack"): "could not list: the tenant answered 500"})

    assert unknown_overrides(of.spec, of, hidden) == ()
    assert unknown_overrides(of.spec, of, refused) == ()


def test_all_unknown_keys_end_the_planning_together() -> None:
    """Everything that is wrong is told at once, together with ids that cannot be created."""
    first = content(spec("A", package="Pack", overrides={"x": "1", "y": "2"}))
    second = content(spec("B", package="my_pack", overrides={"z": "3"}))
    packages = [package(first.spec), package(second.spec, called="my_pack")]

    with pytest.raises(InputError) as raised:
        plan(packages, [first, second], Inventory())

    messages = [problem.message for problem in raised.value.problems]
    assert len(messages) == 4
    assert sum("has no parameter" in message for message in messages) == 3
    assert sum("cannot be created" in message for message in messages) == 1
