"""Files that desktops, editors and version control leave behind in folders: never part of an artifact."""

from __future__ import annotations

import re

_NAMES = (
    r"\.ds_store|\.apple(?:double|db|desktop)|\.lsoverride|\.localized|icon\r|\._[^/]*|__macosx",
    r"desktop\.ini|(?:eh)?thumbs\.db|~\$[^/]*",
    r"\.directory|\.fuse_hidden[^/]*|\.nfs[0-9a-f]+|\.trash[^/]*",
    r"[^/]*~|[^/]*\.sw[po]|\.[^/]*\.sw[a-p]|\.\#[^/]*|\#[^/]*\#",
    r"[^/]*\.(?:orig|rej|bak|tmp)",
    r"\.(?:git|hg|svn|bzr|cvs)[^/]*|\.keep|\.idea|\.vscode|\.vs|\.editorconfig",
)
_JUNK = re.compile(rf"(?:\A|/)(?:{'|'.join(_NAMES)})(?:/|\Z)", re.IGNORECASE)


def is_junk(path: str) -> bool:
    """Return whether a file or a folder on the way to it (forward slashes) has one of these names, in any case."""
    return _JUNK.search(path) is not None
