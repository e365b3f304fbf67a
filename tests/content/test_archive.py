"""Archives hold what belongs to the artifact, rewritten, and are the same bytes for the same content."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cpi_tasks.content import build_archive, changed_paths, load_content, load_contents, read_archive, write_unpacked
from cpi_tasks.content.manifest import Manifest
from cpi_tasks.errors import InputError
from cpi_tasks.model.config import ArtifactSpec, DeployConfig
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactKind

Folders = Callable[..., Path]
Specs = Callable[..., ArtifactSpec]
SCRIPTS = ArtifactKind.SCRIPT_COLLECTION
SCRIPT = "src/main/resources/script/a.groovy"


def unpack(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def content(make_folder: Folders, make_spec: Specs) -> ArtifactContent:
    """Give a flow with files of every sort, some of which do not belong to it."""
    files = {
        SCRIPT: b"code\r\n\xff",
        "src/main/resources/lib/helper lib.JAR": b"PK" * 300,
        "src/main/resources/xsd/ä.xsd": b"x" * 3000,
        "src/main/resources/.DS_Store": b"junk",
        "src/main/resources/script/._a.groovy": b"junk",
        "metainfo.prop": b"description=d\n",
        "README.md": b"notes",
    }
    return load_content(make_spec(make_folder("A", files=files)), {})


def test_an_archive_holds_what_belongs_to_the_artifact(content: ArtifactContent) -> None:
    """Files are packed as they are, the manifest first, nothing else beside them."""
    files = unpack(build_archive(content).data)

    assert list(files) == [
        "META-INF/MANIFEST.MF",
        "metainfo.prop",
        "src/main/resources/lib/helper lib.JAR",
        "src/main/resources/scenarioflows/integrationflow/flow.iflw",
        SCRIPT,
        "src/main/resources/xsd/ä.xsd",
    ]
    assert files[SCRIPT] == b"code\r\n\xff"


def test_the_same_content_gives_the_same_bytes(content: ArtifactContent) -> None:
    """Neither time nor permissions of the files leave a trace; archives in the content are not packed again."""
    first = build_archive(content)
    os.utime(content.spec.folder / SCRIPT, (0, 0))
    (content.spec.folder / SCRIPT).chmod(0o700)
    infos = zipfile.ZipFile(io.BytesIO(first.data)).infolist()

    assert build_archive(content).data == first.data
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert [info.filename for info in infos if info.compress_type == zipfile.ZIP_STORED] == [
        "src/main/resources/lib/helper lib.JAR"
    ]


def test_an_archive_compares_equal_to_its_folder(content: ArtifactContent) -> None:
    """The digest of the folder, of the archive and of its download are one."""
    archive = build_archive(content)
    downloaded = read_archive(archive.data, artifact=content.spec.id, kind=content.spec.kind)

    assert archive.fingerprint == content.digest.fingerprint == downloaded.digest.fingerprint
    assert changed_paths(content.digest, downloaded.digest) == ()


def test_the_fingerprint_is_of_what_is_in_the_archive(content: ArtifactContent) -> None:
    """A file changed since it was loaded is packed as it is now, and the fingerprint says so."""
    (content.spec.folder / SCRIPT).write_bytes(b"new")
    archive = build_archive(content)

    assert unpack(archive.data)[SCRIPT] == b"new"
    assert archive.fingerprint != content.digest.fingerprint


@pytest.mark.parametrize(
    "version", ["1.0.2", "2.0.0.a-qualifier-so-long-that-its-line-does-not-fit-into-72-bytes-of-it"]
)
def test_an_archive_may_say_another_version(content: ArtifactContent, version: str) -> None:
    """Only the version's own line of the manifest changes, the rest is the same byte by byte."""
    before, after = unpack(build_archive(content).data), unpack(build_archive(content, version=version).data)
    manifests = before.pop("META-INF/MANIFEST.MF"), after.pop("META-INF/MANIFEST.MF")
    line = f"Bundle-Version: {version}".encode()
    folded = line[:72] + (b"\r\n " + line[72:] if line[72:] else b"")

    assert before == after
    assert manifests[0].replace(b"Bundle-Version: 1.0.1", folded) == manifests[1]
    assert version == Manifest(manifests[1]).get("Bundle-Version")


def test_the_fingerprint_does_not_depend_on_the_version(content: ArtifactContent) -> None:
    """What was uploaded under another version is the same content, and its download says the version."""
    archive = build_archive(content, version="7.0.0")
    downloaded = read_archive(archive.data, artifact=content.spec.id, kind=content.spec.kind)

    assert content.digest.fingerprint == archive.fingerprint == downloaded.digest.fingerprint
    assert downloaded.version == "7.0.0"


def test_the_version_of_the_files_changes_no_byte(content: ArtifactContent) -> None:
    """Asking for the version that is there already gives the archive as without."""
    assert build_archive(content).data == build_archive(content, version=content.version).data


def test_a_folder_that_went_away_is_an_input_error(content: ArtifactContent) -> None:
    """What vanished between loading and packing is told as a problem."""
    (content.spec.folder / "META-INF" / "MANIFEST.MF").unlink()

    with pytest.raises(InputError, match="MANIFEST"):
        build_archive(content)


def test_unpacked_content_is_what_is_in_the_archive(content: ArtifactContent, tmp_path: Path) -> None:
    """The kept folder holds exactly the archive's files."""
    write_unpacked(content, tmp_path / "kept" / "A")
    kept = tmp_path / "kept" / "A"

    assert {
        file.relative_to(kept).as_posix(): file.read_bytes() for file in kept.rglob("*") if file.is_file()
    } == unpack(build_archive(content).data)


def test_unpacked_content_says_the_version_too(content: ArtifactContent, tmp_path: Path) -> None:
    """A kept folder shows the version that was uploaded."""
    write_unpacked(content, tmp_path, version="1.0.7")

    assert Manifest((tmp_path / "META-INF/MANIFEST.MF").read_bytes()).get("Bundle-Version") == "1.0.7"


def test_defect_14_folders_of_one_name_in_two_packages_do_not_mix(
    make_folder: Folders, make_spec: Specs, make_config: Callable[..., DeployConfig]
) -> None:
    """Two packages may use the same artifact folder name; each archive holds its own files only."""
    one = make_folder("Common", SCRIPTS, {SCRIPT: b"one", "src/main/resources/script/only.js": b"1"}, package="P1")
    two = make_folder("Common", SCRIPTS, {SCRIPT: b"two"}, package="P2")
    specs = (make_spec(one, SCRIPTS, source_id="C1"), make_spec(two, SCRIPTS, source_id="C2"))
    contents, problems = load_contents(make_config(*specs))
    archives = [unpack(build_archive(contents[spec.ref]).data) for spec in specs]

    assert problems == ()
    assert [archive[SCRIPT] for archive in archives] == [b"one", b"two"]
    assert [sorted(archive) for archive in archives] == [
        ["META-INF/MANIFEST.MF", SCRIPT, "src/main/resources/script/only.js"],
        ["META-INF/MANIFEST.MF", SCRIPT],
    ]
    assert b"Bundle-SymbolicName: C2; singleton:=true\r\n" in archives[1]["META-INF/MANIFEST.MF"]
