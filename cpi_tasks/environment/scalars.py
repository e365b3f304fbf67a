"""What a single value may be: one reader for each kind, used as pydantic validators.

A reader gets a ``Scalar``, a list, a dict or ``None`` (no value) and gives the Python value, or ``None`` where nothing
was given. Messages quote what was written in the file or on the command line, never the content of a variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from pydantic_core import PydanticCustomError

from cpi_tasks.environment.nodes import Origin, Scalar
from cpi_tasks.environment.suggestions import did_you_mean
from cpi_tasks.model.config import MaxFailures
from cpi_tasks.paths import why_unusable, with_slashes

E = TypeVar("E", bound=Enum)

LARGEST_NUMBER = 1_000_000
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?", re.ASCII)
_WHOLE = 100
_PREFIX = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


def wrong(message: str) -> PydanticCustomError:
    """Give an error that carries exactly this sentence."""
    return PydanticCustomError("input", "{text}", {"text": message})


def setting_text(value: object) -> str | None:
    """Read a text; an empty one means not given, except on the command line, where it clears the setting."""
    text = _text(value)
    return text or ("" if isinstance(value, Scalar) and value.origin is Origin.FLAG else None)


def optional_text(value: object) -> str | None:
    """Read a text that may be empty."""
    return _text(value)


def required_text(value: object) -> str:
    """Read a text that must not be empty or begin or end with blanks (as ids and names must not)."""
    text = _text(value)
    if not text or not text.strip():
        raise wrong("must not be empty")
    if text != text.strip() or "\n" in text:
        raise wrong("must not begin or end with a blank or contain a line break")
    return text


def folder_text(value: object) -> str:
    """Read a folder below another one: relative, without ``..``."""
    text = with_slashes(required_text(value))
    windows = PureWindowsPath(text)
    if PurePosixPath(text).is_absolute() or windows.is_absolute() or windows.drive or windows.root:
        raise wrong("must be a folder below packagesDir, not an absolute path")
    if ".." in windows.parts:
        raise wrong("must not leave the packages folder with '..'")
    if why := why_unusable(text):
        raise wrong(why)
    return text


def path_text(value: object) -> str | None:
    """Read a path (or a URL, which stays as it is); empty means not given, as for any text."""
    text = setting_text(value)
    if not text or "://" in text:
        return text
    if why := why_unusable(text):
        raise wrong(why)
    return with_slashes(text)


def prefix_text(value: object) -> str | None:
    """Read a deployment prefix."""
    text = setting_text(value)
    if text and not _PREFIX.fullmatch(text):
        shown = value.shown if isinstance(value, Scalar) else "this"
        raise wrong(f"{shown} is not a prefix: only letters, digits and underscores are allowed")
    return text


def secret(value: object) -> Scalar | None:
    """Check a text that no message may quote, and keep it as a scalar; empty means not given."""
    if value is None:
        return None
    if not isinstance(value, Scalar):
        raise wrong(f"must be text, not {_kind(value)}")
    if value.origin is Origin.FILE and value.tag != "str":
        raise wrong("must be text: put the value in quotes")
    return value if value.text or value.origin is Origin.UNSET else None


def flag(value: object) -> bool | None:
    """Read true or false."""
    if value is None or _is_unset(value):
        return None
    scalar = _scalar(value, "true or false")
    word = scalar.text.lower()
    if word in _TRUE | _FALSE and (scalar.tag == "bool" or scalar.origin is not Origin.FILE):
        return word in _TRUE
    raise wrong(f"must be true or false, not {scalar.shown}")


def whole_number(value: object) -> int | None:
    """Read a whole number of at least 1."""
    number = _number(value)
    if number is None:
        return None
    if number < 1:
        raise wrong(f"must be at least 1, not {shown(value)}")
    if number != int(number):
        raise wrong(f"must be a whole number, not {shown(value)}")
    return int(number)


def positive_number(value: object) -> float | None:
    """Read a number greater than 0."""
    number = _number(value)
    if number is not None and number <= 0:
        raise wrong(f"must be greater than 0, not {shown(value)}")
    return number


def duration_or_zero(value: object) -> float | None:
    """Read a number of at least 0."""
    number = _number(value)
    if number is not None and number < 0:
        raise wrong(f"must not be negative, as {shown(value)} is")
    return number


def number_or_share(value: object) -> MaxFailures | None:
    """Read a whole number of at least 0, or a percentage such as ``10%``."""
    text = value.text.strip() if isinstance(value, Scalar) else ""
    if text.endswith("%") and _DECIMAL.fullmatch(text[:-1].strip()):
        share = float(text[:-1])
        if not 0 <= share <= _WHOLE:
            raise wrong(f"must be between 0% and 100%, not {shown(value)}")
        return MaxFailures(amount=share, is_share=True)
    number = _number(value)
    if number is None:
        return None
    if number < 0 or number != int(number):
        raise wrong(f"must be a whole number of at least 0 or a percentage such as 10%, not {shown(value)}")
    return MaxFailures(amount=number)


def choice(kind: type[E]) -> Callable[[object], E | None]:
    """Give a reader for the values of an enum."""
    words = {str(member.value): member for member in kind}

    def read(value: object) -> E | None:
        text = setting_text(value)
        if text is None:
            return None
        if text not in words:
            hint = did_you_mean(text, words)
            raise wrong(f"{shown(value)} is not one of {', '.join(words)}{hint}")
        return words[text]

    return read


def as_written(value: object) -> str:
    """Read the value of a configuration override: the text of the scalar, whatever type YAML sees in it."""
    if value is None:
        raise wrong("has no value; write '' for an empty one")
    if not isinstance(value, Scalar):
        raise wrong(f"must be a single value, not {_kind(value)}")
    return value.text


def _text(value: object) -> str | None:
    if value is None or _is_unset(value):
        return None
    scalar = _scalar(value, "text")
    if scalar.origin is Origin.FILE and scalar.tag != "str":
        raise wrong(f"must be text: put {scalar.shown} in quotes")
    return scalar.text


def _number(value: object) -> float | None:
    if value is None or _is_unset(value):
        return None
    scalar = _scalar(value, "a number")
    is_typed = scalar.origin in {Origin.FLAG, Origin.VARIABLE}
    text = scalar.text.strip() if is_typed else scalar.text
    if not (is_typed or scalar.tag in {"int", "float"}) or not _DECIMAL.fullmatch(text):
        raise wrong(f"{scalar.shown} is not a number")
    number = float(text)
    if number > LARGEST_NUMBER:
        raise wrong(f"must be at most {LARGEST_NUMBER}, not {scalar.shown}")
    return number


def _scalar(value: object, wanted: str) -> Scalar:
    if not isinstance(value, Scalar):
        raise wrong(f"must be {wanted}, not {_kind(value)}")
    return value


def _is_unset(value: object) -> bool:
    return isinstance(value, Scalar) and value.origin is Origin.UNSET


def shown(value: object) -> str:
    """Return a value for a message: never what a variable holds."""
    return value.shown if isinstance(value, Scalar) else "this"


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "a mapping"
