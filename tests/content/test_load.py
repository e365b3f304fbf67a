"""Folders are read into values, and everything wrong with them is told at once, with its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cpi_tasks.content import load_content, load_contents
from cpi_tasks.errors import InputError, Problem
from cpi_tasks.model.config import ArtifactSpec, DeployConfig, PackagesFolder, Position
from cpi_tasks.model.naming import ArtifactKind

Folders = Callable[..., Path]
Specs = Callable[..., ArtifactSpec]
Configs = Callable[..., DeployConfig]

SCRIPTS = ArtifactKind.SCRIPT_COLLECTION
VALUES = ArtifactKind.VALUE_MAPPING
MANIFEST = "META-INF/MANIFEST.MF"
MODEL = "src/main/resources/scenarioflows/integrationflow/flow.iflw"
PROP = "src/main/resources/parameters.prop"
PROPDEF = "src/main/resources/parameters.propdef"
HEAD = b"Bundle-SymbolicName: A\n"


def problems_of(spec: ArtifactSpec) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        load_content(spec, {})
    return list(caught.value.problems)


def test_a_sound_folder_becomes_a_value(make_folder: Folders, make_spec: Specs) -> None:
    """Version and name come from the manifest."""
    content = load_content(make_spec(make_folder("A")), {})

    assert (content.version, content.name) == ("1.0.1", "A name")
    assert content.values is None


def test_the_configured_name_goes_before_the_manifests(make_folder: Folders, make_spec: Specs) -> None:
    """A display name replaces ``Bundle-Name``; without one nothing does."""
    content = load_content(make_spec(make_folder("A"), display_name="Order In"), {})

    assert content.name == "Order In"


def test_all_problems_are_told_at_once(make_folder: Folders, make_spec: Specs, make_config: Configs) -> None:
    """One bad artifact does not hide another's problems, and the good ones are there."""
    good = make_spec(make_folder("Good"))
    broken = make_spec(make_folder("Broken", files={MANIFEST: HEAD}))
    missing = make_spec(good.folder.parent / "Missing")
    contents, problems = load_contents(make_config(good, broken, missing))

    assert list(contents) == [good.ref]
    place = "deploy.yml:7:3: packages.0.artifacts.Missing"
    assert [str(problem) for problem in problems] == [
        f"{broken.folder / MANIFEST}: has no Bundle-Version",
        f"{place}: the folder of integration flow 'Missing' does not exist: {missing.folder}",
    ]


def test_defect_7_a_missing_package_folder_is_one_problem(
    make_folder: Folders, make_spec: Specs, make_config: Configs
) -> None:
    """A package without its folder is told once, not for each of its artifacts."""
    folder = make_folder("A")
    specs = (make_spec(folder), make_spec(folder.parent / "B"))
    shutil.rmtree(folder.parent)
    contents, problems = load_contents(make_config(*specs))

    assert contents == {}
    assert [str(problem) for problem in problems] == [
        f"deploy.yml:7:3: packages.Pack: the folder of package 'Pack' does not exist: {folder.parent}"
    ]


def test_a_missing_folder_of_all_packages_is_one_problem(
    make_folder: Folders, make_spec: Specs, make_config: Configs, tmp_path: Path
) -> None:
    """Without the folder in packagesDir nothing else is reported; without anything to send it need not exist."""
    specs = [make_spec(make_folder("A")), make_spec(tmp_path / "Other" / "B")]
    place = PackagesFolder(
        path=tmp_path / "Packs", position=Position(file="x.yml", line=1, column=2, path="packagesDir")
    )
    contents, problems = load_contents(replace(make_config(*specs), packages_folder=place))

    assert contents == {}
    expected = f"x.yml:1:2: packagesDir: the folder of the packages does not exist: {tmp_path / 'Packs'}"
    assert [str(problem) for problem in problems] == [expected]
    unsent = make_config(*(replace(spec, sync=False) for spec in specs))
    assert load_contents(replace(unsent, packages_folder=place))[1] == ()


def test_a_folder_that_case_alone_tells_apart_is_named(
    make_folder: Folders, make_spec: Specs, make_config: Configs
) -> None:
    """What works on Windows and macOS, but not in most pipelines, gets its reason."""
    folder = make_folder("Orders")
    near = [
        make_spec(folder.parent / "orders"),
        make_spec(folder.parent.parent / folder.parent.name.lower() / "Orders"),
    ]
    _, problems = load_contents(make_config(*near))

    assert len(problems) == len(near)
    assert "; there is 'Orders', but upper and lower case count" in str(problems[0])
    assert f"; there is '{folder.parent.name}', but" in str(problems[1])


def test_a_file_in_place_of_a_folder_is_a_problem(make_spec: Specs, tmp_path: Path) -> None:
    """A folder has to be one."""
    (tmp_path / "A").write_bytes(b"")

    assert [problem.message for problem in problems_of(make_spec(tmp_path / "A"))] == [
        f"the folder of integration flow 'A' is not a folder: {tmp_path / 'A'}"
    ]


