"""Routing policies of the user's own: what they are shown, what they may answer, whose state is."""

import ctypes
import pickle
import re

import numpy as np
import pytest

import nephoscope as nph
from nephoscope import _core
from nephoscope.experiment.journal import scenario_hash
from semantics.lab import fleet, scenario, work
from semantics.policies import SIGNATURE, Witness, library, of_c

ROUTING = "load_balancers.door.routing"


def farm(routing, count=5, **keys):
    """Instances that are busy for 0.7 of the time; nothing but plain requests."""
    traffic = {"to": "door", "rate": f"{0.7 * count * 100}/s"}
    service = work({"compute": {"exponential": "10ms"}})
    door = {"targets": ["web"], "routing": routing}
    tree = scenario(
        keys.pop("traffic", traffic),
        service,
        fleets={"web": fleet(count=count)},
        balancers={"door": door},
        duration="20s",
        **keys,
    )
    del tree["nephoscope"]
    return nph.Scenario(**tree)


def traced(lab, policy, *times, doors=None, **keys):
    """Requests at instants, each one second of work, to targets of one fleet or those given."""
    balancers = {"door": doors or {"targets": ["web"]}}
    balancers["door"]["routing"] = policy
    fleets = keys.pop("fleets", {"web": fleet(count=3)})
    tree = scenario(lab.at(*times, to="door"), fleets=fleets, balancers=balancers, **keys)
    return nph.Scenario.model_validate(tree)


# What a twin of a policy of ours does.


@pytest.mark.parametrize("patient", [True, False], ids=["plain", "who may leave"])
@pytest.mark.parametrize(
    ("ours", "name", "words", "state"),
    [
        ("power_of_two", "two_choices", 2, 0),
        ("random", "any", 1, 0),
        ("round_robin", "in_turn", 0, 8),
    ],
)
def test_a_twin_of_our_own_comes_to_the_same(ours, name, words, state, patient):
    waiting = {} if patient else {"timeout": "30ms"}
    traffic = {"to": "door", "rate": "350/s", **waiting}
    twin = farm(of_c(name, words=words, state=state), traffic=traffic).run(rng=3)
    assert twin.fingerprint == farm(ours, traffic=traffic).run(rng=3).fingerprint
    assert twin["traffic.customers.completed"] > 4000


def test_a_twin_beside_other_balancers_and_in_groups():
    def tree(routing):
        targets = {"blue": {"targets": ["web"], "weight": 1}, "green": {"targets": ["more"]}}
        return nph.Scenario(
            duration="20s",
            services={"work": {"steps": [{"compute": {"exponential": "10ms"}}]}},
            fleets={"web": fleet(count=3), "more": fleet(count=2)},
            load_balancers={"door": {"groups": targets, "routing": routing}},
            traffic={"a": {"to": "door", "rate": "200/s"}, "b": {"to": "door", "rate": "100/s"}},
        )

    assert tree(of_c("any")).run().fingerprint == tree("random").run().fingerprint


