"""The small rules that live on the values themselves."""

from __future__ import annotations

import pytest

from cpi_tasks.model.config import BasicLogin, OAuthLogin
from cpi_tasks.model.content import ContentDigest
from cpi_tasks.model.naming import ArtifactId, ArtifactKind, ArtifactRef, Mode, PackageId
from cpi_tasks.model.plan import ParameterChange, UpdateAction, UpdateStep
from cpi_tasks.model.tenant import ConfigurationParameter, DesigntimeArtifact


def test_a_fingerprint_does_not_depend_on_the_order_of_files() -> None:
    """The same entries give the same fingerprint in whatever order they were read."""
    one = ContentDigest(entries={"a": "1", "b": "2"})
    other = ContentDigest(entries={"b": "2", "a": "1"})

    assert one.fingerprint == other.fingerprint
    assert len(one.fingerprint) == 64


def test_a_fingerprint_does_not_depend_on_the_description() -> None:
    """Some downloads lack ``metainfo.prop``, so that a record could never match."""
    one, other = (ContentDigest(entries={"a": "1"}, description=text) for text in ("x", None))

    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize("entries", [{}, {"a": "2"}, {"b": "1"}, {"a": "1", "b": "1"}, {"a": "", "1": ""}])
def test_a_fingerprint_tells_contents_apart(entries: dict[str, str]) -> None:
    """Another path, another digest, one file more or less: each is another content."""
    assert ContentDigest(entries=entries).fingerprint != ContentDigest(entries={"a": "1"}).fingerprint


@pytest.mark.parametrize(
    ("version", "is_draft"),
    [("Active", True), ("active", True), ("Draft", True), ("DRAFT", True), ("1.0.0", False), ("", False)],
)
def test_a_draft_is_known_by_its_version(version: str, *, is_draft: bool) -> None:
    """``Active`` and ``Draft`` stand where a saved artifact has its number."""
    artifact = DesigntimeArtifact(
        id=ArtifactId("Flow"),
        kind=ArtifactKind.INTEGRATION_FLOW,
        package=PackageId("Pack"),
        version=version,
        name="Flow",
    )

    assert artifact.is_draft is is_draft


@pytest.mark.parametrize(
    ("action", "writes"),
    [
        (UpdateAction.CREATE, True),
        (UpdateAction.UPDATE, True),
        (UpdateAction.CONFIGURE, True),
        (UpdateAction.REPLACE, True),
        (UpdateAction.SAVE_VERSION, True),
        (UpdateAction.UNCHANGED, False),
        (UpdateAction.KEEP, False),
        (UpdateAction.REFUSE, False),
    ],
)
def test_only_some_actions_write(action: UpdateAction, *, writes: bool) -> None:
    """Each action either changes the tenant or does not."""
    assert UpdateStep(action=action, reason="why").writes is writes


@pytest.mark.parametrize(
    ("mode", "updates", "deploys"),
    [(Mode.UPDATE_AND_DEPLOY, True, True), (Mode.UPDATE_ONLY, True, False), (Mode.DEPLOY_ONLY, False, True)],
)
def test_a_mode_names_its_phases(mode: Mode, *, updates: bool, deploys: bool) -> None:
    """Update and deploy are each part of two of the three modes."""
    assert (mode.updates, mode.deploys) == (updates, deploys)


@pytest.mark.parametrize(
    ("kind", "api_name"),
    [
        (ArtifactKind.INTEGRATION_FLOW, "Integration"),
        (ArtifactKind.SCRIPT_COLLECTION, "ScriptCollection"),
        (ArtifactKind.MESSAGE_MAPPING, "MessageMapping"),
        (ArtifactKind.VALUE_MAPPING, "ValueMapping"),
    ],
)
def test_families_have_their_names_of_the_api(kind: ArtifactKind, api_name: str) -> None:
    """Only integration flows are called otherwise in API paths than in files."""
    assert kind.api_name == api_name


def test_a_reference_reads_as_package_and_artifact() -> None:
    """People see ``package/artifact``, sorted by package first."""
    refs = [ArtifactRef(package=PackageId(p), artifact=ArtifactId(a)) for p, a in [("B", "a"), ("A", "z"), ("A", "b")]]

    assert [str(ref) for ref in sorted(refs)] == ["A/b", "A/z", "B/a"]


def test_secrets_and_parameter_values_are_in_no_representation() -> None:
    """What ends up in a traceback or a debug line must not give a value away."""
    values = [
        BasicLogin(username="robot", password="hunter2"),
        OAuthLogin(token_url="https://t1.example.com/oauth/token", client_id="robot", client_secret="hunter2"),
        ParameterChange(key="password", old="hunter2", new="hunter2"),
        ConfigurationParameter(key="password", value="hunter2"),
        UpdateStep(
            action=UpdateAction.CONFIGURE,
            reason="parameter 'password' differs",
            enforced={"password": "hunter2"},
            changes=(ParameterChange(key="password", old=None, new="hunter2"),),
        ),
    ]

    assert [value for value in values if "hunter2" in repr(value)] == []
