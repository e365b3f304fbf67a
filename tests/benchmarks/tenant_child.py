"""The embedded tenant in a process of its own: ``python tenant_child.py '{"deploy_s": 2.0, …}'``.

Prints its address; then, for each line it reads, what it saw since the line before, as one line of JSON. Ends with its
input.
"""

from __future__ import annotations

import json
import sys

from cpi_tasks.simulator import Simulator, SimulatorSettings, running


def main() -> None:
    """Serve with the settings of the first argument."""
    simulator = Simulator(SimulatorSettings(**json.loads(sys.argv[1])))
    told = 0
    with running(simulator) as url:
        _say(url)
        for _ in sys.stdin:
            requests = simulator.requests[told:]
            told += len(requests)
            rows = [(r.time, r.family, r.method, r.target, r.status) for r in requests]
            _say(json.dumps({"requests": rows, "peak": simulator.peak_deployments}))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
