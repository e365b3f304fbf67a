"""The one file that keeps a tenant between runs: JSON, with archives in base64."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cpi_tasks.errors import SimulatorError
from cpi_tasks.simulator import archive
from cpi_tasks.simulator.lifecycle import Deployment, Fate, RuntimeArtifact, RuntimeRecord, Snapshot, Undeployment
from cpi_tasks.simulator.odata import ODataError
from cpi_tasks.simulator.settings import Kind
from cpi_tasks.simulator.state import Lock, Package, StoredArtifact, TenantState

FORMAT = 1
_ARTIFACT_FIELDS = (
    "id",
    "package_id",
    "name",
    "description",
    "version",
    "is_draft",
    "values",
    "created_by",
    "created_ms",
    "modified_by",
    "modified_ms",
)

Json = Mapping[str, object]


def dump(state: TenantState) -> str:
    """Everything worth keeping as one text. Archives are encoded once each, so that saving often stays cheap."""
    head = {
        "format": FORMAT,
        "packages": [
            {"id": item.id, "mode": item.mode, "fields": item.fields, "tags": item.tags}
            for item in state.packages.values()
        ],
        "locks": [asdict(lock) for lock in state.locks.values()],
        "moves": {
            artifact_id: {"due": int(due), "from": version} for artifact_id, (due, version) in state.moves.items()
        },
        "runtime": {artifact_id: _dump_record(record) for artifact_id, record in state.runtime.items()},
    }
    artifacts = ",\n".join(_dump_artifact(item) for item in state.artifacts.values())
    return f'{json.dumps(head)[:-1]}, "artifacts": [\n{artifacts}\n]}}\n'


def _dump_artifact(item: StoredArtifact) -> str:
    if not item.encoded:
        item.encoded = base64.b64encode(item.archive).decode("ascii")
    data: dict[str, object] = {name: getattr(item, name) for name in _ARTIFACT_FIELDS}
    return f'{json.dumps({**data, "kind": item.kind.value})[:-1]}, "archive": "{item.encoded}"}}'


def _dump_record(record: RuntimeRecord) -> Json:
    calls: list[Json] = []
    for call in record.calls:
        if isinstance(call, Deployment):
            calls.append({"call": "deploy", **asdict(call), "fate": call.fate.value})
        else:
            calls.append({"call": "undeploy", **asdict(call)})
    settled = asdict(record.settled) if record.settled else None
    return {"settled": settled, "calls": calls, "last_deployed_on": record.last_deployed_on}


def write(path: Path, text: str) -> None:
    """Put the text in place of the file in one step; a crash leaves the old file or the new one, never a part."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise SimulatorError(_cannot_write(path, error)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise SimulatorError(_cannot_write(path, error)) from error


def _cannot_write(path: Path, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"could not save the embedded tenant to '{path}': {reason}; make the folder writable or choose another file"


def load(state: TenantState, path: Path) -> None:
    """Fill an empty tenant from its file, if there is one. A broken file raises ``SimulatorError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise SimulatorError(_cannot_read(path, type(error).__name__)) from error
    try:
        data = json.loads(text)
        _fill(state, _object(data))
    except KeyError as error:
        raise SimulatorError(_cannot_read(path, f"{error} is missing")) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SimulatorError(_cannot_read(path, str(error))) from error
    except ODataError as error:
        raise SimulatorError(_cannot_read(path, f"{error.message}")) from error
    state.is_dirty = False


def _cannot_read(path: Path, reason: str) -> str:
    return (
        f"could not read the embedded tenant's state from '{path}': {reason}; "
        "delete the file to begin with an empty tenant"
    )


def _fill(state: TenantState, data: Json) -> None:
    if data["format"] != FORMAT:
        raise ValueError(f"its format is {data['format']}, not {FORMAT}")
    for item in _objects(data["packages"]):
        package = Package(
            id=_text(item["id"]),
            fields=_texts(item["fields"]),
            mode=_text(item["mode"]),
            tags=_texts(item.get("tags", {})),
        )
        state.packages[package.id] = package
    for item in _objects(data["artifacts"]):
        fields = {name: item[name] for name in _ARTIFACT_FIELDS}
        encoded = _text(item["archive"])
        artifact = StoredArtifact(
            **{**fields, "values": _texts(item["values"])},  # type: ignore[arg-type]
            kind=Kind(item["kind"]),
            archive=base64.b64decode(encoded, validate=True),
            encoded=encoded,
        )
        if artifact.package_id not in state.packages:
            raise ValueError(f"artifact '{artifact.id}' is in no package")
        archive.check_readable(artifact.archive)
        state.insert(artifact)
    for item in _objects(data["locks"]):
        lock = Lock(**item)  # type: ignore[arg-type]
        state.locks[lock.artifact_id] = lock
    for artifact_id, value in _object(data.get("moves", {})).items():
        move = _object(value)
        state.moves[artifact_id] = (float(_number(move["due"])), _text(move["from"]))
    for artifact_id, value in _object(data["runtime"]).items():
        state.runtime[artifact_id] = _load_record(_object(value))
        for call in state.runtime[artifact_id].calls:
            if isinstance(call, Deployment):
                state.tasks[call.task_id] = call


def _load_record(data: Json) -> RuntimeRecord:
    record = RuntimeRecord(last_deployed_on=_number(data["last_deployed_on"]))
    if data["settled"] is not None:
        settled = _object(data["settled"])
        snapshot = Snapshot(**_object(settled["snapshot"]))  # type: ignore[arg-type]
        record.settled = RuntimeArtifact(**{**settled, "snapshot": snapshot})  # type: ignore[arg-type]
    for item in _objects(data["calls"]):
        fields = {name: value for name, value in item.items() if name != "call"}
        if item["call"] == "undeploy":
            record.calls.append(Undeployment(**fields))  # type: ignore[arg-type]
            continue
        snapshot = Snapshot(**_object(fields["snapshot"]))  # type: ignore[arg-type]
        special = {"snapshot": snapshot, "fate": Fate(fields["fate"])}
        record.calls.append(Deployment(**{**fields, **special}))  # type: ignore[arg-type]
    return record


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object is expected where something else stands")
    return value


def _objects(value: object) -> Sequence[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError("a list is expected where something else stands")
    return [_object(item) for item in value]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected where something else stands")
    return value


def _texts(value: object) -> dict[str, str]:
    return {name: _text(item) for name, item in _object(value).items()}


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("a number is expected where something else stands")
    return value
