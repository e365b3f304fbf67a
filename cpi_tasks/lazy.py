"""Names of a package that are loaded when they are first used, so that a run begins before all of it is read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

from cpi_tasks.bytecode import kept_bytecode


def on_first_use(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """Give the ``__getattr__`` of a package: ``homes`` are its modules, each with the public names it holds.

    No name may be that of a module of the package: loading the module would put itself in the name's place.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with kept_bytecode():
            found: object = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return load
