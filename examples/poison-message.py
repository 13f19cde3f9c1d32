"""Messages that nobody can work, on queues with and without a place to put them aside.

The same orders in every line. A message that fails is seen again 30 s later; without a dead-letter
queue that goes on until it expires, after days, so that ever more of the work is for nothing.

    python examples/poison-message.py
"""

from pathlib import Path
from typing import Any

import nephoscope as nph

BOARD = "queues.order-board"
ALTERNATIVES: dict[str, dict[str, Any]] = {
    "no dead-letter queue": {f"{BOARD}.dead_letter": None},
    "aside after 10 receives": {},
    "aside after 3 receives": {f"{BOARD}.dead_letter.max_receives": 3},
}


def main() -> None:
    """Print a line for each kind of queue."""
    scenario = nph.Scenario.load(Path(__file__).parent / "poison-message.yaml")
    print("                          receives    drink after, s      busy      put    still")
    print("                         a message     p50       p99                aside   there")
    for name, values in ALTERNATIVES.items():
        result = scenario.replace(values).run()
        receives = result[f"{BOARD}.received"] / result[f"{BOARD}.sent"]
        waits = f"{result[f'{BOARD}.age_s.p50']:10.2f}{result[f'{BOARD}.age_s.p99']:10.2f}"
        busy = f"{100 * result['fleets.baristas.utilization']:8.1f} %"
        left = f"{result[f'{BOARD}.dead_lettered']:7}{result[f'{BOARD}.depth.final']:8}"
        print(f"{name:24}{receives:10.3f}{waits}{busy}{left}")


if __name__ == "__main__":
    main()
