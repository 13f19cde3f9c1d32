"""The credit scheduler once more, slowly: every tick is an event, every queue a list.

It has the rules from their description and nothing from the core: no lazy ticks, no masks, no
closed forms. Credits are exact, times are integer ns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BOOST, UNDER, OVER, IDLE = 0, -1, -2, -64
CREDIT = 100_000
NEVER = 2**62


def divide_up(amount: int, by: int) -> int:
    return -(-amount // by)


@dataclass(eq=False)
class Vcpu:
    tenant: Tenant
    cpu: int
    credit: int = 0
    carried: int = 0
    priority: int = UNDER
    active: bool = False
    parked: bool = False
    wants: bool = False
    run_ns: int = 0
    parked_ns: int = 0


@dataclass(eq=False)
class Tenant:
    weight: int
    cap: int  # percent
    vcpus: list[Vcpu] = field(default_factory=list)
    want: int = 0

    @property
    def active(self) -> int:
        return sum(it.active for it in self.vcpus)


@dataclass(eq=False)
class Cpu:
    phase: int
    current: Vcpu | None = None
    queue: list[Vcpu] = field(default_factory=list)
    since: int = 0
    counted: int = 0
    timer: int = NEVER


class Twin:
    # What the rules leave open, or do not say clearly, and the core has decided.
    accounts_before_decisions = True  # at one instant
    least_queue = 1  # of who is stolen from; whoever runs there is runnable too
    rests = (
        True  # a host on which everybody runs: it decides nothing until somebody wakes or blocks
    )
    divide = staticmethod(divide_up)

    def __init__(self, phases, accounting, *, slice_ns=30_000_000, ratelimit_ns=1_000_000, **rules):
        self.cpus = [Cpu(phase) for phase in phases]
        self.slice = slice_ns
        self.tick = slice_ns // 3
        self.credits = slice_ns // CREDIT
        self.ratelimit = ratelimit_ns
        self.boost = rules.get("boost", True)
        self.exact = rules.get("exact_debit", True)
        self.at_decision = rules.get("activate_at_decision", True)
        self.next_accounting = accounting if accounting > 0 else 3 * self.tick
        self.accounted_since_tick = [False] * len(phases)
        self.tenants: list[Tenant] = []
        self.listed: list[Tenant] = []
        self.balance = 0
        self.now = 0
        self.placed = 0
        self.stolen = self.kicked = len(phases) - 1
        self.next_tick = list(phases)
        self.quiet = True

    def add(self, vcpus: int, weight: int, cap: int = 0) -> None:
        tenant = Tenant(weight, cap)
        for _ in range(vcpus):
            tenant.vcpus.append(Vcpu(tenant, self.placed))
            self.placed = (self.placed + 1) % len(self.cpus)
        self.tenants.append(tenant)

    def want(self, number: int, want: int) -> None:
        tenant = self.tenants[number]
        while tenant.want > want:
            tenant.want -= 1
            self.block(tenant.vcpus[tenant.want])
        while tenant.want < want:
            self.wake(tenant.vcpus[tenant.want])
            tenant.want += 1
        self.quiet = self.is_quiet()

    def is_quiet(self) -> bool:
        """Whether everybody who wants to runs."""
        every = [it for tenant in self.tenants for it in tenant.vcpus]
        capped = any(it.tenant.cap and (it.wants or it.parked) for it in every)
        return not capped and sum(it.wants for it in every) <= len(self.cpus)

    def advance(self, until: int) -> None:
        while True:
            accounts = 1 if self.accounts_before_decisions else 3
            timers = [(cpu.timer, 2, at) for at, cpu in enumerate(self.cpus)]
            ticks = [(time, 0, at) for at, time in enumerate(self.next_tick)]
            time, kind, at = min([*ticks, (self.next_accounting, accounts, 0), *timers])
            if time > until:
                break
            self.pass_time(time)
            if kind == 0:
                self.on_tick(at)
                self.next_tick[at] += self.tick
            elif kind == accounts:
                self.account()
                self.next_accounting += 3 * self.tick
            elif self.rests and self.quiet:
                self.cpus[at].timer += self.slice
            else:
                self.decide(at)
        self.pass_time(until)

    def pass_time(self, time: int) -> None:
        for cpu in self.cpus:
            if cpu.current:
                cpu.current.run_ns += time - self.now
        for tenant in self.tenants:
            for it in tenant.vcpus:
                it.parked_ns += time - self.now if it.parked and it.wants else 0
        self.now = time

    def debit(self, cpu: Cpu, tick: bool) -> None:
        it = cpu.current
        if not self.exact:
            it.credit -= self.credits // 3 if tick else 0
            return
        whole, it.carried = divmod(it.carried + self.now - cpu.counted, CREDIT)
        it.credit -= whole
        cpu.counted = self.now

    def on_tick(self, at: int) -> None:
        cpu = self.cpus[at]
        if cpu.current is None:
            return
        if cpu.current.priority == BOOST:
            cpu.current.priority = UNDER
        self.debit(cpu, tick=True)
        cpu.current.active = True
        if self.accounted_since_tick[at]:
            cpu.queue.sort(key=lambda it: it.priority == OVER)
        self.accounted_since_tick[at] = False

    def account(self) -> None:
        self.accounted_since_tick = [True] * len(self.cpus)
        new = [t for t in self.tenants if t.active and t not in self.listed]
        self.listed = new + self.listed
        total = sum(t.weight * t.active for t in self.listed)
        debt = max(0, -self.balance)
        pool = self.credits * len(self.cpus) + debt
        left, wanting, turned = total, False, []
        self.balance = 0
        for tenant in list(self.listed):
            n = tenant.active
            heavy = tenant.weight * n
            left -= heavy
            most = self.credits * n + self.divide(debt * heavy, total)
            if tenant.cap:
                most = min(most, self.divide(self.credits * tenant.cap, 100))
            given = self.divide(pool * heavy, total)
            if given < most:
                wanting = True
            else:
                if left:
                    pool += self.divide((given - most) * total, left)
                if wanting:
                    self.listed.remove(tenant)
                    self.listed.insert(0, tenant)
                given = most
            turned += self.judge(tenant, self.divide(given, n), n)
        self.listed = [t for t in self.listed if t.active]
        for it in turned:
            self.turn(it)
        self.quiet = self.quiet or self.is_quiet()

    def judge(self, tenant: Tenant, each: int, n: int) -> list[Vcpu]:
        turned = []
        cap = self.divide(self.divide(self.credits * tenant.cap, 100), n)
        for it in tenant.vcpus:
            if not it.active:
                continue
            it.credit += each
            it.priority = UNDER if it.credit >= 0 else OVER
            if it.parked and it.credit >= 0:
                turned.append(it)
            if tenant.cap and not it.parked and it.credit < -cap:
                turned.append(it)
            it.credit = max(it.credit, -self.credits)
            self.balance += self.let_go(it)
        return turned

    def let_go(self, it: Vcpu) -> int:
        """Who has enough leaves the active set; returns what is left over of the credit."""
        if it.credit > self.credits:
            it.active = False
            it.credit //= 2
        return it.credit

    def turn(self, it: Vcpu) -> None:
        it.parked = not it.parked
        if it.wants and it.parked:
            self.stop(it)
        elif it.wants:
            self.start(it)

    def wake(self, it: Vcpu) -> None:
        it.wants = True
        if it.parked:
            return
        if self.boost and it.priority == UNDER:
            it.priority = BOOST
        self.start(it)

    def start(self, it: Vcpu) -> None:
        at = it.cpu
        self.insert(at, it)
        cpu = self.cpus[at]
        idle = [
            (k - self.kicked - 1) % len(self.cpus)
            for k, c in enumerate(self.cpus)
            if c.current is None
        ]
        if cpu.current is None:
            self.decide(at)
        elif idle:
            self.kicked = (min(idle) + self.kicked + 1) % len(self.cpus)
            self.decide(self.kicked)
        elif it.priority > cpu.current.priority:
            self.decide(at)

    def block(self, it: Vcpu) -> None:
        it.wants = False
        if not it.parked:
            self.stop(it)

    def stop(self, it: Vcpu) -> None:
        for at, cpu in enumerate(self.cpus):
            if it in cpu.queue:
                cpu.queue.remove(it)
            if cpu.current is it:
                self.decide(at)

    def insert(self, at: int, it: Vcpu) -> None:
        queue = self.cpus[at].queue
        it.cpu = at
        worse = [k for k, other in enumerate(queue) if other.priority < it.priority]
        queue.insert(worse[0] if worse else len(queue), it)

    def decide(self, at: int) -> None:
        cpu = self.cpus[at]
        was = cpu.current
        if was:
            self.debit(cpu, tick=False)
            if self.at_decision and self.now > cpu.since:
                was.active = True
            if was.wants and not was.parked:
                if self.now - cpu.since < self.ratelimit:
                    cpu.timer = max(cpu.since + self.ratelimit, self.now + 100_000)
                    return
                self.insert(at, was)
        best = cpu.queue[0].priority if cpu.queue else IDLE
        chosen = self.steal(at, best) if best <= OVER else None
        if chosen is None and cpu.queue:
            chosen = cpu.queue.pop(0)
        cpu.timer = self.now + self.slice if chosen else NEVER
        if chosen is was:
            return
        cpu.current = chosen
        cpu.since = cpu.counted = self.now
        if chosen:
            chosen.cpu = at

    def steal(self, at: int, above: int) -> Vcpu | None:
        for k in range(1, len(self.cpus) + 1):
            peer = (self.stolen + k) % len(self.cpus)
            if peer == at or self.cpus[peer].current is None:
                continue
            if len(self.cpus[peer].queue) < self.least_queue:
                continue
            for it in self.cpus[peer].queue:
                if it.priority > above:
                    self.cpus[peer].queue.remove(it)
                    self.stolen = peer
                    return it
        return None
