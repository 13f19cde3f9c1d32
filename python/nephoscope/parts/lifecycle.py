"""The life of instances alone: states, what each transition keeps, and the seconds billed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nephoscope import _core, catalog
from nephoscope.catalog.operating_systems import BILLING, LAWS
from nephoscope.errors import Problem, ScenarioError
from nephoscope.nearest import listing, nearest
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.files.tables import Tables
from nephoscope.scenario.language.distribution import Distribution
from nephoscope.scenario.specs.distribution import distribution_spec
from nephoscope.scenario.steering import read_part
from nephoscope.scenario.units import Duration

NEVER = 2**63 - 1

_WORDS = {of: np.array(words) for of, words in _core.lifecycle.words().items()}
ASSETS = tuple(str(word) for word in _WORDS["asset"])
TRANSITIONS = tuple(str(word) for word in _WORDS["transition"])

Columns = dict[str, npt.NDArray[Any]]


class Lifecycle:
    """Instances that are launched, boot, reboot, stop, hibernate, start and terminate.

    Instances are numbered from 0 in the order of launching. Requests happen at the present instant
    (`now_ns`), to one instance or an array of them, and answer a word for each: `accepted`,
    `unchanged` (success too: there was nothing to do), or the provider's name of the error. The
    rules are those of docs/models.md.

    >>> from nephoscope import parts
    >>> life = parts.Lifecycle()
    >>> system = life.add_system("linux", laws={"pending": "5s", "boot": "25s", "stop": "20s"})
    >>> web = life.launch(system)
    >>> life.advance(35_000_000_000)
    >>> life.stop(web).tolist(), life.stop(web).tolist(), life.start(web).tolist()
    (['accepted'], ['unchanged'], ['IncorrectInstanceState'])
    >>> life.advance(55_000_000_000)
    >>> figures = life.figures()
    >>> figures["state"].tolist(), figures["billed_s"].tolist()
    (['stopped'], [60])
    """

    def __init__(self, *, seed: int = 0) -> None:
        """`seed` is of the draws of all systems; each has streams of its name."""
        self._core = _core.lifecycle.Lifecycle()
        self._seed = seed

    def add_system(
        self,
        system: str | catalog.OperatingSystem = "linux",
        *,
        name: str = "instances",
        laws: Mapping[str, Any] | None = None,
        billed_by: str | None = None,
        stop_limit: str = "5m",
        free_if_interrupted: str = "1h",
        directory: str | Path = ".",
    ) -> int:
        """The number of a system, or a fleet, whose instances share their laws.

        `laws` replaces some of the catalogue's, in the words of the scenario language. A shutdown
        that takes longer than `stop_limit` ends hard. `billed_by` is `second` or `hour`.
        `free_if_interrupted` is for how long after the first start a spot instance that the
        provider takes back is free (`0s`: never); the rule is widely reported, not documented.
        """
        os = catalog.operating_system(system) if isinstance(system, str) else system
        if billed_by is not None:
            os = replace(os, billed_by=_word("billed_by", billed_by, BILLING))
        given = dict(os.laws)
        for law, value in (laws or {}).items():
            given[_word("laws", law, LAWS)] = value
        files = DataFiles(Path(directory), Tables())
        specs = []
        for law in LAWS:
            read: Distribution = read_part(f"laws.{law}", Distribution, given[law])
            specs.append(distribution_spec(read, files))
        return self._core.add_system(
            specs,
            Duration.parse(stop_limit),
            os.billing_unit_s * 10**9,
            os.billing_minimum_s * 10**9,
            Duration.parse(free_if_interrupted),
            self._seed,
            0,
            name,
        )

    def launch(
        self, system: int, count: int = 1, *, initially: str = "pending", **facts: Any
    ) -> npt.NDArray[np.uint32]:
        """Launch instances of a system; their numbers. `initially` is `pending` or `running`.

        Facts, all alike for these instances: `zone` (a number), `root` (`ebs` or
        `instance_store`), `purchase` (`on_demand` or `spot`), `interruption` of a spot instance
        (`terminate`, `stop` or `hibernate`), `guest_shutdown` (what a shutdown from within does:
        `stop` or `terminate`), `assets` (which of public_address, elastic_address, instance_store
        and other_volumes they have; by default a public address), `deleted` (the volumes deleted at
        termination; by default root_volume), and yes or no `hibernation`,
        `termination_protection`, `automatic_recovery` (by default yes), `group_member`, `metal`,
        `efa`.
        """
        told = _core.lifecycle.LaunchFacts()
        told.system = system
        told.serial = self._core.count_of(system)
        for name, value in ({"assets": ("public_address",)} | facts).items():
            setattr(told, _word("facts", name, _FACTS), _FACTS[name](name, value))
        running = _word("initially", initially, ("pending", "running")) == "running"
        return self._core.launch(told, count, running)

    def advance(self, until_ns: int) -> None:
        """Let time pass; what is due at that very instant has happened then."""
        self._core.advance(until_ns)

    @property
    def now_ns(self) -> int:
        """The present instant."""
        return int(self._core.now_ns)

    @property
    def next_event_ns(self) -> int:
        """When something will happen by itself, or `NEVER`."""
        return int(self._core.next_event_ns)

    def __len__(self) -> int:
        return int(self._core.size)

    def changes(self) -> Columns:
        """What happened since the last call, in order, as columns of one length.

        `time_ns`, `instance`, `what` (state, serving, down, check, notice, rebalance, scheduled or
        recovery), and how the instance stood then: `state`, `reason`, `check`.
        """
        return _named(self._core.take_changes())

    def figures(self, instances: npt.ArrayLike | None = None) -> Columns:
        """Everything that is known of each instance now, as columns; of all by default.

        `state`, `reason`, `state_since_ns`, `running_since_ns`, `ready_at_ns` (`NEVER` where there
        is no such instant), `serving`; the status checks `system_check`, `instance_check` and both
        as `check`; `scheduled` (an announced event), `visible`; `starts`, `reboots`, `recoveries`;
        `billed_s` (as if a running instance ended now), `spared_s` (by free interruptions) and
        `metered_ns` (time on the meter).
        """
        return _named(self._core.figures(self._some(instances)))

    def holds(self, instances: npt.ArrayLike | None = None) -> dict[str, npt.NDArray[np.bool_]]:
        """Whether each instance holds each of `ASSETS`."""
        return self._core.holds(self._some(instances))

    def lost(self, instances: npt.ArrayLike | None = None) -> dict[str, npt.NDArray[np.uint32]]:
        """How often each instance has lost each of `ASSETS`."""
        return self._core.lost(self._some(instances))

    def stop(
        self, instances: npt.ArrayLike, *, skip_os_shutdown: bool = False
    ) -> npt.NDArray[np.str_]:
        """Stop instances; skipping the shutdown of the system takes no time."""
        return _answers(self._core.stop(_numbers(instances), skip_os_shutdown))

    def hibernate(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Stop instances with their memory saved; the guest must serve."""
        return _answers(self._core.hibernate(_numbers(instances)))

    def start(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Start stopped instances, but not what an interruption has stopped."""
        return _answers(self._core.start(_numbers(instances)))

    def reboot(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Restart the guests; the instances stay running, on their hosts."""
        return _answers(self._core.reboot(_numbers(instances)))

    def terminate(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Terminate instances in one request.

        A protected instance spares all of the request in its zone; a number that is not there
        spares everything.
        """
        return _answers(self._core.terminate(_numbers(instances)))

    def protect(self, instances: npt.ArrayLike, *, on: bool = True) -> None:
        """Switch the protection against termination."""
        self._core.protect(_numbers(instances), on)

    def modifiable(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Whether the type and the user data may be changed: only of a stopped instance."""
        return _answers(self._core.modifiable(_numbers(instances)))

    def change_type(
        self, instances: npt.ArrayLike, *, metal: bool = False, efa: bool = False
    ) -> npt.NDArray[np.str_]:
        """Change the type of stopped instances: a life knows whether it is metal or efa."""
        facts = (_yes_or_no("metal", metal), _yes_or_no("efa", efa))
        return _answers(self._core.change_type(_numbers(instances), *facts))

    def shut_down(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """The guests shut down from within: stop or terminate, as launched."""
        return _answers(self._core.shut_down(_numbers(instances)))

    def break_guest(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """The guests stop answering, until a reboot or a stop and start."""
        return _answers(self._core.break_guest(_numbers(instances)))

    def break_host(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """The hosts fail: system checks fail, and automatic recovery moves what it applies to."""
        return _answers(self._core.break_host(_numbers(instances)))

    def repair(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Guests and hosts work again; the guests reboot."""
        return _answers(self._core.repair(_numbers(instances)))

    def fail_launch(
        self, instances: npt.ArrayLike, reason: str = "Server.InsufficientInstanceCapacity"
    ) -> npt.NDArray[np.str_]:
        """Pending instances do not come up: a first launch ends terminated, a start stopped."""
        return _answers(self._core.fail_launch(_numbers(instances), _index("reason", reason)))

    def interrupt(
        self, instances: npt.ArrayLike, at_ns: int, *, rebalance_at_ns: int = NEVER
    ) -> npt.NDArray[np.str_]:
        """Take spot instances back at an instant, with a notice two minutes before.

        A hibernation begins with its notice. A recommendation to rebalance may come before.
        """
        return _answers(self._core.interrupt(_numbers(instances), at_ns, rebalance_at_ns))

    def resume(self, instances: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """Start what an interruption has stopped, as the provider does when it has room again."""
        return _answers(self._core.resume(_numbers(instances)))

    def schedule(
        self, instances: npt.ArrayLike, event: str, at_ns: int, *, lasts_ns: int = 0
    ) -> npt.NDArray[np.str_]:
        """Announce an event: instance-stop, instance-retirement, instance-reboot, ...

        `lasts_ns` is of a system-maintenance.
        """
        number = _index("scheduled", event)
        return _answers(self._core.schedule(_numbers(instances), number, at_ns, lasts_ns))

    def check(self) -> None:
        """Raise InvariantError where an instance contradicts itself."""
        self._core.check()

    def save(self) -> bytes:
        """The state as bytes, without the systems."""
        return self._core.save()

    def restore(self, state: bytes) -> None:
        """Go back to a saved state; the systems must have been added alike."""
        self._core.restore(state)

    def copy(self) -> Self:
        """An independent copy."""
        made = type(self)(seed=self._seed)
        made._core = self._core.copy()  # noqa: SLF001
        return made

    def _some(self, instances: npt.ArrayLike | None) -> npt.NDArray[np.uint32]:
        return _numbers(np.arange(len(self)) if instances is None else instances)


def keeps(transition: str, asset: str) -> bool:
    """Whether one of `TRANSITIONS` keeps one of `ASSETS`, in the provider's default settings.

    The host after stop and start is usually another one; a released public address comes back as
    a new one; of the volumes, termination deletes only the root.
    """
    return _core.lifecycle.keeps(_index("transition", transition), _index("asset", asset))


def seconds_due(ran_ns: npt.ArrayLike, billed_by: str = "second") -> npt.NDArray[np.int64]:
    """Seconds billed for one run of each length: whole units, and the minimum of a start."""
    unit, minimum = BILLING[_word("billed_by", billed_by, BILLING)]
    lengths = np.atleast_1d(np.asarray(ran_ns, dtype=np.int64))
    return _core.lifecycle.seconds_due(lengths, unit * 10**9, minimum * 10**9)


def _word(path: str, word: Any, allowed: Any) -> str:
    """One of the allowed words; raises ScenarioError, with the nearest, for any other."""
    if word in allowed:
        return str(word)
    message = f"no such word: {word!r}"
    problem = Problem(path, message, allowed=listing(allowed), suggestion=nearest(word, allowed))
    raise ScenarioError([problem])


def _index(of: str, word: str) -> int:
    words = _core.lifecycle.words()[of]
    return words.index(_word(of, word, [known for known in words if known]))


def _numbers(instances: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    given = np.atleast_1d(np.asarray(instances))
    if given.size and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= 2**32):
        raise ScenarioError([Problem("instances", "not numbers of instances")])
    return given.astype(np.uint32)


def _answers(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.str_]:
    return _WORDS["answer"][codes]


def _named(columns: Columns) -> Columns:
    """The columns with words for numbers; a state's code is 16 times its place."""
    named = dict(columns)
    named["state"] = _WORDS["state"][columns["state"] // 16]
    for column, of in _NAMED.items():
        if column in columns:
            named[column] = _WORDS[of][columns[column]]
    return named


_NAMED = {
    "reason": "reason",
    "what": "what",
    "check": "check",
    "system_check": "check",
    "instance_check": "check",
    "scheduled": "scheduled",
}


def _yes_or_no(name: str, value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ScenarioError([Problem(name, f"{value!r} is not yes or no", allowed="True or False")])


def _number(name: str, value: Any) -> int:
    if isinstance(value, int | np.integer) and 0 <= value < 2**32:
        return int(value)
    raise ScenarioError([Problem(name, f"{value!r} is no whole number from 0 on")])


def _mask(name: str, assets: Any) -> int:
    listed = (assets,) if isinstance(assets, str) else assets
    return sum(1 << ASSETS.index(_word(name, word, ASSETS)) for word in set(listed))


_ENUMERATIONS: dict[str, Any] = {
    "root": _core.lifecycle.RootDevice,
    "purchase": _core.lifecycle.Purchase,
    "interruption": _core.lifecycle.Interruption,
    "guest_shutdown": _core.lifecycle.GuestShutdown,
}


def _enumerator(name: str, word: Any) -> Any:
    members = _ENUMERATIONS[name].__members__
    return members[_word(name, word, members)]


_FACTS = {
    "zone": _number,
    "assets": _mask,
    "deleted": _mask,
    **dict.fromkeys(_ENUMERATIONS, _enumerator),
    **dict.fromkeys(
        ("hibernation", "termination_protection", "automatic_recovery", "group_member"), _yes_or_no
    ),
    **dict.fromkeys(("metal", "efa"), _yes_or_no),
}
