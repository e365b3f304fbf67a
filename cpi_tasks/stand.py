"""Composition root of ``invoke simulator``: the embedded tenant on a port of its own, for people and their tools."""

from __future__ import annotations

import ipaddress
import math
import shlex
import signal
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import trio

from cpi_tasks import report, simulator
from cpi_tasks.errors import CpiTasksError, InputError, Problem, SimulatorError, raised_alone

DEFAULT_PORT = 8080
_LAST_PORT = 65535
_HOUR_S = 3600.0
_KEPT_REQUESTS = 2_000
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a person may ask for; never the default


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags as they were typed; ``None`` where one was not given."""

    port: str | None = None
    host: str | None = None
    state: str | None = None
    seed: str | None = None
    profile: str | None = None
    script: str | None = None
    deploy_seconds: str | None = None
    tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The checked input: what to serve, and where."""

    host: str
    port: int
    state_file: Path | None
    settings: simulator.SimulatorSettings
    seed: simulator.Seed | None
    script: simulator.FaultScript | None
    with_tls: bool


def main(flags: Flags) -> int:
    """Serve until a signal ends it (0), or say on standard output what keeps it from being served (1, 4)."""
    redactor = report.Redactor()
    try:
        order = read_flags(flags)
        tenant = simulator.Simulator(
            order.settings, state_file=order.state_file, script=order.script, keep_requests=_KEPT_REQUESTS
        )
        planted = simulator.plant(order.seed, tenant) if order.seed else None
        with ExitStack() as cleanup:
            trio.run(_serve, order, tenant, planted, cleanup)
    except InputError as error:
        _say(report.render_problems(error.problems, redactor, stdout=sys.stdout).rstrip("\n"))
        return error.exit_code
    except CpiTasksError as error:
        _say(report.render_error(error, redactor, stdout=sys.stdout).rstrip("\n"))
        return error.exit_code
    except KeyboardInterrupt:
        # A second Ctrl-C, while the first one is obeyed: it is delivered when everything is saved.
        return 0
    return 0


def read_flags(flags: Flags) -> Order:
    """Check everything that was typed, paths from the current folder on; ``InputError`` has all that is wrong."""
    problems: list[Problem] = []
    settings = _settings(flags, problems)
    order = Order(
        host=flags.host or "127.0.0.1",
        port=_port(flags.port, problems),
        state_file=Path(flags.state) if flags.state else None,
        settings=settings,
        seed=_seed(flags.seed, settings, problems),
        script=_script(flags.script, problems),
        with_tls=flags.tls,
    )
    if problems:
        raise InputError(problems)
    return order


def _port(text: str | None, problems: list[Problem]) -> int:
    if text is None:
        return DEFAULT_PORT
    if text.isascii() and text.isdigit() and len(text) <= len(str(_LAST_PORT)) and int(text) <= _LAST_PORT:
        return int(text)
    problems.append(Problem(file="--port", message=f"'{text}' is no port; give 0 (any free one) to {_LAST_PORT}"))
    return 0


def _settings(flags: Flags, problems: list[Problem]) -> simulator.SimulatorSettings:
    settings = simulator.SimulatorSettings()
    if flags.profile is not None:
        try:
            settings = simulator.SimulatorSettings.profile(flags.profile)
        except SimulatorError as error:
            problems.append(Problem(file="--profile", message=str(error)))
    if flags.deploy_seconds is None:
        return settings
    try:
        seconds = float(flags.deploy_seconds)
    except ValueError:
        seconds = math.nan
    if 0 <= seconds <= _HOUR_S:
        return replace(settings, deploy_s=seconds)
    message = f"'{flags.deploy_seconds}' is no duration; give seconds from 0 to {_HOUR_S:.0f}"
    problems.append(Problem(file="--deploy-seconds", message=message))
    return settings


def _seed(folder: str | None, settings: simulator.SimulatorSettings, problems: list[Problem]) -> simulator.Seed | None:
    if folder is None:
        return None
    seed = simulator.read_seed(Path(folder), settings)
    problems += [Problem(file=str(item.path), message=item.message) for item in seed.problems]
    return seed


