"""What a run was asked to do: flags, settings, the tenant's address and the deploy configuration, all validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cpi_tasks.model.naming import (
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    DeployProof,
    DraftPolicy,
    DriftPolicy,
    FailurePolicy,
    Mode,
    PackageId,
    ParameterPolicy,
    PollingPolicy,
    SameVersionPolicy,
    ValueMappingPolicy,
    VerifyPolicy,
    VersionPolicy,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The flags of one call as typed; ``None`` means not given. Paths are relative to the current folder."""

    env: str | None = None
    env_fallbacks: tuple[tuple[str, str], ...] = ()
    """Names to use where neither ``env`` nor ``CPI_ENV`` is given: (name, where it came from in words), best first."""
    env_origin: str = "--env"
    """Where ``env`` came from, in words."""
    orchestrator_config: str | None = None
    packages_dir: str | None = None
    deploy_config: str | None = None
    deployment_prefix: str | None = None
    package_filter: str | None = None
    artifact_filter: str | None = None
    config_pattern: str | None = None
    merge_configs: bool | None = None
    keep_temp: bool | None = None
    mode: Mode | None = None
    """The phases where the task itself decides them (``update``, ``deploy``); beats everything else."""
    mode_flags: tuple[tuple[str, str], ...] = ()
    """Every mode flag that was typed, with its value: (``--mode``, ``update-only``), (``--deploy-only``, ...)."""
    deploy_retries: str | None = None
    deploy_delay: str | None = None
    parallel_deployments: str | None = None
    max_parallel_deployments: str | None = None
    deploy_timeout: str | None = None
    verify: str | None = None
    run_dir: str | None = None
    force: bool = False
    allow_downgrade: bool = False
    strict: bool = False
    on_drift: str | None = None
    on_failure: str | None = None
    max_failures: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in an input file; line and column count from 1."""

    file: str
    line: int
    column: int
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxFailures:
    """How many artifacts may fail before a run begins nothing new; exactly so many still may."""

    amount: float
    is_share: bool = False
    """Whether ``amount`` is per cent of the artifacts that take part."""

    def allows(self, failed: int, *, total: int) -> bool:
        """Whether a run with so many failed of ``total`` artifacts goes on."""
        return failed * 100 <= self.amount * total if self.is_share else failed <= self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a run after precedence is resolved; durations in seconds, rates in requests a second."""

    mode: Mode = Mode.UPDATE_AND_DEPLOY
    keep_temp: bool = False
    force: bool = False
    parallel_deployments: int = 3
    max_parallel_deployments: int = 9
    deploy_delay_s: float = 15.0
    deploy_timeout_s: float = 600.0
    polling: PollingPolicy = PollingPolicy.ADAPTIVE
    request_timeout_s: float = 180.0
    outage_budget_s: float = 300.0
    designtime_rate: float = 9.0
    runtime_rate: float = 45.0
    parameter_policy: ParameterPolicy = ParameterPolicy.OVERRIDES
    value_mappings: ValueMappingPolicy = ValueMappingPolicy.SAFE
    on_draft: DraftPolicy = DraftPolicy.FAIL
    versioning: VersionPolicy = VersionPolicy.MANIFEST
    allow_downgrade: bool = False
    is_strict: bool = False
    """Whether a reference to something that is neither deployed by the run nor on the tenant is an error."""
    deploy_proof: DeployProof = DeployProof.STRICT
    on_same_version: SameVersionPolicy = SameVersionPolicy.WARN
    verify: VerifyPolicy = VerifyPolicy.PARAMETERS
    on_drift: DriftPolicy = DriftPolicy.WARN
    is_protected: bool = False
    on_failure: FailurePolicy = FailurePolicy.CONTINUE
    max_failures: MaxFailures | None = None
    interrupt_grace_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicLogin:
    """User name and password, sent with every call."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthLogin:
    """OAuth 2.0 client credentials; without a secret the client certificate says who we are."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """PEM files for TLS, besides what the system itself trusts."""

    authorities: Path | None = None
    """A file with further authorities that are trusted."""
    authority_folders: tuple[Path, ...] = ()
    """Folders with files of such authorities."""
    client: Path | None = None
    """Our own certificate, for servers that ask for one."""
    client_key: Path | None = None
    """Its private key; ``None`` where the certificate's file holds it."""
    key_digest: str = field(default="", repr=False)
    """The digest of the private key's file, as secret as a password to compare with."""