def test_one_that_numba_compiles():
    numba = pytest.importorskip("numba", reason="needs numba (the extra `numba`)")

    @numba.njit
    def below(word, n):
        return np.int64(((word >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))

    @nph.routing.compiled(words=2, state=np.zeros(2))
    def two_choices(view):
        count = len(view.in_flight)
        a, b = below(view.words[0], count), below(view.words[1], count - 1)
        b += b >= a
        view.state[1] += 1.0
        if view.state[1] > 1e9:
            return -1
        return b if view.in_flight[b] < view.in_flight[a] else a

    assert farm(two_choices).run(rng=3).fingerprint == farm("power_of_two").run(rng=3).fingerprint

    @nph.routing.compiled()
    def raises(view):
        if view.now_ns > 1e9:
            raise ValueError
        return 0

    with pytest.raises(nph.PolicyError, match=r"load_balancers\.door: .*policy raised an exc"):
        farm(raises).run()


def test_a_function_for_numba_needs_no_options():
    pytest.importorskip("numba", reason="the extra `numba` is not installed")

    @nph.routing.compiled
    def the_first(view):
        return 0

    assert (the_first.name, the_first.words) == ("the_first", 1)
    result = farm(the_first).run()
    assert result["load_balancers.door.targets.1.requests"] == 0


def test_a_function_for_numba_returns_whole_numbers():
    pytest.importorskip("numba", reason="the extra `numba` is not installed")

    def half(view):
        return 1.5

    def sometimes(view):
        return 0 if view.now_ns > 1e9 else 0.5

    def maybe(view):
        if view.now_ns > 1e9:
            return 1
        return None

    for function, kind in ((half, "float64"), (sometimes, "float64"), (maybe, "Option")):
        with pytest.raises(nph.ScenarioError, match=f"{function.__name__} returns {kind}"):
            nph.routing.compiled(function)


# What a policy is shown.


def test_targets_are_shown_by_position(lab):
    """Work of 1 s, sent at 0, .25, .5 to 2, 2, 0: 2 answers at 1 and 2 s, 0 at 1.5 s."""
    witness = Witness(2, 2, 0, 1)
    traced(lab, witness.policy, 0, 0.25, 0.5, 1.6, 2.25).run()
    assert witness.column("numbers") == [[0, 1, 2]] * 5
    assert witness.column("in_flight") == [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 1], [0, 1, 0]]
    # The second answer of 2 has taken 1.75 s, and has an eighth of the weight.
    latencies = witness.column("latency_ns")
    assert latencies[:3] == [[0.0, 0.0, 0.0]] * 3
    assert latencies[3:] == [[1e9, 0.0, 1e9], [1e9, 0.0, 1e9 + 0.75e9 / 8]]


def test_the_request_is_shown(lab):
    witness = Witness(0, words=3)
    tree = traced(lab, witness.policy, 1, 2).to_dict()
    tree["traffic"]["others"] = {"to": "door", "arrivals": tree["traffic"]["customers"]["arrivals"]}
    nph.Scenario.from_dict(tree).run()
    assert witness.column("now_ns") == [10**9, 10**9, 2 * 10**9, 2 * 10**9]
    assert sorted(witness.column("source")) == [0, 0, 1, 1]
    assert witness.column("client") == [0, 0, 1, 1]
    assert witness.column("event") == [0] * 4
    hashes = witness.column("hash")
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]
    words = [word for shown in witness.seen for word in shown["words"]]
    assert words == list(_core.random_words(0, 0, "load_balancers/door/routing", 12))


def test_weights_are_shown(lab):
    witness = Witness(0)
    doors = {"targets": [{"fleet": "web", "weight": 2}, {"fleet": "more", "weight": 0.5}]}
    fleets = {"web": fleet(count=1), "more": fleet(count=2)}
    traced(lab, witness.policy, 1, doors=doors, fleets=fleets).run()
    assert witness.column("weights") == [[2.0, 0.5, 0.5]]


def test_zones_are_shown_and_come_with_a_policy_that_is_set(lab):
    witness = Witness(0)
    hosts = {"here": {"count": 4, "type": {"cores": 2}, "zones": ["a", "b"]}}
    fleets = {"web": fleet(count=4) | {"hosts": "here", "zones": ["a", "b"]}}
    found = traced(lab, witness.policy, 1, 2, hosts=hosts, fleets=fleets)
    found.run()
    zones = witness.column("zones")[0]
    assert sorted(zones) == [0, 0, 1, 1]
    plain = nph.Simulation(found.replace({ROUTING: "round_robin"}))
    plain.set(ROUTING, witness.policy)
    plain.advance()
    assert witness.column("zones") == [zones] * 4