def _script(path: str | None, problems: list[Problem]) -> simulator.FaultScript | None:
    if path is None:
        return None
    try:
        return simulator.FaultScript.parse(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(Problem(file=path, message=f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError:
        problems.append(Problem(file=path, message="is no text in UTF-8"))
    except SimulatorError as error:
        problems.append(Problem(file=path, message=str(error)))
    return None


async def _serve(
    order: Order, tenant: simulator.Simulator, planted: simulator.Planted | None, cleanup: ExitStack
) -> None:
    """Serve until SIGINT or SIGTERM. Later signals wait until the state is saved."""
    certificate = simulator.make_certificate(order.host) if order.with_tls else None
    window = simulator.Window(tenant, tell=_show)
    try:
        with (
            raised_alone(CpiTasksError, OSError),
            trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals,
        ):
            async with trio.open_nursery() as nursery:

                async def begin(task_status: trio.TaskStatus[str]) -> None:
                    await simulator.serve(
                        tenant,
                        host=order.host,
                        port=order.port,
                        app=window,
                        tls=certificate.context if certificate else None,
                        task_status=task_status,
                    )

                url = await nursery.start(begin)
                authority = _keep(certificate, cleanup) if certificate else None
                _introduce(url, order, planted, authority)
                await anext(signals)
                nursery.cancel_scope.cancel()
    except OSError as reason:
        raise SimulatorError(
            f"could not serve on {order.host} port {order.port}: {reason.strerror or reason}; "
            "choose another --port (0 takes a free one) or --host"
        ) from None
    saved = f"; the tenant is kept in '{order.state_file}'" if order.state_file else ""
    _say(f"Ended{saved}.")


def _keep(certificate: simulator.Certificate, cleanup: ExitStack) -> Path:
    """Write the authority's certificate where clients can read it, for as long as we serve."""
    folder = cleanup.enter_context(TemporaryDirectory(prefix="cpi-simulator-"))
    path = Path(folder) / "ca.pem"
    path.write_bytes(certificate.authority)
    return path


def _introduce(url: str, order: Order, planted: simulator.Planted | None, authority: Path | None) -> None:
    """Say where the tenant is and how to log in: its login is known to everybody, so it is no secret."""
    settings = order.settings
    parts = urlsplit(url)
    host = _EVERYWHERE.get(order.host)
    if host is not None:
        name = f"[{host}]" if ":" in host else host
        url = f"{parts.scheme}://{name}:{parts.port}"
    variables = {
        "CPI_HOST": url,
        "CPI_USERNAME": settings.username,
        "CPI_PASSWORD": settings.password,
        "CPI_TOKEN_URL": f"{url}/oauth/token",
        "CPI_CLIENT_ID": settings.client_id,
        "CPI_CLIENT_SECRET": settings.client_secret,
    }
    if authority is not None:
        variables["SSL_CERT_FILE"] = str(authority)
    _say(f"The embedded tenant is at {url}/ (open it in a browser; Ctrl-C ends it)")
    if planted is not None:
        kept = f"; {_number(planted.kept, 'artifact')} already there" if planted.kept else ""
        _say(f"Seeded {_number(planted.packages, 'package')} and {_number(planted.artifacts, 'artifact')}{kept}")
    if order.state_file is not None:
        _say(f"It is kept in '{order.state_file}'")
    if not _is_loopback(order.host):
        _say(f"Warning: it can be reached from other machines ({order.host}), and everybody knows its login.")
    if authority is not None:
        _say(f"Its certificate is signed by '{authority}', which clients must trust")
    _say("\nConnect with (where both logins are set, OAuth is used):")
    for name, value in variables.items():
        _say(f"export {name}={shlex.quote(value)}")
    _say("\nRequests:")


def _show(request: simulator.SeenRequest) -> None:
    moment = datetime.fromtimestamp(request.time_ms / 1000).astimezone()
    status = str(request.status or ("undone" if request.in_batch else "cut"))
    fault = f"  (planned: {request.fault})" if request.fault else ""
    duration = "in a batch" if request.in_batch else f"{request.duration_s * 1000:.0f} ms"
    _say(
        f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}  {request.method:<6} {request.target}  "
        f"{status}  {duration}{fault}"
    )


def _number(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _say(text: str) -> None:
    """Write a line at once. Nobody reading any more is no reason to stop serving."""
    encoding = sys.stdout.encoding or "utf-8"
    with suppress(OSError, ValueError):
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
