"""Help for mistyped words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Give ``; did you mean 'x'?`` for the choice most like ``word`` (case ignored), or an empty text."""
    by_folded = {choice.casefold(): choice for choice in choices}
    matches = get_close_matches(word.casefold(), by_folded, n=1)
    return f"; did you mean '{by_folded[matches[0]]}'?" if matches else ""
