"""Small scenarios in which a part is one queueing station, and what a run has seen of it."""

import nephoscope as nph
from nephoscope.report.theory_words import beside
from nephoscope.theory import explain

WORK = {"exponential": "10ms"}


def station(rate=70.0, compute=WORK, vcpus=1, traffic=None, steps=None, fleet=None, **service):
    """One instance, and Poisson traffic straight to it."""
    return {
        "duration": "5m",
        "warmup": "20s",
        "services": {"work": {"steps": steps or [{"compute": compute}], **service}},
        "fleets": {"web": {**machine(vcpus), **(fleet or {})}},
        "traffic": {"users": {"to": "web", "rate": f"{rate!r}/s", **(traffic or {})}},
    }


def machine(vcpus=1, count=1, **keys):
    kind = {"vcpus": vcpus, "memory": "1GiB"}
    return {"instance_type": kind, "count": count, "service": "work", **keys}


def farm(rate, count, routing, compute=WORK, vcpus=1, **service):
    """Equal instances behind a balancer."""
    scenario = station(rate, compute, vcpus, {"to": "door"}, fleet={"count": count}, **service)
    return scenario | {"load_balancers": {"door": {"targets": ["web"], "routing": routing}}}


def closed(users, think, **keys):
    """Users in the place of the Poisson traffic."""
    scenario = station(**keys)
    arrivals = {"closed": {"users": users, "think": think}}
    return scenario | {"traffic": {"users": {"to": "web", "arrivals": arrivals}}}


def consumers(rate, compute=WORK, count=1, rules=None, fleet=None, **consumes):
    """A queue, and those who work its messages."""
    consumes = {"queue": "board", "wait": "20s", **consumes}
    scenario = station(rate, compute, 1, {"to": "board"}, consumes=consumes)
    scenario["fleets"]["web"] |= {"count": count, **(fleet or {})}
    return scenario | {"queues": {"board": rules or {}}}


def answer_of(scenario, fleet="web"):
    """What theory says of a fleet."""
    answers = explain(nph.Scenario.from_dict({"nephoscope": 1, **scenario})).answers
    return next(answer for answer in answers if answer.part == f"fleets.{fleet}")


def seen_by_fleet(scenario, replications):
    """By fleet: the figures of theory, and what each replication has seen of them."""
    made = nph.Scenario.from_dict({"nephoscope": 1, **scenario})
    explanation, seen = explain(made), {}
    for i in range(replications):
        for it in beside(explanation, nph.run(made, rng=29, replication=i).to_dict()):
            seen.setdefault(it.part, {}).setdefault(it.figure, []).append(it.seen)
    return seen


def seen_in(scenario, replications, fleet="web"):
    """The same of one fleet."""
    return seen_by_fleet(scenario, replications)[fleet]
