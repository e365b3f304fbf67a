"""A timer that fires as soon as its flow is deployed is known before the deployment."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.content import fires_on_deployment, load_content
from cpi_tasks.content.flow import timer_schedules
from cpi_tasks.model.config import ArtifactSpec

MODEL_PATH = "src/main/resources/scenarioflows/integrationflow/flow.iflw"
ZONE = "( UTC 0:00 ) Greenwich Mean Time(Etc/GMT)"


def table(**cells: str) -> str:
    """Give a schedule as SAP's editor writes it into a parameter: two cells a row, the ampersand escaped once."""
    return "".join(
        f"<row><cell>{name}</cell><cell>{value.replace('&', '&amp;')}</cell></row>" for name, value in cells.items()
    )


RUN_ONCE = table(
    dateType="",
    timeType="",
    dayValue="",
    OnEveryMinute="",
    timeZone=ZONE,
    secondValue="0",
    triggerType="simple",
    noOfSchedules="1",
    schedule1="fireNow=true",
)
ON_DEPLOYMENT = table(
    dateType="SIMPLE",
    timeType="ON_TIME",
    timeZone=ZONE,
    throwExceptionOnExpiry="true",
    minute="0/5",
    startAt="",
    endAt="",
    attributeBehaviour="isThrowExceptionOnExpiryVisible,isScheduleAdvancedVisible,isScheduleSimpleVisible",
    triggerType="cron",
    noOfSchedules="1",
    schedule1="simple.repeat=NONE&trigger.timeZone=Etc/GMT",
)
EVERY_15_MINUTES = table(
    dateType="DAILY",
    timeType="TIME_INTERVAL",
    OnEveryMinute="15",
    fromInterval="00:00",
    toInterval="24:00",
    timeZone=ZONE,
    triggerType="cron",
    noOfSchedules="1",
    schedule1="0+0/15+0-23+?+*+*+*&trigger.timeZone=Etc/GMT",
)


def start_event(schedule: str, *, inside: bool = True, prefix: str = "bpmn2:") -> str:
    """Give a timer start event with its settings in the definition, as SAP writes it, or beside it."""
    settings = (
        f"<{prefix}extensionElements><ifl:property><key>scheduleKey</key><value>{html.escape(schedule)}</value>"
        "</ifl:property><ifl:property>\n<key>activityType</key>\n<value>StartTimerEvent</value></ifl:property>"
        f"</{prefix}extensionElements>"
    )
    timer = f"{prefix}timerEventDefinition"
    body = f'<{timer} id="T">{settings}</{timer}>' if inside else f"{settings}<{timer}/>"
    return (
        f'<{prefix}startEvent id="S" name="Start">\n<{prefix}outgoing>F</{prefix}outgoing>{body}</{prefix}startEvent>'
    )


MESSAGE_START = '<bpmn2:startEvent id="M"><bpmn2:messageEventDefinition/></bpmn2:startEvent>'
CHANNEL = (
    '<bpmn2:messageFlow id="C"><bpmn2:extensionElements><ifl:property><key>scheduleKey</key>'
    f"<value>{html.escape(RUN_ONCE)}</value></ifl:property></bpmn2:extensionElements></bpmn2:messageFlow>"
)


@pytest.mark.parametrize("schedule", [RUN_ONCE, ON_DEPLOYMENT, "fireNow=true", RUN_ONCE.replace("</row>", "</row>\n")])
def test_run_once_fires_at_deployment(schedule: str) -> None:
    """Run Once of older timers and On Deployment of newer ones both run the flow at once."""
    assert fires_on_deployment([schedule], {})
    assert fires_on_deployment(["{{Timer}}"], {"Timer": schedule})


def test_a_repeating_timer_that_also_fires_now_counts() -> None:
    """Where the options say so, the flow runs at once, whatever it does later."""
    assert fires_on_deployment([table(schedule1="0+0/15+*+?+*+*+*&trigger.timeZone=UTC&fireNow=true")], {})
    assert fires_on_deployment([table(schedule1="0+0+6+?+*+*+*", schedule2="fireNow=true")], {})


