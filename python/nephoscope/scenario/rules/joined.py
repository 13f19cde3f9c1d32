"""The rules that join several keys of a scenario.

Like the references they read plain values, so that one mistake never hides another.
"""

from collections.abc import Iterator
from typing import Any

from nephoscope.errors import Problem, UnitError
from nephoscope.scenario.files.document import Document, Where
from nephoscope.scenario.files.plain_values import mapping
from nephoscope.scenario.language.arrivals import Arrivals
from nephoscope.scenario.language.fields import INSTANCES_MAX
from nephoscope.scenario.language.traffic import RATED
from nephoscope.scenario.rules.balancer import balancer_problems
from nephoscope.scenario.rules.batches import batch_problems
from nephoscope.scenario.rules.bus import bus_problems
from nephoscope.scenario.rules.faults import fault_problems
from nephoscope.scenario.rules.life import life_problems
from nephoscope.scenario.rules.membership import membership_problems
from nephoscope.scenario.rules.message_sizes import message_size_problems
from nephoscope.scenario.rules.pipe import pipe_problems
from nephoscope.scenario.rules.placing import placing_problems
from nephoscope.scenario.rules.provider import provider_problems
from nephoscope.scenario.rules.queue import queue_problems
from nephoscope.scenario.rules.references import entries
from nephoscope.scenario.rules.scaling import scaling_problems
from nephoscope.scenario.rules.topic import topic_problems
from nephoscope.scenario.units import Duration

SERIES_VALUES_MAX = 2**24


def rule_problems(document: Document) -> Iterator[Problem]:
    """Everything that is wrong between keys."""
    yield from _clock(document)
    yield from _instances(document)
    yield from placing_problems(document)
    yield from life_problems(document)
    yield from fault_problems(document)
    yield from scaling_problems(document)
    yield from membership_problems(document)
    for where, traffic in entries(document.tree, "traffic"):
        yield from _traffic(document, where, traffic)
    yield from balancer_problems(document)
    yield from queue_problems(document)
    yield from topic_problems(document)
    yield from bus_problems(document)
    yield from pipe_problems(document)
    yield from batch_problems(document)
    yield from message_size_problems(document)
    yield from provider_problems(document)


def _clock(document: Document) -> Iterator[Problem]:
    duration = _duration(document.tree.get("duration"))
    warmup = _duration(document.tree.get("warmup"))
    interval = _duration(document.tree.get("series"))
    if duration is None or duration <= 0:
        return
    if warmup is not None and warmup >= duration:
        message = f"the warm-up of {warmup} leaves nothing of the {duration} to measure"
        yield document.problem(("warmup",), message, allowed=f"less than {duration}, or auto")
    columns = 6 * (_length(document, "traffic") + _length(document, "load_balancers"))
    columns += _length(document, "fleets") + 3 * _length(document, "queues")
    intervals_max = SERIES_VALUES_MAX // max(columns, 1)
    if interval is not None and 0 < interval * intervals_max < duration:
        message = f"{duration // interval} intervals are too many"
        least = Duration(duration // max(intervals_max, 1) + 1)
        yield document.problem(("series",), message, allowed=f"at least {least}")


def _instances(document: Document) -> Iterator[Problem]:
    total = 0
    for where, fleet in entries(document.tree, "fleets"):
        count = _most(fleet.get("count", 1))
        legal = isinstance(count, int) and 0 <= count <= INSTANCES_MAX
        total += count if legal and isinstance(count, int) else 0
        if total > INSTANCES_MAX:
            message = f"{total} instances up to here are too many"
            allowed = f"at most {INSTANCES_MAX} in all fleets together"
            yield document.problem((*where, "count"), message, allowed=allowed)
            return


def _most(count: Any) -> Any:
    return count.get("max", count.get("desired")) if isinstance(count, dict) else count


def _traffic(document: Document, where: Where, traffic: dict[str, Any]) -> Iterator[Problem]:
    arrivals = traffic.get("arrivals", "poisson")
    forms = list(mapping(arrivals)) if isinstance(arrivals, dict) else [arrivals]
    form = forms[0] if len(forms) == 1 and isinstance(forms[0], str) else None
    if form in RATED and "rate" not in traffic:
        message = f"rate is missing: {form} arrivals need it"
        yield document.problem((*where, "rate"), message, allowed="a rate such as 40/s")
    elif form in Arrivals.model_fields and form not in RATED and "rate" in traffic:
        message = f"{form} arrivals carry their own rate"
        allowed = "rate only with poisson and constant arrivals"
        yield document.problem((*where, "rate"), message, allowed=allowed, at_key=True)
    if traffic.get("on_timeout") == "abandon" and not traffic.keys() & {"timeout", "deadline"}:
        message = "abandon without a timeout has no effect"
        allowed = "on_timeout beside timeout or deadline"
        yield document.problem((*where, "on_timeout"), message, allowed=allowed, at_key=True)


def _length(document: Document, section: str) -> int:
    return len(mapping(document.tree.get(section)))


def _duration(value: Any) -> Duration | None:
    try:
        return Duration.parse(value)
    except UnitError:
        return None