SOCKS_SCHEMES = ("socks5", "socks5h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy: ``url`` is scheme, host and port, without the login."""

    url: str
    username: str = field(repr=False, default="")
    password: str = field(repr=False, default="")
    password_as_written: str = field(repr=False, default="")
    """The password as the variable holds it, percent-encoded."""

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS instead of HTTP."""
        return self.url.startswith(SOCKS_SCHEMES)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no output may show."""
        return tuple(each for each in (self.password, self.password_as_written) if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The proxy that an address (scheme, host, port) is reached through."""

    origin: str
    proxy: Proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantAccess:
    """A tenant reached over HTTP. ``url`` is scheme, host and port without a path, e.g. ``https://t1.example.com``."""

    url: str
    login: BasicLogin | OAuthLogin
    certificates: Certificates = Certificates()
    routes: tuple[Route, ...] = ()
    """The proxies of the tenant and of its token service; without one they are reached directly."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no output may show: of the login and of the proxies."""
        login = self.login
        given = login.password if isinstance(login, BasicLogin) else login.client_secret
        return (given, *(secret for route in self.routes for secret in route.proxy.secrets))

    @property
    def secret(self) -> str:
        """What only those know who may log in."""
        login = self.login
        given = login.password if isinstance(login, BasicLogin) else login.client_secret
        return given or self.certificates.key_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedTenant:
    """The embedded tenant of ``tenant.simulator``, with its settings."""

    state: Path
    """The file that keeps the tenant's state between runs (absolute)."""
    deploy_s: float = 1.0
    """How long a deployment takes, in seconds."""
    failing: frozenset[str] = frozenset()
    """Ids of artifacts whose deployment ends in ERROR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactSpec:
    """One artifact of the deploy configuration. ``id`` is final; ``source_id`` is the id as written in the files."""

    ref: ArtifactRef
    source_id: str
    kind: ArtifactKind
    folder: Path
    display_name: str | None
    sync: bool
    deploy: bool
    overrides: Mapping[str, str]
    position: Position
    override_positions: Mapping[str, Position]
    depends_on: Mapping[ArtifactId, Position] = field(default_factory=dict)
    """Artifacts that must run first, as ``dependsOn`` says, by their final ids, and where it says so."""

    @property
    def id(self) -> ArtifactId:
        """The artifact's id on the tenant."""
        return self.ref.artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSpec:
    """One package of the deploy configuration, with the artifacts the filters leave.

    ``name``, ``description`` and ``short_text`` are ``None`` where the configuration does not give them; ``name``
    carries the prefix already. ``creation_name`` is what a new package is called: display name or id, with the prefix.
    """

    id: PackageId
    source_id: str
    folder: Path
    name: str | None
    creation_name: str
    description: str | None
    short_text: str | None
    sync: bool
    deploy: bool
    artifacts: tuple[ArtifactSpec, ...]
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesFolder:
    """The folder that the folders of all packages are in, and the place of the setting that names it."""

    path: Path
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployConfig:
    """One deploy configuration: what one pair of phases works on.

    ``renames`` maps ids as written in the files (script collections and message mappings of the *whole* loaded
    configuration, whatever filters, ``sync`` and ``deploy`` say) to final ids; ids that keep their name are included.
    """

    source: str
    prefix: str
    packages: tuple[PackageSpec, ...]
    renames: Mapping[str, str]
    filtered_out: int = 0
    """How many artifacts of this configuration the filters left out."""
    packages_folder: PackagesFolder | None = None
    """``None`` where no setting names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything the files and flags say about one run."""

    root: Path
    environment: str
    environment_origin: str
    environment_file: Path | None
    """The environment's file (absolute); ``None`` where flags and variables alone describe the run."""
    settings: Settings
    tenant: TenantAccess | EmbeddedTenant
    configs: tuple[DeployConfig, ...]
    warnings: tuple[str, ...] = ()
    run_dir: Path | None = None
    """Where run folders go (absolute); below ``.cpi/`` where it is not given."""
