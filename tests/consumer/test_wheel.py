"""The package as its wheel installs it: what is in it, what it needs, and what importing it costs."""

from __future__ import annotations

import email
import zipfile
from pathlib import Path

import pytest

from tests.support.consumer import CHECKOUT, Consumer


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every module with its type marker, and no tests, examples or task files."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        others = {name.partition(".dist-info/")[2] for name in archive.namelist() if ".dist-info/" in name}
    sources = {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "cpi_tasks").rglob("*.py")}
    assert names == {*sources, "cpi_tasks/py.typed"}
    assert others == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    """Installing it brings every library the package imports, and none that only tests need."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = email.message_from_string(archive.read(path).decode())
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    names = sorted(line.partition(">")[0].partition("<")[0].partition("[")[0] for line in needed)
    assert names == [
        *("defusedxml", "filelock", "httpx", "hypercorn", "invoke", "javaproperties"),
        *("pydantic", "pyyaml", "rich", "stamina", "starlette", "trio", "truststore"),
    ]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_installed_package_is_what_runs(consumer: Consumer) -> None:
    """Not the checkout beside it, which these tests would pass with in any case."""
    ended = consumer.python("import cpi_tasks; print(cpi_tasks.__file__)")
    assert Path(ended.out.strip()) == consumer.library / "cpi_tasks" / "__init__.py"


def test_one_line_gives_the_tasks(consumer: Consumer) -> None:
    """``from cpi_tasks import ns`` is all a tasks file needs."""
    consumer.write("tasks.py", "from cpi_tasks import ns\n")
    ended = consumer.invoke("--list")
    names = [line.split()[0] for line in ended.out.splitlines() if line.startswith("  ") and line[2] != " "]
    assert (ended.code, ended.err) == (0, "")
    assert names == ["deploy", "drift", "orchestrate", "plan", "runs", "simulator", "update", "validate"]
    assert "Default task" not in ended.out


@pytest.mark.parametrize(
    "work", ["import cpi_tasks", "from invoke.main import program; program.run('invoke --list', exit=False)"]
)
def test_importing_and_listing_load_no_heavy_library(consumer: Consumer, work: str) -> None:
    """``invoke --list`` and completion in another repository stay fast."""
    consumer.write("tasks.py", "from cpi_tasks import ns\n")
    heavy = "{'httpx', 'pydantic', 'rich', 'starlette', 'hypercorn', 'trio'}"
    ended = consumer.python(f"import sys; {work}; print(sorted({heavy} & set(sys.modules)))")
    assert (ended.out.splitlines()[-1], "cpi_tasks" in ended.err) == ("[]", False)


def test_a_run_on_a_real_tenant_loads_no_server(consumer: Consumer) -> None:
    """What serves the embedded tenant is loaded by the runs that use it, and does not slow down the others."""
    server = "{'starlette', 'hypercorn', 'cpi_tasks.simulator'}"
    ended = consumer.python(f"import sys, cpi_tasks.app; print(sorted({server} & set(sys.modules)))")
    assert (ended.out, ended.err) == ("[]\n", "")
