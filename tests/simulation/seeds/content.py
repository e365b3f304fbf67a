"""What a seed puts into the repository: packages, artifacts of all four types, parameters, and later edits of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

from tests.support.project import PROP, SCRIPT, Project, values

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
class Bundle:
    """One package as the files have it; ``is_placed``: it is on the tenant already, with all that the files have."""

    id: str
    is_synced: bool = True
    is_deployed: bool = True
    is_placed: bool = False
    is_read_only: bool = False


@dataclass(slots=True, kw_only=True)
class Item:
    """One artifact as the files have it; ``needs`` are the ids of what it uses."""

    id: str
    bundle: Bundle
    kind: str
    version: str
    wants_sync: bool = True
    wants_deployment: bool = True
    minor: int = 1
    values: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The id of its package as written."""
        return self.bundle.id

    @property
    def is_synced(self) -> bool:
        """Whether runs update it, as far as the files say."""
        return self.wants_sync and self.bundle.is_synced

    @property
    def is_deployed(self) -> bool:
        """Whether runs deploy it, as far as the files say."""
        return self.wants_deployment and self.bundle.is_deployed

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its parameters."""
        return tuple(sorted(self.values))

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

    def enforced(self, policy: object) -> dict[str, str]:
        """Give the parameter values that runs write, under a ``parameterPolicy``."""
        given = {key: value for key, value in self.values.items() if value} if policy == "all" else {}
        return {**given, **self.overrides}


@dataclass(slots=True, kw_only=True)
class Content:
    """All that the files have, and the lots that decide about it."""

    random: Random
    project: Project
    bundles: dict[str, Bundle] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    prefix: str = ""

    def final(self, item: Item) -> str:
        """Give an artifact's id on the tenant."""
        return f"{self.prefix}_{item.id}" if self.prefix else item.id

    def final_package(self, package: str) -> str:
        """Give a package's id on the tenant."""
        return f"{self.prefix}{package}"

    def final_path(self, item: Item) -> str:
        """Give where the tenant has the file that stands for an artifact."""
        return item.path.replace(item.id, self.final(item))

    def find(self, artifact: str) -> Item | None:
        """Give the artifact with this id on the tenant; ``None`` for what the files do not have."""
        return next((item for item in self.items if self.final(item) == artifact), None)

    def wanted(self, item: Item) -> bytes:
        """Give the content of that file in the repository."""
        return (self.project.folder(item.package, item.id) / item.path).read_bytes()

    def fill(self) -> None:
        """Make one to three packages with three to seven artifacts."""
        lots = self.random
        if lots.random() < 0.25:
            self.prefix = "DEV"
            self.project.keys["deploymentPrefix"] = self.prefix
        for number in range(lots.randint(1, 3)):
            self._add_bundle(f"P{number}")
        self._part()
        kinds = [*lots.sample(("flow", "collection", "mapping", "values"), 3)]
        kinds += [lots.choice(_KINDS) for _ in range(lots.randint(0, 4))]
        # What flows use is made first.
        for number, kind in enumerate(sorted(kinds, key=lambda kind: kind == "flow")):
            self._add(kind, f"{kind.title()}{number}", self.bundles[lots.choice(sorted(self.bundles))])

    def _add_bundle(self, package: str) -> None:
        lots = self.random
        texts: dict[str, object] = {}
        if lots.random() < 0.5:
            texts = {"displayName": f"{package} name", "short_text": f"{package} text"}
        bundle = Bundle(id=package, is_synced=lots.random() < 0.9, is_deployed=lots.random() < 0.93)
        # What runs do not update must be there already.
        bundle.is_placed = not bundle.is_synced or lots.random() < 0.2
        bundle.is_read_only = bundle.is_placed and lots.random() < 0.4
        flags = {"sync": bundle.is_synced, "deploy": bundle.is_deployed}
        self.bundles[package] = bundle
        self.project.package(package, **texts, **{key: value for key, value in flags.items() if not value})

    def _part(self) -> None:
        """Spread the packages over several files, merged or not."""
        lots, packages = self.random, list(self.bundles)
        if len(packages) > 1 and lots.random() < 0.35:
            at = lots.randint(1, len(packages) - 1)
            self.project.configs = {"a": packages[:at], "b": packages[at:]}
            self.project.keys["mergeConfigs"] = lots.random() < 0.5

    @property
    def parts(self) -> list[list[str]]:
        """The packages of each pair of phases."""
        configs = [] if self.project.keys.get("mergeConfigs") else list(self.project.configs.values())
        return configs or [list(self.bundles)]

    def _add(self, kind: str, id_: str, bundle: Bundle) -> None:
        lots, version = self.random, self.random.choice(_VERSIONS)
        item = Item(id=id_, bundle=bundle, kind=kind, version=version, wants_deployment=lots.random() < 0.92)
        item.wants_sync = not bundle.is_placed or lots.random() < 0.8
        if kind == "flow":
            self._add_flow(item)
        else:
            make = {"collection": self.project.collection, "mapping": self.project.mapping, "values": self._add_values}
            make[kind](bundle.id, item.id, version=version)
        entry = self.project.artifacts[item.id]
        entry.update({} if item.wants_deployment else {"deploy": False})
        entry.update({} if item.wants_sync else {"sync": False})
        self.items.append(item)
        if kind == "flow":
            self.configure(item)

    def _add_values(self, package: str, artifact: str, *, version: str) -> None:
        self.project.values(package, artifact, GROUP, version=version)

    def _add_flow(self, item: Item) -> None:
        lots = self.random
        keys = lots.sample(KEYS, lots.randint(0, len(KEYS)))
        item.values = {key: "" if key == "Empty" else f"{VALUE}-{key[:2]}" for key in sorted(keys)}
        scripts, mapping = self._one_of("collection", item.bundle), self._one_of("mapping", item.bundle)
        item.needs = tuple(one for one in (scripts, mapping) if one)
        self.project.flow(
            item.package,
            item.id,
            version=item.version,
            parameters=item.values or None,
            scripts_of=scripts,
            mapping_of=mapping,
        )

    def _one_of(self, kind: str, bundle: Bundle) -> str:
        """Draw what a flow uses: what a run brings up before or with it; what is placed is as others made it."""
        if bundle.is_placed:
            return ""
        parts = self.parts
        (own,) = (number for number, part in enumerate(parts) if bundle.id in part)
        known = {package for part in parts[: own + 1] for package in part}
        found = [x.id for x in self.items if x.kind == kind and x.is_deployed and x.package in known]
        return self.random.choice(found) if found and self.random.random() < 0.7 else ""

    def configure(self, item: Item) -> None:
        """Override some parameters of a flow."""
        chosen = [key for key in item.keys if self.random.random() < 0.5]
        item.overrides = {key: f"{VALUE}-{self.random.randrange(1000)}" for key in chosen}
        if item.keys:
            self.project.override(item.id, item.overrides)

    def edit(self, known: Collection[str]) -> str:
        """Change something in the files; gives it in words. ``known`` is what the tenant has."""
        # What is replaced and what is configured has more ways to go wrong than what is updated in place.
        item = self.random.choice([*self.items, *(one for one in self.items if one.kind == "values" or one.keys)])
        what = self.random.choice(("content", "content", "version", "override", "override", "text", "value", "sync"))
        if what == "version":
            item.minor += 1
            item.version = f"2.{item.minor}.0" if self.random.random() < 0.8 else f"0.{item.minor}.0"
            self.project.raise_version(item.package, item.id, item.version)
        elif what == "override" and item.keys:
            self.configure(item)
        elif what == "text":
            self.project.packages[item.package]["short_text"] = f"text {self.random.randrange(1000)}"
        elif what == "value" and item.keys:
            self._edit_value(item)
        elif what == "sync" and self.final(item) in known:
            item.wants_sync = not item.wants_sync
            self.project.artifacts[item.id]["sync"] = item.wants_sync
        else:
            what = "content"
            self.edit_content(item)
        return f"files: {what} of {item.id}"

    def by_hand(self, item: Item) -> bytes:
        """Give what a person writes into that file on the tenant."""
        text = item.text(f"tenant{self.random.randrange(1000)}")
        return text.replace(item.id.encode(), self.final(item).encode())

    def edit_content(self, item: Item) -> None:
        """Change the file that stands for an artifact."""
        word = f"files{self.random.randrange(1000)}"
        self.project.edit(item.package, item.id, item.path, item.text(word))

    def _edit_value(self, item: Item) -> None:
        item.values[self.random.choice(item.keys)] = f"{VALUE}-file{self.random.randrange(1000)}"
        escaped = {key.replace(" ", "\\ "): value for key, value in item.values.items()}
        lines = [f"{key}={value}\n" for key, value in escaped.items()]
        self.project.edit(item.package, item.id, PROP, "".join(lines).encode())
