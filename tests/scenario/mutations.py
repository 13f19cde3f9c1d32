"""Mutations of good scenario files that are known to break them, drawn with a fixed seed.

Each kind is illegal wherever it is applied, so that none has to be tried to know it.
"""

import copy
import functools
import random
from collections.abc import Iterator
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

Where = tuple[str | int, ...]

# Mappings whose keys are names that the file chooses itself.
_NAMED = {
    "fleets",
    "services",
    "load_balancers",
    "traffic",
    "hosts",
    "queues",
    "topics",
    "buses",
    "pipes",
}
# What is said in messages, and what is looked for in them, may be anything.
_FREE = {"event", "attributes", "filter", "pattern", "rules"}
_REFERENCES = {"to", "service", "fleet", "call", "send", "publish", "put", "queue"}


def mutated(text: str, seed: str, count: int) -> Iterator[tuple[str, str | None, str]]:
    """What was done, the path of the problem to expect (or None), and the broken text."""
    rng = random.Random(seed)
    kinds = [_null, _list, _truth, _not_a_number, _unknown_key, _misspelt, _moved, _unit, _negative]
    kinds += [_missing, _lost, _truncated, _stray, _twice]
    for i in range(count):
        kind = kinds[i % len(kinds)]
        where, mutant = kind(text, rng)
        yield kind.__name__, where, mutant


@functools.cache
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=_LOADER)


def _tree(text: str) -> Any:
    return copy.deepcopy(_parsed(text))


def _text(tree: Any) -> str:
    dumped: str = yaml.dump(tree, Dumper=_DUMPER, sort_keys=False)
    return dumped


def _scalars(tree: Any, where: Where = ()) -> Iterator[tuple[Where, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key not in _FREE:
                yield from _scalars(value, (*where, key))
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from _scalars(value, (*where, i))
    else:
        yield where, tree


def _mappings(tree: Any, where: Where = ()) -> Iterator[tuple[Where, dict[str, Any]]]:
    if isinstance(tree, dict):
        yield where, tree
        for key, value in tree.items():
            if key not in _FREE:
                yield from _mappings(value, (*where, key))
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from _mappings(value, (*where, i))


def _fixed(tree: Any) -> list[tuple[Where, dict[str, Any]]]:
    """The mappings whose keys the language fixes."""
    return [(w, m) for w, m in _mappings(tree) if not (len(w) == 1 and w[0] in _NAMED)]


def _changed(text: str, where: Where, value: Any) -> tuple[str, str]:
    tree = _tree(text)
    node = tree
    for part in where[:-1]:
        node = node[part]
    node[where[-1]] = value
    return ".".join(map(str, where)), _text(tree)


def _any_scalar(text: str, rng: random.Random) -> Where:
    return rng.choice([where for where, _ in _scalars(_tree(text))])


def _null(text: str, rng: random.Random) -> tuple[str | None, str]:
    return _changed(text, _any_scalar(text, rng), None)


def _list(text: str, rng: random.Random) -> tuple[str | None, str]:
    return _changed(text, _any_scalar(text, rng), [[1]])


def _truth(text: str, rng: random.Random) -> tuple[str | None, str]:
    return _changed(text, _any_scalar(text, rng), True)


def _not_a_number(text: str, rng: random.Random) -> tuple[str | None, str]:
    return _changed(text, _any_scalar(text, rng), float(rng.choice(["nan", "inf", "-inf"])))


def _unknown_key(text: str, rng: random.Random) -> tuple[str | None, str]:
    where, _ = rng.choice(_fixed(_tree(text)))
    return _changed(text, (*where, "colour"), "red")


def _misspelt(text: str, rng: random.Random) -> tuple[str | None, str]:
    tree = _tree(text)
    where, mapping = rng.choice([(where, keys) for where, keys in _fixed(tree) if keys])
    key = rng.choice(list(mapping))
    at = rng.randrange(len(key) + 1)
    mapping[key[:at] + "q" + key[at:]] = mapping.pop(key)
    wrong = key[:at] + "q" + key[at:]
    return ".".join(map(str, (*where, wrong))), _text(tree)


def _moved(text: str, rng: random.Random) -> tuple[str | None, str]:
    """A reference to a name that is not there."""
    scalars = _scalars(_tree(text))
    named = [(w, v) for w, v in scalars if w[-1] in _REFERENCES or w[-2:-1] == ("targets",)]
    where, value = rng.choice(named)
    return _changed(text, where, f"{value}-gone")


def _unit(text: str, rng: random.Random) -> tuple[str | None, str]:
    where, value = _quantity(text, rng)
    return _changed(text, where, rng.choice([f"{value}q", value.rstrip("smhdw/GiB%"), f"~{value}"]))


def _negative(text: str, rng: random.Random) -> tuple[str | None, str]:
    where, value = _quantity(text, rng)
    return _changed(text, where, f"-{value}")


def _quantity(text: str, rng: random.Random) -> tuple[Where, str]:
    texts = [(w, v) for w, v in _scalars(_tree(text)) if isinstance(v, str)]
    # A day in the month of a name is no quantity: those start with a digit and are no names.
    quantities = [
        (w, v) for w, v in texts if v[0].isdecimal() and set(v) & set("smhdw/B%") and v != "0s"
    ]
    return rng.choice(quantities)


def _missing(text: str, rng: random.Random) -> tuple[str | None, str]:
    tree = _tree(text)
    needed = {"nephoscope", "duration", "traffic", "services", "fleets", "steps", "service", "to"}
    needed |= {"targets"}
    found = [(w, m, k) for w, m in _mappings(tree) for k in m if k in needed]
    where, mapping, key = rng.choice(found)
    del mapping[key]
    return ".".join(map(str, (*where, key))), _text(tree)


def _lost(text: str, rng: random.Random) -> tuple[str | None, str]:
    """Everything that a section names is gone."""
    section = rng.choice(["fleets", "services", "traffic"])
    return _changed(text, (section,), rng.choice([{}, [], "none", 7]))


def _truncated(text: str, rng: random.Random) -> tuple[str | None, str]:
    """A bracket that is not closed any more."""
    closing = [i for i, letter in enumerate(text) if letter in "}]" and "#" not in _line(text, i)]
    at = rng.choice(closing)
    return None, text[:at]


def _line(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 : at]


def _stray(text: str, rng: random.Random) -> tuple[str | None, str]:
    lines = text.splitlines()
    at = rng.randrange(1, len(lines))
    stray = rng.choice(["\tx: 1", "}", "- - :", "%", "'", '"', "key: 'open", "a: b: c", "]", "@"])
    return None, "\n".join([*lines[:at], stray, *lines[at:]])


def _twice(text: str, rng: random.Random) -> tuple[str | None, str]:
    lines = text.splitlines()
    top = [i for i, line in enumerate(lines) if line[:1].isalpha() and not line.endswith(":")]
    at = rng.choice(top)
    key = lines[at].split(":")[0]
    return key, "\n".join([*lines, lines[at], ""])