def test_a_target_that_leaves_gives_its_position_to_the_last(lab):
    """0 dies, and 3 comes for it: 2 1 3; of these the oldest but one, 2, leaves: 3 1."""
    witness = Witness(1, 1, 2)
    simulation = nph.Simulation(traced(lab, witness.policy, 0, 0.5, 3, 4))
    simulation.advance("2.5s")
    simulation.terminate("web", 1)
    simulation.set("fleets.web.count", 2)
    with pytest.raises(nph.PolicyError, match="returned 2, which is none of 2 positions"):
        simulation.advance()
    assert witness.column("numbers") == [[0, 1, 2], [0, 1, 2], [3, 1]]
    assert witness.column("in_flight")[-1] == [0, 0]
    assert witness.column("latency_ns")[-1] == [0.0, 1e9 + 0.5e9 / 8]


def test_what_a_message_says_is_shown(lab):
    """The second request puts an event on the bus, which goes to the balancer as another."""
    witness = Witness(0)
    tree = traced(lab, witness.policy, 1).to_dict()
    tree["buses"] = {
        "news": {"rules": {"all": {"pattern": {"detail": {"n": [1]}}, "targets": [{"to": "door"}]}}}
    }
    tree["services"]["tell"] = {"steps": [{"put": {"to": "news", "event": {"detail": {"n": 1}}}}]}
    tree["fleets"]["tellers"] = fleet("tell")
    tree["traffic"]["calls"] = lab.at(2, to="tellers")
    nph.Scenario.from_dict(tree).run()
    assert witness.column("event")[0] == 0
    assert len(witness.seen) == 2
    assert witness.column("event")[1] > 0


# Errors.


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "weary",
            "load_balancers.door: its compiled routing policy returned the error -3 (seed 0,",
        ),
        ("beyond", "door: its compiled routing policy returned 5, which is none of 5 positions"),
    ],
)
def test_a_policy_that_fails_ends_the_run(name, message):
    simulation = nph.Simulation(farm(of_c(name, state=8)))
    for ask in (simulation.advance, simulation.advance, simulation.result, simulation.save):
        with pytest.raises(nph.PolicyError, match=re.escape(message)):
            ask()
    with pytest.raises(nph.PolicyError):
        simulation.set(ROUTING, "random")
    with pytest.raises(nph.PolicyError):
        nph.replicate(farm(of_c(name, state=8)), 3)


def test_a_failure_where_anything_may_be_asked_of_the_world():
    traffic = {"to": "door", "rate": "350/s", "timeout": "30ms"}
    with pytest.raises(nph.PolicyError, match=r"load_balancers\.door: .* the error -3"):
        farm(of_c("weary", state=8), traffic=traffic).run()


def test_a_file_cannot_name_one():
    for written in ("compiled", "{compiled: two_choices}"):
        text = f"""
            nephoscope: 1
            duration: 1s
            services: {{work: {{steps: [{{compute: 1ms}}]}}}}
            fleets: {{web: {{service: work}}}}
            load_balancers: {{door: {{targets: [web], routing: {written}}}}}
            traffic: {{users: {{to: door, rate: 1/s}}}}
        """
        with pytest.raises(nph.ScenarioError, match="is given in Python, as a nephoscope"):
            nph.Scenario.from_text(text)


def test_what_does_not_go_with_it():
    policy = of_c("any")
    door = {"targets": ["web"], "routing": policy, "slow_start": "30s"}
    with pytest.raises(nph.ScenarioError, match="compiled does not go with slow_start"):
        farm("random").replace({"load_balancers.door": door})
    mitigated = {"weighted_random": {"anomaly_mitigation": True}}
    simulation = nph.Simulation(farm(mitigated))
    with pytest.raises(nph.ScenarioError, match="anomaly_mitigation stays"):
        simulation.set(ROUTING, policy)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (len, {}, "is not compiled"),
        (True, {}, "is no function"),
        (0, {"name": "a"}, "0 is no address"),
        (1, {}, "known by its name"),
        (1, {"name": "a", "words": 17}, "words: 17 is out of range (allowed: 0 to 16)"),
        (1, {"name": "a", "words": 1.5}, "words: 1.5 is out of range"),
        (1, {"name": "a", "state": -1}, "state: -1 is out of range"),
        (1, {"name": "a", "state": "x"}, "state: 'x' is no block of bytes"),
        (1, {"name": "a", "version": 2}, "version 2 of the header"),
    ],
)
def test_what_is_no_policy(function, options, message):
    with pytest.raises(nph.ScenarioError, match=re.escape(message)):
        nph.RoutingPolicy(function, **options)


