"""A packages folder as the beginning of a tenant, and the certificate it can be served with."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import Simulator, SimulatorSettings, make_certificate, plant, read_seed

SETTINGS = SimulatorSettings()


def write(folder: Path, *, type_: str = "IntegrationFlow", name: str | None = None, version: str = "1.2.3") -> None:
    """Write an artifact's folder."""
    headers = f"Manifest-Version: 1.0\nBundle-SymbolicName: {folder.name if name is None else name}; singleton:=true\n"
    headers += f"Bundle-Name: {folder.name} by name\nBundle-Version: {version}\nSAP-BundleType: {type_}\n"
    (folder / "META-INF").mkdir(parents=True)
    (folder / "META-INF/MANIFEST.MF").write_text(headers, encoding="utf-8")
    (folder / "value_mapping.xml").write_text("<vm/>", encoding="utf-8")


def test_every_type_arrives_as_the_manifest_says(tmp_path: Path) -> None:
    """Id, type, name and version are the manifest's; what macOS or Git leave beside it does not arrive."""
    for type_ in ("IntegrationFlow", "MessageMapping", "ScriptCollection", "ValueMapping"):
        write(tmp_path / "Sales" / f"My{type_}", type_=type_, name=f"Id{type_}")
    (tmp_path / "Sales/MyIntegrationFlow/.DS_Store").write_bytes(b"x")
    (tmp_path / "Sales/MyIntegrationFlow/._value_mapping.xml").write_bytes(b"x")
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    (tmp_path / "Sales/notes.txt").write_text("x", encoding="utf-8")
    simulator = Simulator()
    seed = read_seed(tmp_path, SETTINGS)
    planted = plant(seed, simulator)
    assert (seed.problems, planted.packages, planted.artifacts, planted.kept) == ([], 1, 4, 0)
    assert list(simulator.packages) == ["Sales"]
    shown = {item.id: (item.kind.value, item.name, item.version) for item in simulator.artifacts.values()}
    assert shown == {
        "IdIntegrationFlow": ("Integration", "MyIntegrationFlow by name", "1.2.3"),
        "IdMessageMapping": ("MessageMapping", "MyMessageMapping by name", "1.2.3"),
        "IdScriptCollection": ("ScriptCollection", "MyScriptCollection by name", "1.2.3"),
        "IdValueMapping": ("ValueMapping", "MyValueMapping by name", "1.2.3"),
    }
    with zipfile.ZipFile(io.BytesIO(simulator.artifact("IdIntegrationFlow").archive)) as archive:
        assert sorted(archive.namelist()) == ["META-INF/MANIFEST.MF", "value_mapping.xml"]


def test_all_that_a_tenant_would_refuse_is_found(tmp_path: Path) -> None:
    """Each with the path to look at."""
    write(tmp_path / "A_B/One")
    write(tmp_path / "C/One")
    write(tmp_path / "C/Typeless", type_="Something")
    write(tmp_path / "C/Nameless", name="")
    (tmp_path / "C/Empty").mkdir()
    write(tmp_path / "D/Undefined")
    (tmp_path / "D/Undefined/src/main/resources").mkdir(parents=True)
    (tmp_path / "D/Undefined/src/main/resources/parameters.prop").write_text("a=b\n", encoding="utf-8")
    found = [(str(item.path.relative_to(tmp_path)), item.message) for item in read_seed(tmp_path, SETTINGS).problems]
    assert [(path, message.split(";")[0][:40]) for path, message in found] == [
        ("A_B", "'A_B' is no package id a tenant takes: P"),
        ("C/Empty", "has no META-INF/MANIFEST.MF, so it is no"),
        ("C/Nameless/META-INF/MANIFEST.MF", "Bundle-SymbolicName, the artifact's id, "),
        ("C/One/META-INF/MANIFEST.MF", f"artifact id 'One' is also in '{tmp_path}"[:40]),
        ("C/Typeless/META-INF/MANIFEST.MF", "SAP-BundleType is 'Something'"),
        ("D/Undefined", "a tenant refuses it: InputStream cannot "),
    ]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_packages_is_a_mistake(tmp_path: Path, name: str) -> None:
    """Rather a wrong path than an empty tenant wanted."""
    (tmp_path / "empty").mkdir()
    assert len(read_seed(tmp_path / name, SETTINGS).problems) == 1


def test_what_the_tenant_has_stays_as_it_is(tmp_path: Path) -> None:
    """A second planting adds only what is new."""
    write(tmp_path / "Sales/Old", version="1.0.0")
    simulator = Simulator()
    plant(read_seed(tmp_path, SETTINGS), simulator)
    simulator.save_version("Old", "1.0.7")
    write(tmp_path / "Sales/New")
    planted = plant(read_seed(tmp_path, SETTINGS), simulator)
    assert (planted.packages, planted.artifacts, planted.kept) == (0, 1, 1)
    assert simulator.artifact("Old").version == "1.0.7"


def test_without_the_extra_the_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS needs libraries that plain HTTP does not."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(SimulatorError, match=r"pip install 'cpi-tasks\[tls\]'"):
        make_certificate("127.0.0.1")
