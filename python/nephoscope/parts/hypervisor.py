"""Hosts and the hypervisor that shares them, alone."""

import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError
from nephoscope.nearest import listing, nearest
from nephoscope.parts.guests import Guests

_NEVER = 2**63 - 1

_Core = (
    _core.hypervisor.FluidHypervisor
    | _core.hypervisor.CreditHypervisor
    | _core.hypervisor.FairHypervisor
    | _core.hypervisor.PinnedHypervisor
)


@dataclass(frozen=True)
class _Scheduler:
    """A scheduler that is built: its core class and what may be set beside the hosts."""

    core: Any
    options: tuple[str, ...] = ()


_BUILT = {
    "fluid": _Scheduler(_core.hypervisor.FluidHypervisor),
    "credit": _Scheduler(
        _core.hypervisor.CreditHypervisor,
        (
            "slice_ns",
            "ratelimit_ns",
            "dither_ns",
            "seed",
            "boost",
            "exact_debit",
            "activate_at_decision",
            "aligned",
        ),
    ),
    "fair": _Scheduler(
        _core.hypervisor.FairHypervisor,
        (
            "slice_ns",
            "switch_cost_ns",
            "seed",
            "wake_preemption",
            "weight_per_vcpu",
            "core_scheduling",
        ),
    ),
    "pinned": _Scheduler(_core.hypervisor.PinnedHypervisor),
}

SCHEDULERS = tuple(_BUILT)


