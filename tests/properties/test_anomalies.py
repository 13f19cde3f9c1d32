"""Random fleets behind a balancer that looks for anomalies, some of which fail more than others."""

from __future__ import annotations

from collections import Counter

import numpy as np

from properties import strategies as st
from properties.engine import run
from properties.liveliness import look_until_seen
from properties.systems import Change, System
from properties.test_properties import conserves, resumes


@st.composite
def uneven(draw) -> System:
    """Two fleets, one of which fails more often, and now and then an instance that breaks down."""
    fleets = {
        name: {
            "service": f"{name}-work",
            "count": draw(st.sampled_from(counts)),
            "instance_type": {"vcpus": 1, "memory": "1GiB"},
            "boot": "0s",
        }
        for name, counts in (("well", [2, 3, 5]), ("poor", [1, 2]))
    }
    services = {
        f"{name}-work": {"steps": [{"compute": {"exponential": "5ms"}}, {"fail": draw(chance)}]}
        for name, chance in (
            ("well", st.sampled_from([0.0, 0.05, 0.4])),
            ("poor", st.sampled_from([0.1, 0.6, 1.0])),
        )
    }
    mitigated = {"anomaly_mitigation": True, "window": draw(st.sampled_from(["300ms", "1s"]))}
    door = {
        "targets": [{"fleet": "well", "weight": draw(st.sampled_from([1, 2, 0.3]))}, "poor"],
        "routing": {"weighted_random": mitigated},
    }
    check = {"interval": "500ms", "timeout": "200ms", "healthy_threshold": 1}
    door |= draw(st.sampled_from([{}, {"health_check": check}]))
    door |= draw(st.sampled_from([{}, {"nodes": 2, "health_check": check}, {"idle_timeout": "1s"}]))
    kind = draw(st.sampled_from(["fail", "hang", "kill"]))
    lasts = {} if kind == "kill" else {"for": "2s"}
    faults = [{"at": "1s", kind: {"fleet": "well", "count": 1}, **lasts}]
    tree = {
        "nephoscope": 1,
        "name": "uneven",
        "duration": "6s",
        "series": "1s",
        "fleets": fleets,
        "services": services,
        "load_balancers": {"door": door},
        "traffic": {"source": {"to": "door", "rate": draw(st.sampled_from(["60/s", "150/s"]))}},
        "faults": draw(st.sampled_from([[], faults])),
    }
    changes = (
        Change(2_500_000_000, "fleets.poor.count", draw(st.sampled_from([0, 1, 3]))),
        Change(4_100_000_000, "load_balancers.door.targets.well.weight", 1.5),
    )
    cuts = (700_000_000, 3_300_000_000)
    return System(tree, draw(st.sampled_from([(), changes])), cuts, draw(st.integers(0, 2**32)))


def test_shares_follow_anomalies_and_nothing_is_lost():
    seen: Counter[str] = Counter()

    def look(system: System) -> None:
        conserves(system)
        resumes(system)
        results = run(system).results()
        seen["detected"] += results["load_balancers"][0]["anomalies_detected"] > 0
        anomalous = results["series"]["load_balancers.door.anomalous"]
        seen["fewer"] += bool((np.diff(anomalous) < 0).any())

    look_until_seen(look, uneven(), 25, seen, ("detected",), ("fewer",))
