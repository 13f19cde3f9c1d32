"""A slow matcher of event patterns, written from the rules alone, on Python's own values.

It shares no code with the package: operators by `re`, `ipaddress` and `Fraction`, branches and
choices of values by trying all of them.
"""

import ipaddress
import re
from fractions import Fraction
from itertools import pairwise


def matches(pattern: dict, event: dict) -> bool:
    """Whether an event matches a pattern that is one."""
    leaves = list(flatten(event))
    return any(chosen(sorted(branch.items()), leaves, {}) for branch in branches(pattern))


def branches(pattern: dict, path: str | None = None, sofar: list[dict] | None = None) -> list[dict]:
    """All ways through `$or`, each as conditions by path."""
    sofar = [{}] if sofar is None else sofar
    for key, item in pattern.items():
        full = key if path is None else f"{path}.{key}"
        if key == "$or" and isinstance(item, list):
            sofar = [one for choice in item for one in branches(choice, path, sofar)]
        elif isinstance(item, dict):
            sofar = branches(item, full, sofar)
        else:
            sofar = [{**branch, full: item} for branch in sofar]
    return sofar


def flatten(value, path=None, within=(), counter=None):
    """(path, value, elements) of every leaf; elements are of the arrays around it."""
    counter = counter if counter is not None else [0]
    for key, item in value.items():
        full = key if path is None else f"{path}.{key}"
        yield from leaves_of(item, full, within, counter)


def leaves_of(item, path, within, counter):
    if isinstance(item, dict):
        yield from flatten(item, path, within, counter)
    elif isinstance(item, list):
        counter[0] += 1
        number = counter[0]
        for index, element in enumerate(item):
            inner = (*within, (number, index)) if isinstance(element, dict | list) else within
            yield from leaves_of(element, path, inner, counter)
    else:
        yield path, item, within


def agree(elements, chosen_so_far: dict) -> bool:
    return all(chosen_so_far.get(array, index) == index for array, index in elements)


def chosen(conditions, leaves, elements: dict) -> bool:
    """Whether some choice of values, one for each path in order, satisfies all conditions."""
    if not conditions:
        return True
    (path, any_of), *rest = conditions
    here = [(value, at) for name, value, at in leaves if name == path and agree(at, elements)]
    if {"exists": False} in any_of and not here and chosen(rest, leaves, elements):
        return True
    return any(
        chosen(rest, leaves, {**elements, **dict(at)})
        for value, at in here
        if any(holds(condition, value) for condition in any_of)
    )


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left, right) -> bool:
    if is_number(left) and is_number(right):
        return Fraction(str(left)) == Fraction(str(right))
    return type(left) is type(right) and left == right


def holds(condition, value) -> bool:
    if not isinstance(condition, dict):
        left, right = address(condition), address(value)
        return left == right if left is not None and right is not None else same(condition, value)
    ((operator, operand),) = condition.items()
    if operator == "exists":
        return operand
    if operator == "anything-but":
        return anything_but(operand, value)
    if operator == "numeric":
        return is_number(value) and all(
            compare(Fraction(str(value)), sign, Fraction(str(bound)))
            for (sign, bound) in list(pairwise(operand))[::2]
        )
    return isinstance(value, str) and of_text(operator, operand, value)


def anything_but(operand, value) -> bool:
    if isinstance(operand, dict):
        ((operator, texts),) = operand.items()
        texts = texts if isinstance(texts, list) else [texts]
        return not any(holds({operator: text}, value) for text in texts)
    return not any(
        same(one, value) for one in (operand if isinstance(operand, list) else [operand])
    )


def compare(value, sign, bound) -> bool:
    return {
        "=": value == bound,
        "<": value < bound,
        "<=": value <= bound,
        ">": value > bound,
        ">=": value >= bound,
    }[sign]


def any_case(text: str) -> str:
    """A regular expression of each letter as it is, small or capital."""
    return "".join(
        "(?:" + "|".join(re.escape(form) for form in {it, it.lower(), it.upper()}) + ")"
        for it in text
    )


def of_text(operator: str, operand, value: str) -> bool:
    if operator == "cidr":
        found = address(value)
        return found is not None and found in ipaddress.ip_network(operand, strict=False)
    body = any_case(operand["equals-ignore-case"]) if isinstance(operand, dict) else None
    if operator == "equals-ignore-case":
        body = any_case(operand)
    if operator == "wildcard":
        parts = re.findall(r"\\.|\*|[^\\*]", operand, re.DOTALL)
        body = "".join(".*" if it == "*" else re.escape(it[-1]) for it in parts)
    body = re.escape(operand) if body is None else body
    expression = {"prefix": f"{body}.*", "suffix": f".*{body}"}.get(operator, body)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def address(value):
    """An address, if the text is one; of mapped ones that of IPv4."""
    if not isinstance(value, str) or "%" in value or ("." in value and ":" in value):
        return None
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
