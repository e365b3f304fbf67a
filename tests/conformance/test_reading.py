"""What a tenant shows to a client that only reads. Numbers are those of the checklist of behaviours clients rely on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import httpx
import pytest
from defusedxml import ElementTree

from tests.conformance.bundles import decoded
from tests.conformance.conftest import OwnTenant, Sample
from tests.conformance.remote import Login, Remote

OAUTH = Login(user="demo-client", secret="demo-secret", token_url="/oauth/token")
RUNTIME_FIELDS = {"Id", "Version", "Name", "Type", "DeployedBy", "DeployedOn", "Status"}


def flow_path(sample: Sample, version: str = "active") -> str:
    """Give the sample flow's address."""
    return f"IntegrationDesigntimeArtifacts(Id='{sample.flow}',Version='{version}')"


@pytest.fixture
def token_login(pytestconfig: pytest.Config, own_url: str) -> Login:
    """Give credentials for OAuth on the tenant under test."""
    if not pytestconfig.getoption("--tenant-url"):
        return Login(user=OAUTH.user, secret=OAUTH.secret, token_url=f"{own_url}{OAUTH.token_url}")
    login = Login.of(os.environ)
    if login is None or not login.token_url:
        pytest.skip("the CPI_* variables have no OAuth client")
    return login


@pytest.fixture
def own_url(remote: Remote) -> str:
    """Give scheme and host of the tenant under test."""
    return str(remote.client.base_url).partition("/api/")[0]


@pytest.mark.parametrize("shape", ["query", "form", "form-with-client", "query-with-client"])
def test_item_01_tokens_are_given_for_every_shape_of_request(token_login: Login, shape: str) -> None:
    """Grant type and client may stand in the query, in a form or in the Basic header."""
    grant = {"grant_type": "client_credentials"}
    client = {"client_id": token_login.user, "client_secret": token_login.secret}
    sent: Mapping[str, dict[str, str]] = {
        "query": {"params": grant},
        "form": {"data": grant},
        "form-with-client": {"data": {**grant, **client}},
        "query-with-client": {"params": {**grant, **client}},
    }[shape]
    auth = None if shape == "query-with-client" else (token_login.user, token_login.secret)
    answer = httpx.post(token_login.token_url, auth=auth, timeout=60, **sent)  # type: ignore[arg-type]

    assert answer.status_code == 200
    assert answer.json()["access_token"]
    assert answer.json()["token_type"].lower() == "bearer"
    assert answer.json()["expires_in"] > 0


def test_item_01_a_wrong_client_gets_401(token_login: Login) -> None:
    """Nobody else gets a token."""
    answer = httpx.post(
        token_login.token_url, data={"grant_type": "client_credentials"}, auth=(token_login.user, "wrong"), timeout=60
    )
    assert answer.status_code == 401


def test_item_01_expired_tokens_get_401(own_tenant: OwnTenant) -> None:
    """A token that has expired opens nothing any more."""
    simulator, remote = own_tenant(login=OAUTH)
    assert remote.get("IntegrationPackages").status_code == 200
    simulator.expire_tokens()
    assert remote.get("IntegrationPackages").status_code == 401


@pytest.mark.parametrize("path", ["", "IntegrationPackages?$top=1"])
@pytest.mark.parametrize("word", ["Fetch", "fetch", "FETCH"])
def test_item_02_reading_hands_out_csrf_tokens_and_cookies(remote: Remote, path: str, word: str) -> None:
    """The service document and the package list give a token to whoever asks, in any case."""
    remote.begin_again()
    answer = remote.get(path, X_CSRF_Token=word)

    assert answer.status_code == 200
    assert answer.headers["X-CSRF-Token"]
    assert answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "path",
    [
        "IntegrationPackages('{p}')",
        "IntegrationPackages(%27{p}%27)",
        "IntegrationPackages%28'{p}'%29",
        "IntegrationPackages('{p}')/IntegrationDesigntimeArtifacts(Id='{f}',Version='Active')",
        "IntegrationDesigntimeArtifacts(Id%3D'{f}',Version%3D%27active%27)",
        "IntegrationDesigntimeArtifacts(Id='{f}',Version='ACTIVE')",
        "IntegrationDesigntimeArtifacts(Id='{f}',Version='{v}')",
        "IntegrationPackages?%24top=1",
        "IntegrationRuntimeArtifacts?$filter=Id+eq+'{f}'",
        "IntegrationRuntimeArtifacts?%24filter=Id%20eq%20%27{f}%27",
    ],
)
def test_item_04_every_spelling_of_an_address_is_understood(remote: Remote, sample: Sample, path: str) -> None:
    """Quotes, brackets, dollars, equals signs and spaces may be escaped or not; ``active`` may be in any case."""
    assert remote.get(path.format(p=sample.package, f=sample.flow, v=sample.version)).status_code == 200