def test_a_library_without_it():
    with pytest.raises(nph.ScenarioError, match=r"library: cannot be loaded: .*nobody"):
        of_c("nobody")
    with pytest.raises(nph.ScenarioError, match="library: cannot be loaded"):
        nph.RoutingPolicy.load("nowhere.so", "any")


def test_all_ways_to_name_a_function():
    function = ctypes.CDLL(str(library())).any
    address = ctypes.cast(function, ctypes.c_void_p).value
    new = ctypes.pythonapi.PyCapsule_New
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    new.restype = ctypes.py_object
    named = b"nephoscope_routing_policy"
    ways = [function, address, new(address, named, None), SIGNATURE(address)]
    wanted = farm("random").run().fingerprint
    for way in ways:
        policy = nph.RoutingPolicy(way, name="any")
        assert policy.address == address
        assert farm(policy).run().fingerprint == wanted
    with pytest.raises(nph.ScenarioError, match="a capsule of another name"):
        nph.RoutingPolicy(new(address, b"something", None), name="any")


def test_the_header_says_what_python_knows():
    text = (nph.routing.include() / "nephoscope" / "routing_policy.h").read_text()
    assert f"#define NEPHOSCOPE_ROUTING_VERSION {nph.routing.VERSION}\n" in text
    assert '#define NEPHOSCOPE_ROUTING_CAPSULE "nephoscope_routing_policy"\n' in text


# Whose state it is.


def test_a_fork_has_a_state_of_its_own(lab):
    witness = Witness(0, state=b"abc")
    counting = nph.Simulation(farm(of_c("in_turn", state=8)), rng=3)
    counting.advance("5s")
    twin = counting.fork()
    twin.advance()
    counting.advance()
    wanted = farm("round_robin").run(rng=3).fingerprint
    assert counting.result().fingerprint == twin.result().fingerprint == wanted
    traced(lab, witness.policy, 1).run()
    assert witness.column("state") == [b"abc"]


def test_a_saved_simulation_is_given_its_policies(lab):
    policy = of_c("in_turn", state=8)
    simulation = nph.Simulation(farm(policy), rng=3)
    simulation.advance("5s")
    saved = simulation.save()
    with pytest.raises(nph.NephoscopeError, match="door goes on with the compiled policy 'in_t"):
        nph.Simulation.load(saved)
    with pytest.raises(nph.NephoscopeError, match=r"has to bring \(given: any\)"):
        nph.Simulation.load(saved, [of_c("any")])
    with pytest.raises(nph.NephoscopeError, match="the state of a compiled routing policy has ano"):
        nph.Simulation.load(saved, [of_c("in_turn", state=16)])
    again = nph.Simulation.load(saved, [policy])
    again.advance()
    simulation.advance()
    assert again.result().fingerprint == simulation.result().fingerprint


def test_a_policy_that_was_set_is_saved_and_forked_by_name():
    simulation = nph.Simulation(farm("round_robin"), rng=3)
    simulation.advance("5s")
    simulation.set(ROUTING, of_c("any"))
    simulation.advance("5s")
    with pytest.raises(nph.NephoscopeError, match=r"the compiled policy 'any'"):
        nph.Simulation.load(simulation.save())
    again = nph.Simulation.load(simulation.save(), [of_c("any")])
    branch = simulation.fork(replication=0)
    other = simulation.fork(replication=1)
    for one in (simulation, again, branch, other):
        one.advance()
    assert again.result().fingerprint == simulation.result().fingerprint
    assert branch.result().fingerprint == simulation.result().fingerprint
    assert other.result().fingerprint != simulation.result().fingerprint


