"""The type of an artifact: in any of the spellings that are in use, or as its manifest says."""

from __future__ import annotations

import re
from pathlib import Path

from cpi_tasks.environment.scalars import setting_text, shown, wrong
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.model.naming import ArtifactKind

_MANIFEST = "META-INF/MANIFEST.MF"
_TYPE = re.compile(r"^SAP-BundleType[ \t]*:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FOLD = re.compile(r"(\r\n|\r|\n)[ \t]")
# flashpipe and its fork know these, in any case; the API calls flows "Integration".
_OTHER_SPELLINGS = {
    "iflow": ArtifactKind.INTEGRATION_FLOW,
    "integration": ArtifactKind.INTEGRATION_FLOW,
}
_KINDS = {kind.value.lower(): kind for kind in ArtifactKind} | _OTHER_SPELLINGS


def kind_of(text: str) -> ArtifactKind | None:
    """Return the kind that a text names; case, blanks, hyphens and underscores do not count."""
    return _KINDS.get(re.sub(r"[\s_-]+", "", text).lower())


def read_kind(value: object) -> ArtifactKind | None:
    """Read ``type`` of an artifact's entry; ``None`` where it is not given."""
    text = setting_text(value)
    if text is None or not text.strip():
        return None
    kind = kind_of(text)
    if kind is None:
        names = [each.value for each in ArtifactKind]
        raise wrong(f"{shown(value)} is not one of {', '.join(names)}{did_you_mean(text, names)}")
    return kind


def kind_in_manifest(folder: Path) -> ArtifactKind | str:
    """Return the kind that ``SAP-BundleType`` in an artifact's manifest names, or why there is none, as a clause."""
    try:
        data = (folder / _MANIFEST).read_bytes()
    except OSError as error:
        return f"{folder / _MANIFEST} cannot be read ({error.strerror})"
    unfolded = _FOLD.sub("", data.decode("utf-8-sig", "replace")).replace("\r", "\n")
    found = _TYPE.search(unfolded)
    if found is None:
        return f"{folder / _MANIFEST} has no SAP-BundleType"
    kind = kind_of(found[1])
    return f"the manifest's SAP-BundleType '{found[1]}' is none that this program deploys" if kind is None else kind
