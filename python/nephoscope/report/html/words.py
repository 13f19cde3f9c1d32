"""The question of a scenario and the answer of its run, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from nephoscope.report.html.troubles import UNFINISHED_FELT, lost_words, share_of
from nephoscope.report.terminal import count, seconds
from nephoscope.scenario.units import Duration

# A sentence with more names than this is not read to its end.
_NAMES_MAX = 4
_ANSWERS_MAX = 12
# The least that instances and hosts are billed.
_BILLED_MINIMUM_S = 60

Tree = Mapping[str, Any]


def question(tree: Tree) -> str:
    """What was asked."""
    sent = sum(part["offered"] for part in tree["traffic"].values())
    fleets = [f"{name} ({_instances(part['instances'])})" for name, part in tree["fleets"].items()]
    span = time_text(tree["simulated_s"])
    return (
        f"What do {names_text(list(tree['traffic']))} feel, and what does it cost, when "
        f"{count(sent)} requests in {span} meet {names_text(fleets)}?"
    )


def answers(tree: Tree) -> Iterator[str]:
    """What came out, a sentence each."""
    for name, part in list(tree["traffic"].items())[:_ANSWERS_MAX]:
        yield _answer(name, part)
    if (rest := len(tree["traffic"]) - _ANSWERS_MAX) > 0:
        yield f"And {rest} more kinds of traffic: see the table of latencies."
    if "cost_usd" in tree:
        bill, span = tree["cost_usd"], tree["simulated_s"]
        hourly = money(bill["total"] * 3600 / span) if _grows_evenly(bill, span) else None
        rate = "" if hourly is None else f", {hourly} an hour"
        yield f"The bill of the run of {time_text(span)} is {money(bill['total'])}{rate}."


def _grows_evenly(bill: Tree, span_s: float) -> bool:
    """Whether a longer run would be billed as much an hour.

    Load balancers are billed by the hour begun, everything else by the second, for a minute at
    least: what a part of an hour costs does not say what an hour costs.
    """
    if span_s and span_s % 3600 == 0.0:
        return True
    return "load_balancers" not in bill and span_s >= _BILLED_MINIMUM_S


def money(usd: float) -> str:
    """An amount; of small ones the digits that count."""
    return f"${usd:,.2f}" if usd >= 1.0 or usd == 0.0 else f"${usd:.3g}"


def time_text(value_s: float) -> str:
    """A time as scenario files have it: 1h30m; to the millisecond."""
    return str(Duration(round(value_s * 1e3) * 1_000_000))


def _answer(name: str, part: Tree) -> str:
    offered, done, latency = part["offered"], part["completed"], part["latency_s"]
    if not offered:
        return f"{name}: no request was made in the measured window."
    words = f"{name}: {count(done)} of {count(offered)} requests served"
    words += f" ({share_of(done, offered)})"
    if done:
        words += f", half of them within {seconds(latency['p50'])}"
        words += f" and 99 of 100 within {seconds(latency['p99'])}"
    rest = lost_words(part, "offered")
    if part["in_flight"] >= UNFINISHED_FELT * offered:
        rest.append(f"{count(part['in_flight'])} unfinished at the end")
    return words + (f"; {', '.join(rest)}." if rest else "; none lost.")


def _instances(counts: Tree) -> str:
    low, high = counts["min"], counts["max"]
    number = count(low) if low == high else f"{count(low)} to {count(high)}"
    return f"{number} instance{'' if high == 1 else 's'}"


def names_text(names: list[str], most: int = _NAMES_MAX) -> str:
    """Names as a sentence has them; of many the first."""
    shown = names[:most]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
