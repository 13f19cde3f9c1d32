"""On which host an instance is launched, alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError
from nephoscope.nearest import nearest

PLACE_POLICIES = tuple(policy.name for policy in _core.placement.PlacePolicy)
REFUSALS = tuple(refusal.name for refusal in _core.placement.Refusal)
NOWHERE = 2**32 - 1

_Indices = npt.NDArray[np.uint32]


class Launches(NamedTuple):
    """What became of launches: arrays (uint32) of one length."""

    placements: _Indices  # to release them by; NOWHERE where refused
    hosts: _Indices  # NOWHERE where refused
    partitions: _Indices  # of a partition group, else NOWHERE
    refusals: _Indices  # REFUSALS[n] is the reason; 0 where placed


class Placement:
    """Hosts in pools, and on which of them instances are launched.

    A host has room for so many vCPUs (threads times the pool's overcommitment, rounded down),
    bytes of memory (never overcommitted), accelerators and local disks. A launch takes its share
    from one host until it is released. A launch that no host can take is refused, with the reason;
    `capacity` is what EC2 calls InsufficientInstanceCapacity. Tenancies and placement groups have
    the rules of EC2 (user guide, "Tenancy" and "Placement groups"):

    - `dedicated` instances share a host only with instances of their own account; tenancy `host`
      is for hosts that were allocated to the account.
    - A `cluster` is in one zone, on as few racks as room allows, without burstable types.
    - Partitions of a `partition` group (at most 7) share no rack; with dedicated tenancy there are
      at most 2.
    - Each instance of a `spread` group is on another rack, at most 7 in a zone, none dedicated.

    Pools, hosts and groups are numbered from 0 in the order they were added.

    >>> from nephoscope import parts
    >>> cloud = parts.Placement()
    >>> pool = cloud.add_pool("best_fit")
    >>> hosts = cloud.add_hosts(pool, threads=[8, 4, 8], memory_bytes=2**34)
    >>> launches = cloud.launch(pool, vcpus=[4, 4, 4, 4, 4, 4])
    >>> launches.hosts.tolist()
    [1, 0, 0, 2, 2, 4294967295]
    >>> parts.REFUSALS[launches.refusals[-1]]
    'capacity'
    >>> cloud.release(launches.placements[:1])
    >>> cloud.launch(pool, vcpus=3).hosts.tolist()
    [1]
    """

    def __init__(self) -> None:
        self._core = _core.placement.Placement()

    def add_pool(
        self,
        place: str = "first_fit",
        *,
        cpu_overcommit: float = 1.0,
        seed: int = 0,
        name: str = "hosts/alone/placement",
    ) -> int:
        """Add a pool of hosts without any yet; its number.

        Of the hosts that can take a launch `first_fit` chooses the lowest number; `best_fit` the
        one with the fewest vCPUs left, then the least memory left; `worst_fit` the most of both;
        `random` any, with equal chances, from the random stream `name` of `seed`; `spread` one in
        the zone with the fewest instances of the fleet, then with the fewest of them on the host,
        then on its rack. The lowest number decides between equals.
        """
        policy = _word("place", _core.placement.PlacePolicy, place)
        return self._core.add_pool(policy, cpu_overcommit, seed, 0, name)

    def add_hosts(
        self,
        pool: int,
        *,
        threads: npt.ArrayLike = 1,
        memory_bytes: npt.ArrayLike = 0,
        accelerators: npt.ArrayLike = 0,
        disks: npt.ArrayLike = 0,
        zone: npt.ArrayLike = 0,
        rack: npt.ArrayLike = 0,
    ) -> _Indices:
        """Add hosts; their numbers. Arguments are broadcast.

        Zones are numbered from 0 to 63, racks over the whole cloud: a rack is in one zone and one
        pool.
        """
        rows = _rows(
            threads=threads,
            memory=memory_bytes,
            accelerators=accelerators,
            disks=disks,
            zone=zone,
            rack=rack,
        )
        return self._core.add_hosts(pool, rows)

    def add_group(self, strategy: str, partitions: int | None = None) -> int:
        """Add a placement group; its number. `partitions` are for the partition strategy."""
        law = _word("strategy", _core.placement.GroupStrategy, strategy)
        return self._core.add_group(law, partitions or 0)

    def launch(
        self,
        pool: int,
        *,
        vcpus: npt.ArrayLike = 1,
        memory_bytes: npt.ArrayLike = 0,
        accelerators: npt.ArrayLike = 0,
        disks: npt.ArrayLike = 0,
        account: npt.ArrayLike = 0,
        fleet: npt.ArrayLike = 0,
        host: npt.ArrayLike | None = None,
        avoid: npt.ArrayLike | None = None,
        group: npt.ArrayLike | None = None,
        partition: npt.ArrayLike | None = None,
        zones: Sequence[int] | None = None,
        tenancy: str = "shared",
        burstable: bool = False,
    ) -> Launches:
        """Launch one instance after the other, in any of the zones (None: all).

        Arguments are broadcast, but for the last three, which are the same for all. `account` is
        the tenant of the cloud, `fleet` whose instances the spread policy keeps apart. `host` names
        an allocated host (tenancy `host`; None: any of the account's that has auto-placement).
        `avoid` is a host to be taken only if no other will do, as after a stop and a start. A
        `partition` of None is chosen by the group: the one with the fewest instances that has room.
        """
        rows = _rows(
            vcpus=vcpus,
            memory=memory_bytes,
            accelerators=accelerators,
            disks=disks,
            account=account,
            fleet=fleet,
            host=-1 if host is None else host,
            avoid=-1 if avoid is None else avoid,
            group=-1 if group is None else group,
            partition=-1 if partition is None else partition,
        )
        law = _word("tenancy", _core.placement.Tenancy, tenancy)
        return Launches(*self._core.place(pool, law, _mask(zones), burstable, rows))

    def launch_together(
        self,
        pool: int,
        count: int,
        *,
        min_count: int = 1,
        vcpus: int = 1,
        memory_bytes: int = 0,
        accelerators: int = 0,
        disks: int = 0,
        account: int = 0,
        fleet: int = 0,
        group: int | None = None,
        partition: int | None = None,
        zones: Sequence[int] | None = None,
        tenancy: str = "shared",
        burstable: bool = False,
    ) -> tuple[Launches, str]:
        """Launch as many equal instances as possible up to `count`, or none below `min_count`.

        What was launched, and why not more (`none` if all were): the rule of RunInstances with
        MinCount and MaxCount. A call that falls short counts as one refusal.
        """
        rows = _rows(
            vcpus=vcpus,
            memory=memory_bytes,
            accelerators=accelerators,
            disks=disks,
            account=account,
            fleet=fleet,
            host=-1,
            avoid=-1,
            group=-1 if group is None else group,
            partition=-1 if partition is None else partition,
        )
        law = _word("tenancy", _core.placement.Tenancy, tenancy)
        columns, refusal = self._core.place_many(
            pool, law, _mask(zones), burstable, rows, min_count, count
        )
        return Launches(*columns), refusal.name

    def release(self, placements: npt.ArrayLike) -> None:
        """Take instances off their hosts: they stopped or terminated."""
        self._core.release(np.atleast_1d(np.asarray(placements, dtype=np.uint32)))

    def close(self, host: int) -> None:
        """Let a host take no more launches: it failed, or is to be repaired."""
        self._core.set_open(host, False)

    def reopen(self, host: int) -> None:
        """Let a closed host take launches again."""
        self._core.set_open(host, True)

    def allocate_host(self, host: int, account: int, *, auto_placement: bool = True) -> bool:
        """Make an empty host a dedicated host of the account; False if it is not to be had.

        It takes launches with tenancy `host` only: those that name it, and with auto-placement
        those that name none.
        """
        return self._core.allocate_host(host, account, auto_placement)

    def release_host(self, host: int) -> bool:
        """Give a dedicated host back; False if it is none or has instances."""
        return self._core.release_host(host)

    def hosts(self) -> dict[str, npt.NDArray[np.integer]]:
        """Of all hosts: their room (`vcpus`, ...), what is left of it (`vcpus_left`, ...), where.

        Arrays by host: `vcpus`, `memory_bytes`, `accelerators`, `disks`, each also with `_left`;
        `instances`, `pool`, `zone`, `rack`, `open`.
        """
        return self._core.hosts()

    def counters(self, pool: int) -> dict[str, Any]:
        """So far: `placements`, `releases`, and `refused`, a count by reason."""
        counters: dict[str, Any] = dict(self._core.counters(pool))
        counters["refused"] = {
            word: count
            for word, count in zip(REFUSALS, counters["refused"], strict=True)
            if word != "none"
        }
        return counters

    def copy(self) -> "Placement":
        """Another with the same hosts and instances, which goes its own way from here."""
        twin = Placement()
        twin._core = self._core.copy()
        return twin

    def save(self) -> bytes:
        """All that has happened, for `restore`."""
        return self._core.save()

    def restore(self, state: bytes) -> None:
        """Become what was saved of a placement with the same pools."""
        self._core.restore(state)

    def __len__(self) -> int:
        """Instances that have a host now."""
        return int(self._core.placed)


def _rows(**columns: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """A row for each element of the columns, which are broadcast."""
    whole = []
    for name, column in columns.items():
        given = np.atleast_1d(column)
        values = given.astype(np.int64)
        if np.any(values != given):
            raise ScenarioError([Problem(name, "not whole numbers", allowed="whole numbers")])
        whole.append(values)
    return np.stack(np.broadcast_arrays(*whole), axis=1)


def _mask(zones: Sequence[int] | None) -> int:
    if zones is None:
        return 2**64 - 1
    if not all(0 <= zone < 64 for zone in zones):
        raise ScenarioError([Problem("zones", "not zones", allowed="numbers from 0 to 63")])
    return sum(1 << zone for zone in set(zones))


def _word(field: str, words: Any, given: str) -> Any:
    known = {word.name: word for word in words}
    if given not in known:
        raise ScenarioError(
            [
                Problem(
                    field,
                    f"{given} is not a word for this",
                    allowed=", ".join(known),
                    suggestion=nearest(given, known),
                )
            ]
        )
    return known[given]
