"""Runtime profiles that differ within one configuration."""

from __future__ import annotations

import pytest

from tests.validation.desk import Desk


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        (["iflmap", "iflmap", ""], []),
        (["", "", ""], []),
        (["iflmap", "cloudintegration", "iflmap"], ["F1"]),
        (["iflmap", "cloudintegration", ""], ["F1"]),
        (["a", "b", "b", "c"], ["F0", "F3"]),
    ],
)
def test_a_profile_that_differs_is_a_warning(desk: Desk, profiles: list[str], expected: list[str]) -> None:
    """The artifacts that differ from most others are named; one that names no profile is not."""
    for number, profile in enumerate(profiles):
        desk.add(f"F{number}", profile=profile)
    assert desk.found() == [f"packages/Pack/{name}/META-INF/MANIFEST.MF:0 warning runtime-profile" for name in expected]
