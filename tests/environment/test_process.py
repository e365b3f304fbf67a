"""The variables of the process: what is ignored, what cannot be used, and that only used ones matter."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpi_tasks.environment import Loaded
from cpi_tasks.environment.process import Use, Variables, cleaned
from cpi_tasks.model.config import BasicLogin, OAuthLogin, Selection, TenantAccess

Load = Callable[..., Loaded]

HOST = {"CPI_HOST": "t1.example.com"}
BASIC = HOST | {"CPI_USERNAME": "u", "CPI_PASSWORD": "hunter2"}
OAUTH = HOST | {
    "CPI_TOKEN_URL": "https://a.example.com/oauth/token",
    "CPI_CLIENT_ID": "c",
    "CPI_CLIENT_SECRET": "s3cr3t",
}


@pytest.mark.parametrize("name", sorted(OAUTH))
@pytest.mark.parametrize(
    "around", ["{}\n", "{}\r\n", "{}\r", "\ufeff{}", "\u00ef\u00bb\u00bf{}", " {} ", '"{}"', "'{}'\r\n"]
)
def test_what_stores_add_is_ignored_with_a_warning(load: Load, name: str, around: str) -> None:
    """The run is as with the value alone, and one warning names the variable."""
    loaded = load(variables=OAUTH | {name: around.format(OAUTH[name])})
    assert loaded.problems == ()
    assert loaded.run is not None
    assert loaded.run.tenant == TenantAccess(
        url="https://t1.example.com",
        login=OAuthLogin(token_url="https://a.example.com/oauth/token", client_id="c", client_secret="s3cr3t"),
    )
    (warning,) = loaded.run.warnings
    assert warning.startswith(f"{name} has ")
    assert "s3cr3t" not in warning


@pytest.mark.parametrize(
    ("written", "expected", "warnings"),
    [
        ("hunter2\r\n", "hunter2", 1),
        ("\ufeffhunter2", "hunter2", 1),
        (" hunter2 ", " hunter2 ", 1),
        ("hunter2 \n", "hunter2 ", 2),
        ('"hunter2"', '"hunter2"', 1),
        ("hun ter\u00e4", "hun ter\u00e4", 0),
        ("$Hunter2", "$Hunter2", 0),
        ("$hunter2", "$hunter2", 0),
        ("%hunter%2", "%hunter%2", 0),
        ("<Hunter2>", "<Hunter2>", 0),
        ("pa$$word", "pa$$word", 0),
    ],
)
def test_a_password_keeps_what_may_belong_to_it(load: Load, written: str, expected: str, warnings: int) -> None:
    """Line ends go, blanks and quotation marks stay with a warning; what only looks odd is a password, too."""
    loaded = load(variables=BASIC | {"CPI_PASSWORD": written})
    assert loaded.problems == ()
    assert loaded.run is not None
    tenant = loaded.run.tenant
    assert isinstance(tenant, TenantAccess)
    assert isinstance(tenant.login, BasicLogin)
    assert tenant.login.password == expected
    assert len(loaded.run.warnings) == warnings
    assert all(text.startswith("CPI_PASSWORD ") and "hunter2" not in text for text in loaded.run.warnings)


@pytest.mark.parametrize(
    "reference",
    [
        "$(CPI_X)",
        "$[variables.CPI_X]",
        "$CPI_X",
        "${CPI_X}",
        "${env:CPI_X}",
        "%CPI_X%",
        "%env.CPI_X%",
        "${{ secrets.CPI_X }}",
        "$env:CPI_X",
        "$Env:CPI_X",
        "{{ cpi_x }}",
        "#{CPI_X}#",
        "__CPI_X__",
        "<your-value>",
        "<YOUR VALUE>",
        "$(CPI_X)\r\n",
    ],
)
@pytest.mark.parametrize("name", [*sorted(OAUTH), "CPI_PASSWORD", "CPI_USERNAME", "CPI_SERVICE_KEY"])
def test_a_reference_that_nobody_expanded(load: Load, name: str, reference: str) -> None:
    """It is named for what it is, once, at its variable, without the value."""
    rest = OAUTH if name in OAUTH else BASIC
    (problem,) = load(variables=rest | {name: reference}).problems
    assert problem.file == name
    assert "still holds the text of a reference or placeholder of the form " in problem.message
    assert "CPI_X" not in problem.message
    assert "your" not in problem.message.lower()


@pytest.mark.parametrize("host", ["$(TENANT).it-cpi001.cfapps.eu10.hana.ondemand.com", "https://<your-host>/api/v1"])
def test_a_reference_within_an_address(load: Load, host: str) -> None:
    """In an address a part is enough: no address has such characters."""
    (problem,) = load(variables=BASIC | {"CPI_HOST": host}).problems
    assert (problem.file, "of the form" in problem.message) == ("CPI_HOST", True)


@pytest.mark.parametrize("name", ["CPI_PASSWORD", "CPI_USERNAME"])
@pytest.mark.parametrize("value", ["hun\nter2", "hun\0ter2", "hun\x1bter2", "hunter2\udce4"])
def test_what_no_login_holds(load: Load, name: str, value: str) -> None:
    """Control characters inside, and bytes that are no text, are a problem that names the variable."""
    (problem,) = load(variables=BASIC | {name: value}).problems
    assert problem.file == name
    assert "hun" not in problem.message


def test_only_variables_that_are_used_are_complained_about(load: Load) -> None:
    """Of a login method that is not used nothing is read."""
    unused = {"CPI_USERNAME": "$(CPI_USERNAME)", "CPI_PASSWORD": "x\r\n", "CPI_CLIENT_SECRET_OLD": "y\n"}
    loaded = load(variables=OAUTH | unused)
    assert loaded.problems == ()
    assert loaded.run is not None
    assert loaded.run.warnings == ()


@pytest.mark.parametrize("value", ["", "\r\n", "  ", "\ufeff", '""'])
def test_nothing_but_blanks_is_not_set(load: Load, value: str) -> None:
    """A secret that is missing is often spelt as an empty line."""
    found = load(variables=BASIC | {"CPI_CLIENT_ID": value, "CPI_SERVICE_KEY": value})
    assert found.problems == ()


def test_values_written_in_the_file(write: Callable[[str, str], object], load: Load) -> None:
    """The keys of the section pass the same cleaning, and the advice fits the file."""
    head = "packagesDir: packages\ndeployConfig: config.yml\ntenant:\n"
    write("environments/x.yml", head + "  username: $USER_NAME\n  password: |\n    hunter2\n  host: ${H}\n")
    loaded = load(variables={"H": "t1.example.com\r\n"})
    (problem,) = loaded.problems
    assert str(problem).startswith("environments/x.yml:4:13: tenant.username: still holds the text of a reference")
    assert str(problem).endswith("; in this file a variable is written ${NAME}")
    assert loaded.run is not None
    assert [text.partition(" has ")[0] for text in loaded.run.warnings] == [
        "H",
        "environments/x.yml:5:13: tenant.password:",
    ]
    write("environments/x.yml", head + "  username: u\n  password: |\n    hunter2\n  host: ${H}\n")
    loaded = load(variables={"H": "<host>"})
    (problem,) = loaded.problems
    assert str(problem).startswith("environments/x.yml:7:9: tenant.host: the environment variable H still holds")
    loaded = load(variables={"H": "t1.example.com"})
    assert loaded.run is not None
    assert isinstance(loaded.run.tenant, TenantAccess)
    assert loaded.run.tenant.login == BasicLogin(username="u", password="hunter2")


def test_the_name_of_the_environment(load: Load) -> None:
    """``CPI_ENV`` is cleaned like any other."""
    loaded = load(Selection(), variables=BASIC | {"CPI_ENV": "\ufeffx\r\n"})
    assert loaded.run is not None
    assert (loaded.run.environment, len(loaded.run.warnings)) == ("x", 1)
    (problem,) = load(Selection(), variables=BASIC | {"CPI_ENV": "$(ENVIRONMENT)"}).problems
    assert str(problem).startswith("CPI_ENV: still holds the text of a reference")


def test_no_value_is_shown() -> None:
    """Neither a cleaned value nor the variables show what they hold."""
    assert "hunter2" not in repr(cleaned("hunter2\n", Use.PASSWORD))
    assert "hunter2" not in repr(Variables({"CPI_PASSWORD": "hunter2"}))
