"""Text files as Windows, editors and merges leave them: what is accepted arrives, everything else stops the run."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from cpi_tasks.errors import InputError
from tests.support.project import MODEL, PROP, PROPDEF, SCRIPT, definitions, model
from tests.support.world import World

BOM = b"\xef\xbb\xbf"
MANIFEST = "META-INF/MANIFEST.MF"


def with_mark(folder: Path) -> None:
    """Put a byte order mark before every text file of an artifact."""
    for file in (file for file in folder.rglob("*") if file.is_file()):
        file.write_bytes(BOM + file.read_bytes())


async def test_byte_order_marks_make_no_difference(world: World, autojump_clock: trio.testing.MockClock) -> None:
    """Everything is created as without them, values included; the second run and its drift report find nothing."""
    world.project.every_kind()
    for file in sorted(world.project.root.rglob(MANIFEST)):
        with_mark(file.parents[1])
    ran = await world.run()

    assert ran.exit_code == 0
    assert world.simulator.artifact("Orders").parameters == {"Host": "a.example"}
    assert world.simulator.artifact("Counting").parameters == {"Receiver Host": "c.example", "Zero": ""}
    assert world.simulator.artifact("Counting").version == "1.0.3"
    second = await world.run()
    assert (second.exit_code, second.writes) == (0, ())
    assert not (await world.drift()).has_differences


async def test_marks_that_another_tool_uploaded_are_repaired(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """A parameter whose name begins with a mark is a difference, an upload takes it away, and then there is none."""
    world.project.flow("Sales", "Orders", parameters={"Max_Readings": "100"})
    assert (await world.run()).exit_code == 0
    files = {PROP: BOM + b"Max_Readings=100\n", PROPDEF: definitions(["Max_Readings"], {}), SCRIPT: BOM + b"def a() {}"}
    world.simulator.edit_content("Orders", files)
    ran = await world.run()

    assert (ran.exit_code, ran.statuses()) == (0, {"Orders": ("done", "done")})
    assert world.simulator.artifact("Orders").parameters == {"Max_Readings": "100"}
    assert (await world.run()).writes == ()


SPOILED = {
    "utf-16": (PROP, "Host=a\n".encode("utf-16"), "UTF-16"),
    "empty key": (PROP, b"Host=a\n== Sender ==\n", ":2:1: has no key before '='"),
    "conflict": (SCRIPT, b"<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> x\n", ":1:1: has merge conflict markers"),
    "lfs": (
        "src/main/resources/lib/a.jar",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "LFS",
    ),
    "page": (MODEL, b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML page"),
    "cut": (MODEL, model()[:-5], "cut off"),
    "version": (MANIFEST, b"Bundle-SymbolicName: Orders\nBundle-Version: 1.0.20260101120000\n", "2147483647"),
}


@pytest.mark.parametrize("name", SPOILED)
async def test_nothing_is_sent_where_one_file_is_spoiled(
    world: World, autojump_clock: trio.testing.MockClock, name: str
) -> None:
    """Plan, drift and run end with the same problem before anything is asked of the tenant."""
    path, data, said = SPOILED[name]
    world.project.every_kind()
    world.project.edit("Sales", "Orders", path, data)
    found = []
    for step in (world.run, world.plan):
        with pytest.raises(InputError) as caught:
            await step()
        assert caught.value.exit_code == 4
        found.append(str(caught.value))

    assert found[0] == found[1]
    assert f"Orders/{path}" in found[0]
    assert said in found[0]
    assert len(world.simulator.requests) == 0


async def test_what_tools_leave_behind_is_neither_sent_nor_missed(
    world: World, autojump_clock: trio.testing.MockClock
) -> None:
    """On either side it is no difference."""
    junk = {
        f"src/main/resources/script/{name}": b"<<<<<<< HEAD\n" for name in ("Main.groovy.orig", "a.swp", "desktop.ini")
    }
    world.project.flow("Sales", "Orders", files=junk)
    ran = await world.run()

    assert (ran.exit_code, [name for name in junk if ran.kept(name)]) == (0, [])
    world.simulator.edit_content("Orders", {"src/main/resources/script/Thumbs.db": b"\0"})
    assert not (await world.drift()).has_differences
