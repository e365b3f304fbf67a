"""Which environment file a run uses, and how files are read and named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cpi_tasks.environment.process import Use, Variables
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.errors import Problem
from cpi_tasks.junk import is_junk
from cpi_tasks.model.config import Selection
from cpi_tasks.paths import spelled_differently, with_slashes

FOLDER = "environments"
SUFFIXES = (".yml", ".yaml")
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The environment file: its name for people, where the choice came from in words, and its path.

    ``path`` is ``None`` for a run that flags and variables describe alone, as flashpipe's commands do.
    """

    name: str
    origin: str
    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    value: str
    origin: str
    file: str = ""
    is_path: bool = False

    def problem(self, message: str) -> Problem:
        """Say what is wrong with the choice, at the place where it was made."""
        if self.file:
            return Problem(file=self.file, path=self.origin, message=message)
        return Problem(file=self.origin, message=message)


def environment_names(root: Path) -> tuple[str, ...]:
    """List the names of the environment files below a project root, sorted."""
    try:
        files = [path for path in (root / FOLDER).iterdir() if path.suffix in SUFFIXES and _is_read(path)]
    except OSError:
        return ()
    return tuple(sorted({path.stem for path in files}))


def _is_read(path: Path) -> bool:
    """Whether a file is one that somebody wrote, not what a desktop or an editor left behind."""
    return path.is_file() and not path.name.startswith(".") and not is_junk(path.name)


def locate(selection: Selection, *, root: Path, cwd: Path, variables: Variables) -> Located | Problem:
    """Find the environment file: ``--env`` or ``--orchestrator-config``, ``CPI_ENV``, then the fallbacks."""
    choice = _choose(selection, variables)
    if choice is None and selection.deploy_config:
        return Located(name="none", origin="flags and CPI_* variables only", path=None)
    if choice is None:
        message = f"no environment is named; use --env NAME or set CPI_ENV ({_existing(root)})"
        return Problem(file=COMMAND_LINE, message=message)
    if isinstance(choice, Problem):
        return choice
    if not choice.value.strip():
        return choice.problem(f"is empty; give the name of an environment ({_existing(root)})")
    path = cwd / with_slashes(choice.value)
    if choice.is_path or (_looks_like_path(choice.value) and _exists(path)):
        return _by_path(choice, path)
    return _by_name(choice, root)


def display_path(path: Path, cwd: Path) -> str:
    """Name a file as a user would type it: relative where it is below the current folder, else absolute."""
    return path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else str(path)


def read_file(path: Path, shown: str) -> bytes | Problem:
    """Read a file, or say why that was not possible."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return Problem(file=shown, message="there is no such file")
    except IsADirectoryError:
        return Problem(file=shown, message="is a folder, not a file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not possible here"
        return Problem(file=shown, message=f"could not be read: {reason}")


def _choose(selection: Selection, variables: Variables) -> _Choice | Problem | None:
    if selection.env is not None and selection.orchestrator_config is not None:
        return Problem(
            file=COMMAND_LINE, message="--env and --orchestrator-config both name the environment; give only one"
        )
    if selection.env is not None:
        return _Choice(value=selection.env, origin=selection.env_origin, file=COMMAND_LINE)
    if selection.orchestrator_config is not None:
        value = selection.orchestrator_config
        return _Choice(value=value, origin="--orchestrator-config", file=COMMAND_LINE, is_path=True)
    if variables.is_given("CPI_ENV"):
        named = variables.clean("CPI_ENV", Use.VALUE)
        choice = _Choice(value=named.text, origin="CPI_ENV")
        return choice.problem(named.fault) if named.fault else choice
    for name, origin in selection.env_fallbacks:
        named = variables.clean_value(origin, name, Use.VALUE)
        choice = _Choice(value=named.text, origin=origin)
        return choice.problem(named.fault) if named.fault else choice
    return None


def _looks_like_path(value: str) -> bool:
    return "/" in value or "\\" in value or value.endswith(SUFFIXES)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _by_path(choice: _Choice, path: Path) -> Located | Problem:
    if not _exists(path):
        return choice.problem(f"there is no file '{choice.value}'{spelled_differently(path)}")
    if path.is_dir():
        return choice.problem(f"'{choice.value}' is a folder, not an environment file")
    return Located(name=path.stem, origin=choice.origin, path=path)


def _by_name(choice: _Choice, root: Path) -> Located | Problem:
    folder = root / FOLDER
    is_plain = not ({"/", "\\"} & set(choice.value))
    found = [folder / (choice.value + suffix) for suffix in SUFFIXES] if is_plain else []
    found = [path for path in found if _exists(path)]
    if not found:
        existing = environment_names(root)
        spelled = [spelled_differently(folder / (choice.value + suffix)) for suffix in SUFFIXES if is_plain]
        hint = did_you_mean(choice.value, existing) or next((each for each in spelled if each), "")
        return choice.problem(f"there is no environment '{choice.value}'{hint} ({_existing(root)})")
    if len(found) > 1:
        names = " and ".join(f"{FOLDER}/{path.name}" for path in found)
        return choice.problem(f"the environment '{choice.value}' is ambiguous: both {names} exist")
    if found[0].is_dir():
        return choice.problem(f"{FOLDER}/{found[0].name} is a folder, not an environment file")
    return Located(name=choice.value, origin=choice.origin, path=found[0])


def _existing(root: Path) -> str:
    names = environment_names(root)
    return f"there are: {', '.join(names)}" if names else f"there is none yet in {root / FOLDER}"
