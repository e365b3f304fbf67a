"""Where deploy configurations come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.model.config import RunConfig, Selection

Write = Callable[[str, str], Path]
Load = Callable[..., Loaded]
Run = Callable[..., RunConfig]
Complaints = Callable[..., list[str]]


def package(name: str) -> str:
    return f"packages: [{{integrationSuiteId: {name}, packageDir: {name}}}]\n"


def environment(write: Write, text: str) -> None:
    write("environments/x.yml", "packagesDir: packages\n" + text)


def ids(found: RunConfig) -> list[list[str]]:
    return [[package.id for package in config.packages] for config in found.configs]


def test_path_in_the_file_is_relative_to_the_root(write: Write, run: Run, tmp_path: Path) -> None:
    """The environment file's paths start at the project root, wherever the command runs."""
    environment(write, "deployConfig: configs/a.yml\n")
    write("configs/a.yml", package("A"))
    (tmp_path / "sub").mkdir()
    found = run(cwd=tmp_path / "sub")
    assert str(tmp_path / "configs" / "a.yml") == found.configs[0].source
    assert tmp_path / "packages" / "A" == found.configs[0].packages[0].folder


def test_paths_in_flags_are_relative_to_the_current_folder(write: Write, run: Run, tmp_path: Path) -> None:
    """Flags start at the current folder."""
    environment(write, "deployConfig: nope.yml\n")
    write("sub/b.yml", package("B"))
    found = run(Selection(env="x", deploy_config="b.yml", packages_dir="./p"), cwd=tmp_path / "sub")
    assert found.configs[0].source == "b.yml"
    assert tmp_path / "sub" / "p" / "B" == found.configs[0].packages[0].folder


def test_folder_is_read_recursively_in_alphabetical_order(write: Write, run: Run) -> None:
    """Every matching file below the folder is one configuration."""
    environment(write, "deployConfig: ./configs\n")
    for name, content in (("b.yaml", "B"), ("a/z.yml", "AZ"), ("a/a.yml", "AA"), ("c.yml", "C"), ("note.txt", "N")):
        write(f"configs/{name}", package(content))
    found = run()
    assert ids(found) == [["AA"], ["AZ"], ["B"], ["C"]]
    assert [c.source for c in found.configs] == [
        "configs/a/a.yml",
        "configs/a/z.yml",
        "configs/b.yaml",
        "configs/c.yml",
    ]


def test_merged_folder_is_one_configuration(write: Write, run: Run) -> None:
    """With mergeConfigs all packages are one run, in the order of the files."""
    environment(write, "deployConfig: configs\nmergeConfigs: true\n")
    for name in ("b", "a", "c"):
        write(f"configs/{name}.yml", package(name.upper()))
    found = run()
    assert ids(found) == [["A", "B", "C"]]
    assert found.configs[0].source == "configs (3 files merged)"


def test_merge_flag_overrides_the_file(write: Write, run: Run) -> None:
    """``--no-merge-configs`` and ``--merge-configs`` are stronger than the file."""
    environment(write, "deployConfig: configs\nmergeConfigs: true\n")
    for name in ("b", "a"):
        write(f"configs/{name}.yml", package(name.upper()))
    assert ids(run(Selection(env="x", merge_configs=False))) == [["A"], ["B"]]


@pytest.mark.parametrize("flags", [Selection(env="x"), Selection(env="x", config_pattern="*.conf")])
def test_pattern_chooses_by_file_name(write: Write, run: Run, flags: Selection) -> None:
    """ConfigPattern from flag or file chooses the files of a folder."""
    environment(
        write, "deployConfig: configs\nconfigPattern: '" + ("*.deploy" if not flags.config_pattern else "x") + "'\n"
    )
    write("configs/deep/a.deploy", package("A"))
    write("configs/deep/a.conf", package("A"))
    write("configs/b.yml", package("B"))
    assert ids(run(flags)) == [["A"]]


def test_pattern_that_matches_nothing(write: Write, complaints: Complaints) -> None:
    """A folder without a matching file is a problem, not an empty run."""
    environment(write, "deployConfig: configs\nconfigPattern: '*.json'\n")
    write("configs/b.yml", package("B"))
    expected = (
        "environments/x.yml:2:15: deployConfig: no file in the folder 'configs' matches '*.json' "
        "(configPattern, for file names)"
    )
    assert [expected] == complaints()


def test_no_broken_file_of_a_folder_is_skipped(write: Write, load: Load) -> None:
    """Every file that cannot be read is a problem with its place; the others are still there to be checked."""
    environment(write, "deployConfig: configs\n")
    write("configs/a.yml", "packages: [\n")
    write("configs/b.yml", "")
    write("configs/c.yml", package("C"))
    loaded = load()
    assert [(each.file, each.line) for each in loaded.problems] == [("configs/a.yml", 2), ("configs/b.yml", 0)]
    assert loaded.run is not None
    assert ids(loaded.run) == [["C"]]