def test_a_change_of_weights_begins_it_anew(lab):
    witness = Witness(0, state=b"abc")
    simulation = nph.Simulation(traced(lab, witness.policy, 0, 2, 4))
    simulation.advance("3.5s")
    simulation.set("load_balancers.door.targets.web.weight", 2)
    simulation.advance()
    assert witness.column("weights") == [[1.0] * 3] * 2 + [[2.0] * 3]
    assert witness.column("latency_ns") == [[0.0] * 3, [1e9, 0, 0], [0.0] * 3]


def test_changed_weights_are_those_of_targets_to_come_in_what_was_saved_too(lab):
    witness = Witness(0)
    simulation = nph.Simulation(traced(lab, witness.policy, 2))
    simulation.advance("0.5s")
    simulation.set("load_balancers.door.targets.web.weight", 2)
    again = nph.Simulation.load(simulation.save(), [witness.policy])
    for one in (simulation, simulation.fork(), again):
        one.set("fleets.web.count", 4)
        one.advance()
    assert witness.column("weights") == [[2.0] * 4] * 3


# Among others.


def test_threads_run_it_at_once():
    policy = of_c("in_turn", state=8)
    one, two = (nph.replicate(farm(policy), 6, threads=n).fingerprint for n in (1, 2))
    assert one == two == nph.replicate(farm("round_robin"), 6).fingerprint


def test_in_a_comparison_and_a_sweep_it_goes_by_its_name(tmp_path):
    policies = ["random", of_c("two_choices", words=2)]
    found = nph.compare(farm("random"), {ROUTING: policies}, 5)
    assert found["traffic.customers.latency_s.mean", "two_choices"].verdict == "lower"
    journal = tmp_path / "runs.sqlite"
    table = nph.sweep(farm("random"), {ROUTING: policies}, 2, journal=journal)
    assert table.to_dict()["cells"][1]["values"] == {ROUTING: "two_choices"}
    again = nph.sweep(farm("random"), {ROUTING: policies}, 2, journal=journal)
    assert (again.simulated, again.to_csv()) == (0, table.to_csv())


def test_a_report_and_an_explanation_know_its_name():
    pytest.importorskip("jinja2", reason="needs jinja2 (the extra `report`)")
    scenario = farm(of_c("two_choices", words=2), count=2)
    page = scenario.run().to_html()
    assert "compiled: two_choices" in page
    said = nph.explain(scenario)
    assert "lower bound only" in str([answer.notes for answer in said.answers])


def test_what_a_journal_knows_it_by():
    hashes = {
        scenario_hash(farm(policy), 1)
        for policy in (
            of_c("any"),
            of_c("any", name="other"),
            of_c("any", words=2),
            of_c("any", state=b"x"),
            Witness(0).policy,
        )
    }
    assert len(hashes) == 5
    assert scenario_hash(farm(of_c("any")), 1) == scenario_hash(farm(of_c("any")), 1)


def test_only_a_library_goes_to_other_processes():
    sent = pickle.loads(pickle.dumps(farm(of_c("any"))))
    assert sent.run().fingerprint == farm("random").run().fingerprint
    with pytest.raises(nph.ScenarioError, match="witness is in this process alone"):
        pickle.dumps(farm(Witness(0).policy))


def test_the_router_alone():
    ours = nph.parts.Router("random", 10, seed=1)
    theirs = nph.parts.Router(of_c("any"), 10, seed=1)
    clients = np.arange(1000)
    assert (ours.route(clients) == theirs.route(clients)).all()
    theirs.answered(theirs.route(clients[:1]), [5])
