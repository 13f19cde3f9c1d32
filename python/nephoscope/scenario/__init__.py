"""The user's vocabulary: scenarios as validated data models, their files, their units.

units                    quantities as people write them
files                    a file as plain values that know their place
language                 the data models, a file a concept; structure is the whole of a file
rules                    what joins several parts, on plain values, a file a concept
problems, checking       every mistake at once
overriding, data_files   values by path; the files that a scenario names
scenario                 the Scenario itself
specs, compile           a scenario as the core takes it, a file a concept
steering                 what can be set while a world runs
"""

from nephoscope.scenario.scenario import Scenario

__all__ = ["Scenario"]
