"""Filter policies of topics: the language of patterns, with fewer operators and with limits."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nephoscope.errors import PatternError, shorten
from nephoscope.nearest import listing, nearest
from nephoscope.patterns.condition import Language, check_numbers, join, refuse, shown
from nephoscope.patterns.json_value import Members, Number, read_value, write_value
from nephoscope.patterns.pattern import OR, Branch, read_branches

SCOPES = ("attributes", "body")

KEYS_MAX = 5
COMBINATIONS_MAX = 150
BYTES_MAX = 256 * 1024
NUMBER_MAX = Decimal(10**9)

POLICIES = Language(
    operators=(
        "prefix",
        "suffix",
        "equals-ignore-case",
        "anything-but",
        "numeric",
        "cidr",
        "exists",
    ),
    inside_anything_but=("prefix",),
    lists_inside_anything_but=False,
    ignore_case_in_affixes=False,
)


@dataclass(frozen=True, slots=True)
class FilterPolicyRules:
    """A policy that has been read. One without branches lets everything through."""

    scope: str
    branches: tuple[Branch, ...]

    @property
    def paths(self) -> frozenset[str]:
        """All fields that it asks for."""
        return frozenset(path for branch in self.branches for path in branch)


def read_policy(source: Any, scope: str) -> FilterPolicyRules:
    """A policy (text, bytes or dict) of a scope; raises PatternError where it is none."""
    if scope not in SCOPES:
        hint = nearest(scope, SCOPES)
        raise PatternError(f"{shorten(scope)} is no scope", "scope", listing(SCOPES), hint)
    value = read_value(source, "the policy", PatternError)
    if not isinstance(value, Members):
        refuse("", f"{shown(value)} is no policy", "an object of fields")
    size = len((source if isinstance(source, str) else write_value(value)).encode())
    if size > BYTES_MAX:
        refuse("", f"a policy of {size} bytes", f"at most {BYTES_MAX}")
    if not value:  # the service takes it for the wish to have no policy
        return FilterPolicyRules(scope, ())
    keys = len(value.last())
    if keys > KEYS_MAX:
        refuse("", f"{keys} keys", f"at most {KEYS_MAX} at the top of the policy")
    if scope == "attributes":
        _check_flat(value, "")
    branches = tuple(read_branches(value, POLICIES))
    check_numbers(value, "", _check_number)
    combinations = _combinations(value, 1, 1)
    if combinations > COMBINATIONS_MAX:
        refuse(
            "",
            f"{combinations} combinations of values",
            f"at most {COMBINATIONS_MAX}: the numbers of values, each times the depth of its key, "
            "multiplied",
        )
    return FilterPolicyRules(scope, branches)


def _check_flat(value: Members, place: str) -> None:
    for key, item in value:
        where = join(place, key)
        if isinstance(item, Members):
            refuse(where, "attributes are not nested", "a list of values and operators")
        if key == OR and isinstance(item, list):
            for index, alternative in enumerate(item):
                if isinstance(alternative, Members):
                    _check_flat(alternative, f"{where}[{index}]")


def _check_number(number: Number, path: str) -> None:
    if number.value.copy_abs() > NUMBER_MAX:
        refuse(path.removeprefix("."), f"{number.text} is out of range", "numbers from -1e9 to 1e9")


def _combinations(value: Members, depth: int, so_far: int) -> int:
    """As the service counts them: alternatives of `$or` are added, all else is multiplied."""
    for key, item in value.last().items():
        if isinstance(item, Members):
            so_far = _combinations(item, depth + 1, so_far)
        elif key == OR:
            so_far = sum(_combinations(alternative, depth, so_far) for alternative in item)
        else:
            so_far *= len(item) * depth
    return so_far
