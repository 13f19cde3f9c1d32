"""From patterns that have been read to what the core takes."""

from collections.abc import Iterable, Sequence

from nephoscope import _core
from nephoscope.patterns import Branch, Condition

_KINDS = _core.patterns.ConditionKind.__members__

RuleFields = list[list[tuple[str, list[_core.patterns.ConditionSpec]]]]


def condition_spec(condition: Condition) -> _core.patterns.ConditionSpec:
    """One condition in the core's words, which are the same."""
    spec = _core.patterns.ConditionSpec()
    spec.kind = _KINDS[condition.kind]
    spec.text = condition.text
    spec.bits = condition.bits
    spec.letters = [list(spellings) for spellings in condition.letters]
    spec.pieces = list(condition.pieces)
    spec.low, spec.high = condition.low, condition.high
    spec.low_open, spec.high_open = condition.low_open, condition.high_open
    spec.none_of = [condition_spec(inner) for inner in condition.none_of]
    return spec


def matcher(
    rules: Iterable[Sequence[Branch]], *, five_digits: bool = False
) -> _core.patterns.Matcher:
    """All rules of a bus, compiled, or the one policy of a subscription."""
    fields: list[RuleFields] = [
        [
            [(path, [condition_spec(it) for it in any_of]) for path, any_of in branch.items()]
            for branch in branches
        ]
        for branches in rules
    ]
    numbers = _core.patterns.NumberRule.five_digits if five_digits else None
    return _core.patterns.Matcher(fields, numbers or _core.patterns.NumberRule.exact)
