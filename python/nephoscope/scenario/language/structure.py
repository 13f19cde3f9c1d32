"""The whole of a scenario file as a data model, and its parts by path."""

from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, Field, Strict

from nephoscope.scenario.language.balancer import LoadBalancer
from nephoscope.scenario.language.bus import Bus
from nephoscope.scenario.language.faults import Fault
from nephoscope.scenario.language.fields import (
    DateTime,
    DurationOrAuto,
    Interval,
    Name,
    PositiveDuration,
    not_empty,
    whole,
)
from nephoscope.scenario.language.fleet import Fleet
from nephoscope.scenario.language.hosts import Hosts
from nephoscope.scenario.language.life import Account, Action
from nephoscope.scenario.language.model import Model
from nephoscope.scenario.language.pipe import Pipe
from nephoscope.scenario.language.provider import Provider
from nephoscope.scenario.language.queue import NamedQueue
from nephoscope.scenario.language.service import Service
from nephoscope.scenario.language.topic import Topic
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.units import Duration

T = TypeVar("T")

# Named parts, at least one.
Some = Annotated[dict[Name, T], AfterValidator(not_empty)]


class ScenarioModel(Model):
    """A scenario file: a mapping with the version of the language and these keys."""

    nephoscope: Annotated[int, whole(1, 1)]
    """Version of the scenario language, 1."""
    name: Name = "scenario"
    duration: PositiveDuration
    """Simulated time, warm-up included."""
    warmup: DurationOrAuto = Duration(0)
    """Not measured: requests count where they arrive, in [warmup, duration)."""
    start: DateTime = datetime(2024, 1, 1, tzinfo=UTC)
    """What calendar and clock say when the run begins, for schedules; by default a Monday."""
    seed: Annotated[int, whole(0, 2**64 - 1)] = 0
    series: Interval = "auto"
    """Interval of the series; auto is 1/240 of the duration, 1/60 of more than 10,000 instances."""
    traces: Annotated[int, whole(0, 1_000_000)] = 0
    """Of each traffic, so many answered requests at most are followed: what they waited for."""
    traffic: Some[Traffic]
    services: Some[Service]
    hosts: dict[Name, Hosts] = Field(default_factory=dict)
    fleets: Some[Fleet]
    load_balancers: dict[Name, LoadBalancer] = Field(default_factory=dict)
    queues: dict[Name, NamedQueue] = Field(default_factory=dict)
    topics: dict[Name, Topic] = Field(default_factory=dict)
    buses: dict[Name, Bus] = Field(default_factory=dict)
    pipes: dict[Name, Pipe] = Field(default_factory=dict)
    actions: Annotated[tuple[Action, ...], Strict(False)] = ()
    """What an operator does to instances at set times."""
    accounts: dict[Name, Account] = Field(default_factory=dict)
    """What the tenants of these names may launch."""

    provider: Provider = Provider()
    """Whose all of it is: region, quotas, and what is free in a month."""

    faults: Annotated[tuple[Fault, ...], Strict(False)] = ()
    """What fails, at set times or at random."""


def part_at(where: tuple[Any, ...]) -> Any:
    """The type that the language has at a path, or None: a Model class, dict[..], tuple[..], ..."""
    part: Any = ScenarioModel
    for key in where:
        part = _inside(part, key)
        if part is None:
            return None
    return part


def model_at(where: tuple[Any, ...]) -> type[Model] | None:
    """The model at a path, or None where there is none."""
    part = part_at(where)
    return part if isinstance(part, type) and issubclass(part, Model) else None


def _inside(part: Any, key: Any) -> Any:
    if isinstance(part, type) and issubclass(part, Model):
        field = part.keys().get(key) if isinstance(key, str) else None
        return _bare_type(field.annotation) if field is not None else None
    arguments = get_args(part)
    match get_origin(part):
        case origin if origin is dict and isinstance(key, str):
            return _bare_type(arguments[1])
        case origin if origin is tuple and isinstance(key, int):
            item = arguments[0] if arguments[-1] is Ellipsis else arguments[key : key + 1]
            return _bare_type(item[0] if isinstance(item, tuple) else item)
    return None


def _bare_type(annotation: Any) -> Any:
    """The type without its markers, and of several the one that has parts."""
    while True:
        arguments = get_args(annotation)
        if get_origin(annotation) is Annotated:
            annotation = arguments[0]
        elif get_origin(annotation) in (Union, UnionType):
            # Of a short form and a model, the model has parts.
            forms = [_bare_type(form) for form in arguments if form is not type(None)]
            models = [it for it in forms if isinstance(it, type) and issubclass(it, Model)]
            annotation = [*models, *forms][0]
        else:
            return annotation