@pytest.mark.parametrize(
    "schedule",
    [
        EVERY_15_MINUTES,
        EVERY_15_MINUTES.replace("&amp;", "&"),
        ON_DEPLOYMENT.replace("simple.repeat=NONE", "simple.repeat=MINUTES&amp;simple.every=10"),
        ON_DEPLOYMENT.replace("startAt</cell><cell>", "startAt</cell><cell>2026-05-23T00:00:00"),
        ON_DEPLOYMENT.replace("NONE&amp;", "NONE&amp;simple.startAt=2026-05-23T00:00:00&amp;"),
        RUN_ONCE.replace("fireNow=true", "fireNow=false"),
        table(schedule1="0+30+6+15+4+?+2026&trigger.timeZone=Etc/GMT", attributeBehaviour="isRunOnceRequired"),
    ],
)
def test_other_schedules_do_not_fire_at_deployment(schedule: str) -> None:
    """What repeats or is for a day waits for its time."""
    assert not fires_on_deployment([schedule], {})


@pytest.mark.parametrize("schedule", ["", "{{Unknown}}", "{{", "<row>", "<row><cell>fireNow=true</cell>", "\0"])
def test_an_unreadable_schedule_is_no_timer_that_fires(schedule: str) -> None:
    """Nobody is warned of what nobody can read."""
    assert not fires_on_deployment([schedule], {"Other": RUN_ONCE})


def test_one_timer_of_several_is_enough() -> None:
    """A flow with two timers fires if one of them does; without timers never."""
    assert fires_on_deployment([EVERY_15_MINUTES, RUN_ONCE], {})
    assert not fires_on_deployment([], {"Timer": RUN_ONCE})


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("prefix", ["bpmn2:", ""])
def test_schedules_of_timer_start_events_are_found(inside: bool, prefix: str) -> None:
    """The settings stand in the timer's definition or beside it; polling channels and message starts are no timers."""
    events = [start_event(schedule, inside=inside, prefix=prefix) for schedule in (RUN_ONCE, "{{My Timer}}", "")]
    model = CHANNEL + "<bpmn2:startEvent/>" + MESSAGE_START + "\n".join(events) + CHANNEL

    assert timer_schedules(model.encode()) == (RUN_ONCE, "{{My Timer}}")


def test_a_message_start_beside_a_timer_elsewhere_is_no_timer() -> None:
    """A schedule belongs to the event it is in."""
    model = CHANNEL + MESSAGE_START + "<bpmn2:boundaryEvent><bpmn2:timerEventDefinition/></bpmn2:boundaryEvent>"

    assert timer_schedules(model.encode()) == ()


def test_a_flows_timers_are_known_once_it_is_loaded(
    make_folder: Callable[..., Path], make_spec: Callable[..., ArtifactSpec]
) -> None:
    """All start events of a model count, and overrides decide what their parameters mean."""
    prop = f"Timer={EVERY_15_MINUTES.replace(':', chr(92) + ':').replace('=', chr(92) + '=')}\n".encode()
    files = {
        MODEL_PATH: (start_event("{{Timer}}") + MESSAGE_START).encode(),
        "src/main/resources/parameters.prop": prop,
    }
    folder = make_folder("A", files=files)
    as_written = load_content(make_spec(folder), {})
    overridden = load_content(make_spec(folder, overrides={"Timer": RUN_ONCE}), {})

    assert as_written.timers == overridden.timers == ("{{Timer}}",)
    assert not fires_on_deployment(as_written.timers, as_written.parameters)
    assert fires_on_deployment(overridden.timers, overridden.parameters)


def test_flows_that_are_called_have_no_timers(samples: Path, make_spec: Callable[..., ArtifactSpec]) -> None:
    """Published flows that start with a message have no schedule."""
    folder = next(samples.glob("*/Northwind_Category_Supplier_Product_Entity_Replication"))

    assert load_content(make_spec(folder), {}).timers == ()
