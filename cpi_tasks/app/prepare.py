"""The checked input of a run: flags, environment file, deploy configuration, artifact folders. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cpi_tasks import content, environment, records, tenant
from cpi_tasks.cwd import current_folder
from cpi_tasks.errors import DownloadError, InputError, Problem
from cpi_tasks.model.config import BasicLogin, EmbeddedTenant, Proxy, RunConfig, Selection
from cpi_tasks.model.content import ArtifactContent
from cpi_tasks.model.naming import ArtifactRef

NoteSecret = Callable[[str], None]
Contents = Mapping[ArtifactRef, ArtifactContent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The checked input of a run: nothing was sent yet."""

    config: RunConfig
    contents: Mapping[str, Contents]
    """What was read of the artifact folders, by the ``source`` of their configuration."""
    folder: records.StateFolder


def prepare(selection: Selection, *, root: Path, note_secret: NoteSecret) -> Prepared:
    """Load environment, deploy configuration and artifact folders; raises ``InputError`` with all that is wrong."""
    variables = environment.Variables(environment.process_variables())
    proxies = environment.ProxyRules(variables)
    loaded = environment.load(
        selection,
        root=root,
        cwd=current_folder(),
        variables=variables,
        fetch=_Downloads(variables=variables, proxies=proxies, note_secret=note_secret).fetch,
        proxies=proxies,
    )
    for secret in loaded.secrets:
        note_secret(secret)
    problems: list[Problem] = list(loaded.problems)
    if loaded.run is None:
        raise InputError(problems)
    config = loaded.run
    for secret in _secrets(config):
        note_secret(secret)
    contents: dict[str, Contents] = {}
    for part in config.configs:
        found, wrong = content.load_contents(part)
        contents[part.source] = found
        if config.settings.mode.updates:
            problems.extend(wrong)
    if problems:
        raise InputError(problems)
    run = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = records.StateFolder(root, run=run, runs=config.run_dir)
    return Prepared(config=config, contents=contents, folder=folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Downloads:
    """Fetches deploy configurations as the variables of the process say."""

    variables: environment.Variables
    proxies: environment.ProxyRules
    note_secret: NoteSecret

    def fetch(self, url: str, login: str | BasicLogin | None) -> bytes:
        """Download a file; raises ``DownloadError``."""
        certificates = environment.read_authorities(self.variables)
        return tenant.fetch(url, login, certificates=certificates, choose_proxy=self._choose)

    def _choose(self, url: str) -> Proxy | None:
        try:
            proxy = self.proxies.choose(url)
        except environment.ProxyError as error:
            raise DownloadError(f"could not download the deploy configuration: {error}") from None
        for secret in proxy.secrets if proxy is not None else ():
            self.note_secret(secret)
        return proxy


def keep_uploads(prepared: Prepared) -> str:
    """Keep what would be uploaded, unpacked, where the settings ask for that; gives the folder, else an empty text."""
    settings = prepared.config.settings
    if not (settings.keep_temp and settings.mode.updates):
        return ""
    for found in prepared.contents.values():
        for ref, artifact in found.items():
            if artifact.spec.sync:
                prepared.folder.keep_upload(ref, partial(content.write_unpacked, artifact))
    return str(prepared.folder.upload_folder)


def tenant_name(config: RunConfig) -> str:
    """Give the text that identifies a tenant in records and reports."""
    return f"embedded:{config.tenant.state}" if isinstance(config.tenant, EmbeddedTenant) else config.tenant.url


def login_name(config: RunConfig) -> str:
    """Return the user name or client id that the tenant is used with; empty for the embedded one, which tells it."""
    if isinstance(config.tenant, EmbeddedTenant):
        return ""
    login = config.tenant.login
    return login.username if isinstance(login, BasicLogin) else login.client_id


def _secrets(config: RunConfig) -> tuple[str, ...]:
    return () if isinstance(config.tenant, EmbeddedTenant) else config.tenant.secrets