class Hypervisor:
    """Hosts that share their CPU among tenants, as a scheduler of hypervisors does.

    `fluid` is weighted max-min fairness at every instant, with reservations and with caps that are
    buckets: a vCPU runs as fast as the host lets it until the time that the cap allows in a period
    is used up.

    `credit` is credit1 of Xen, quantum by quantum: slices, priorities, BOOST for who wakes,
    stealing between pCPUs, accounting every 30 ms. A tenant has whole threads, one for each
    vCPU that runs. Of k vCPUs that want to run they are the first k; when k falls the last ones
    block, when it grows the next ones wake. Weights are whole numbers and count for each vCPU; a
    cap is a whole percentage of a thread; there are no reservations. Its options:

    - `slice_ns` (30 ms), with three ticks and one accounting a slice; 1 ms to 1 s;
    - `ratelimit_ns` (1 ms): who runs is not preempted before; 0 for none;
    - `boost` (True): who wakes and is UNDER comes before everybody else, until a tick;
    - `exact_debit` (True): otherwise who runs at a tick pays for all of it;
    - `activate_at_decision` (True): who is debited joins the active set. As published, only who is
      seen running by a tick does, so that somebody who always sleeps then is never judged;
    - `dither_ns` (200 us): a slice lasts longer by up to so much; with `seed`, which also decides
      the phases of ticks and accounting;
    - `aligned` (False): all timers on one grid and no dither, for traces by hand.

    `fair` is what Linux does with KVM guests: slices by the earliest virtual deadline among those
    that are not ahead of their share; a tenant's weight is divided among its vCPUs; caps are
    buckets; there are no reservations. Its options:

    - `slice_ns` (2.8 ms); `switch_cost_ns` (0), lost by who is switched to;
    - `wake_preemption` (True): who wakes takes the thread of a later deadline;
    - `weight_per_vcpu` (False): each vCPU has the whole weight;
    - `core_scheduling` (False): the threads of a core run one tenant, or stay idle;
    - `seed` of the first slices, which are cut at random.

    `pinned` gives every vCPU a thread of its own, and a tenant whole cores.

    Hosts and tenants are numbered from 0 in the order they were added.

    >>> from nephoscope import parts
    >>> hypervisor = parts.Hypervisor(hosts=1, cores=2)
    >>> tenants = hypervisor.add([0, 0, 0], weight=[256, 256, 512], vcpus=2)
    >>> hypervisor.want(tenants, 2)
    >>> hypervisor.shares().tolist()
    [0.5, 0.5, 1.0]
    >>> hypervisor.advance(1_000_000_000)
    >>> hypervisor.accounts()["steal_by_contention_ns"].tolist()
    [1500000000, 1500000000, 1000000000]
    """

    def __init__(
        self,
        hosts: int = 0,
        *,
        scheduler: str = "fluid",
        cores: int = 1,
        threads_per_core: int = 1,
        smt_gain: float = 0.25,
        speed: float = 1.0,
        **options: Any,
    ) -> None:
        """`smt_gain` is what a thread beyond the first adds to its core, in cores."""
        built = _built(scheduler)
        if unknown := [name for name in options if name not in built.options]:
            allowed = listing(built.options) if built.options else "none"
            raise ScenarioError(
                [Problem(name, f"no option of {scheduler}", allowed=allowed) for name in unknown]
            )
        self._scheduler = scheduler
        self._core: _Core = built.core(**options)
        for _ in range(hosts):
            self._core.add_host(cores, threads_per_core, smt_gain, speed)

    def add(
        self,
        hosts: npt.ArrayLike,
        *,
        vcpus: npt.ArrayLike = 1,
        weight: npt.ArrayLike = 256.0,
        reservation: npt.ArrayLike = 0.0,
        cap: npt.ArrayLike = 0.0,
        period_ns: npt.ArrayLike = 100_000_000,
        phase_ns: npt.ArrayLike = 0,
    ) -> npt.NDArray[np.uint32]:
        """Add a tenant to each of the hosts; their numbers. Arguments are broadcast.

        `reservation` and `cap` are in vCPUs (0: none). With a cap a tenant has cap x period of vCPU
        time in each period; periods begin at phase_ns + k x period_ns.
        """
        at, vcpu, weights, reserved, caps, periods, phases = np.broadcast_arrays(
            _whole("hosts", np.atleast_1d(hosts)),
            _whole("vcpus", vcpus),
            weight,
            reservation,
            cap,
            _whole("period_ns", period_ns),
            _whole("phase_ns", phase_ns),
        )
        quotas = np.rint(caps * periods).astype(np.int64)
        return self._core.add_tenants(at, vcpu, weights, reserved, quotas, periods, phases)

    def want(self, tenants: npt.ArrayLike, vcpus: npt.ArrayLike) -> None:
        """From now on so many vCPUs of each tenant want to run."""
        each, wants = np.broadcast_arrays(
            _whole("tenants", np.atleast_1d(tenants)), _whole("vcpus", vcpus)
        )
        self._core.set_wants(each, wants)

    def move(self, tenant: int, host: int) -> None:
        """Migrate a tenant; its account and what is left of its cap go with it."""
        self._core.move(tenant, host)

    def remove(self, tenant: int) -> None:
        """Take a tenant away; its account stays."""
        self._core.remove(tenant)

    def advance(self, until_ns: int) -> None:
        """Let time pass until an instant (ns since the start)."""
        self._core.advance(until_ns)

    def tick(self, n: int = 1) -> None:
        """Let n ticks of the scheduler pass (10 ms each, unless its slice says otherwise)."""
        if type(n) is not int or n < 0:  # where it is, the arrays below cost more than a tick
            n = int(_whole("n", [n])[0])
        self.advance(self.now_ns + n * int(self._own("tick_ns")))

    def drive(self, guests: Guests, until_ns: int) -> None:
        """Let time pass until an instant, with what guests do in it."""
        self._core.drive(guests.core, until_ns)

    def copy(self) -> Self:
        """An independent hypervisor in the same state."""
        twin = copy.copy(self)
        vars(twin).update(_core=self._core.copy())
        return twin

    @property
    def scheduler(self) -> str:
        """Its name."""
        return self._scheduler

    @property
    def now_ns(self) -> int:
        """The present instant."""
        return int(self._core.now_ns)

    def shares(self, tenants: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
        """Hardware threads that each tenant has now; of all tenants by default."""
        return self._core.shares(self._all(tenants))

    def accounts(self, tenants: npt.ArrayLike | None = None) -> dict[str, npt.NDArray[np.int64]]:
        """What became of each tenant's vCPU time so far, ns: `run_ns`, steal by cause, `idle_ns`.

        They add up to the vCPUs times the time. `work_ns` is what was done in `run_ns`, in ns of a
        reference vCPU.
        """
        return self._core.accounts(self._all(tenants))

    @property
    def next_event_ns(self) -> int | None:
        """When a share may change next if nobody changes a want; None if none will."""
        next_event = int(self._core.next_event_ns())
        return None if next_event == _NEVER else next_event

    def changed(self) -> npt.NDArray[np.uint32]:
        """The tenants whose rates have changed since this was asked last."""
        return self._core.take_changed()

    @property
    def solves(self) -> int:
        """Of a fluid: how often the shares of a host had to be found anew, a measure of cost."""
        return int(self._own("solves"))

    @property
    def decisions(self) -> int:
        """Of a scheduler in quanta: the decisions it has taken, a measure of cost."""
        return int(self._own("decisions"))

    def tick_phases(self, host: int = 0) -> npt.NDArray[np.int64]:
        """Of `credit`: a tick of each thread of a host is due at this + k ticks, ns."""
        phases: npt.NDArray[np.int64] = self._own("tick_phases")(host)
        return phases

    def vcpus(self, tenant: int) -> dict[str, npt.NDArray[np.int64]]:
        """Of `credit`: what the scheduler knows of each vCPU of a tenant.

        `credit` (100 us each) and `carried_ns` as of the last debit; `priority`: 0 BOOST, -1 UNDER,
        -2 OVER; `cpu`; and 0 or 1: `active`, `parked`, `queued`, `running`.
        """
        columns: dict[str, npt.NDArray[np.int64]] = self._own("vcpus")(tenant)
        return columns

    def rates(self, tenants: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
        """What each tenant gets done now, in reference vCPUs; of all tenants by default."""
        return self._core.rates(self._all(tenants))

    def speeds(self) -> npt.NDArray[np.float64]:
        """The speed of a busy thread of each host now, in reference vCPUs."""
        return self._core.speeds(np.arange(self._core.hosts))

    def _own(self, name: str) -> Any:
        """Something that not every scheduler has."""
        if not hasattr(self._core, name):
            others = [other for other, built in _BUILT.items() if hasattr(built.core, name)]
            message = f"{self._scheduler} has none"
            raise ScenarioError([Problem(name, message, allowed=listing(others))])
        return getattr(self._core, name)

    def _all(self, tenants: npt.ArrayLike | None) -> npt.NDArray[np.uint32]:
        every = np.arange(self._core.tenants)
        chosen = every if tenants is None else _whole("tenants", np.atleast_1d(tenants))
        return chosen.astype(np.uint32)


def _built(scheduler: str) -> _Scheduler:
    if scheduler not in _BUILT:
        message = f"{scheduler} is no scheduler"
        hint = nearest(scheduler, _BUILT)
        problem = Problem("scheduler", message, allowed=listing(_BUILT), suggestion=hint)
        raise ScenarioError([problem])
    return _BUILT[scheduler]


def _whole(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Numbers that must be whole and not below 0."""
    given = np.asarray(values)
    whole = given.astype(np.int64)
    if np.any(whole != given) or np.any(whole < 0):
        raise ScenarioError([Problem(name, "not whole numbers", allowed="whole numbers from 0 on")])
    return whole


def share_out(
    capacity: float,
    weights: npt.ArrayLike,
    ceilings: npt.ArrayLike,
    floors: npt.ArrayLike = 0.0,
) -> npt.NDArray[np.float64]:
    """Weighted max-min fair shares of a capacity, each between its floor and its ceiling."""
    weight, ceiling, floor = np.broadcast_arrays(np.atleast_1d(weights), ceilings, floors)
    return _core.hypervisor.share_out(capacity, weight, floor, ceiling)
