"""What a seed puts into the repository: packages, artifacts of all four types, parameters, and later edits of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from tests.support.project import SCRIPT, Project, values

VALUE = "pv-never-kept"
"""Begins every parameter value, so that a value where it must not be is found."""
KEYS = ("Host", "Receiver Port", "Empty", "Path")
GROUP = {"ERP/Country": "DE", "CRM/Country": "Germany"}
_VERSIONS = ("1.0.0", "1.0.3", "2.1.0")
_KINDS = ("flow", "flow", "collection", "mapping", "values")
FAMILIES = {
    "flow": "Integration",
    "collection": "ScriptCollection",
    "mapping": "MessageMapping",
    "values": "ValueMapping",
}


@dataclass(slots=True, kw_only=True)
class Item:
    """One artifact as the files have it."""

    id: str
    package: str
    kind: str
    is_deployed: bool = True
    minor: int = 1
    keys: tuple[str, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The file whose content stands for the whole artifact's."""
        own = {
            "collection": "src/main/resources/script/Shared.groovy",
            "mapping": f"src/main/resources/mapping/{self.id}.mmap",
            "values": "value_mapping.xml",
        }
        return own.get(self.kind, SCRIPT)

    def text(self, word: str) -> bytes:
        """Give other content of that file; what a value mapping had stays in it."""
        if self.kind == "values":
            return values(GROUP, {"ERP/Country": word, "CRM/Country": f"{word} land"})
        return f"<mapping><from>{word}</from></mapping>".encode() if self.kind == "mapping" else f"// {word}\n".encode()


@dataclass(slots=True, kw_only=True)
class Content:
    """All that the files have, and the lots that decide about it."""

    random: Random
    project: Project
    items: list[Item] = field(default_factory=list)
    prefix: str = ""

    def final(self, item: Item) -> str:
        """Give an artifact's id on the tenant."""
        return f"{self.prefix}_{item.id}" if self.prefix else item.id

    def final_path(self, item: Item) -> str:
        """Give where the tenant has the file that stands for an artifact."""
        return item.path.replace(item.id, self.final(item))

    def wanted(self, item: Item) -> bytes:
        """Give the content of that file in the repository."""
        return (self.project.folder(item.package, item.id) / item.path).read_bytes()

    def fill(self) -> None:
        """Make one to three packages with three to seven artifacts."""
        lots = self.random
        if lots.random() < 0.25:
            self.prefix = "DEV"
            self.project.keys["deploymentPrefix"] = self.prefix
        packages = [f"P{number}" for number in range(lots.randint(1, 3))]
        for package in packages:
            texts = {"displayName": f"{package} name", "short_text": f"{package} text"} if lots.random() < 0.5 else {}
            self.project.package(package, **texts)
        kinds = [*lots.sample(("flow", "collection", "mapping", "values"), 3)]
        kinds += [lots.choice(_KINDS) for _ in range(lots.randint(0, 4))]
        # What flows use is made first.
        for number, kind in enumerate(sorted(kinds, key=lambda kind: kind == "flow")):
            self._add(Item(id=f"{kind.title()}{number}", package=lots.choice(packages), kind=kind))

    def _add(self, item: Item) -> None:
        lots, version = self.random, self.random.choice(_VERSIONS)
        item.is_deployed = lots.random() < 0.92
        keys: Mapping[str, object] = {} if item.is_deployed else {"deploy": False}
        self.items.append(item)
        if item.kind == "collection":
            self.project.collection(item.package, item.id, version=version, **keys)
        elif item.kind == "mapping":
            self.project.mapping(item.package, item.id, version=version, **keys)
        elif item.kind == "values":
            self.project.values(item.package, item.id, GROUP, version=version, **keys)
        else:
            item.keys = tuple(sorted(lots.sample(KEYS, lots.randint(0, len(KEYS)))))
            parameters = {key: "" if key == "Empty" else f"{VALUE}-{key[:2]}" for key in item.keys}
            self.project.flow(
                item.package,
                item.id,
                version=version,
                parameters=parameters or None,
                scripts_of=self._one_of("collection"),
                mapping_of=self._one_of("mapping"),
            )
            self.project.artifacts[item.id].update(keys)
            self.configure(item)

    def _one_of(self, kind: str) -> str:
        found = [item.id for item in self.items if item.kind == kind and item.is_deployed]
        return self.random.choice(found) if found and self.random.random() < 0.7 else ""

    def configure(self, item: Item) -> None:
        """Override some parameters of a flow."""
        chosen = [key for key in item.keys if self.random.random() < 0.5]
        item.overrides = {key: f"{VALUE}-{self.random.randrange(1000)}" for key in chosen}
        if item.keys:
            self.project.override(item.id, item.overrides)

    def edit(self) -> str:
        """Change something in the files; gives it in words."""
        item = self.random.choice(self.items)
        what = self.random.choice(("content", "content", "version", "override", "text"))
        if what == "version":
            item.minor += 1
            self.project.raise_version(item.package, item.id, f"2.{item.minor}.0")
        elif what == "override" and item.keys:
            self.configure(item)
        elif what == "text":
            self.project.packages[item.package]["short_text"] = f"text {self.random.randrange(1000)}"
        else:
            word = f"files{self.random.randrange(1000)}"
            self.project.edit(item.package, item.id, item.path, item.text(word))
        return f"files: {what} of {item.id}"