def test_item_04_doubled_quotes_are_part_of_an_id(remote: Remote) -> None:
    """An id with a quote is an id that is not there, not a mistake."""
    assert remote.get("IntegrationPackages('ZZ''none')").status_code == 404


@pytest.mark.parametrize("accept", ["application/json", "application/xml", "*/*"])
def test_item_05_answers_and_errors_come_as_accepted(remote: Remote, accept: str) -> None:
    """JSON only where it is asked for, Atom otherwise; errors in the same format, with the reason as code."""
    found = remote.get("IntegrationPackages", Accept=accept)
    missing = remote.get("IntegrationPackages('0')", Accept=accept)

    assert found.status_code == 200
    assert missing.status_code == 404
    if accept == "application/json":
        assert isinstance(found.json()["d"]["results"], list)
        assert missing.json()["error"]["code"] == "Not Found"
        assert isinstance(missing.json()["error"]["message"]["value"], str)
    else:
        assert ElementTree.fromstring(found.text).tag.endswith("}feed")
        error = ElementTree.fromstring(missing.text)
        assert error.tag.endswith("}error")
        assert [child.text for child in error if child.tag.endswith("}code")] == ["Not Found"]


def test_item_05_format_in_the_query_counts_too(remote: Remote) -> None:
    """``$format=json`` does without the header."""
    answer = remote.get("IntegrationPackages?$format=json", Accept="*/*")
    assert isinstance(answer.json()["d"]["results"], list)


def test_item_09_links_of_lists_work_verbatim(remote: Remote, sample: Sample) -> None:
    """``uri`` and ``media_src`` are absolute addresses on the same host that need nothing added."""
    rows = remote.get(f"IntegrationPackages('{sample.package}')/IntegrationDesigntimeArtifacts").json()["d"]["results"]
    (row,) = (row for row in rows if row["Id"] == sample.flow)
    links = row["__metadata"]
    address = httpx.URL(links["uri"])

    assert address.host == remote.client.base_url.host
    assert f":{address.port or 443}/" in links["uri"], "the port is written out"
    assert remote.get(links["uri"]).json()["d"]["Id"] == sample.flow
    assert decoded(remote.get(links["media_src"]).content)
    assert links["edit_media"] == links["media_src"]


@pytest.mark.parametrize("accept", ["application/zip", "application/octet-stream", "application/json", "*/*"])
def test_item_10_downloads_are_archives_with_a_file_name(remote: Remote, sample: Sample, accept: str) -> None:
    """Whatever is accepted, the archive comes, with a name to save it under."""
    answer = remote.get(f"{flow_path(sample)}/$value", Accept=accept)

    assert answer.status_code == 200
    assert "META-INF/MANIFEST.MF" in decoded(answer.content)
    assert re.search(r"filename=.+\.zip", answer.headers["Content-Disposition"])


def test_item_13_configurations_have_their_four_fields(remote: Remote, sample: Sample) -> None:
    """Each parameter has key, value, type and description; the count is a plain number."""
    rows = remote.results(f"{flow_path(sample)}/Configurations")
    count = remote.get(f"{flow_path(sample)}/Configurations/$count", Accept="*/*").text

    assert all({"ParameterKey", "ParameterValue", "DataType", "Description"} <= row.keys() for row in rows)
    assert int(count) == len(rows)


