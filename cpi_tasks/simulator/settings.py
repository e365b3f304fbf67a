"""The switches of the embedded tenant: behaviour that differs between real tenants, and planned misfortune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


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
    def runtime_type(self) -> str:
        """What the runtime shows as ``Type``."""
        return {
            Kind.FLOW: "INTEGRATION_FLOW",
            Kind.MESSAGE_MAPPING: "MESSAGE_MAPPING",
            Kind.SCRIPT_COLLECTION: "SCRIPT_COLLECTION",
            Kind.VALUE_MAPPING: "VALUE_MAPPING",
        }[self]


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
    failing: frozenset[str] = frozenset()
    late_failing: frozenset[str] = frozenset()
    never_appearing: frozenset[str] = frozenset()
    stuck_starting: frozenset[str] = frozenset()
    stuck_tasks: frozenset[str] = frozenset()
    gives_task_id_for_all: bool = False
    gives_deployed_on: bool = True
    error_information_delay_looks: int = 1
    error_information_accept: Literal["any", "not-json"] = "any"
    requires_running_references: bool = True
    """A flow that names a collection or mapping found neither in design time nor on the runtime fails its build."""
    requires_started_references: bool = False
    """Stricter: what a flow names must be STARTED when the flow's deployment is triggered."""

    version_mode: Literal["manifest-if-higher", "keep", "draft"] = "manifest-if-higher"
    modified_at_families: frozenset[str] = frozenset({Kind.FLOW.value})
    parameter_write_moves_modified_at: bool = True
    put_takes_file_values: bool = False
    """Whether a PUT brings the new archive's value of a parameter nobody configured (else the tenant's stays)."""
    accepts_empty_value_mapping: bool = True
    wraps_descriptions: bool = True
    underscore_package_ids: bool = False
    may_read_locks: bool = True

    page_size: int = 1000
    designtime_rate: float | None = None
    runtime_rate: float | None = None
    retry_after_s: int | None = None
    """Sent as ``Retry-After`` with a 429; ``None`` sends no such header."""

    def duration_of(self, artifact_id: str) -> float:
        """How long a deployment of the artifact takes."""
        return self.deploy_seconds_by_id.get(artifact_id, self.deploy_s)
