"""The switches of the embedded tenant: behaviour that differs between real tenants, and planned misfortune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from cpi_tasks.errors import SimulatorError


class Kind(Enum):
    """The four artifact families, by the name they carry in API paths (SAP Help, Integration Content)."""

    FLOW = "Integration"
    MESSAGE_MAPPING = "MessageMapping"
    SCRIPT_COLLECTION = "ScriptCollection"
    VALUE_MAPPING = "ValueMapping"

    @property
    def entity_set(self) -> str:
        """The family's entity set, e.g. ``IntegrationDesigntimeArtifacts``."""
        return f"{self.value}DesigntimeArtifacts"

    @property
    def entity_type(self) -> str:
        """The family's entity type without its namespace."""
        return f"{self.value}DesigntimeArtifact"

    @property
    def words(self) -> str:
        """The family's name in texts of the tenant, e.g. ``Message Mapping``."""
        return {
            Kind.FLOW: "Integration Flow",
            Kind.MESSAGE_MAPPING: "Message Mapping",
            Kind.SCRIPT_COLLECTION: "Script Collection",
            Kind.VALUE_MAPPING: "Value Mapping",
        }[self]

    @property
    def runtime_type(self) -> str:
        """What the runtime shows as ``Type``."""
        return {
            Kind.FLOW: "INTEGRATION_FLOW",
            Kind.MESSAGE_MAPPING: "MESSAGE_MAPPING",
            Kind.SCRIPT_COLLECTION: "SCRIPT_COLLECTION",
            Kind.VALUE_MAPPING: "VALUE_MAPPING",
        }[self]


