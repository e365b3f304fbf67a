"""``invoke simulator`` as a person starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

CHECKOUT = Path(__file__).parents[2]


def test_it_serves_a_seeded_tenant_with_a_page_until_ctrl_c(tmp_path: Path) -> None:
    """It prints where it is and how to connect, shows its packages on a page, and ends well with its state kept."""
    (tmp_path / "tasks.py").write_text("from cpi_tasks import ns\n")
    seed = CHECKOUT / "environments" / "demo" / "packages"
    command = [sys.executable, "-m", "invoke", "simulator", "--port", "0", "--seed", str(seed), "--state", "s.json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        assert program.stdout is not None
        lines: list[str] = []
        while not any(line.startswith("Requests:") for line in lines):
            lines.append(program.stdout.readline())
        (url,) = re.findall(r"export CPI_HOST=(\S+)", "".join(lines))
        page = httpx.get(url, headers={"Accept": "text/html"}).text
        program.send_signal(signal.SIGINT)
        rest = program.stdout.read()
    assert "Seeded 2 packages and 10 artifacts" in "".join(lines)
    assert "CustomerIntegration" in page
    assert (program.returncode, "Traceback" in rest) == (0, False)
    assert (tmp_path / "s.json").exists()
