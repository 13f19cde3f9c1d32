"""The tables of docs/performance.md: run them with

python benchmarks/compare.py limits
python benchmarks/compare.py observing
python benchmarks/compare.py peers
"""

import argparse
import sys
from collections.abc import Iterator

import kernels
from comparisons import AgainstLimit, AgainstPeer, Observing
from pairs import HEADER, line
from peer_runs import PEERS, missing, started
from rows import ROWS


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the engine with what it is measured by.")
    parser.add_argument("what", choices=("limits", "observing", "peers"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="part of the name of the rows wanted")
    parser.add_argument("--part", type=float, default=1.0, help="of the usual number of requests")
    options = parser.parse_args()
    tables = {"limits": limits, "observing": observing, "peers": peers}
    print(HEADER)
    for row in tables[options.what](options.rounds, options.only, options.part):
        print(row, flush=True)


def limits(rounds: int, only: str, part: float) -> Iterator[str]:
    """The engine, the limit kernel, and how many times as long the engine takes."""
    try:
        kernels.load()
    except kernels.NoCompilerError as reason:
        sys.exit(str(reason))
    for row in ROWS:
        if only not in row.name:
            continue
        compared = AgainstLimit(row, round(part * row.requests))
        turns(compared, rounds)
        yield line(row.name, compared.pairs.summary() | {"limit": row.limit})


def observing(rounds: int, _: str, part: float) -> Iterator[str]:
    """A run that measures, one that does not, and how many times as long the first takes."""
    compared = Observing(round(part * 1_000_000))
    turns(compared, rounds)
    yield line("observing", compared.pairs.summary() | {"limit": compared.ROW.limit})


def peers(rounds: int, only: str, part: float) -> Iterator[str]:
    """The peer, the engine, and how many times as long the peer takes."""
    for peer in PEERS:
        if only not in peer.name:
            continue
        if (reason := missing(peer.package)) is not None:
            yield f"{peer.name:52}left out: {reason}"
            continue
        requests = round(part * peer.requests)
        with started(peer, requests) as run_peer:
            run_peer(0)
            compared = AgainstPeer(peer, requests, run_peer, engine_runs=peer.engine_runs)
            turns(compared, rounds)
        compared.check()
        yield line(peer.name, compared.pairs.summary() | {"target": peer.target})


def turns(compared: AgainstLimit | AgainstPeer | Observing, rounds: int) -> None:
    for _ in range(rounds):
        compared.reference()
        compared.subject()


if __name__ == "__main__":
    main()
