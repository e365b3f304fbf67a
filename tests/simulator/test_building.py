"""Which files a flow's build misses: those that its model names and its archive does not have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpi_tasks.simulator import Simulator, SimulatorSettings
from cpi_tasks.simulator.building import examine

Build = Callable[..., bytes]
Step = Callable[..., str]
MODEL = "src/main/resources/scenarioflows/integrationflow/model.iflw"
FOLDER = "src/main/resources/"
TABLE = "&lt;row&gt;&lt;cell id='x12SchemaName'&gt;/xsd/Order 850.xsd&lt;/cell&gt;&lt;/row&gt;"
FILES = [
    ({"script": "a.groovy"}, "script/a.groovy", "Script file 'a.groovy' not found"),
    ({"mappinguri": f"dir://mmap/{FOLDER}mapping/M.mmap"}, "mapping/M.mmap", "Mapping file 'M.mmap' not found"),
    ({"mappinguri": f"dir://mapping/xslt/{FOLDER}mapping/x.xsl"}, "mapping/x.xsl", "Mapping file 'x.xsl' not found"),
    ({"xsd": "/xsd/Order.xsd"}, "xsd/Order.xsd", "Schema file 'Order.xsd' not found"),
    ({"x12SchemaTable": TABLE}, "xsd/Order 850.xsd", "Schema file 'Order 850.xsd' not found"),
    ({"wsdlURL": "/wsdl/Orders.wsdl"}, "wsdl/Orders.wsdl", "WSDL file 'Orders.wsdl' not found"),
]


def _problems(steps: str, *paths: str) -> tuple[str, ...]:
    model = f'<m:model xmlns:m="m" xmlns:ifl="ifl">{steps}</m:model>'.encode()
    return examine({MODEL: model, **{f"{FOLDER}{path}": b"x" for path in paths}}).problems


@pytest.mark.parametrize(("setting", "path", "problem"), FILES)
def test_a_file_that_the_model_names_must_be_there(
    step: Step, setting: dict[str, str], path: str, problem: str
) -> None:
    """It is named in a sentence where the archive does not have it, and only there."""
    assert _problems(step(**setting)) == (problem,)
    assert _problems(step(**setting), path) == ()


@pytest.mark.parametrize(
    "setting",
    [
        {"mappinguri": f"dir://mmap/{FOLDER}mapping/M.mmap", "messageMappingBundleId": "M"},
        {"script": "a.groovy", "scriptBundleId": "S"},
        {"mappinguri": "pd:Partner:mapping:Binary"},
        {"mappinguri": "dir://mmap/{{Mapping}}.mmap"},
        {"mappinguri": "", "mappingReference": "dynamic"},
        {"xsd": "{{Schema}}"},
        {"wsdlURL": "/wsdl/{{Service}}.wsdl"},
        {"address": "https://example.com/xsd/Order.xsd"},
        {"bodyContent": "see /xsd/Order.xsd"},
        {"edmxFilePath": "edmx/Orders.edmx"},
    ],
)
def test_what_is_elsewhere_or_chosen_later_is_not_missed(step: Step, setting: dict[str, str]) -> None:
    """Files of other artifacts, parameters, addresses and plain text are no files of the archive."""
    assert _problems(step(**setting)) == ()


def test_a_missing_schema_ends_the_deployment(flow: Build, step: Step) -> None:
    """The runtime shows an ERROR that names the file; with the file the flow starts."""
    simulator = Simulator(SimulatorSettings(deploy_s=0.0))
    simulator.add_package("P")
    simulator.add_artifact("P", "F", "Integration", flow("F", steps=step(xsd="/xsd/Order.xsd")))
    simulator.deploy("F")
    broken = simulator.runtime("F")
    assert broken is not None
    assert (broken.status, broken.error.splitlines()[-1]) == ("ERROR", "Schema file 'Order.xsd' not found")
    simulator.edit_content("F", {f"{FOLDER}xsd/Order.xsd": b"<schema/>"})
    simulator.deploy("F")
    assert simulator.is_running_design_time("F")
