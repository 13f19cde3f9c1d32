"""Hosts and the hypervisor that shares them, alone."""

import numpy as np
import numpy.typing as npt

from nephoscope import _core
from nephoscope.errors import Problem, ScenarioError

SCHEDULERS = ("fluid", "fair", "credit", "pinned")


class Hypervisor:
    """Hosts that share their CPU among tenants, as a scheduler of hypervisors does.

    `fluid` is weighted max-min fairness at every instant, with reservations and with caps that are
    buckets: a vCPU runs as fast as the host lets it until the time that the cap allows in a period
    is used up. Hosts and tenants are numbered from 0 in the order they were added. It is a value:
    it can be copied and pickled, and a copy goes on as the original does.

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
    ) -> None:
        """`smt_gain` is what a thread beyond the first adds to its core, in cores."""
        if scheduler != "fluid":
            known = scheduler in SCHEDULERS
            reason = (
                "is not built yet in this version of nephoscope" if known else "is no scheduler"
            )
            raise ScenarioError([Problem("scheduler", f"{scheduler} {reason}", allowed="fluid")])
        self._core = _core.hypervisor.FluidHypervisor()
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

    @property
    def now_ns(self) -> int:
        """The present instant."""
        return int(self._core.now_ns)

    def shares(self, tenants: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
        """Hardware threads that each tenant has now; of all tenants by default."""
        return self._core.shares(self._all(tenants))

    def rates(self, tenants: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
        """What each tenant gets done now, in reference vCPUs: its threads times their speed."""
        return self._core.rates(self._all(tenants))

    def changed(self) -> npt.NDArray[np.uint32]:
        """The tenants whose rate has changed since this was asked last."""
        return self._core.take_changed()

    @property
    def next_event_ns(self) -> int:
        """When a rate may change next though nobody changes a want; 2^63 - 1 if none will."""
        return int(self._core.next_event_ns)

    def accounts(self, tenants: npt.ArrayLike | None = None) -> dict[str, npt.NDArray[np.int64]]:
        """What became of each tenant's vCPU time so far, ns: `run_ns`, steal by cause, `idle_ns`.

        They add up to the vCPUs times the time. `work_ns` is what was done in `run_ns`, in ns of a
        reference vCPU.
        """
        return self._core.accounts(self._all(tenants))

    @property
    def solves(self) -> int:
        """How often the shares of a host had to be found anew: a measure of cost."""
        return int(self._core.solves)

    def speeds(self) -> npt.NDArray[np.float64]:
        """The speed of a busy thread of each host now, in reference vCPUs."""
        return self._core.speeds(np.arange(self._core.hosts))

    def _all(self, tenants: npt.ArrayLike | None) -> npt.NDArray[np.uint32]:
        every = np.arange(self._core.tenants)
        chosen = every if tenants is None else _whole("tenants", np.atleast_1d(tenants))
        return chosen.astype(np.uint32)


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
