"""The current folder, to which the paths in flags are relative."""

from __future__ import annotations

from pathlib import Path

from cpi_tasks.errors import InputError, Problem


def current_folder() -> Path:
    """Return the current folder; raise ``InputError`` where it was deleted or cannot be read."""
    try:
        return Path.cwd()
    except OSError as error:
        message = (
            f"the current folder cannot be used ({error.strerror or type(error).__name__}), for instance because it "
            "was deleted; change to a folder that exists and rerun"
        )
        raise InputError([Problem(file="command line", message=message)]) from None