LockedOperation = Literal["update", "delete", "save", "configure", "deploy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """How this tenant behaves. Durations in seconds, rates in requests per second; ids are artifact ids.

    Both logins are always accepted. ``failing`` builds end in task FAIL and runtime ERROR; ``late_failing`` ones in
    ERROR after the task said SUCCESS; ``never_appearing`` ones never reach the runtime; ``stuck_starting`` ones stay
    in STARTING; ``stuck_tasks`` run although their task says DEPLOYING for ever.
    """

    username: str = "demo-user"
    password: str = field(default="demo-password", repr=False)
    client_id: str = "demo-client"
    client_secret: str = field(default="demo-secret", repr=False)
    token_lifetime_s: float = 43199.0
    enforce_csrf: Literal["basic", "always", "never"] = "basic"

    deploy_s: float = 1.0
    """From the deploy call to STARTED: a third until the runtime shows anything, the rest in STARTING."""
    deploy_seconds_by_id: Mapping[str, float] = field(default_factory=dict)
    stop_s: float = 0.5
    """How long an undeployed artifact says STOPPING before it is gone."""
    undeployment: Literal["stopping", "gone", "old-first"] = "stopping"
    """After an undeployment: STOPPING until ``stop_s`` has passed (SAP Help), gone at once (flashpipe), or the old
    state for a third of that time and STOPPING for the rest (landscaper)."""
    deploys_while_stopping: bool = False
    """Whether a deployment of what is being undeployed is accepted (flashpipe) or a 400 (SAP Help)."""
    added_profile: str = ""
    """The value of the parameter ``SAP_ProfileId`` that the tenant adds to every flow: ``iflmap``, ``integrationcell``
    (then flows never reach this runtime), or empty where it adds none (terraform-provider-sap-integration-suite)."""
    failing: frozenset[str] = frozenset()
    late_failing: frozenset[str] = frozenset()
    never_appearing: frozenset[str] = frozenset()
    stuck_starting: frozenset[str] = frozenset()
    stuck_tasks: frozenset[str] = frozenset()
    gives_task_id_for_all: bool = False
    gives_deployed_on: bool = True
    error_information_delay_s: float = 1.0
    """How long after the ERROR its text is available, with 204 until then; a client that asks once, late, gets it."""
    error_information_accept: Literal["any", "not-json"] = "any"
    requires_running_references: bool = True
    """A flow that names a collection or mapping found neither in design time nor on the runtime fails its build."""
    requires_started_references: bool = False
    """Stricter: what a flow names must be STARTED when the flow's deployment is triggered."""

    version_mode: Literal["manifest-if-higher", "manifest", "keep", "draft"] = "manifest-if-higher"
    """The version after an upload (PUT): that of the manifest where it is higher, also where it is lower (flashpipe's
    cmd_test.go), never (terraform-provider-sap-integration-suite), or a draft (mcp-cpi)."""
    modified_at_families: frozenset[str] = frozenset({Kind.FLOW.value})
    parameter_write_moves_modified_at: bool = True
    put_takes_file_values: bool = False
    """Whether a PUT brings the new archive's value of a parameter nobody configured (else the tenant's stays)."""
    accepts_empty_value_mapping: bool = True
    wraps_descriptions: bool = True
    underscore_package_ids: bool = False
    may_read_locks: bool = True

    # -- errors and formats
    error_body: Literal["negotiated", "json", "xml", "empty", "null-message"] = "negotiated"
    """Error documents follow ``Accept``, or are always one format, or have no body, or a message of ``null``."""
    forbidden_body: Literal["null-message", "empty"] = "null-message"
    """What a 403 for a missing role has: a document whose message is null, or nothing."""
    text_ending: Literal["as-observed", "period", "no-period"] = "as-observed"
    """Whether error texts end in a period: each as it was seen, always, or never."""
    unsupported_option_status: Literal[501, 400] = 501
    """For a query option OData knows and this set does not; an option OData does not know is always 400."""
    runtime_inlinecount: Literal["counted", "refused", "ignored"] = "counted"

    # -- packages
    package_update_status: Literal[202, 200] = 202
    duplicate_package_status: Literal[409, 400, 500] = 409
    read_only_status: Literal[400, 403, 405, 500] = 400
    """For content operations in a package that may only be configured."""
    custom_tags: tuple[str, ...] = ("Author", "LoB")
    """The custom tags that packages of this tenant have."""

    # -- design-time artifacts
    create_version: Literal["1.0.0", "manifest"] = "1.0.0"
    """The version of a created artifact; value mappings take the manifest's in any case."""
    created_mappings_move_on_s: float | None = None
    """Seconds after which a created message mapping has the next patch version (mcp-cpi saw it); never if ``None``."""
    symbolic_name: Literal["id", "as-uploaded"] = "id"
    """A creation stores the artifact's id as ``Bundle-SymbolicName`` (terraform-provider-sap-integration-suite,
    landscaper), or keeps the uploaded one (mcp-cpi); later uploads must have the stored one in any case."""
    artifact_names: Literal["checked", "any"] = "checked"
    """Whether display names that SAP's specification does not allow are refused (400)."""
    duplicate_artifact_text: Literal["observed", "specified"] = "observed"
    """The text for an artifact id that exists: as mcp-cpi saw it, or that of SAP's specification."""
    draft_word: Literal["Active", "Draft"] = "Active"
    """What reads and lists show as the version of a draft."""
    artifact_content_on_reads: Literal["null", "base64"] = "null"
    artifact_times: Literal["epoch-ms", "iso"] = "epoch-ms"
    """How ``CreatedAt`` and ``ModifiedAt`` of artifacts are written."""
    prop_without_propdef: Literal["refused", "refused-on-update", "accepted"] = "refused"
    save_version_rule: Literal["any", "not-lower", "higher"] = "any"
    """Which numbers SaveAsVersion accepts, compared with the current one; value mappings take any."""
    save_version_status_of_mappings: Literal[200, 202] = 200
    deletes_deployed: bool = True
    """Whether a design-time artifact may be deleted while it is on the runtime (400 where not)."""
    resources_of_other_families: Literal["not-found", "write-only", "allowed"] = "not-found"
    """Resources of message mappings and script collections; value mappings have none."""
    plain_referenced_type: Literal["null", "empty"] = "null"
    """``ReferencedResourceType`` where it does not apply: null as in SAP's specification, or an empty text."""
    resource_update_status: Literal[202, 200] = 202
    guidelines_status: Literal[202, 200] = 202
    value_mapping_functions: Literal["working", "as-observed"] = "working"
    """As observed, an upsert drops what the scheme had, and deleting a scheme answers 202 and does nothing."""
    manifest_line_bytes: Literal[72, 70] = 72
    """Where stored manifests are folded; 70 until about April 2024."""

    # -- locks
    lock_status: Literal[400, 409, 423, 500] = 400
    lock_errors: Literal["specified", "uniform"] = "specified"
    """Whether a mapping's update and a value mapping's deletion are a 500 with texts of their own, as in SAP's
    specification; everything else, or all where uniform, has ``lock_status`` and ``lock_text``."""
    lock_text: str = "Cannot update the artifact as it is locked"
    lock_blocks: frozenset[LockedOperation] = frozenset({"update", "delete", "save", "configure"})
    """What is refused while somebody has the artifact open; ``update`` includes resources and mapping entries."""
    lock_deletion: Literal["allowed", "forbidden", "not-implemented"] = "allowed"
    """``DELETE IntegrationDesigntimeLocks('…')``: 200, 403 or 501."""

    # -- configuration parameters
    configurations_of_draft: Literal["readable", "not-found"] = "readable"
    entity_encoded_values: Literal["raw", "decoded"] = "raw"
    """Whether ``&amp;`` in a written value is stored as sent, or as ``&``."""
    empty_parameter_values: Literal["accepted", "refused"] = "accepted"
    value_validation: Literal["integers", "by-type", "none"] = "integers"
    """Which values are checked against the parameter's ``DataType`` (400)."""
    parameter_keys_case_sensitive: bool = True

    # -- batches
    batch_status: Literal[202, 200] = 202
    batch_part_status: Literal[202, 204] = 202
    """For a part that succeeded without a body and would be 202 if it were sent alone."""
    batch_absolute_paths: bool = True
    """Whether request lines of parts may begin with ``/api/v1/`` or a host; relative ones are always understood."""
    batch_blanks: bool = True
    """Whether a blank inside of a part's request line is taken: cig and the flashpipe fork send keys unescaped, the
    fork sends single requests where such a batch is refused (400)."""
    changesets_are_atomic: bool = True
    batch_max_parts: int = 1000

    # -- deployment and runtime
    task_id_form: Literal["bare", "quoted", "newline"] = "bare"
    task_words: Literal["upper", "capitalised"] = "upper"
    """``SUCCESS`` or, as in one example of SAP's, ``Success``."""
    deploys_version_numbers: bool = True
    """Whether deploying a concrete version starts anything; where not, the answer is 202 all the same."""
    optional_references: Literal["checked", "ignored"] = "checked"
    """Whether a missing reference fails the build although the manifest says ``resolution:=optional``."""
    other_runtime: frozenset[str] = frozenset()
    """Artifacts whose task says SUCCESS though they go to another runtime, as ``SAP_ProfileId`` can make them."""
    other_runtime_trigger: Literal["accepted", "refused"] = "accepted"
    """Whether deploying what belongs to another runtime is a 400 at once."""
    license_failing: frozenset[str] = frozenset()
    """Artifacts whose task ends in FAIL_ON_LICENSE_ERROR."""
    deployed_on_stamp: Literal["trigger", "starting", "started"] = "starting"
    """When ``DeployedOn`` is taken; with ``started``, STARTING shows the former one (the trigger where none was)."""
    failed_version: Literal["new", "old"] = "new"
    """Which version an ERROR shows after a failed redeployment."""
    not_deployed_status: Literal[404, 400, 500] = 404
    error_navigation: Literal["not-found", "atom"] = "not-found"
    """``…/ErrorInformation`` without ``$value``."""
    healthy_error_information: Literal[204, 404] = 204
    error_shape: Literal["parameter", "template", "children", "nested", "message", "text"] = "parameter"
    """Where an ERROR's text stands: ``parameter[0]``, a ``{0}`` in ``messageText`` filled by it, ``childInstances``,
    JSON inside of ``parameter[0]``, ``{"message": text}``, or plain text."""
    endpoints_delay_s: float = 30.0
    """How long after STARTED a flow's entry points show up in ``ServiceEndpoints``."""

    page_size: int = 1000
    designtime_rate: float | None = None
    runtime_rate: float | None = None
    """What one user may send; SAP publishes 10 and 50."""
    designtime_tenant_rate: float | None = None
    runtime_tenant_rate: float | None = None
    """What all users together may send; SAP publishes 15 and 120."""
    retry_after_s: int | None = None
    """Sent as ``Retry-After`` with a 429; ``None`` sends no such header."""

    def duration_of(self, artifact_id: str) -> float:
        """How long a deployment of the artifact takes."""
        return self.deploy_seconds_by_id.get(artifact_id, self.deploy_s)

    @classmethod
    def profile(cls, name: str) -> SimulatorSettings:
        """Give the settings of a kind of tenant; ``SimulatorError`` lists the names where there is none of this name.

        ``default`` is what most sources saw; ``strict`` refuses whatever any source saw refused, and what exceeds the
        published limits; ``lenient`` accepts whatever any source saw accepted; ``drafts`` leaves drafts behind and
        hides their parameters; ``legacy`` answers as older tenants and the published specification do. Single settings
        are changed by ``dataclasses.replace``.
        """
        from cpi_tasks.simulator.profiles import PROFILES  # noqa: PLC0415 - the profiles are made of settings

        found = PROFILES.get(name)
        if found is None:
            known = ", ".join(sorted(PROFILES))
            raise SimulatorError(f"the embedded tenant has no profile '{name}'; choose one of {known}")
        return found
