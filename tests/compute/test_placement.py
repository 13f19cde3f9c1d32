"""On which host an instance is launched: each rule once, and traces worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from nephoscope import _core, parts
from nephoscope.errors import ScenarioError, SpecError

GiB = 2**30
NOWHERE = parts.NOWHERE


def cloud(
    place: str = "first_fit", hosts: int = 1, *, cpu_overcommit: float = 1.0, seed: int = 0, **room
) -> parts.Placement:
    """One pool (number 0) of so many hosts; by default of 8 threads and 16 GiB on one rack."""
    made = parts.Placement()
    pool = made.add_pool(place, cpu_overcommit=cpu_overcommit, seed=seed, name="draws")
    facts = {"threads": 8, "memory_bytes": 16 * GiB, **room}
    made.add_hosts(pool, **{name: np.resize(values, hosts) for name, values in facts.items()})
    return made


def hosts_of(launches: parts.Launches) -> list[int | None]:
    return [None if host == NOWHERE else host for host in launches.hosts.tolist()]


def reasons(launches: parts.Launches) -> list[str]:
    return [parts.REFUSALS[refusal] for refusal in launches.refusals]


def one(made: parts.Placement, **request) -> int | str:
    """The host of one launch into pool 0, or why there is none."""
    launches = made.launch(request.pop("pool", 0), **request)
    return reasons(launches)[0] if launches.refusals[0] else int(launches.hosts[0])


# Room.


def test_cpu_is_overcommitted_to_the_limit_and_no_further():
    made = cloud(threads=4, cpu_overcommit=2.5)
    assert hosts_of(made.launch(0, vcpus=[8, 3, 2, 1])) == [0, None, 0, None]


@pytest.mark.parametrize(
    ("threads", "overcommit", "vcpus"), [(50, 1.16, 58), (3, 1.5, 4), (7, 0.5, 3), (100, 1.1, 110)]
)
def test_the_limit_is_rounded_down_in_integers(threads, overcommit, vcpus):
    made = cloud(threads=threads, cpu_overcommit=overcommit)
    assert made.hosts()["vcpus"].tolist() == [vcpus]


def test_memory_is_never_overcommitted():
    made = cloud(cpu_overcommit=100.0)
    assert reasons(made.launch(0, memory_bytes=[10 * GiB, 6 * GiB, 1])) == [
        "none",
        "none",
        "capacity",
    ]
    assert made.hosts()["memory_bytes_left"].tolist() == [0]


def test_accelerators_and_disks_are_given_whole():
    made = cloud(accelerators=2, disks=1, cpu_overcommit=100.0)
    assert hosts_of(made.launch(0, accelerators=[1, 2, 1, 1])) == [0, None, 0, None]
    assert hosts_of(made.launch(0, disks=[1, 1])) == [0, None]


def test_a_refused_launch_changes_nothing_but_a_counter():
    made = cloud("random", 3, seed=1)
    made.launch(0, vcpus=[3, 4])
    twin = made.copy()
    assert one(made, vcpus=9) == "capacity"
    assert made.counters(0)["refused"]["capacity"] == 1
    for column, values in made.hosts().items():
        assert (values == twin.hosts()[column]).all()
    assert hosts_of(made.launch(0, vcpus=[1] * 9)) == hosts_of(twin.launch(0, vcpus=[1] * 9))


def test_what_is_released_can_be_given_again():
    made = cloud(hosts=2)
    launches = made.launch(0, vcpus=[8, 8])
    assert one(made, vcpus=1) == "capacity"
    made.release(launches.placements[1])
    assert one(made, vcpus=8) == 1
    assert len(made) == 2


def test_a_placement_is_released_once():
    made = cloud()
    placement = made.launch(0).placements
    made.release(placement)
    with pytest.raises(SpecError, match="placement"):
        made.release(placement)


def test_a_closed_host_takes_nothing_and_keeps_what_it_has():
    made = cloud(hosts=2)
    first = made.launch(0, vcpus=2)
    made.close(0)
    assert one(made) == 1
    assert made.hosts()["instances"].tolist() == [1, 1]
    made.release(first.placements)
    assert one(made) == 1
    made.reopen(0)
    assert one(made) == 0
    made.close(0)
    made.close(1)
    assert one(made) == "capacity"


def test_hosts_can_be_added_between_launches():
    made = cloud(zone=1, rack=5)
    assert hosts_of(made.launch(0, vcpus=[8, 8])) == [0, None]
    assert made.add_hosts(0, threads=[8, 2], zone=[0, 1], rack=[1, 5]).tolist() == [1, 2]
    assert hosts_of(made.launch(0, vcpus=[2, 2, 8])) == [1, 1, None]
    assert one(made, vcpus=2, zones=[1]) == 2


# Zones.


def test_a_launch_stays_in_the_zones_asked_for():
    made = cloud(hosts=3, zone=[0, 1, 2], rack=[0, 1, 2])
    assert one(made, zones=[2]) == 2
    assert one(made, zones=[1, 2], vcpus=8) == 1
    assert one(made, zones=[1]) == "capacity"
    assert one(made, zones=[3]) == "zone"
    assert one(made, zones=[]) == "zone"


def test_a_pool_is_not_another():
    made = cloud(threads=1)
    other = made.add_pool("first_fit")
    made.add_hosts(other, threads=4, rack=1)
    assert one(made, vcpus=4) == "capacity"
    assert one(made, pool=other, vcpus=4) == 1
    assert made.counters(0)["placements"] == 0
    assert made.counters(other)["placements"] == 1


# Policies, each on four hosts; the comments say what is left when the next launch comes.


def test_first_fit_by_hand():
    # left: 8 8 8 8 | 2 8 8 8 | 2 3 8 8 | 0 3 8 8 | 0 0 8 8
    made = cloud("first_fit", 4)
    assert hosts_of(made.launch(0, vcpus=[6, 5, 2, 3, 4])) == [0, 1, 0, 1, 2]


def test_first_fit_goes_by_number_not_by_zone():
    made = cloud("first_fit", 3, zone=[1, 0, 0], rack=[1, 0, 0])
    assert one(made) == 0


def test_best_fit_by_hand():
    # left: 8 4 6 8 | 8 0 6 8 | 8 0 2 8 | (3 does not fit 2) 5 0 2 8 | 5 0 0 8 | 0 0 0 8
    made = cloud("best_fit", 4, threads=[8, 4, 6, 8])
    assert hosts_of(made.launch(0, vcpus=[4, 4, 3, 2, 5, 8])) == [1, 2, 0, 2, 0, 3]


def test_best_fit_looks_at_memory_when_cpu_is_equal():
    made = cloud("best_fit", 3, memory_bytes=[16 * GiB, 8 * GiB, 8 * GiB])
    assert one(made, memory_bytes=4 * GiB) == 1
    # 1 has 7 vCPUs left and 4 GiB, the fewest vCPUs; without room for 5 GiB 2 has the least memory.
    assert one(made, memory_bytes=5 * GiB) == 2


def test_worst_fit_by_hand():
    # left: 8 4 6 8 | 5 4 6 8 | 5 4 6 5 | 5 4 3 5 | 2 4 3 5 | 2 4 3 2
    made = cloud("worst_fit", 4, threads=[8, 4, 6, 8])
    assert hosts_of(made.launch(0, vcpus=[3, 3, 3, 3, 3, 3])) == [0, 3, 2, 0, 3, 1]


def test_worst_fit_looks_at_memory_when_cpu_is_equal():
    made = cloud("worst_fit", 3, memory_bytes=[8 * GiB, 16 * GiB, 16 * GiB])
    assert hosts_of(made.launch(0, memory_bytes=[GiB] * 3)) == [1, 2, 0]


def test_random_is_uniform_over_the_hosts_that_fit():
    made = cloud("random", 12, threads=[2, 8, 8], seed=5)
    counts = np.zeros(12)
    for _ in range(60):
        launches = made.launch(0, vcpus=np.full(100, 4))
        # Eight hosts fit four vCPUs twice; only the first launch sees all of them empty.
        assert hosts_of(launches).count(None) == 84
        counts[launches.hosts[0]] += 1
        made.release(launches.placements[launches.refusals == 0])
    assert (counts[::3] == 0).all()
    for _ in range(4000):
        launches = made.launch(0, vcpus=4)
        counts[launches.hosts[0]] += 1
        made.release(launches.placements)
    fitting = counts[counts > 0]
    assert len(fitting) == 8
    assert stats.chisquare(fitting).pvalue > 0.01


def test_random_draws_from_the_named_stream():
    made = cloud("random", 7, threads=100, seed=9)
    expected = _core.random_below(7, 9, 0, "draws", 200)
    assert made.launch(0, vcpus=np.ones(200)).hosts.tolist() == expected.tolist()


def test_spread_by_hand():
    # Zone 0: hosts 0, 1 on rack 0 and 2 on rack 1; zone 1: host 3 on rack 2.
    #   1: zones 0 0, so zone 0; hosts 0 0 0, racks 0 0: host 0
    #   2: zones 1 0, so zone 1: host 3
    #   3: zones 1 1, zone 0; hosts 1 0 0; rack 0 has 1, rack 1 none: host 2
    #   4: zones 2 1, zone 1: host 3
    #   5: zones 2 2, zone 0; hosts 1 0 1: host 1
    #   6: zones 3 2, zone 1: host 3
    #   7: zones 3 3, zone 0; hosts 1 1 1; rack 0 has 2, rack 1 has 1: host 2
    made = cloud("spread", 4, zone=[0, 0, 0, 1], rack=[0, 0, 1, 2])
    assert hosts_of(made.launch(0, vcpus=[1] * 7)) == [0, 3, 2, 3, 1, 3, 2]
    # Another fleet begins anew.
    assert hosts_of(made.launch(0, vcpus=[1] * 3, fleet=1)) == [0, 3, 2]


def test_spread_takes_another_zone_when_the_emptiest_has_no_room():
    made = cloud("spread", 2, threads=[8, 2], zone=[0, 1], rack=[0, 1])
    assert hosts_of(made.launch(0, vcpus=[2] * 5)) == [0, 1, 0, 0, 0]
    assert one(made, vcpus=2) == "capacity"


def test_spread_counts_what_is_there_now():
    made = cloud("spread", 2)
    first = made.launch(0, vcpus=[1, 1, 1])
    assert hosts_of(first) == [0, 1, 0]
    made.release(first.placements[[0, 2]])
    assert hosts_of(made.launch(0, vcpus=[1, 1])) == [0, 0]


# Tenancy.


def test_dedicated_instances_share_with_their_own_account_only():
    made = cloud(hosts=3)
    assert one(made, account=1) == 0
    assert one(made, account=2, tenancy="dedicated") == 1
    assert one(made, account=2) == 0
    assert one(made, account=1, tenancy="dedicated") == 2
    assert one(made, account=3, vcpus=7) == "capacity"
    assert one(made, account=2, vcpus=7) == 1
    assert one(made, account=3, tenancy="dedicated") == "capacity"


def test_a_host_of_one_account_may_become_dedicated_and_open_again():
    made = cloud(cpu_overcommit=4.0)
    ours = made.launch(0, account=1)
    dedicated = made.launch(0, account=1, tenancy="dedicated")
    assert one(made, account=2) == "capacity"
    made.release(dedicated.placements)
    theirs = made.launch(0, account=2)
    assert hosts_of(theirs) == [0]
    assert one(made, account=1, tenancy="dedicated") == "capacity"
    made.release(ours.placements)
    assert one(made, account=2, tenancy="dedicated") == 0


def test_an_allocated_host_is_for_its_account_and_tenancy_host_alone():
    made = cloud(hosts=2)
    assert made.allocate_host(0, 1)
    assert one(made, account=1) == 1
    assert one(made, account=1, tenancy="dedicated") == 1
    assert one(made, account=1, tenancy="host") == 0
    assert one(made, account=1, tenancy="host", host=0) == 0
    assert one(made, account=2, tenancy="host") == "capacity"
    assert one(made, account=2, tenancy="host", host=0) == "tenancy"
    assert one(made, account=1, tenancy="host", host=1) == "tenancy"
    assert one(made, account=1, tenancy="host", host=0, vcpus=7) == "capacity"
    assert one(made, account=1, tenancy="host", host=0, zones=[1]) == "zone"


def test_without_auto_placement_a_host_has_to_be_named():
    made = cloud(hosts=2)
    assert made.allocate_host(1, 1, auto_placement=False)
    assert one(made, account=1, tenancy="host") == "capacity"
    assert one(made, account=1, tenancy="host", host=1) == 1


def test_only_an_empty_host_is_allocated_or_given_back():
    made = cloud()
    shared = made.launch(0)
    assert not made.allocate_host(0, 1)
    assert not made.release_host(0)
    made.release(shared.placements)
    assert made.allocate_host(0, 1)
    assert not made.allocate_host(0, 2)
    inside = made.launch(0, account=1, tenancy="host")
    assert not made.release_host(0)
    made.release(inside.placements)
    assert made.release_host(0)
    assert one(made, account=2) == 0


@pytest.mark.parametrize("strategy", ["cluster", "partition", "spread"])
def test_tenancy_host_goes_with_no_group(strategy):
    made = cloud()
    made.allocate_host(0, 0)
    made.add_group(strategy, 2 if strategy == "partition" else None)
    assert one(made, group=0, tenancy="host") == "tenancy"


# Placement groups. Racks hold two hosts each, four racks a zone.

RACKS = {"hosts": 16, "rack": np.arange(16) // 2, "zone": np.arange(16) // 8}


def test_a_cluster_is_in_one_zone():
    made = cloud("spread", **RACKS)
    group = made.add_group("cluster")
    first = made.launch(0, vcpus=[8] * 9, group=group, zones=[1])
    assert hosts_of(first) == [8, 9, 10, 11, 12, 13, 14, 15, None]
    assert reasons(first)[-1] == "capacity"
    assert one(made, group=group, zones=[0]) == "zone"
    assert one(made, zones=[0]) == 0
    made.release(first.placements[:8])
    # Nobody is left, so any zone will do; host 0 and its rack have one of the fleet.
    assert one(made, group=group, zones=[0]) == 2


def test_a_cluster_fills_the_rack_with_most_members_first():
    # Racks 0-3 of zone 0. One member on rack 0, two on rack 1 by force of room; then rack 1 has the
    # most members, then rack 0, then a rack of the policy's choice.
    made = cloud("worst_fit", **RACKS)
    group = made.add_group("cluster")
    made.launch(0, vcpus=[1, 1, 2], zones=[0])  # hosts 0, 1, 2: the emptiest are 3 to 7
    assert one(made, vcpus=4, group=group, zones=[0]) == 3
    assert one(made, vcpus=8, group=group, zones=[0]) == 4
    assert one(made, vcpus=8, group=group) == 5
    assert one(made, vcpus=6, group=group) == 2
    assert one(made, vcpus=8, group=group) == 6


def test_no_burstable_type_in_a_cluster():
    made = cloud()
    group = made.add_group("cluster")
    assert one(made, group=group, burstable=True) == "burstable"
    assert one(made, burstable=True) == 0


def test_partitions_share_no_rack():
    made = cloud("first_fit", **RACKS)
    group = made.add_group("partition", 3)
    assert hosts_of(made.launch(0, vcpus=[1] * 3, group=group, partition=[0, 1, 2])) == [0, 2, 4]
    # Three more of partition 0: hosts 0 and 1 have room for 15; its own racks come first.
    assert hosts_of(made.launch(0, vcpus=[8, 8], group=group, partition=0)) == [1, 6]
    # In zone 1 partitions 0 to 2 are free to take racks 4 to 6.
    assert one(made, group=group, partition=1, zones=[1]) == 8
    assert one(made, group=group, partition=2, zones=[1]) == 10


def test_a_partition_without_a_rack_of_its_own_is_refused():
    made = cloud("first_fit", 4, rack=[0, 0, 1, 1])
    group = made.add_group("partition", 3)
    launches = made.launch(0, vcpus=[1] * 3, group=group, partition=[0, 1, 2])
    assert hosts_of(launches) == [0, 2, None]
    assert reasons(launches)[2] == "rack"
    made.release(launches.placements[0])  # its rack is free again
    assert one(made, group=group, partition=2) == 0
    assert one(made, group=group, partition=0) == "rack"
    assert one(made, group=group, partition=1, vcpus=9) == "capacity"


def test_partitions_are_filled_evenly_where_room_allows():
    made = cloud("first_fit", **RACKS)
    group = made.add_group("partition", 3)
    launches = made.launch(0, vcpus=[1] * 7, group=group)
    assert launches.partitions.tolist() == [0, 1, 2, 0, 1, 2, 0]
    made.release(launches.placements[[1, 4]])
    assert made.launch(0, vcpus=[1] * 3, group=group).partitions.tolist() == [1, 1, 1]


def test_a_full_partition_leaves_the_launch_to_the_next():
    made = cloud("first_fit", 3, rack=[0, 1, 1])
    group = made.add_group("partition", 2)
    launches = made.launch(0, vcpus=[8, 4, 8, 4, 8], group=group)
    assert launches.partitions.tolist() == [0, 1, 1, 1, NOWHERE]
    assert reasons(launches)[-1] == "capacity"


def test_at_most_seven_partitions():
    made = cloud()
    made.add_group("partition", 7)
    for wrong in (0, 8):
        with pytest.raises(SpecError, match="partitions"):
            made.add_group("partition", wrong)


def test_dedicated_instances_have_at_most_two_partitions():
    made = cloud(**RACKS)
    two, three = made.add_group("partition", 2), made.add_group("partition", 3)
    assert one(made, group=two, tenancy="dedicated") == 0
    assert one(made, group=three, tenancy="dedicated") == "tenancy"


def test_a_spread_group_takes_a_rack_a_member():
    made = cloud("best_fit", **RACKS)
    group = made.add_group("spread")
    launches = made.launch(0, vcpus=[1] * 9, group=group)
    assert hosts_of(launches) == [0, 2, 4, 6, 8, 10, 12, 14, None]
    assert reasons(launches)[-1] == "rack"
    made.release(launches.placements[3])
    assert one(made, group=group) == 6
    assert one(made, group=made.add_group("spread")) == 0  # other groups are of no concern


def test_a_spread_group_has_seven_members_a_zone():
    made = cloud(hosts=20, rack=np.arange(20), zone=np.arange(20) // 10)
    group = made.add_group("spread")
    launches = made.launch(0, vcpus=[1] * 15, group=group)
    assert hosts_of(launches) == [*range(7), *range(10, 17), None]
    assert reasons(launches)[-1] == "group_limit"
    made.release(launches.placements[0])
    assert one(made, group=group, zones=[1]) == "group_limit"
    assert one(made, group=group) == 0


def test_no_dedicated_instance_in_a_spread_group():
    made = cloud()
    group = made.add_group("spread")
    assert one(made, group=group, tenancy="dedicated") == "tenancy"


def test_groups_span_pools():
    made = cloud("first_fit", 2, rack=[0, 1])
    other = made.add_pool("best_fit")
    made.add_hosts(other, threads=8, zone=[1, 0], rack=[3, 2])
    cluster = made.add_group("cluster")
    assert one(made, group=cluster) == 0
    assert one(made, pool=other, group=cluster) == 3
    assert one(made, pool=other, group=cluster, zones=[1]) == "zone"


def test_random_within_a_group_keeps_to_its_rules():
    made = cloud("random", **RACKS, seed=3)
    group = made.add_group("partition", 2)
    launches = made.launch(0, vcpus=[1] * 24, group=group)
    racks = made.hosts()["rack"][launches.hosts]
    by_partition = [set(racks[launches.partitions == p].tolist()) for p in (0, 1)]
    # Twelve instances of one vCPU fit on one rack of sixteen, so neither takes a second rack.
    assert [len(racks) for racks in by_partition] == [1, 1]
    assert by_partition[0] != by_partition[1]


# Many at once, a host to avoid, saving.


def test_as_many_as_possible_but_not_fewer_than_the_minimum():
    made = cloud("random", 2, seed=2)
    twin = made.copy()
    launches, reason = made.launch_together(0, 7, min_count=5, vcpus=4)
    assert (len(launches.placements), reason) == (0, "capacity")
    assert made.hosts()["instances"].tolist() == [0, 0]
    assert made.counters(0)["placements"] == made.counters(0)["releases"] == 0
    launches, reason = made.launch_together(0, 7, min_count=4, vcpus=4)
    assert (len(launches.placements), reason) == (4, "capacity")
    assert made.counters(0) == {
        "placements": 4,
        "releases": 0,
        "refused": {**dict.fromkeys(parts.REFUSALS[1:], 0), "capacity": 2},
    }
    # What failed as a whole has drawn nothing.
    assert hosts_of(launches) == hosts_of(twin.launch(0, vcpus=[4] * 4))
    assert twin.launch_together(0, 0, min_count=0)[1] == "none"


def test_a_host_is_avoided_if_another_will_do():
    made = cloud("first_fit", 3)
    assert one(made, vcpus=5, avoid=0) == 1
    assert one(made, vcpus=5, avoid=0) == 2
    assert one(made, vcpus=5, avoid=0) == 0
    assert one(made, vcpus=5, avoid=0) == "capacity"


@pytest.mark.parametrize("place", parts.PLACE_POLICIES)
def test_a_copy_and_what_was_saved_decide_the_same(place):
    made = cloud(place, **RACKS, seed=4)
    group = made.add_group("partition", 3)
    launches = made.launch(0, vcpus=np.arange(40) % 3 + 1, fleet=np.arange(40) % 2)
    made.release(launches.placements[5:20])
    made.launch(0, vcpus=[1] * 5, group=group)
    made.close(7)
    made.allocate_host(15, 1)
    restored = cloud(place, **RACKS)
    restored.restore(made.save())
    twin = made.copy()
    for other in (made, twin, restored):
        other.release(launches.placements[30:])
    rest = {"vcpus": np.arange(30) % 4 + 1, "fleet": np.arange(30) % 2}
    expected = [one(made, group=group), *hosts_of(made.launch(0, **rest))]
    for other in (twin, restored):
        assert [one(other, group=group), *hosts_of(other.launch(0, **rest))] == expected
        assert other.save() == made.save()


@pytest.mark.parametrize("place", parts.PLACE_POLICIES)
def test_more_shapes_than_are_remembered(place):
    """Each shape is met twice, with more than a thousand others between."""
    made = cloud(place, 5, threads=[120, 300, 60, 180, 240], rack=[0, 1, 2, 3, 4])
    twin = made.copy()
    shapes = np.arange(1100) % 275 + 1, np.arange(1100) // 275
    for vcpus, memory in np.stack(shapes, axis=1).tolist() * 2:
        # The twin begins each launch without any index.
        twin.restore(twin.save())
        first, second = (c.launch(0, vcpus=vcpus, memory_bytes=memory) for c in (made, twin))
        assert first.hosts[0] == second.hosts[0] != NOWHERE
        made.release(first.placements)
        twin.release(second.placements)


# What is not legal.


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("vcpus", {"vcpus": 0}),
        ("vcpus", {"vcpus": 1.5}),
        ("memory", {"memory_bytes": -1}),
        ("account", {"account": 2**28}),
        ("fleet", {"fleet": -1}),
        ("host", {"host": 0}),
        ("host", {"host": 9, "tenancy": "host"}),
        ("avoid", {"avoid": 2**32}),
        ("group", {"group": 1}),
        ("partition", {"group": 0, "partition": 2}),
        ("partition", {"partition": 0}),
        ("zones", {"zones": [64]}),
        ("tenancy", {"tenancy": "share"}),
        ("pool", {"pool": 3}),
    ],
)
def test_a_request_that_is_not_legal(field, request_):
    made = cloud()
    made.add_group("partition", 2)
    with pytest.raises(ScenarioError, match=field):
        one(made, **request_)


def test_facts_that_are_not_legal():
    made = cloud()
    with pytest.raises(ScenarioError, match=r"did you mean best_fit"):
        made.add_pool("best")
    for wrong in ({"threads": 0}, {"zone": 64}, {"rack": 2**28}, {"memory_bytes": 2**61}):
        with pytest.raises(SpecError, match=next(iter(wrong)).removesuffix("_bytes")):
            made.add_hosts(0, **wrong)
    with pytest.raises(SpecError, match="rack: is in another zone or pool"):
        made.add_hosts(0, zone=1, rack=0)
    with pytest.raises(SpecError, match="cpu_overcommit"):
        made.add_pool(cpu_overcommit=0.0)
    with pytest.raises(SpecError, match="partitions: are for"):
        made.add_group("spread", 2)
    with pytest.raises(SpecError, match="host: is not there"):
        made.close(1)