def test_artifacts_without_sync_need_no_folder(make_folder: Folders, make_spec: Specs, make_config: Configs) -> None:
    """What is not synchronised needs no folder, nor does a package that has nothing else."""
    kept = make_spec(make_folder("A"))
    absent = make_spec(kept.folder.parent / "B", sync=False)
    elsewhere = make_spec(kept.folder.parent.parent / "Nowhere" / "C", sync=False)
    contents, problems = load_contents(make_config(kept, absent, elsewhere))

    assert (list(contents), problems) == ([kept.ref], ())


def test_what_is_only_deployed_is_read_for_the_order(
    make_folder: Folders, make_spec: Specs, make_config: Configs
) -> None:
    """A folder tells what an artifact uses, also without ``sync``; what is wrong with it then is no problem."""
    sound = make_spec(make_folder("A"), sync=False)
    broken = make_spec(make_folder("B", files={MANIFEST: HEAD}), sync=False)
    contents, problems = load_contents(make_config(sound, broken))

    assert (list(contents), problems) == ([sound.ref], ())


@pytest.mark.parametrize(
    ("manifest", "messages"),
    [
        (b"Bundle-Version: 1.0.0\n", ["has no Bundle-SymbolicName"]),
        (b"Bundle-SymbolicName: ;x:=1\nBundle-Version: 1\n", ["has no Bundle-SymbolicName"]),
        (
            HEAD + b"Bundle-Version: next\nSAP-BundleType: ValueMapping\n",
            [
                "has a Bundle-Version that is no version: 'next'; write it like 1.0.0",
                "says SAP-BundleType 'ValueMapping', but the configuration says type 'IntegrationFlow'",
            ],
        ),
        (HEAD + b"garbage\n", ["this line is neither 'Name: value' nor a continuation (one leading space)"]),
    ],
)
def test_manifests_that_cannot_be_deployed_are_problems(
    manifest: bytes, messages: list[str], make_folder: Folders, make_spec: Specs
) -> None:
    """Every missing or contradicting header is named, at the manifest's path."""
    spec = make_spec(make_folder("A", files={MANIFEST: manifest}))
    problems = problems_of(spec)

    assert [problem.message for problem in problems] == messages
    assert {problem.file for problem in problems} == {str(spec.folder / MANIFEST)}


def test_a_flow_needs_a_model(make_folder: Folders, make_spec: Specs) -> None:
    """A flow without any ``.iflw`` is told, though nothing else is wrong with it."""
    spec = make_spec(make_folder("A"))
    (spec.folder / MODEL).unlink()

    assert [problem.message for problem in problems_of(spec)] == [
        "integration flow 'A' has no model: there is no .iflw file in its folder"
    ]


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        (ArtifactKind.INTEGRATION_FLOW, ["META-INF/MANIFEST.MF", "src/main/resources"]),
        (ArtifactKind.MESSAGE_MAPPING, ["META-INF/MANIFEST.MF", "src/main/resources"]),
        (SCRIPTS, ["META-INF/MANIFEST.MF"]),
        (VALUES, ["META-INF/MANIFEST.MF", "value_mapping.xml"]),
    ],
)
def test_an_empty_folder_lacks_everything(
    kind: ArtifactKind, missing: list[str], make_spec: Specs, tmp_path: Path
) -> None:
    """All that an artifact of its kind needs is named at once."""
    folder = tmp_path / "Pack" / "A"
    folder.mkdir(parents=True)

    assert [problem.file.removeprefix(f"{folder}/") for problem in problems_of(make_spec(folder, kind))] == missing


def test_a_mapping_needs_its_model(make_folder: Folders, make_spec: Specs) -> None:
    """A message mapping without any ``.mmap`` maps nothing."""
    kind = ArtifactKind.MESSAGE_MAPPING

    assert [problem.message for problem in problems_of(make_spec(make_folder("A", kind), kind))] == [
        "message mapping 'A' has no model: there is no .mmap file in its folder"
    ]


def test_missing_files_are_problems(make_folder: Folders, make_spec: Specs) -> None:
    """A folder without manifest and model lacks both, and both are told."""
    spec = make_spec(make_folder("A"))
    (spec.folder / MANIFEST).unlink()
    (spec.folder / MODEL).unlink()

    assert [problem.file.removeprefix(str(spec.folder)) for problem in problems_of(spec)] == [
        "/META-INF/MANIFEST.MF",
        "/src/main/resources",
    ]