def test_missing_file_is_reported_at_the_setting(write: Write, complaints: Complaints) -> None:
    """A path that does not exist points to the setting, or the flag."""
    environment(write, "deployConfig: nope/a.yml\n")
    expected = "deployConfig: there is no file or folder 'nope/a.yml'"
    assert [f"environments/x.yml:2:15: {expected}"] == complaints()
    expected = "command line: --deploy-config: there is no file or folder 'b.yml'"
    assert [expected] == complaints(Selection(env="x", deploy_config="b.yml"))


@pytest.mark.parametrize(
    ("name", "said"), [("x" * 5000, "there is no file or folder '"), ("a\0b", "contains a control character; ")]
)
def test_impossible_names(complaints: Complaints, name: str, said: str) -> None:
    """A name that no file can have is reported, not raised."""
    (found,) = complaints(Selection(env="x", deploy_config=name))
    assert found.startswith(f"command line: --deploy-config: {said}")


def test_dangling_link_is_not_skipped(write: Write, complaints: Complaints, tmp_path: Path) -> None:
    """A matching name that leads nowhere is a problem."""
    environment(write, "deployConfig: configs\n")
    write("configs/a.yml", package("A"))
    (tmp_path / "configs" / "b.yml").symlink_to("nowhere.yml")
    assert complaints() == ["configs/b.yml: there is no such file"]


