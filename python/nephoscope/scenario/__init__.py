"""The user's vocabulary: scenarios as validated data models, their files, their units.

document, yaml_reader, json_reader   a file as plain values that know their place
units, fields, model                 quantities, scalar fields, what models have in common
distribution ... structure           the data models, a file a concept
references, calls, rules, data_files what joins several parts
checking, problems                   every mistake at once
overriding                           values by path
scenario                             the Scenario itself
compile                              a scenario as the core takes it
"""

from nephoscope.scenario.scenario import Scenario

__all__ = ["Scenario"]