@pytest.mark.parametrize(
    ("kind", "path", "data", "message"),
    [
        (ArtifactKind.INTEGRATION_FLOW, PROP, b"a=\\uXYZ0\n", "is no properties file that Java could read"),
        (ArtifactKind.INTEGRATION_FLOW, PROPDEF, b"<parameters>", "cannot be read as XML"),
        (ArtifactKind.INTEGRATION_FLOW, PROPDEF, b"<!DOCTYPE a []><a/>", "declares a document type"),
        (VALUES, "value_mapping.xml", b"<vm>", "cannot be read as a value mapping"),
    ],
)
def test_unreadable_files_are_problems(
    kind: ArtifactKind, path: str, data: bytes, message: str, make_folder: Folders, make_spec: Specs
) -> None:
    """A file that cannot be parsed is named with the reason."""
    spec = make_spec(make_folder("A", kind, {path: data}), kind)
    (problem,) = problems_of(spec)

    assert problem.file == str(spec.folder / path)
    assert message in problem.message


def test_a_value_mapping_needs_its_values(make_folder: Folders, make_spec: Specs) -> None:
    """A value mapping without ``value_mapping.xml`` is no value mapping."""
    spec = make_spec(make_folder("A", VALUES), VALUES)
    (spec.folder / "value_mapping.xml").unlink()

    assert "has no values without it" in problems_of(spec)[0].message


def test_parameters_are_the_files_with_the_overrides(make_folder: Folders, make_spec: Specs) -> None:
    """Known overrides are merged in, also those only the definition or the model names; others are left out."""
    propdef = b"<parameters><parameter><key/><name>Typed</name><type>xsd:integer</type></parameter></parameters>"
    files = {PROP: b"Host=qa\nOther=x\n", PROPDEF: propdef, MODEL: b"<value>{{In Model}}</value>"}
    overrides = {"Host": "prod", "Typed": "007", "In Model": "${x}", "Unknown": "u"}
    content = load_content(make_spec(make_folder("A", files=files), overrides=overrides), {})

    assert content.parameters == {"Host": "prod", "Other": "x", "Typed": "007", "In Model": "${x}"}
    assert content.parameter_types == {"Typed": "xsd:integer"}
    assert content.known_keys == {"Host", "Other", "Typed", "In Model"}


def test_without_parameter_files_none_is_made(make_folder: Folders, make_spec: Specs) -> None:
    """A flow that has neither file gets none; one with a definition gets the values."""
    model = {MODEL: b"{{Key}}"}
    bare = load_content(make_spec(make_folder("A", files=model), overrides={"Key": "1"}), {})
    defined = load_content(
        make_spec(make_folder("B", files={**model, PROPDEF: b"<parameters/>"}), overrides={"Key": "1"}), {}
    )

    assert (dict(bare.parameters), PROP in bare.digest.entries) == ({}, False)
    assert bare.known_keys == {"Key"}
    assert (dict(defined.parameters), PROP in defined.digest.entries) == ({"Key": "1"}, True)


def test_only_flows_have_parameters(make_folder: Folders, make_spec: Specs) -> None:
    """A file of that name elsewhere is an ordinary file."""
    content = load_content(make_spec(make_folder("A", SCRIPTS, {PROP: b"a=\\uXY\n"}), SCRIPTS), {})

    assert (dict(content.parameters), content.known_keys) == ({}, frozenset())
    assert PROP in content.digest.entries


def test_values_do_not_appear_in_the_value_itself(make_folder: Folders, make_spec: Specs) -> None:
    """Printing a loaded artifact prints no parameter values."""
    content = load_content(make_spec(make_folder("A", files={PROP: b"Password=s3cret\n"})), {})

    assert "s3cret" not in repr(content)


def test_a_collection_is_found_by_the_name_in_its_manifest(
    make_folder: Folders, make_spec: Specs, make_config: Configs
) -> None:
    """Flows may use a collection's symbolic name where the configuration calls it otherwise."""
    scripts = make_spec(make_folder("Old_Name", SCRIPTS), SCRIPTS, source_id="Scripts", prefix="QA")
    model = b"<key>scriptBundleId</key><value>Old_Name</value>"
    flow = make_spec(make_folder("Flow", files={MODEL: model}), prefix="QA")
    contents, problems = load_contents(make_config(scripts, flow, prefix="QA"))

    assert problems == ()
    assert contents[flow.ref].references == {"QA_Scripts"}


def test_a_name_that_two_manifests_share_renames_nothing(
    make_folder: Folders, make_spec: Specs, make_config: Configs
) -> None:
    """A copied folder makes its symbolic name ambiguous: the reference stays as written."""
    one = make_spec(make_folder("Same", SCRIPTS), SCRIPTS, source_id="One")
    two = make_spec(make_folder("Same", SCRIPTS, package="Other"), SCRIPTS, source_id="Two")
    flow = make_spec(make_folder("Flow", files={MODEL: b"<key>scriptBundleId</key><value>Same</value>"}))
    contents, _ = load_contents(make_config(one, two, flow))

    assert contents[flow.ref].references == {"Same"}
