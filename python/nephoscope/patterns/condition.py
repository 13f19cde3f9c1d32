"""One condition of a pattern: a value that is matched exactly, or an operator and its operand."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from nephoscope.errors import PatternError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.patterns.addresses import address_size, read_block
from nephoscope.patterns.json_value import Members, Number
from nephoscope.patterns.wildcard import read_wildcard

COMPARISONS = ("=", "<", "<=", ">", ">=")

LITERALS = {None: "null", True: "true", False: "false"}


@dataclass(frozen=True, slots=True)
class Condition:
    """As `ConditionSpec` of the core has it (cpp/messaging/pattern_spec.hpp)."""

    kind: str
    text: str = ""
    bits: int = 0
    letters: tuple[tuple[str, ...], ...] = ()
    pieces: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    low_open: bool = False
    high_open: bool = False
    none_of: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Language:
    """What of the language is taken: event buses take more than filter policies do."""

    operators: tuple[str, ...]
    inside_anything_but: tuple[str, ...]
    lists_inside_anything_but: bool
    ignore_case_in_affixes: bool


EVENTS = Language(
    operators=(
        "prefix",
        "suffix",
        "equals-ignore-case",
        "wildcard",
        "anything-but",
        "numeric",
        "cidr",
        "exists",
        "exactly",
    ),
    inside_anything_but=("prefix", "suffix", "equals-ignore-case", "wildcard"),
    lists_inside_anything_but=True,
    ignore_case_in_affixes=True,
)


def refuse(path: str, message: str, allowed: str, suggestion: str | None = None) -> NoReturn:
    """Stop with what is wrong at a path of the pattern."""
    raise PatternError(message, path, allowed, suggestion)


def read_condition(value: Any, path: str, language: Language) -> Condition:
    """One element of the list that a field has."""
    if isinstance(value, str):
        size = address_size(value)
        return Condition("cidr", value, 8 * size) if size else Condition("text", value)
    if isinstance(value, Number):
        return Condition("number", value.text)
    if value is None or isinstance(value, bool):
        return Condition("literal", LITERALS[value])
    if isinstance(value, Members):
        return _read_operator(value, path, language)
    return refuse(
        path,
        "a list within the list",
        "a text, a number, true, false, null or an object with one operator",
    )


def _read_operator(value: Members, path: str, language: Language) -> Condition:
    name, operand = _only_member(value, path, language.operators)
    within = f"{path}.{name}"
    if name not in language.operators:
        allowed = listing(language.operators)
        if name in EVENTS.operators:
            refuse(path, f"the operator {name} is not for filter policies", allowed)
        refuse(path, f"{shorten(name)} is no operator", allowed, nearest(name, language.operators))
    match name:
        case "exists":
            return _read_exists(operand, within)
        case "numeric":
            return _read_numeric(operand, within)
        case "anything-but":
            return _read_anything_but(operand, within, language)
        case "exactly":
            return Condition("text", _text(operand, within))
        case "prefix" | "suffix" if isinstance(operand, Members):
            return _read_affix_in_any_case(name, operand, within, language)
        case _:
            return _of_text(name, _text(operand, within), within)


def _only_member(value: Members, path: str, names: tuple[str, ...]) -> tuple[str, Any]:
    if len(value) != 1:
        found = "no operator" if not value else f"{len(value)} operators in one object"
        refuse(path, found, f"one of {listing(names)}; a further one in an object of its own")
    return value.pairs[0]


def _text(operand: Any, path: str) -> str:
    if isinstance(operand, str):
        return operand
    return refuse(path, f"{shown(operand)} is no text", "a text")


def shown(value: Any) -> str:
    """A value that was read, as messages show it."""
    if isinstance(value, Members):
        return "an object"
    if isinstance(value, Number):
        return value.text
    return LITERALS[value] if value is None or isinstance(value, bool) else shorten(value)


def _of_text(name: str, text: str, path: str) -> Condition:
    """Of the operators whose operand is a text."""
    match name:
        case "prefix" | "suffix":
            return Condition(name, text)
        case "equals-ignore-case":
            return Condition("letters", letters=_spellings(text))
        case "wildcard":
            return Condition("wildcard", text, pieces=read_wildcard(text, path))
        case _:
            base, bits = read_block(text, path)
            return Condition("cidr", base, bits)


def _spellings(text: str) -> tuple[tuple[str, ...], ...]:
    """Each letter as it is, as a capital and as a small letter: ß is SS as a capital."""
    return tuple(tuple(dict.fromkeys((it, it.lower(), it.upper()))) for it in text)


def _read_affix_in_any_case(
    name: str, operand: Members, path: str, language: Language
) -> Condition:
    if not language.ignore_case_in_affixes:
        refuse(path, "an object is no text", "a text")
    operator, text = _only_member(operand, path, ("equals-ignore-case",))
    if operator != "equals-ignore-case":
        hint = nearest(operator, ("equals-ignore-case",))
        refuse(path, f"{shorten(operator)} within {name}", "equals-ignore-case", hint)
    spellings = _spellings(_text(text, f"{path}.{operator}"))
    return Condition(f"letters_{name}", letters=spellings)


def _read_exists(operand: Any, path: str) -> Condition:
    if not isinstance(operand, bool):
        refuse(path, f"{shown(operand)} is neither true nor false", "true or false")
    return Condition("exists" if operand else "absent")


def _read_anything_but(operand: Any, path: str, language: Language) -> Condition:
    allowed = "a text, a number, or a list of only texts or only numbers"
    if isinstance(operand, Members):
        return _read_anything_but_operator(operand, path, language)
    values = operand if isinstance(operand, list) else [operand]
    if not values:
        refuse(path, "an empty list", allowed)
    for index, value in enumerate(values):
        if isinstance(value, str | Number):
            continue
        where = f"{path}[{index}]" if isinstance(operand, list) else path
        refuse(where, f"{shown(value)} within anything-but", allowed)
    if len({type(value) for value in values}) > 1:
        refuse(path, "texts and numbers in one list", allowed)
    inner = (
        Condition("number", it.text) if isinstance(it, Number) else Condition("text", it)
        for it in values
    )
    return Condition("anything_but", none_of=tuple(inner))


def _read_anything_but_operator(operand: Members, path: str, language: Language) -> Condition:
    names = language.inside_anything_but
    name, inner = _only_member(operand, path, names)
    if name not in names:
        hint = nearest(name, names)
        refuse(path, f"{shorten(name)} within anything-but", listing(names), hint)
    within = f"{path}.{name}"
    values = inner if isinstance(inner, list) and language.lists_inside_anything_but else [inner]
    if not values:
        refuse(within, "an empty list", "a text or a list of texts")
    texts = [_text(value, within) for value in values]
    if name in {"prefix", "suffix"} and "" in texts:
        refuse(within, "an empty text, which every text has", "a text of one letter or more")
    return Condition("anything_but", none_of=tuple(_of_text(name, it, within) for it in texts))


def _read_numeric(operand: Any, path: str) -> Condition:
    allowed = 'one comparison such as ["=", 5], or two such as [">=", 0, "<", 5], lower bound first'
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        refuse(path, "no comparison, or not one or two", allowed)
    comparisons = operand[::2]
    for comparison in comparisons:
        if not isinstance(comparison, str) or comparison not in COMPARISONS:
            refuse(path, f"{shown(comparison)} is no comparison", listing(COMPARISONS))
    for number in operand[1::2]:
        if not isinstance(number, Number):
            refuse(path, f"{shown(number)} is no number", "a number")
    if len(operand) == 2:
        return _read_bound(operand[0], operand[1].text)
    if comparisons[0] not in {">", ">="} or comparisons[1] not in {"<", "<="}:
        refuse(path, f"{comparisons[0]} and {comparisons[1]} are no range", allowed)
    low, high = operand[1], operand[3]
    if low.value >= high.value:
        refuse(path, f"{low.text} is not below {high.text}", "a lower bound below the upper one")
    return Condition(
        "range",
        low=low.text,
        high=high.text,
        low_open=comparisons[0] == ">",
        high_open=comparisons[1] == "<",
    )


def _read_bound(comparison: str, number: str) -> Condition:
    if comparison == "=":
        return Condition("number", number)
    if comparison in {">", ">="}:
        return Condition("range", low=number, low_open=comparison == ">")
    return Condition("range", high=number, high_open=comparison == "<")


# Of a number in a pattern, what it is and where.
NumberCheck = Callable[[Number, str], None]


def check_numbers(value: Any, path: str, check: NumberCheck) -> None:
    """Every number within a condition as it is written."""
    if isinstance(value, Number):
        check(value, path)
    elif isinstance(value, Members):
        for key, item in value:
            check_numbers(item, f"{path}.{key}", check)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_numbers(item, f"{path}[{index}]", check)


# What `$or` must not name a field, so that a mistake is not taken for one.
RESERVED = frozenset(
    (
        *EVENTS.operators,
        *COMPARISONS,
        "html",
        "regex",
        "not-wildcard",
        "not-equals-ignore-case",
        "date-after",
        "date-on-or-after",
        "date-before",
        "date-on-or-before",
        "in-date-range",
        "ip-address-in-range",
        "ip-address-not-in-range",
    )
)

_PLAIN_KEY = re.compile(r"[\w$-]+")


def join(path: str, key: str) -> str:
    """The path of a member as messages show it."""
    shown = key if _PLAIN_KEY.fullmatch(key) else f'"{key}"'
    return f"{path}.{shown}" if path else shown
