"""What stands in place of a file after a merge, checkout or download that went wrong is named for what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpi_tasks.foreign import find_foreign
from tests.content.texts import BOM, EVERY_TEXT, LFS, PAGE, PROP, SCRIPT, TEXTS, faults


@EVERY_TEXT
def test_sound_files_pass(path: str) -> None:
    """Nothing is wrong with any of the files that the other tests spoil."""
    assert faults(path, TEXTS[path]) == faults(path, BOM + TEXTS[path]) == []


@EVERY_TEXT
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_utf_16_and_utf_32_are_problems(path: str, encoding: str) -> None:
    """With a mark of their own and without one, in every type of text file."""
    (found,) = faults(path, TEXTS[path].decode().encode(encoding))

    assert "save it as UTF-8" in found


@EVERY_TEXT
def test_a_nul_byte_is_a_problem_with_its_line(path: str) -> None:
    """No text has one."""
    assert faults(path, b"a\r\nb\rc\0d") == [
        "3: has a NUL byte, so it is no text or encoded as UTF-16; save it as UTF-8"
    ]


def test_a_schema_that_says_it_is_utf_16_is_fine() -> None:
    """Such a document is legal XML; where it says nothing, somebody's shell made it."""
    path = "src/main/resources/xsd/a.xsd"

    assert faults(path, "<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16")) == []
    assert faults(path, "<?xml version='1.0' encoding='UTF-8'?><a/>".encode("utf-16")) != []


def test_binary_files_may_have_any_bytes() -> None:
    """Of archives and of files whose type is not known nothing is expected."""
    for path in ("src/main/resources/lib/a.jar", "src/main/resources/image/a.png", "src/main/resources/a.dat"):
        assert faults(path, b"PK\0\xff\xfe<<<<<<< \n>>>>>>> ") == []


@EVERY_TEXT
@pytest.mark.parametrize("eol", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", BOM])
def test_merge_conflicts_are_problems(path: str, eol: bytes, mark: bytes) -> None:
    """All markers are named with their lines, those of diff3 too, whatever the line ends."""
    lines = [b"<<<<<<< HEAD", b"a=1", b"||||||| 1b2c3d", b"a=0", b"=======", b"a=2", b">>>>>>> feature/x", b""]

    assert faults(path, mark + eol.join(lines)) == [
        "1: has merge conflict markers (lines 1, 3, 5, 7); resolve the conflict"
    ]


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", ">>>>>>> branch", "||||||| base", "<<<<<<<", ">>>>>>>", "|||||||"])
@pytest.mark.parametrize("path", [SCRIPT, PROP, "src/main/resources/notes.txt"])
def test_a_single_marker_that_was_left_is_a_problem(line: str, path: str) -> None:
    """A conflict that was resolved by half is none less."""
    text = f"a\n{line}\nb"

    assert faults(path, text.encode())[0] == "2: has merge conflict markers (line 2); resolve the conflict"


@pytest.mark.parametrize(
    "text", ["/*\n=======\nTitle\n=======\n*/", "a <<<<<<< b", "<<<<<<<<", "========", "x = 1 >>>>>>> 2", "<<<<<<<x"]
)
def test_what_only_looks_like_a_marker_is_none(text: str) -> None:
    """Headings, shifts and longer rows of signs occur in scripts."""
    assert faults(SCRIPT, text.encode()) == []


@pytest.mark.parametrize("path", [*TEXTS, "src/main/resources/lib/a.jar", "src/main/resources/image/a.png"])
@pytest.mark.parametrize(
    "data", [LFS, LFS.replace(b"\n", b"\r\n"), BOM + LFS, LFS.replace(b"oid", b"ext-0-a sha256:00\noid")]
)
def test_a_git_lfs_pointer_is_a_problem_in_place_of_any_file(path: str, data: bytes) -> None:
    """It says what it is and what to do."""
    (found,) = faults(path, data)

    assert found.startswith("1: is a Git LFS pointer")
    assert "lfs: true" in found


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("src/main/resources/lib/a.jar", b"\0GITCRYPT\0\1\2", "git-crypt"),
        (PROP, b"\0GITCRYPT\0\1\2", "git-crypt"),
        (PROP, b"a=1\nPassword=ENC[AES256_GCM,data:abc=,iv:x=,tag:y=,type:str]\n", "SOPS"),
        (SCRIPT, b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "Ansible Vault"),
        (PROP, b"-----BEGIN AGE ENCRYPTED FILE-----\n", "age"),
        (PROP, b"U2FsdGVkX1+abc=\n", "transcrypt"),
        ("src/main/resources/lib/a.jar", b"/annex/objects/SHA256E-s1--0.jar\n", "git-annex"),
        (SCRIPT, b"../../../Shared/a.groovy", "symbolic link"),
    ],
)
def test_other_stand_ins_are_problems(path: str, data: bytes, said: str) -> None:
    """What was not decrypted, fetched or linked is named for what it is."""
    (found,) = faults(path, data)

    assert said in found


@pytest.mark.parametrize("path", [*TEXTS, "src/main/resources/lib/a.jar"])
@pytest.mark.parametrize(
    "page", [PAGE, b"\r\n<!-- proxy --> <HTML lang='en'>", b"<?xml version='1.0'?><html xmlns='x'>"]
)
def test_an_html_page_in_place_of_a_file_is_a_problem(path: str, page: bytes) -> None:
    """A gateway's sign-in page was saved when the file was downloaded."""
    (found,) = faults(path, page)

    assert found.startswith("1: is an HTML page, probably a sign-in page")


def test_a_stylesheet_may_be_a_page_with_instructions() -> None:
    """XSLT allows a stylesheet that is its result."""
    page = b"<html xsl:version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>"

    assert faults("src/main/resources/mapping/a.xsl", page) == []
    assert faults("src/main/resources/mail.html", PAGE) == []


def test_published_artifacts_pass(samples: Path) -> None:
    """Nothing that SAP publishes is refused."""
    for file in (file for file in samples.rglob("*") if file.is_file()):
        parts = file.relative_to(samples).parts[2:]
        if parts and parts[0] in {"META-INF", "src", "metainfo.prop", "value_mapping.xml", ".project"}:
            assert faults("/".join(parts), file.read_bytes()) == []


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("src/main/resources/script/a.groovy", b"\xef\xbb\xbf\xef\xbb\xbfx", "two byte order marks"),
        ("src/main/resources/lib/a.jar", b"404: Not Found", "the error answer of a server"),
        (
            "src/main/resources/xsd/a.xsd",
            b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>",
            "error answer",
        ),
        ("src/main/resources/script/a.groovy", b"x\n<<<<<<<<<<<<<<< HEAD\n", "merge conflict markers (line 2)"),
        ("src/main/resources/script/a.groovy", b"x\n>>>> ORIGINAL a.groovy#1\n", "markers of Perforce (line 2)"),
    ],
)
def test_other_spellings_of_what_is_no_content(path: str, data: bytes, said: str) -> None:
    """Longer markers, markers of other tools, marks that two editors added, answers that a download kept."""
    found = find_foreign(path, data)
    assert found is not None
    assert said in found.message


@pytest.mark.parametrize("data", [b"404 errors are retried\nx", b"// <<<<<<<<<<\n", b"500 Internal\nmore\n"])
def test_texts_that_only_look_like_it(data: bytes) -> None:
    """A sentence about an error, or a row of signs in a comment, is content."""
    assert find_foreign("src/main/resources/script/a.groovy", data) is None