def test_unreadable_folder_is_not_skipped(
    write: Write, complaints: Complaints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subfolder that may not be listed is a problem, because configurations may be in it."""
    environment(write, "deployConfig: configs\n")
    write("configs/a.yml", package("A"))
    (tmp_path / "configs" / "secret").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert complaints() == ["configs/secret: the folder could not be read: Permission denied"]


def test_inline_packages(write: Write, run: Run) -> None:
    """The environment file may hold the packages itself; variables are put in, but not into overrides."""
    text = """deploymentPrefix: DEV
packages:
  - integrationSuiteId: ${PKG}
    packageDir: A
    artifacts:
      - {artifactId: F, artifactDir: F, type: IntegrationFlow, configOverrides: {k: '${header.x}'}}
"""
    environment(write, text)
    variables = {"PKG": "Sales1", "CPI_HOST": "h.example.com", "CPI_USERNAME": "u", "CPI_PASSWORD": "p"}
    (config,) = run(variables=variables).configs
    assert (config.source, config.prefix) == ("environments/x.yml", "DEV")
    assert [package.id for package in config.packages] == ["DEVSales1"]
    assert config.packages[0].artifacts[0].overrides == {"k": "${header.x}"}


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        (
            "deployConfig: config.yml\npackages: []\n",
            Selection(env="x"),
            "3:1: packages: cannot be combined with 'deployC",
        ),
        (
            "packages: []\n",
            Selection(env="x", deploy_config="a"),
            "2:1: packages: cannot be combined with --deploy-config",
        ),
        ("packages: []\n", Selection(env="x"), "2:11: packages: there is no package in the list"),
        ("packages: A\n", Selection(env="x"), "2:11: packages: must be a list"),
        ("packages:\n", Selection(env="x"), "1:1: the deploy configuration is missing: set 'deployConfig'"),
        ("deployConfig: ''\n", Selection(env="x"), "1:1: the deploy configuration is missing: set 'deployConfig'"),
        ("deployConfig: ${NOPE}\n", Selection(env="x"), "2:15: deployConfig: the environment variable NOPE is not set"),
        ("packages: ${NOPE}\n", Selection(env="x"), "2:11: packages: the environment variable NOPE is not set"),
    ],
)
def test_exactly_one_deploy_configuration(
    write: Write, complaints: Complaints, text: str, flags: Selection, expected: str
) -> None:
    """Neither, both and empty ones are single problems."""
    environment(write, text)
    (found,) = complaints(flags)
    assert found.startswith(f"environments/x.yml:{expected}")


def test_files_without_packages(write: Write, load: Load, complaints: Complaints) -> None:
    """A file without the key is a problem, an empty list only where no file has a package."""
    environment(write, "deployConfig: configs\n")
    write("configs/a.yml", "packages: []\n")
    assert complaints() == ["environments/x.yml:2:15: deployConfig: there is no package in configs"]
    write("configs/b.yml", package("B"))
    loaded = load()
    assert loaded.problems == ()
    assert loaded.run is not None
    assert ids(loaded.run) == [[], ["B"]]
    write("configs/c.yml", "deploymentPrefix: A\n")
    assert complaints() == ["configs/c.yml:1:1: the file has no 'packages', so it deploys nothing"]


def test_what_editors_and_version_control_leave_is_not_read(write: Write, run: Run) -> None:
    """Backups, swap files, resource forks and hidden folders are no configurations."""
    environment(write, "deployConfig: configs\nconfigPattern: '*'\n")
    write("configs/a.yml", package("A"))
    for name in ("a.yml~", ".a.yml.swp", "#a.yml#", "a.yml.orig", "a.yml.bak", "._a.yml", ".DS_Store", ".git/x.yml"):
        write(f"configs/{name}", "packages: [")
    write("configs/.idea/b.yml", "packages: [")
    write("configs/.hidden/c.yml", "packages: [")
    found = run()
    assert ids(found) == [["A"]]
    assert found.warnings == ()


def test_what_is_passed_over_is_named(write: Write, run: Run, tmp_path: Path) -> None:
    """A hidden file, a suffix in capitals and a link to a folder draw a warning: somebody may count on them."""
    environment(write, "deployConfig: configs\n")
    write("configs/a.yml", package("A"))
    write("configs/.b.yml", package("B"))
    write("configs/C.YML", package("C"))
    write("shared/d.yml", package("D"))
    (tmp_path / "configs" / "more").symlink_to(tmp_path / "shared")
    found = run()
    assert ids(found) == [["A"]]
    assert found.warnings == (
        "configs/.b.yml: is not read, because it is hidden; a configPattern that starts with '.' reads it",
        "configs/C.YML: is not read: it matches configPattern '*.y*ml' in upper and lower case alone",
        "configs/more: is not read, because it links to a folder",
    )
    assert ids(run(Selection(env="x", config_pattern=".*.yml"))) == [["B"]]


def test_nothing_but_files_that_are_passed_over(write: Write, complaints: Complaints) -> None:
    """The problem names them, so that nobody looks for the reason."""
    environment(write, "deployConfig: configs\n")
    write("configs/C.YML", package("C"))
    (found,) = complaints()
    assert "matches '*.y*ml' (configPattern, for file names); configs/C.YML: is not read" in found


def test_backslashes_separate_folders(write: Write, run: Run, tmp_path: Path) -> None:
    """Paths written on Windows mean the same everywhere, in files and flags; a slash at the end does not matter."""
    write("environments/x.yml", "packagesDir: .\\src\\packages\\\ndeployConfig: configs\\dev\\\n")
    artifact = "{artifactId: F, artifactDir: flows\\F/, type: IntegrationFlow}"
    text = f"packages: [{{integrationSuiteId: A, packageDir: sales\\A\\, artifacts: [{artifact}]}}]\n"
    write("configs/dev/a.yml", text)
    for selection in (
        Selection(env="x"),
        Selection(env="x", packages_dir=r"src\packages", deploy_config=r"configs\dev"),
    ):
        ((found,),) = (config.packages for config in run(selection).configs)
        assert found.artifacts[0].folder == tmp_path / "src/packages/sales/A/flows/F"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployConfig: ~/configs", "2:15: deployConfig: starts with '~', which only a shell replaces"),
        ("deployConfig: ~me\\configs", "2:15: deployConfig: starts with '~', which only a shell replaces"),
        ('deployConfig: "configs\\test.yml"', "2:15: deployConfig: contains a control character; put a path with"),
        (
            "deployConfig: C:\\work\\configs",
            "2:15: deployConfig: is a path of Windows; write it relative to the project",
        ),
        ("deployConfig: Configs", "2:15: deployConfig: there is no file or folder 'Configs'; there is 'configs', but"),
        (
            "deployConfig: configs/A.yml",
            "2:15: deployConfig: there is no file or folder 'configs/A.yml'; there is 'a.yml'",
        ),
        ("deployConfig: configs\npackagesDir: x", "3:1: the key 'packagesDir' is given twice (first in line 1)"),
    ],
)
def test_paths_that_work_on_one_machine_only(write: Write, complaints: Complaints, text: str, expected: str) -> None:
    """The problem says why, at the setting."""
    environment(write, f"{text}\n")
    write("configs/a.yml", package("A"))
    assert any(each.startswith(f"environments/x.yml:{expected}") for each in complaints()), complaints()


def test_absolute_paths_and_paths_outside_the_root(write: Write, run: Run, tmp_path: Path) -> None:
    """Both are allowed: another repository may be checked out beside this one."""
    write("configs/a.yml", package("A"))
    for packages, configs in ((tmp_path / "p", tmp_path / "configs"), ("../p", f"../{tmp_path.name}/configs")):
        write("environments/x.yml", f"packagesDir: {packages}\ndeployConfig: {configs}\n")
        assert ids(run()) == [["A"]]
