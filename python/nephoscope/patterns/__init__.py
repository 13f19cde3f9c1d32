"""The language of event patterns, filter policies and input transformers, read and checked.

What is read here are plain values (`Condition`); what is done with them is compiled.
"""

from nephoscope.patterns.condition import Condition
from nephoscope.patterns.filter_policy import FilterPolicyRules, read_policy
from nephoscope.patterns.json_value import Members, Number, read_value, write_value
from nephoscope.patterns.pattern import Branch, read_pattern
from nephoscope.patterns.transformer import Transformer, read_transformer

__all__ = [
    "Branch",
    "Condition",
    "FilterPolicyRules",
    "Members",
    "Number",
    "Transformer",
    "read_pattern",
    "read_policy",
    "read_transformer",
    "read_value",
    "write_value",
]