def test_item_19_runtime_artifacts_have_all_their_fields(remote: Remote) -> None:
    """Seven fields, none of them null."""
    rows = remote.get("IntegrationRuntimeArtifacts?$top=5").json()["d"]["results"]
    if not rows:
        pytest.skip("nothing is deployed on this tenant")
    assert all(row[name] is not None for row in rows for name in RUNTIME_FIELDS)
    assert all(re.fullmatch(r"/Date\(\d+\)/", row["DeployedOn"]) for row in rows)
    one = remote.get(f"IntegrationRuntimeArtifacts('{rows[0]['Id']}')?$select=Status").json()["d"]
    assert one["Status"]


def test_item_19_what_is_not_deployed_is_said_not_to_be_found(remote: Remote) -> None:
    """The single read is refused with a known text, the filter finds nothing."""
    missing = remote.get("IntegrationRuntimeArtifacts('ZZnotDeployed')")
    rows = remote.get("IntegrationRuntimeArtifacts?$filter=Id eq 'ZZnotDeployed'").json()["d"]["results"]

    assert missing.status_code == 404
    assert "Requested entity could not be found" in missing.text
    assert rows == []


def test_item_20_skip_is_ignored_inside_packages(remote: Remote, sample: Sample) -> None:
    """The list of a package's artifacts begins at its beginning."""
    path = f"IntegrationPackages('{sample.package}')/IntegrationDesigntimeArtifacts"
    assert [row["Id"] for row in remote.results(f"{path}?$skip=1")] == [row["Id"] for row in remote.results(path)]


def test_item_20_packages_are_not_counted(remote: Remote) -> None:
    """``$inlinecount`` is not implemented for packages."""
    assert remote.get("IntegrationPackages?$inlinecount=allpages").status_code == 501


def test_item_20_long_lists_come_in_pages_of_a_thousand(own_tenant: OwnTenant) -> None:
    """The rest is behind ``__next``."""
    simulator, remote = own_tenant()
    for number in range(1000):
        simulator.add_package(f"More{number}")
    first = remote.get("IntegrationPackages").json()["d"]

    assert len(first["results"]) == 1000
    assert len(remote.get(first["__next"]).json()["d"]["results"]) == 1
    assert len({row["Id"] for row in remote.results("IntegrationPackages")}) == 1001


def test_item_21_locks_are_listed_or_forbidden(remote: Remote) -> None:
    """Whoever lacks the role gets a 403."""
    assert remote.get("IntegrationDesigntimeLocks").status_code in {200, 403}


def test_item_22_packages_that_may_only_be_configured_give_no_content(own_tenant: OwnTenant) -> None:
    """Downloads are refused, parameters can be read."""
    simulator, remote = own_tenant()
    simulator.packages["Sample"].mode = "READ_ONLY"
    sample = Sample(package="Sample", flow="SampleFlow", version="1.0.2")

    assert remote.get(f"{flow_path(sample)}/$value").status_code == 400
    assert remote.get(f"{flow_path(sample)}/Configurations").status_code == 200


@pytest.mark.parametrize("retry_after", [None, 7])
def test_item_23_too_many_requests_get_429(own_tenant: OwnTenant, retry_after: int | None) -> None:
    """What is above the rate is refused, with or without a hint."""
    _, remote = own_tenant(designtime_rate=10, retry_after_s=retry_after)
    answers = [remote.get("IntegrationPackages") for _ in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]

    assert len(refused) >= 20
    assert refused[0].headers.get("Retry-After") == (None if retry_after is None else "7")


@pytest.mark.parametrize("status", [401, 403, 500, 502, 503, 504])
def test_item_23_faults_can_be_planned(own_tenant: OwnTenant, status: int) -> None:
    """The next request meets the fault, the one after that does not."""
    simulator, remote = own_tenant()
    simulator.fail_next("GET", "IntegrationPackages", status)

    assert remote.get("IntegrationPackages").status_code == status
    assert remote.get("IntegrationPackages").status_code == 200


@pytest.mark.parametrize("path", ["Nothing", "IntegrationPackages('ZZnothing')/$value"])
def test_what_is_not_there_is_404(remote: Remote, path: str) -> None:
    """Unknown sets and unknown packages."""
    assert remote.get(path).status_code == 404
