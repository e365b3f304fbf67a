"""The packages on the page: written anew only where they have changed, and sent only to browsers that lack them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from cpi_tasks.simulator.overview import ArtifactView, Overview, PackageView
from cpi_tasks.simulator.page_rows import folding_of_orphans, folding_of_package

_OPEN_UP_TO = 40
"""With more artifacts than this, packages are shown collapsed where nothing is under way in them."""
_UNDER_WAY = frozenset({"STARTING", "STOPPING"})
_EMPTY = '<div class="card"><h2>Packages</h2><div class="empty">The tenant is empty.</div></div>'
_ORPHANS = "orphans"

_Content = PackageView | tuple[ArtifactView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    content: _Content
    is_open: bool
    text: str
    changed: int
    """The number of the change that made it what it is."""


@dataclass(slots=True)
class Packages:
    """The sections of all packages as they were at the last update; every change has a number.

    ``mark`` stands for what a browser has that got everything up to now; it is worth nothing to another program's page.
    """

    _origin: str = field(default_factory=lambda: secrets.token_hex(4))
    _sections: dict[str, _Section] = field(default_factory=dict)
    _number: int = 0
    _order_changed: int = 0

    @property
    def mark(self) -> str:
        """What browsers say they have seen."""
        return f"{self._origin}-{self._number}"

    def update(self, overview: Overview) -> None:
        """Take in the tenant as it is now."""
        number = self._number + 1
        is_small = len(overview.artifacts) <= _OPEN_UP_TO
        sections: dict[str, _Section] = {}
        for identity, content in _contents(overview):
            is_open = is_small or identity == _ORPHANS or _is_moving(content)
            old = self._sections.get(identity)
            if old is None or old.is_open != is_open or old.content != content:
                text = _written(content, is_open=is_open)
                old = _Section(content=content, is_open=is_open, text=text, changed=number)
            sections[identity] = old
        if list(sections) != list(self._sections):
            self._order_changed = number
        elif all(section.changed != number for section in sections.values()):
            return
        self._sections, self._number = sections, number

    def everything(self) -> str:
        """Give all packages as one section of the page."""
        text = "".join(section.text for section in self._sections.values())
        empty = "" if any(identity != _ORPHANS for identity in self._sections) else _EMPTY
        return f'<section id="content" data-seen="{self.mark}">{empty}{text}</section>'

    def news(self, seen: str) -> str:
        """Give what a browser lacks: nothing, single packages, or all where some came, went or were unknown to it."""
        origin, _, number = seen.partition("-")
        if origin != self._origin or not (number.isascii() and number.isdigit()) or int(number) < self._order_changed:
            return self.everything()
        text = "".join(section.text for section in self._sections.values() if section.changed > int(number))
        return f'<section id="changes" data-seen="{self.mark}">{text}</section>' if text else ""


def _contents(overview: Overview) -> Iterator[tuple[str, _Content]]:
    for package in overview.packages:
        yield f"package-{package.id}", package
    if overview.orphans:
        yield _ORPHANS, overview.orphans


def _is_moving(content: _Content) -> bool:
    artifacts = content.artifacts if isinstance(content, PackageView) else content
    return any(item.status in _UNDER_WAY for item in artifacts)


def _written(content: _Content, *, is_open: bool) -> str:
    if isinstance(content, PackageView):
        return folding_of_package(content, is_open=is_open)
    return folding_of_orphans(content)
