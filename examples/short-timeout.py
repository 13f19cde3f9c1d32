"""A consumer whose visibility timeout is too short for its work, and three ways out.

The same messages in every line; work takes 10 s on average, and more than 15 s for one in six. Who
runs on when the timeout has ended works beside whoever receives the message next, and all but the
first to finish work in vain; who abandons begins again from the start. A message that has been
received five times is put aside.

    python examples/short-timeout.py
"""

from pathlib import Path
from typing import Any

import nephoscope as nph

CAKES = "queues.cakes"
BAKE = "services.bake.consumes"
ALTERNATIVES: dict[str, dict[str, Any]] = {
    "15 s, runs on": {},
    "15 s, abandons": {f"{BAKE}.on_timeout": "abandon"},
    "15 s, heartbeat each 5 s": {f"{BAKE}.heartbeat": "5s"},
    "60 s": {f"{CAKES}.visibility_timeout": "60s"},
}


def main() -> None:
    """Print a line for each way."""
    scenario = nph.Scenario.load(Path(__file__).parent / "short-timeout.yaml")
    print(f"{'':26}receives   in vain      busy    put   cake after, s")
    print(f"{'':26}a message                    aside     p50      p99")
    for name, values in ALTERNATIVES.items():
        result = scenario.replace(values).run()
        sent = result[f"{CAKES}.sent"]
        receives = f"{result[f'{CAKES}.received'] / sent:9.3f}"
        vain = f"{100 * result[f'{CAKES}.in_vain'] / sent:8.1f} %"
        busy = f"{100 * result['fleets.bakers.utilization']:8.1f} %"
        waits = f"{result[f'{CAKES}.age_s.p50']:8.1f}{result[f'{CAKES}.age_s.p99']:9.1f}"
        print(f"{name:25}{receives}{vain}{busy}{result[f'{CAKES}.dead_lettered']:7}{waits}")


if __name__ == "__main__":
    main()
