"""The slow twin of the credit scheduler with other readings of the rules, and guests to drive it.

The readings are those that an independent prototype of the same rules seems to have where its
figures are not the core's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compute.credit_twin import IDLE, NEVER, Twin, Vcpu


class Hasty(Twin):
    """At one instant decisions come before accounting."""

    accounts_before_decisions = False


class HastyAndChoosy(Hasty):
    least_queue = 2


class Forgetful(Hasty):
    """Who has 300 credits leaves and is forgotten: its credit is not counted as left over.

    Shares are rounded down.
    """

    @staticmethod
    def divide(amount: int, by: int) -> int:
        return amount // by

    def let_go(self, it: Vcpu) -> int:
        if it.credit < self.credits:
            return it.credit
        it.active = False
        it.credit //= 2
        return 0


class Lazy(Twin):
    """Only a pCPU that would be idle steals, not one that has nothing better than OVER."""

    def steal(self, at, above):
        return super().steal(at, above) if above == IDLE else None


class Dithered(Twin):
    """Slices are up to 0.2 ms longer."""

    def __init__(self, *phases, **rules):
        super().__init__(*phases, **rules)
        self.random = np.random.default_rng(1)

    def decide(self, at):
        super().decide(at)
        if self.cpus[at].timer == self.now + self.slice:
            self.cpus[at].timer += int(self.random.integers(200_000))


class ForgetfulAndDithered(Forgetful, Dithered):
    pass


class DitheredAndLazy(Lazy, Dithered):
    pass


class Choosy(Dithered):
    """A pCPU where only one waits is not stolen from."""

    least_queue = 2


class Lone(Choosy):
    """And who wakes kicks no other pCPU, and accounting sorts the queues at once.

    So somebody may wait beside an idle pCPU, and there is something to decide on every host.
    """

    rests = False

    def start(self, it):
        self.insert(it.cpu, it)
        current = self.cpus[it.cpu].current
        if current is None or it.priority > current.priority:
            self.decide(it.cpu)

    def account(self):
        super().account()
        for cpu in self.cpus:
            cpu.queue.sort(key=lambda it: -it.priority)


@dataclass
class Guest:
    """On for so much time of the CPU, then off by the clock."""

    number: int
    vcpu: Vcpu
    on: int
    off: int
    spread: float  # of the time off, to either side, relative
    poisson: bool  # the time off is exponential
    next: int = 0
    done_at: int = NEVER  # of its run time
    woken: int = NEVER


def guest_of(twin: Twin, on: int, off: int, *, spread: float = 0.0, poisson: bool = False) -> Guest:
    twin.add(1, 256)
    return Guest(len(twin.tenants) - 1, twin.tenants[-1].vcpus[0], on, off, spread, poisson)


def drive(twin: Twin, guests: list[Guest], until: int, seed: int = 0) -> np.ndarray:
    """Returns how long each of those that Poisson wakes has waited to run, in ms."""
    random = np.random.default_rng(seed)
    waits: list[int] = []
    for guest in guests:
        guest.next = rest(guest, random) if guest.poisson or guest.spread else 0
    while twin.now < until:
        running = {id(cpu.current) for cpu in twin.cpus}
        ends = [twin.now + it.done_at - it.vcpu.run_ns for it in guests if id(it.vcpu) in running]
        twin.advance(min(until, *ends, *(c.timer for c in twin.cpus), *(it.next for it in guests)))
        for guest in guests:
            if guest.vcpu.run_ns >= guest.done_at:
                guest.done_at = NEVER
                guest.next = twin.now + rest(guest, random)
                twin.want(guest.number, 0)
            elif guest.next <= twin.now:
                guest.next, guest.woken = NEVER, twin.now
                guest.done_at = guest.vcpu.run_ns + guest.on
                twin.want(guest.number, 1)
        running = {id(cpu.current) for cpu in twin.cpus}
        for guest in guests:
            if guest.woken != NEVER and id(guest.vcpu) in running:
                waits += [twin.now - guest.woken] if guest.poisson else []
                guest.woken = NEVER
    return np.asarray(waits) / 1e6


def rest(guest: Guest, random: np.random.Generator) -> int:
    if guest.poisson:
        return int(random.exponential(guest.off))
    return int(guest.off * random.uniform(1 - guest.spread, 1 + guest.spread))
